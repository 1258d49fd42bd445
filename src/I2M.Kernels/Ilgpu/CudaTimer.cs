using ILGPU.Runtime.Cuda;

namespace I2M.Kernels.Ilgpu;

/// <summary>Times work in a queue of a CUDA device by two of its events.</summary>
internal sealed class CudaTimer : IDisposable
{
    private readonly CudaAccelerator _accelerator;
    private readonly CudaStream _stream;
    private IntPtr _before, _after;

    /// <param name="accelerator">The device.</param>
    /// <param name="stream">Its queue.</param>
    public CudaTimer(CudaAccelerator accelerator, CudaStream stream) => (_accelerator, _stream) = (accelerator, stream);

    /// <summary>Seconds on the device.</summary>
    public double Time(Action work)
    {
        if (_before == 0) { _before = CudaDriver.CreateEvent(_accelerator); }
        if (_after == 0) { _after = CudaDriver.CreateEvent(_accelerator); }
        _accelerator.Bind();
        CudaDriver.Record(_before, _stream);
        work();
        CudaDriver.Record(_after, _stream);
        return CudaDriver.SecondsBetween(_before, _after);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_before == 0) { return; }
        _accelerator.Bind();
        CudaDriver.DestroyEvent(_before);
        if (_after != 0) { CudaDriver.DestroyEvent(_after); }
        (_before, _after) = (0, 0);
    }
}
