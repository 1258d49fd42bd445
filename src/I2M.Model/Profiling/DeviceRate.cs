using I2M.Kernels;
using I2M.Model.Benchmarks;

namespace I2M.Model.Profiling;

/// <summary>What a device could do at best, for shares of the peak.</summary>
public static class DeviceRate
{
    /// <summary>
    /// Operations a second: by units and clocks where they are known, of processors of as many threads as compute, measured in a sixth of a second, of other devices null.
    /// </summary>
    /// <param name="device">The device, no decorator.</param>
    /// <param name="arithmetic">In which most products are computed.</param>
    public static double? Peak(IBackend device, Arithmetic arithmetic) => device switch
    {
        IProcessorThreads host => new HostPeak(host.Threads).FlopsPerSecond(windows: 2),
        IDeviceProbe { IsProcessor: true } => new HostPeak(Environment.ProcessorCount).FlopsPerSecond(windows: 2),
        IDeviceProbe probe => probe.Nominal.Flops(arithmetic),
        _ => null,
    };
}
