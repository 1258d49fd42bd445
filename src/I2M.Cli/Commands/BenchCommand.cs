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
    private static readonly Option<string?> Cases = new("--cases") { Description = $"Names separated by commas, or all: {string.Join(", ", BenchmarkCatalog.Names)}. Without it all; with --device opencl {string.Join(", ", BenchmarkCatalog.Short)}, as OpenCL on a processor is slow.", HelpName = "names" };
    private static readonly Option<double> Seconds = CommonOptions.Number("--seconds", "Time to measure a case, after verifying it and warming up; at least 3 runs.", 2, 0.01, 600);
    private static readonly Option<string> Device = CommonOptions.Device();
    private static readonly Option<int> Threads = CommonOptions.Threads();
    private static readonly string[] Header = ["case", "ms", "min", "runs", "noise", "GFLOP/s", "GB/s", "of peak", "bound"];

    public static Command Create()
    {
        var command = new Command("bench", "Measure how fast a device computes the model's operations and steps. Every case runs on random data and is compared with double precision before it is timed.\n\nExamples:\n  i2m bench --device host --json host.json\n  i2m bench --device host --cases gemm_768,gemm_1536 --threads 1")
        {
            Json, Cases, Seconds, Device, Threads,
        };
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        int threads = parse.GetValue(Threads) is > 0 and var given ? given : Environment.ProcessorCount;
        string? output = OutputOf(parse.GetValue(Json), threads);
        BenchmarkCatalog.Select(parse.GetValue(Cases), "host");
        using IBackend backend = CommonOptions.OpenBackend(parse.GetValue(Device)!, threads);
        IReadOnlyList<string> names = BenchmarkCatalog.Select(parse.GetValue(Cases), backend.Name);
        Console.Error.WriteLine($"bench {MachineFacts.Processor}: {threads} of {Environment.ProcessorCount} threads, commit {MachineFacts.Commit ?? "unknown"}");
        if (names.Count < BenchmarkCatalog.Names.Count && parse.GetValue(Cases) is null) { Console.Error.WriteLine("bench a few cases only: --cases all takes every one"); }
        List<BenchmarkResult> results = Measure(backend, names, new BenchmarkOptions(threads, parse.GetValue(Seconds)), cancel);
        Console.WriteLine(Remarks(results));
        if (output is not null)
        {
            BenchmarkResult.Write(output, results);
            Console.WriteLine(output);
        }
        return Task.FromResult(0);
    }

    /// <summary>The file to write, found writable before the work; null without --json.</summary>
    private static string? OutputOf(string? json, int threads)
    {
        if (json is null) { return null; }
        string path = Directory.Exists(json) ? Path.Combine(json, MachineFacts.FileName(threads, DateTimeOffset.UtcNow)) : json;
        AtomicFile.RequireWritable(path);
        return path;
    }

    private static List<BenchmarkResult> Measure(IBackend backend, IReadOnlyList<string> names, BenchmarkOptions options, CancellationToken cancel)
    {
        int[] widths = [Math.Max(Header[0].Length, names.Max(n => n.Length)), 9, 9, 5, 6, 8, 7, 8, 7];
        var runner = new BenchmarkRunner(backend, options);
        List<BenchmarkResult> results = [];
        using var progress = new ProgressLine();
        Print(Header, widths);
        foreach (string name in names)
        {
            results.Add(runner.Measure(name, BenchmarkCatalog.Get(name), (what, phase) => progress.Show($"bench {results.Count + 1}/{names.Count} {what}: {phase}"), cancel));
            progress.Clear();
            Print(Row(results[^1]), widths);
        }
        return results;
    }

    private static void Print(string[] cells, int[] widths) =>
        Console.WriteLine(string.Join("  ", cells.Select((cell, c) => c is 0 or 8 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]))).TrimEnd());

    private static string[] Row(BenchmarkResult r) =>
    [
        r.Case, Number(r.Ms, "F3"), Number(r.MsMin, "F3"), Number(r.Runs, "F0"), Number(r.Noise, "P0"), Number(r.Gflops, "F1"), Number(r.Gbs, "F1"),
        r.ShareOfPeak is { } share ? Number(share, "P0") : "-", r.Bound,
    ];

    /// <summary>What the shares are of, and how quiet the machine was.</summary>
    private static string Remarks(List<BenchmarkResult> results)
    {
        string peak = results.Max(r => r.PeakGflops) is { } flops ? $"multiply-adds {Number(flops, "F0")} GFLOP/s" : "multiply-adds not measured on this device";
        string steal = results.Max(r => r.Steal) is { } stolen ? $", other machines took up to {Number(stolen, "P1")} of a case's time" : "";
        return $"peaks: {peak}, copying {Number(results.Min(r => r.PeakGbs), "F1")} to {Number(results.Max(r => r.PeakGbs), "F1")} GB/s (by size); noise (interquartile range) up to {Number(results.Max(r => r.Noise), "P1")}{steal}";
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture).Replace(" %", "%", StringComparison.Ordinal);
}
