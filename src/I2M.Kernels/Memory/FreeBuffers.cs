namespace I2M.Kernels;

/// <summary>Free buffers by capacity, last in, first out.</summary>
internal sealed class FreeBuffers
{
    private readonly Dictionary<long, List<DeviceBuffer>> _byCapacity = [];

    /// <summary>Adds a buffer.</summary>
    public void Put(DeviceBuffer buffer)
    {
        if (!_byCapacity.TryGetValue(buffer.Length, out List<DeviceBuffer>? list)) { _byCapacity[buffer.Length] = list = []; }
        list.Add(buffer);
    }

    /// <summary>The buffer of that capacity that was added last, or null. It belongs to no reserve any more.</summary>
    public DeviceBuffer? Take(long capacity) => _byCapacity.TryGetValue(capacity, out List<DeviceBuffer>? list) ? Last(list) : null;

    /// <summary>Any buffer, or null.</summary>
    public DeviceBuffer? TakeAny()
    {
        foreach (List<DeviceBuffer> list in _byCapacity.Values)
        {
            if (Last(list) is { } buffer) { return buffer; }
        }
        return null;
    }

    /// <summary>Gives all buffers to another.</summary>
    public void MoveTo(FreeBuffers other)
    {
        while (TakeAny() is { } buffer) { other.Put(buffer); }
    }

    /// <summary>Puts the buffers into the order of their making, so that equal requests get equal buffers whatever was returned in which order before.</summary>
    public void Sort()
    {
        foreach (List<DeviceBuffer> list in _byCapacity.Values) { list.Sort(static (a, b) => b.Number.CompareTo(a.Number)); }
    }

    private static DeviceBuffer? Last(List<DeviceBuffer> list)
    {
        if (list.Count == 0) { return null; }
        DeviceBuffer buffer = list[^1];
        list.RemoveAt(list.Count - 1);
        buffer.Reserve = null;
        return buffer;
    }
}
