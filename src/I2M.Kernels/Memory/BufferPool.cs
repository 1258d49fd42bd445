namespace I2M.Kernels;

/// <summary>
/// Keeps freed device memory for the next request of the same size, so that a training step allocates nothing on the device once it
/// has run before. Sizes are rounded up to 64 words (256 bytes, the alignment that vector loads and CUDA want).
/// </summary>
public sealed class BufferPool : IDisposable
{
    private const long Granule = 64;
    private readonly Func<long, DeviceBuffer> _allocate;
    private readonly Dictionary<long, Stack<DeviceBuffer>> _free = [];
    private readonly HashSet<DeviceBuffer> _live = [];

    /// <summary>Bytes handed out and not returned.</summary>
    public long LiveBytes { get; private set; }

    /// <summary>The most bytes that were ever handed out at a time.</summary>
    public long PeakLiveBytes { get; private set; }

    /// <summary>Bytes held on the device, handed out or free.</summary>
    public long DeviceBytes { get; private set; }

    /// <summary>The most bytes that were ever held on the device.</summary>
    public long PeakDeviceBytes { get; private set; }

    /// <summary>How many times memory was taken from the device: constant over warm steps.</summary>
    public long DeviceAllocations { get; private set; }

    /// <param name="allocate">Takes memory of so many words from the device.</param>
    public BufferPool(Func<long, DeviceBuffer> allocate) => _allocate = allocate;

    /// <summary>Hands out a view of <paramref name="length"/> words with undefined contents.</summary>
    public BufferView Rent(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        long capacity = Math.Max(1, (length + Granule - 1) / Granule) * Granule;
        DeviceBuffer buffer = _free.TryGetValue(capacity, out var stack) && stack.Count > 0 ? stack.Pop() : AllocateNew(capacity);
        _live.Add(buffer);
        LiveBytes += buffer.Bytes;
        PeakLiveBytes = Math.Max(PeakLiveBytes, LiveBytes);
        buffer.Rented(length);
        return new BufferView(buffer, 0, length);
    }

    /// <summary>Takes a rented buffer back. Work that was queued before may still use it: later work runs after it.</summary>
    public void Return(BufferView view)
    {
        DeviceBuffer buffer = view.Buffer;
        if (!_live.Remove(buffer)) { throw new InvalidOperationException("This buffer was returned already or belongs to another pool."); }
        LiveBytes -= buffer.Bytes;
        buffer.Returned();
        if (!_free.TryGetValue(buffer.Length, out var stack)) { _free[buffer.Length] = stack = new Stack<DeviceBuffer>(); }
        stack.Push(buffer);
    }

    /// <summary>Gives all free memory back to the device.</summary>
    public void Trim()
    {
        foreach (var stack in _free.Values)
        {
            while (stack.TryPop(out var buffer))
            {
                DeviceBytes -= buffer.Bytes;
                buffer.Free();
            }
        }
    }

    /// <summary>Frees everything, rented or not.</summary>
    public void Dispose()
    {
        Trim();
        foreach (var buffer in _live) { buffer.Free(); }
        _live.Clear();
        LiveBytes = DeviceBytes = 0;
    }

    private DeviceBuffer AllocateNew(long capacity)
    {
        DeviceBuffer buffer = _allocate(capacity);
        DeviceAllocations++;
        DeviceBytes += buffer.Bytes;
        PeakDeviceBytes = Math.Max(PeakDeviceBytes, DeviceBytes);
        return buffer;
    }
}
