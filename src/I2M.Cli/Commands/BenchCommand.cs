using System.CommandLine;
using System.Globalization;
using I2M.Kernels;
using I2M.Model.Benchmarks;
using I2M.Model.Io;

namespace I2M.Cli.Commands;

/// <summary><c>i2m bench</c>: how fast this device computes what the model needs, verified first.</summary>
internal static class BenchCommand
{
    private static readonly Option<string?> Json = new("--json") { Description = "File to write the results to, as a list of objects; it is replaced. A folder takes a file named after processor, threads and day.", HelpName = "file" };
    private static readonly Option<string?> Cases = new("--cases") { Description = $"Names or groups separated by commas, or all: {string.Join(", ", BenchmarkCatalog.Names)}. GPUs have the groups g0 (ceilings), g1 to g5 (matrix products), g6 and g7 (attention), g8 (memory), g9 (a block), g10 (training steps), g11 (samples), g12 (vocoder), g13 (launches) too, at sizes that suit the device.", HelpName = "names" };
    private static readonly Option<bool> Tune = new("--tune") { Description = "Measure which tiles of the matrix product and of attention are fastest on this device and keep them in the user's cache folder, instead of running cases." };
    private static readonly Option<double> Seconds = CommonOptions.Number("--seconds", "Time to measure a case, after verifying it and warming up; at least 3 runs.", 2, 0.01, 600);
    private static readonly Option<string> Device = CommonOptions.Device();
    private static readonly Option<int> Threads = CommonOptions.Threads();
    private static readonly string[] Header = ["case", "ms", "min", "runs", "noise", "GFLOP/s", "GB/s", "of peak", "nominal", "bound", "tile"];

    public static Command Create()
    {
        var command = new Command("bench", "Measure how fast a device computes the model's operations and steps. Every case runs on random data and is compared with double precision before it is timed.\n\nExamples:\n  i2m bench --device host --json host.json\n  i2m bench --device host --cases gemm_768,gemm_1536 --threads 1\n  i2m bench --device cuda --tune\n  i2m bench --device cuda --cases g0,g3,g6")
        {
            Json, Cases, Seconds, Tune, Device, Threads,
        };
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        int threads = parse.GetValue(Threads) is > 0 and var given ? given : Environment.ProcessorCount;
        string? output = OutputOf(parse.GetValue(Json), threads);
        using IBackend backend = CommonOptions.OpenBackend(parse.GetValue(Device)!, threads);
        if (parse.GetValue(Tune)) { return Task.FromResult(TuneTiles(parse, backend, cancel)); }
        BenchmarkSuite suite = BenchmarkCatalog.For(backend);
        IReadOnlyList<string> names = suite.Select(parse.GetValue(Cases));
        Console.Error.WriteLine($"bench {MachineFacts.Processor}: {threads} of {Environment.ProcessorCount} threads, commit {MachineFacts.Commit ?? "unknown"}");
        if (names.Count < suite.Names.Count && parse.GetValue(Cases) is null) { Console.Error.WriteLine($"bench {names.Count} of {suite.Names.Count} cases: --cases all takes every one"); }
        List<BenchmarkResult> results = Measure(backend, suite, names, new BenchmarkOptions(threads, parse.GetValue(Seconds)), cancel);
        Console.WriteLine(Remarks(results));
        foreach (string line in BenchmarkResult.Rates(results)) { Console.WriteLine(line); }
        if (backend is ITunable { FullPrecisionReasons: { Count: > 0 } reasons }) { Console.WriteLine($"tf32 products in full float32: {string.Join("; ", reasons)}"); }
        if (output is not null)
        {
            BenchmarkResult.Write(output, results);
            Console.WriteLine(output);
        }
        return Task.FromResult(0);
    }

    /// <summary>--tune: a line for each product and pass of attention with the choice and its reason.</summary>
    private static int TuneTiles(ParseResult parse, IBackend backend, CancellationToken cancel)
    {
        if (parse.GetValue(Cases) is not null || parse.GetValue(Json) is not null) { throw new I2MException("--tune: measures tiles instead of cases: expected without --cases and --json"); }
        var tuner = new TileTuner(backend);
        TuningPlan plan = tuner.Plan(DeviceSizes.For(backend));
        if (plan.Count == 0)
        {
            Console.WriteLine($"{backend.Name}: nothing to tune: matrix product and attention have one variant each on this device");
            return 0;
        }
        string path = TileCache.PathOf(backend.Device);
        tuner.Tune(plan, path, Console.WriteLine, cancel);
        Console.WriteLine(path);
        return 0;
    }

    /// <summary>The file to write, found writable before the work; null without --json.</summary>
    private static string? OutputOf(string? json, int threads)
    {
        if (json is null) { return null; }
        string path = Directory.Exists(json) ? Path.Combine(json, MachineFacts.FileName(threads, DateTimeOffset.UtcNow)) : json;
        AtomicFile.RequireWritable(path);
        return path;
    }

    private static List<BenchmarkResult> Measure(IBackend backend, BenchmarkSuite suite, IReadOnlyList<string> names, BenchmarkOptions options, CancellationToken cancel)
    {
        int[] widths = [Math.Max(Header[0].Length, names.Max(n => n.Length)), 9, 9, 5, 6, 8, 7, 8, 8, 7, 4];
        var runner = new BenchmarkRunner(backend, options);
        List<BenchmarkResult> results = [];
        using var progress = new ProgressLine();
        Print(Header, widths);
        foreach (string name in names)
        {
            results.Add(runner.Measure(name, suite.Get(name), (what, phase) => progress.Show($"bench {results.Count + 1}/{names.Count} {what}: {phase}"), cancel));
            progress.Clear();
            Print(Row(results[^1]), widths);
        }
        return results;
    }

    private static void Print(string[] cells, int[] widths) =>
        Console.WriteLine(string.Join("  ", cells.Select((cell, c) => c is 0 or >= 9 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]))).TrimEnd());

    private static string[] Row(BenchmarkResult r) =>
    [
        r.Case, Number(r.Ms, "F3"), Number(r.MsMin, "F3"), Number(r.Runs, "F0"), Number(r.Noise, "P0"), Number(r.Gflops, "F1"), Number(r.Gbs, "F1"),
        r.ShareOfPeak is { } share ? Number(share, "P0") : "-", r.ShareOfNominal is { } nominal ? Number(nominal, "P0") : "-", r.Bound,
        r.Choice?.Split(':')[0] ?? "",
    ];

    /// <summary>What the shares are of, and how quiet the machine was.</summary>
    private static string Remarks(List<BenchmarkResult> results)
    {
        string[] peaks = [.. results.Where(r => r.PeakGflops is not null).GroupBy(r => r.Arithmetic).Select(g => $"{g.Key} {Number(g.Max(r => r.PeakGflops!.Value), "F0")} GFLOP/s")];
        string peak = peaks.Length > 0 ? $"multiply-adds in {string.Join(", ", peaks)}" : "multiply-adds not measured";
        string steal = results.Max(r => r.Steal) is { } stolen ? $", other machines took up to {Number(stolen, "P1")} of a case's time" : "";
        return $"peaks: {peak}, copying {Number(results.Min(r => r.PeakGbs), "F1")} to {Number(results.Max(r => r.PeakGbs), "F1")} GB/s (by size); noise (interquartile range) up to {Number(results.Max(r => r.Noise), "P1")}{steal}";
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture).Replace(" %", "%", StringComparison.Ordinal);
}
