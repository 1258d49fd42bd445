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

    /// <summary>How many buffers its pool had taken from the device before.</summary>
    internal long Number { get; set; }

    /// <summary>The reserve that it goes back to; null is the pool itself.</summary>
    internal BufferReserve? Reserve { get; set; }

    /// <param name="length">Capacity in 32-bit words.</param>
    protected DeviceBuffer(long length) => Length = length;

    /// <summary>The pool hands out the first <paramref name="length"/> words; their contents are undefined. For devices that watch accesses.</summary>
    protected internal virtual void Rented(long length) { }

    /// <summary>The pool has taken the memory back: nothing may touch it until it is rented again. For devices that watch accesses.</summary>
    protected internal virtual void Returned() { }

    /// <summary>Gives the memory back to the device. Called by the pool only.</summary>
    protected internal abstract void Free();
}
