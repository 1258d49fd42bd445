namespace I2M.Kernels;

/// <summary>
/// Keeps freed device memory for the next request of the same size, so that a training step allocates nothing on the device once it
/// has run before. Sizes are rounded up to 64 words (256 bytes, the alignment that vector loads and CUDA want). When the device has no memory left, what is
/// free here is given back to it and the request is made once more.
/// </summary>
public sealed class BufferPool : IDisposable
{
    private const long Granule = 64;
    private readonly Func<long, DeviceBuffer> _allocate;
    private readonly FreeBuffers _free = new();
    private readonly List<BufferReserve> _reserves = [];
    private readonly HashSet<DeviceBuffer> _live = [];
    private BufferReserve? _current;

    /// <summary>Bytes handed out and not returned.</summary>
    public long LiveBytes { get; private set; }

    /// <summary>The most bytes that were handed out at a time, since <see cref="ResetPeaks"/> where that was called.</summary>
    public long PeakLiveBytes { get; private set; }

    /// <summary>Bytes held on the device, handed out or free.</summary>
    public long DeviceBytes { get; private set; }

    /// <summary>The most bytes that were held on the device, since <see cref="ResetPeaks"/> where that was called.</summary>
    public long PeakDeviceBytes { get; private set; }

    /// <summary>How many times memory was taken from the device: constant over warm steps.</summary>
    public long DeviceAllocations { get; private set; }

    /// <summary>What whoever planned the work expects it to hold at most, for the message of a device without memory; null when nobody did.</summary>
    public long? PlannedBytes { get; set; }

    /// <param name="allocate">Takes memory of so many words from the device.</param>
    public BufferPool(Func<long, DeviceBuffer> allocate) => _allocate = allocate;

    /// <summary>Hands out a view of <paramref name="length"/> words with undefined contents.</summary>
    /// <exception cref="OutOfDeviceMemoryException">The device has none left, also after <see cref="Trim"/>.</exception>
    public BufferView Rent(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        long capacity = Math.Max(1, (length + Granule - 1) / Granule) * Granule;
        DeviceBuffer buffer = _current?.Free.Take(capacity) ?? _free.Take(capacity) ?? AllocateNew(capacity);
        if (_current is not null) { buffer.Reserve = _current; }
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
        (buffer.Reserve?.Free ?? _free).Put(buffer);
    }

    /// <summary>Gives all free memory back to the device, besides that of reserves whose addresses are in use.</summary>
    public void Trim()
    {
        GiveBack(_free);
        foreach (BufferReserve reserve in _reserves)
        {
            if (!reserve.IsPinned) { GiveBack(reserve.Free); }
        }
    }

    /// <summary>Counts peaks from here on, for work whose own peak is asked for.</summary>
    public void ResetPeaks() => (PeakLiveBytes, PeakDeviceBytes) = (LiveBytes, DeviceBytes);

    /// <summary>A part of this pool with memory of its own; see <see cref="BufferReserve"/>.</summary>
    public BufferReserve CreateReserve()
    {
        var reserve = new BufferReserve(this);
        _reserves.Add(reserve);
        return reserve;
    }

    /// <summary>Frees everything, rented or not.</summary>
    public void Dispose()
    {
        GiveBack(_free);
        foreach (BufferReserve reserve in _reserves) { GiveBack(reserve.Free); }
        foreach (var buffer in _live) { buffer.Free(); }
        _live.Clear();
        LiveBytes = DeviceBytes = 0;
    }

    /// <summary>Makes a reserve, or none, serve the requests that follow.</summary>
    /// <returns>The one that did so before.</returns>
    internal BufferReserve? Enter(BufferReserve? reserve)
    {
        BufferReserve? before = _current;
        _current = reserve;
        return before;
    }

    /// <summary>Gives a reserve's free memory to the others; what it has handed out follows when it is returned.</summary>
    internal void Dissolve(BufferReserve reserve)
    {
        if (!_reserves.Remove(reserve)) { return; }
        reserve.Free.MoveTo(_free);
        foreach (DeviceBuffer buffer in _live)
        {
            if (buffer.Reserve == reserve) { buffer.Reserve = null; }
        }
    }

    private void GiveBack(FreeBuffers free)
    {
        while (free.TakeAny() is { } buffer)
        {
            DeviceBytes -= buffer.Bytes;
            buffer.Free();
        }
    }

    private DeviceBuffer AllocateNew(long capacity)
    {
        DeviceBuffer buffer;
        try
        {
            buffer = _allocate(capacity);
        }
        catch (OutOfDeviceMemoryException)
        {
            Trim();
            buffer = _allocate(capacity);
        }
        buffer.Number = DeviceAllocations++;
        DeviceBytes += buffer.Bytes;
        PeakDeviceBytes = Math.Max(PeakDeviceBytes, DeviceBytes);
        return buffer;
    }
}
