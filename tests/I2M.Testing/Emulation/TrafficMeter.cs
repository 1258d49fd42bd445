using I2M.Kernels;
using I2M.Kernels.Ilgpu;
using I2M.PtxEmulator;

namespace I2M.Testing.Emulation;

/// <summary>An emulated CUDA device of its own, with the counters of every launch.</summary>
public sealed class TrafficMeter : IDisposable
{
    private readonly List<(string Kernel, LaunchReport Report)> _launches = [];

    public TrafficMeter() => Backend = new IlgpuBackend(Backends.Emulated, new EmulatedDevice { Launched = (kernel, report) => _launches.Add((kernel, report)) });

    /// <summary>The device.</summary>
    public IBackend Backend { get; }

    /// <summary>The launches of one call of an operation, with the kernels' names.</summary>
    public IReadOnlyList<(string Kernel, LaunchReport Report)> Measure(Action<IBackend> operation)
    {
        _launches.Clear();
        operation(Backend);
        return [.. _launches];
    }

    /// <inheritdoc/>
    public void Dispose() => Backend.Dispose();
}
