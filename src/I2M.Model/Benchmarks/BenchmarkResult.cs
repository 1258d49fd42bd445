using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using I2M.Model.Io;

namespace I2M.Model.Benchmarks;

/// <summary>One measured case, as it is written to JSON (names in snake_case).</summary>
public sealed record BenchmarkResult
{
    /// <summary>Name of the case.</summary>
    public required string Case { get; init; }
    /// <summary>Median time of a run in milliseconds.</summary>
    public required double Ms { get; init; }
    /// <summary>10⁹ useful floating-point operations a second at the median.</summary>
    public required double Gflops { get; init; }
    /// <summary>10⁹ bytes a second at the median, each operand and result counted once.</summary>
    public required double Gbs { get; init; }
    /// <summary>Share of the peak that bounds the case; null where that peak is not measured on this device.</summary>
    public required double? ShareOfPeak { get; init; }
    /// <summary>Share of what the device could do by its units and clocks; null where they are not known.</summary>
    public double? ShareOfNominal { get; init; }
    /// <summary>Arithmetic of the peak: "float32", "tensorfloat32" or "bfloat16". The last two are the ceiling of mma.sync.</summary>
    public string Arithmetic { get; init; } = "float32";
    /// <summary>The tile, a colon, and why; null where there is one way to do the work.</summary>
    public string? Choice { get; init; }
    /// <summary>What the case makes, such as "samples" or "seconds of audio"; null where only the operations count.</summary>
    public string? Product { get; init; }
    /// <summary>So many of them a second at the median.</summary>
    public double? ProductsPerS { get; init; }
    /// <summary>"events" of the device, or the "host" and its clock.</summary>
    public string Clock { get; init; } = "host";
    /// <summary>"compute", "memory" or "launch": which peak, if any.</summary>
    public required string Bound { get; init; }
    /// <summary>Shortest run.</summary>
    public required double MsMin { get; init; }
    /// <summary>Longest run.</summary>
    public required double MsMax { get; init; }
    /// <summary>Timed runs.</summary>
    public required int Runs { get; init; }
    /// <summary>Interquartile range over the median: how far the host was quiet.</summary>
    public required double Noise { get; init; }
    /// <summary>Share of the processors' time that other virtual machines took meanwhile; null where unknown.</summary>
    public required double? Steal { get; init; }
    /// <summary>Largest error of the verification over what is allowed.</summary>
    public required double ErrorOfLimit { get; init; }
    /// <summary>Multiply-adds in this arithmetic at best, measured around this case, in 10⁹ operations a second.</summary>
    public required double? PeakGflops { get; init; }
    /// <summary>Copying as many bytes, measured around this case, in 10⁹ bytes a second.</summary>
    public required double PeakGbs { get; init; }
    /// <summary>Backend.</summary>
    public required string Device { get; init; }
    /// <summary>Its description.</summary>
    public required string DeviceName { get; init; }
    /// <summary>Host threads.</summary>
    public required int Threads { get; init; }
    /// <summary>The host's processor.</summary>
    public string Cpu { get; init; } = MachineFacts.Processor;
    /// <summary>Logical processors of the host.</summary>
    public int Cores { get; init; } = Environment.ProcessorCount;
    /// <summary>Commit of the program, or null.</summary>
    public string? Commit { get; init; } = MachineFacts.Commit;
    /// <summary>When, in UTC.</summary>
    public DateTimeOffset Date { get; init; } = DateTimeOffset.UtcNow;

    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.Strict,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>A line for every group of cases that make the same: how many a second, and how that compares with the group's first case of this run.</summary>
    public static IEnumerable<string> Rates(IEnumerable<BenchmarkResult> results) => results.Where(r => r.ProductsPerS is not null)
        .GroupBy(r => (Group: r.Case.Split('_')[0], r.Product))
        .Select(group => $"{group.Key.Group}: {group.Key.Product} a second: {string.Join(", ", group.Select(r => Rate(r, group.First())))}");

    private static string Rate(BenchmarkResult result, BenchmarkResult first) => string.Create(CultureInfo.InvariantCulture,
        $"{result.Case} {result.ProductsPerS:G4}{(result == first ? "" : $" ({result.ProductsPerS / first.ProductsPerS:F2} of the first)")}");

    /// <summary>Writes a list of results, whole or not at all.</summary>
    /// <typeparam name="T">Kind of result.</typeparam>
    public static void Write<T>(string path, IReadOnlyList<T> results) => AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(results, s_json));
}
