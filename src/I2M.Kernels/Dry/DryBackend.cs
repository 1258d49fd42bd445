using I2M.Kernels.Host;
using I2M.Kernels.Ilgpu;

namespace I2M.Kernels.Dry;

/// <summary>
/// Backends that do everything except compute: operations check their shapes, choose their kernels and rent their scratch exactly as on the device, but no
/// loop runs and no kernel is launched, and all buffers are the same memory. What the pool counts is what the device would count, for a model of any
/// size on any machine, in milliseconds. Results are whatever the memory holds.
/// </summary>
public static class DryBackend
{
    /// <summary>The host with so many threads; 0 takes one per processor.</summary>
    public static IBackend Host(int threads = 0) => HostBackend.Dry(threads);

    /// <summary>A GPU that need not be there.</summary>
    public static IBackend Cuda(GpuCard card) => new IlgpuBackend("cuda", new DryDevice(card));

    /// <summary>The twin of an open backend.</summary>
    /// <exception cref="ArgumentException">It is a decorator.</exception>
    public static IBackend Of(IBackend backend) => backend switch
    {
        HostBackend host => Host(host.Threads),
        IlgpuBackend device => device.Dry(),
        _ => throw new ArgumentException($"{backend.GetType().Name} is no device of its own.", nameof(backend)),
    };
}
