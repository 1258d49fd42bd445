namespace I2M.Kernels;

/// <summary>
/// A block of device memory counted in 32-bit words. A word is a float unless the operation that reads it says that it is an index.
/// Owned by a <see cref="BufferPool"/>.
/// </summary>
public abstract class DeviceBuffer
{
    /// <summary>Capacity in 32-bit words.</summary>
    public long Length { get; }

    /// <summary>Capacity in bytes.</summary>
    public long Bytes => Length * sizeof(float);

    /// <param name="length">Capacity in 32-bit words.</param>
    protected DeviceBuffer(long length) => Length = length;

    /// <summary>Gives the memory back to the device. Called by the pool only.</summary>
    protected internal abstract void Free();
}
