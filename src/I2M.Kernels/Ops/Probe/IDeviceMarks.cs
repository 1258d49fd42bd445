namespace I2M.Kernels;

/// <summary>Marks between queued operations by which a device's own clock measures them without anybody waiting in between.</summary>
public interface IDeviceMarks
{
    /// <summary>Puts a mark behind all work that is queued so far.</summary>
    /// <returns>Its number, from 0.</returns>
    /// <exception cref="InvalidOperationException">Work is being recorded; <see cref="SecondsAt"/> likewise.</exception>
    int Put();

    /// <summary>Seconds from the first mark to the given one, by the device's clock; waits for it.</summary>
    double SecondsAt(int mark);

    /// <summary>Forgets all marks; the next is number 0.</summary>
    void Clear();
}
