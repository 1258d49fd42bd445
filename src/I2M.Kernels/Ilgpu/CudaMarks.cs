using ILGPU.Runtime.Cuda;

namespace I2M.Kernels.Ilgpu;

/// <summary>Marks as events of a CUDA device's queue; events are kept for the next marks.</summary>
/// <param name="accelerator">The device.</param>
/// <param name="stream">Its queue.</param>
internal sealed class CudaMarks(CudaAccelerator accelerator, CudaStream stream) : IDeviceMarks, IDisposable
{
    private readonly List<IntPtr> _events = [];
    private int _used;

    /// <inheritdoc/>
    public int Put()
    {
        if (_used == _events.Count) { _events.Add(CudaDriver.CreateEvent(accelerator)); }
        accelerator.Bind();
        CudaDriver.Record(_events[_used], stream);
        return _used++;
    }

    /// <inheritdoc/>
    public double SecondsAt(int mark)
    {
        accelerator.Bind();
        return CudaDriver.SecondsBetween(_events[0], _events[mark]);
    }

    /// <inheritdoc/>
    public void Clear() => _used = 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_events.Count > 0) { accelerator.Bind(); }
        foreach (IntPtr happening in _events) { CudaDriver.DestroyEvent(happening); }
        _events.Clear();
    }
}
