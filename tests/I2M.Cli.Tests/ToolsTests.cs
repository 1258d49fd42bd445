using System.Text.Json;
using Xunit;

namespace I2M.Cli.Tests;

/// <summary>The tools around training: estimate, dry run, profile, doctor, and what a step's line and log say.</summary>
/// <param name="tiny">Data and settings.</param>
public sealed class ToolsTests(TinyData tiny) : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void AnEstimateByDataSheetNeedsNoDevice()
    {
        JsonElement e = Json(CliProcess.Run("estimate", "--preset", "full", "--batch", "32", "--device", "h200", "--json").Succeeded());
        Assert.InRange(e.GetProperty("flops").GetDouble(), 28e12, 32e12);
        JsonElement parts = e.GetProperty("memory");
        Assert.Equal(e.GetProperty("memoryBytes").GetInt64(), parts.EnumerateObject().Sum(p => p.Value.GetInt64()));
        Assert.Equal(4 * e.GetProperty("parameters").GetInt64(), parts.GetProperty("weights").GetInt64(), 256.0);
        Assert.True(e.GetProperty("fits").GetBoolean());
        Assert.InRange(e.GetProperty("largestBatch").GetInt32(), 64, 400);
        CliResult text = CliProcess.Run("estimate", "--preset", "large", "--batch", "128", "--device", "a100").Succeeded();
        Assert.Contains("does not fit", text.Out);
        Assert.Contains("assumed", text.Out);
        CliProcess.Run("estimate", "--device", "abacus").Refused("--device abacus");
    }

    [Fact]
    public void ADryRunAgreesWithItsStepAndSavesNothing()
    {
        string run = _scratch.File("run");
        JsonElement e = Json(CliProcess.Run([.. tiny.TrainWords(run, "--dry-run", "--json")]).Succeeded());
        double planned = e.GetProperty("estimate").GetProperty("memoryBytes").GetDouble();
        Assert.InRange(e.GetProperty("memoryBytes").GetDouble(), 0.9 * planned, 1.1 * planned);
        Assert.True(e.GetProperty("secondsPerStep").GetDouble() > 0 && double.IsFinite(e.GetProperty("loss").GetDouble()));
        Assert.False(Directory.Exists(run));
    }

    [Fact]
    public void AProfileHasATableAndATrace()
    {
        string run = _scratch.File("run");
        CliResult result = CliProcess.Run([.. tiny.TrainWords(run, "--profile")]).Succeeded();
        foreach (string word in new[] { "operation", "Gemm", "AttentionBackward", "AdamWEma", "GFLOP/s", "trace.json" }) { Assert.Contains(word, result.Out); }
        Assert.Equal("trace.json", Path.GetFileName(Assert.Single(Directory.GetFileSystemEntries(run))));
        using JsonDocument trace = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(run, "trace.json")));
        JsonElement[] spans = [.. trace.RootElement.GetProperty("traceEvents").EnumerateArray().Where(e => e.GetProperty("ph").GetString() == "X")];
        JsonElement[] steps = [.. spans.Where(s => s.GetProperty("cat").GetString() == "step")];
        Assert.Equal(5, steps.Length);
        // Operations lie within the steps and do not overlap on one device.
        double end = 0;
        foreach (JsonElement span in spans.Where(s => s.GetProperty("cat").GetString() != "step"))
        {
            double start = span.GetProperty("ts").GetDouble(), stop = start + span.GetProperty("dur").GetDouble();
            Assert.True(start >= end - 0.01, $"{span}");
            Assert.Contains(steps, s => s.GetProperty("ts").GetDouble() <= start + 0.01 && stop <= s.GetProperty("ts").GetDouble() + s.GetProperty("dur").GetDouble() + 0.01);
            end = stop;
        }
    }

    [Fact]
    public void AStepSaysItsRatesAndMemory()
    {
        string run = _scratch.File("run");
        CliResult result = CliProcess.Run([.. tiny.TrainWords(run, "--steps", "3")]).Succeeded();
        foreach (string word in new[] { "samples/s", "tokens/s", "GFLOP/s", "of peak", "memory", "planned", "data wait", "left" }) { Assert.Contains(word, result.Error); }
        JsonElement last = JsonDocument.Parse(File.ReadLines(Path.Combine(run, "train.jsonl")).Last(l => l.Contains("norm", StringComparison.Ordinal))).RootElement;
        foreach (string field in new[] { "samplesPerSecond", "tokensPerSecond", "flopsPerSecond", "mfu", "memoryBytes", "peakMemoryBytes", "plannedMemoryBytes", "secondsLeft" }) { Assert.True(last.GetProperty(field).GetDouble() >= 0, field); }
        Assert.InRange(last.GetProperty("dataWait").GetDouble(), 0, 1);
        double planned = last.GetProperty("plannedMemoryBytes").GetDouble();
        Assert.InRange(last.GetProperty("memoryBytes").GetDouble(), 0.9 * planned, 1.1 * planned);
    }

    [Fact]
    public void TheDoctorFindsAWorkingHost()
    {
        CliResult result = CliProcess.Run("doctor", "--device", "host", "--json");
        JsonElement report = JsonDocument.Parse(result.Out).RootElement;
        JsonElement host = Assert.Single(report.GetProperty("devices").EnumerateArray());
        Assert.True(host.GetProperty("works").GetBoolean());
        Assert.True(host.GetProperty("gflops").GetDouble() > 0 && host.GetProperty("copyGbs").GetDouble() > 0);
        bool broken = report.GetProperty("findings").EnumerateArray().Any(f => f.GetProperty("level").GetString() == "broken");
        Assert.Equal(broken ? 1 : 0, result.ExitCode);
        Assert.DoesNotContain(Environment.UserName + "@", result.Out);
        CliProcess.Run("doctor", "--device", "abacus").Refused("--device abacus");
    }

    private static JsonElement Json(CliResult result) => JsonDocument.Parse(result.Out).RootElement;
}
