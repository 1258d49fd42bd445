using System.Diagnostics;
using I2M.Kernels;

namespace I2M.Model.Benchmarks;

/// <summary>How to measure.</summary>
/// <param name="Threads">Host threads, for the peaks; at least 1.</param>
/// <param name="Seconds">Time for the timed runs of a case; long cases take at least <see cref="BenchmarkRunner.FewestRuns"/> runs.</param>
public sealed record BenchmarkOptions(int Threads, double Seconds);

/// <summary>Called as a case goes on.</summary>
/// <param name="name">The case.</param>
/// <param name="phase">What it does now.</param>
public delegate void BenchmarkObserver(string name, string phase);

/// <summary>Verifies, warms up and times cases.</summary>
/// <param name="backend">Where they run.</param>
/// <param name="options">How.</param>
public sealed class BenchmarkRunner(IBackend backend, BenchmarkOptions options)
{
    /// <summary>Timed runs at least.</summary>
    public const int FewestRuns = 3;

    private const int MostRuns = 2000;
    private readonly HostPeak _peak = new(options.Threads);

    private bool OnHost => backend.Name == "host";

    /// <summary>Measures one case.</summary>
    /// <param name="name">Its name, for messages.</param>
    /// <param name="create">Makes it.</param>
    /// <param name="observer">Hears of every phase, or null.</param>
    /// <param name="cancel">Stops between two runs.</param>
    /// <exception cref="I2MException">Its results are wrong: names the case and the worst element.</exception>
    public BenchmarkResult Measure(string name, Func<IBackend, BenchmarkCase> create, BenchmarkObserver? observer = null, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        observer?.Invoke(name, "preparing");
        try
        {
            using BenchmarkCase work = create(backend);
            observer?.Invoke(name, "verifying against double precision");
            double error = Verified(name, work, cancel);
            observer?.Invoke(name, "warming up");
            Repeat(work, Math.Min(0.3, options.Seconds / 4), 1, cancel);
            observer?.Invoke(name, "timing");
            return Timed(name, work, error, cancel);
        }
        finally
        {
            backend.Pool.Trim();
        }
    }

    private double Verified(string name, BenchmarkCase work, CancellationToken cancel)
    {
        try
        {
            return work.Verify(cancel);
        }
        catch (I2MException e)
        {
            throw new I2MException($"bench: {name}: verification failed on {backend.Name}: {e.Message}", e);
        }
    }

    private BenchmarkResult Timed(string name, BenchmarkCase work, double error, CancellationToken cancel)
    {
        // The machine may be slower now than a minute ago, so the peak is measured on both sides of the case and the better one counts.
        var before = Peaks(work);
        (long Stolen, long Total)? clock = MachineFacts.ProcessorTime();
        double[] times = Repeat(work, options.Seconds, FewestRuns, cancel);
        double? steal = Steal(clock, MachineFacts.ProcessorTime());
        var after = Peaks(work);
        double? flops = before.Flops is { } first && after.Flops is { } second ? Math.Max(first, second) : null;
        double copy = Math.Max(before.Bytes, after.Bytes), median = Quantile(times, 0.5);
        double? share = work.Work.Bound == BenchmarkBound.Memory ? work.Work.Bytes / median / copy : work.Work.Flops / median / flops;
        return new BenchmarkResult
        {
            Case = name,
            Ms = Round(median * 1e3),
            Gflops = Round(work.Work.Flops / median / 1e9),
            Gbs = Round(work.Work.Bytes / median / 1e9),
            ShareOfPeak = share is { } value ? Round(value) : null,
            Bound = work.Work.Bound == BenchmarkBound.Memory ? "memory" : "compute",
            MsMin = Round(times[0] * 1e3),
            MsMax = Round(times[^1] * 1e3),
            Runs = times.Length,
            Noise = Round((Quantile(times, 0.75) - Quantile(times, 0.25)) / median),
            Steal = steal,
            ErrorOfLimit = Round(error),
            PeakGflops = flops is { } peak ? Round(peak / 1e9) : null,
            PeakGbs = Round(copy / 1e9),
            Device = backend.Name,
            DeviceName = $"{backend.Device.Name} ({backend.Device.Detail})",
            Threads = options.Threads,
        };
    }

    /// <summary>Runs until the time is over; the times in ascending order.</summary>
    private static double[] Repeat(BenchmarkCase work, double seconds, int fewest, CancellationToken cancel)
    {
        List<double> times = [];
        for (double total = 0; (total < seconds || times.Count < fewest) && times.Count < MostRuns; total += times[^1])
        {
            cancel.ThrowIfCancellationRequested();
            long start = Stopwatch.GetTimestamp();
            work.Run();
            times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        times.Sort();
        return [.. times];
    }

    private (double? Flops, double Bytes) Peaks(BenchmarkCase work) =>
        OnHost ? (_peak.FlopsPerSecond(), _peak.CopyBytesPerSecond(work.Work.Bytes)) : (null, DeviceCopy(work.Work.Bytes));

    /// <summary>Bytes a second, read and written, of the device's own copy of half the bytes: best of some runs.</summary>
    private double DeviceCopy(double bytes)
    {
        long words = Math.Clamp((long)bytes / 8, 1024, 1L << 27);
        using var scope = new BufferScope(backend.Pool);
        BufferView source = scope.Rent(words), destination = scope.Rent(words);
        backend.Fill(source, 1);
        double best = 0;
        for (int i = 0; i < 6; i++)
        {
            long start = Stopwatch.GetTimestamp();
            backend.Copy(source, destination);
            backend.Synchronize();
            best = Math.Max(best, 8.0 * words / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best;
    }

    private static double? Steal((long Stolen, long Total)? before, (long Stolen, long Total)? after) =>
        before is { } b && after is { } a && a.Total > b.Total ? Round((a.Stolen - b.Stolen) / (double)(a.Total - b.Total)) : null;

    /// <summary>Linear between the two neighbours in a sorted array.</summary>
    private static double Quantile(double[] sorted, double share)
    {
        double place = share * (sorted.Length - 1);
        int below = (int)place, above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }

    /// <summary>Five significant digits: more are noise.</summary>
    private static double Round(double value) =>
        double.Parse(value.ToString("G5", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture);
}
