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

/// <summary>Verifies, warms up and times cases: by the device's own events where there are any, else by the host's clock.</summary>
/// <param name="backend">Where they run.</param>
/// <param name="options">How.</param>
public sealed class BenchmarkRunner(IBackend backend, BenchmarkOptions options)
{
    /// <summary>Timed runs at least, by the host's clock and by events.</summary>
    public const int FewestRuns = 3, FewestEventRuns = 30;

    private const int MostRuns = 2000, WarmEventRuns = 10, MostAtOnce = 100;
    /// <summary>Shorter work is queued several times between two events, so that the device does not wait for the host; seconds.</summary>
    private const double ShortWork = 0.001;
    private readonly HostPeak _peak = new(options.Threads);
    private readonly IDeviceProbe? _probe = backend as IDeviceProbe;
    private readonly DevicePeak? _devicePeak = backend is IDeviceProbe probe ? new DevicePeak(backend, probe) : null;

    private bool HasEvents => _probe is { HasEvents: true };

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
            Repeat(work, Math.Min(0.3, options.Seconds / 4), HasEvents ? WarmEventRuns : 1, cancel);
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
        double[] times = Repeat(work, options.Seconds, HasEvents ? FewestEventRuns : FewestRuns, cancel);
        double? steal = Steal(clock, MachineFacts.ProcessorTime());
        var after = Peaks(work);
        double? flops = before.Flops is { } first && after.Flops is { } second ? Math.Max(first, second) : null;
        double copy = Math.Max(before.Bytes, after.Bytes), median = Quantile(times, 0.5);
        NominalPeaks nominal = _probe?.Nominal ?? default;
        double? share = Share(work.Work, median, flops, copy), ofNominal = Share(work.Work, median, nominal.Flops(work.Work.Arithmetic), nominal.Bytes);
        return new BenchmarkResult
        {
            Case = name,
            Ms = Round(median * 1e3),
            Gflops = Round(work.Work.Flops / median / 1e9),
            Gbs = Round(work.Work.Bytes / median / 1e9),
            ShareOfPeak = share is { } value ? Round(value) : null,
            ShareOfNominal = ofNominal is { } part ? Round(part) : null,
            Bound = work.Work.Bound.ToString().ToLowerInvariant(),
            Arithmetic = work.Work.Arithmetic.ToString().ToLowerInvariant(),
            Choice = work.Choice,
            Product = work.Work.Product,
            ProductsPerS = work.Work.Product is null ? null : Round(work.Work.Amount / median),
            Clock = HasEvents ? "events" : "host",
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

    /// <summary>Of what bounds the work; null where that peak is unknown or nothing bounds it.</summary>
    private static double? Share(BenchmarkWork work, double seconds, double? flops, double? bytes) => work.Bound switch
    {
        BenchmarkBound.Compute => work.Flops / seconds / flops,
        BenchmarkBound.Memory => work.Bytes / seconds / bytes,
        _ => null,
    };

    /// <summary>Runs until the time is over; the times in ascending order.</summary>
    private double[] Repeat(BenchmarkCase work, double seconds, int fewest, CancellationToken cancel)
    {
        List<double> times = [];
        int atOnce = 1;
        for (double total = 0; (total < seconds || times.Count < fewest) && times.Count < MostRuns; total += times[^1] * atOnce)
        {
            cancel.ThrowIfCancellationRequested();
            if (HasEvents && times.Count > 0) { atOnce = (int)Math.Clamp(ShortWork / times[^1], 1, MostAtOnce); }
            times.Add(Once(work, atOnce));
        }
        times.Sort();
        return [.. times];
    }

    private double Once(BenchmarkCase work, int atOnce)
    {
        if (HasEvents) { return _probe!.Time(() => Queue(work, atOnce)) / atOnce; }
        long start = Stopwatch.GetTimestamp();
        work.Run();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Queue(BenchmarkCase work, int times)
    {
        for (int i = 0; i < times; i++) { work.Queue(); }
    }

    private (double? Flops, double Bytes) Peaks(BenchmarkCase work) => _devicePeak is null
        ? (_peak.FlopsPerSecond(), _peak.CopyBytesPerSecond(work.Work.Bytes))
        : (work.Work.Bound == BenchmarkBound.Compute ? _devicePeak.FlopsPerSecond(work.Work.Arithmetic) : null, _devicePeak.CopyBytesPerSecond(work.Work.Bytes));

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
