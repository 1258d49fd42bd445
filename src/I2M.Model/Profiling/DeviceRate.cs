using I2M.Kernels;
using I2M.Model.Benchmarks;

namespace I2M.Model.Profiling;

/// <summary>What a device could do at best, for shares of the peak.</summary>
public static class DeviceRate
{
    /// <summary>
    /// Operations a second: by units and clocks where they are known, of processors measured in a tenth of a second, of other devices null.
    /// </summary>
    /// <param name="device">The device, no decorator.</param>
    /// <param name="arithmetic">In which most products are computed.</param>
    /// <param name="threads">Threads of the host; 0 takes one per processor.</param>
    public static double? Peak(IBackend device, Arithmetic arithmetic, int threads = 0)
    {
        int count = threads > 0 ? threads : Environment.ProcessorCount;
        return device switch
        {
            IDeviceProbe { IsProcessor: true } => new HostPeak(Environment.ProcessorCount).FlopsPerSecond(windows: 1),
            IDeviceProbe probe => probe.Nominal.Flops(arithmetic),
            _ => new HostPeak(count).FlopsPerSecond(windows: 1),
        };
    }
}
