using I2M.Kernels;

namespace I2M.Model.Benchmarks;

/// <summary>What a GPU can do at best, measured: multiplications in registers, and its own copy. Each figure is the best of some short windows.</summary>
/// <param name="backend">The device.</param>
/// <param name="probe">The same device.</param>
public sealed class DevicePeak(IBackend backend, IDeviceProbe probe)
{
    private const int Windows = 4, MostRounds = 1 << 20;
    /// <summary>Long enough that launching does not count, in seconds.</summary>
    private const double Window = 0.004;
    private readonly Dictionary<Arithmetic, int> _rounds = [];

    /// <summary>Operations a second in one arithmetic; null where the device has no loop in it, and on processors, whose compilers may run the loop without vectors.</summary>
    public double? FlopsPerSecond(Arithmetic arithmetic)
    {
        if (probe.IsProcessor || !probe.CanLoop(arithmetic)) { return null; }
        using var loop = new MultiplyLoop(backend, probe, arithmetic);
        int rounds = _rounds.GetValueOrDefault(arithmetic, 16);
        double best = loop.Rate(rounds, out double seconds);
        while (seconds < Window && rounds < MostRounds)
        {
            rounds *= 2;
            loop.Rate(rounds, out seconds);
        }
        _rounds[arithmetic] = rounds;
        for (int i = 0; i < Windows; i++) { best = Math.Max(best, loop.Rate(rounds, out _)); }
        return Math.Max(best, loop.Rate(rounds, out _));
    }

    /// <summary>Bytes a second, read and written, of the device's own copy of half the bytes.</summary>
    public double CopyBytesPerSecond(double bytes)
    {
        long words = Math.Clamp((long)bytes / 8, 1024, 1L << 30);
        using var scope = new BufferScope(backend.Pool);
        BufferView source = scope.Rent(words), destination = scope.Rent(words);
        backend.Fill(source, 1);
        double best = 0;
        for (int i = 0; i <= Windows; i++) { best = Math.Max(best, 8.0 * words / probe.Time(() => backend.Copy(source, destination))); }
        return best;
    }
}
