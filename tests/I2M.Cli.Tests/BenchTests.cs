using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Benchmarks;
using Xunit;

namespace I2M.Cli.Tests;

/// <summary><c>i2m bench</c>: what it writes, what it refuses, and that wrong results are found.</summary>
public sealed class BenchTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void WritesAListOfMeasuredCases()
    {
        string json = _scratch.File("bench.json");
        CliResult result = CliProcess.Run("bench", "--device", "host", "--threads", "1", "--seconds", "0.05", "--cases", "layer_norm_7000x768,gemm_256", "--json", json).Succeeded();
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(json));
        JsonElement[] cases = [.. document.RootElement.EnumerateArray()];
        Assert.Equal(["layer_norm_7000x768", "gemm_256"], cases.Select(c => c.GetProperty("case").GetString()));
        foreach (JsonElement c in cases)
        {
            foreach (string name in new[] { "ms", "gflops", "gbs", "share_of_peak", "ms_min", "peak_gflops", "peak_gbs" }) { Assert.InRange(c.GetProperty(name).GetDouble(), 1e-6, 1e7); }
            Assert.True(c.GetProperty("share_of_peak").GetDouble() > 0);
            Assert.InRange(c.GetProperty("error_of_limit").GetDouble(), 0, 1);
            Assert.InRange(c.GetProperty("runs").GetInt32(), BenchmarkRunner.FewestRuns, int.MaxValue);
            Assert.Equal(1, c.GetProperty("threads").GetInt32());
            Assert.Equal("host", c.GetProperty("device").GetString());
            Assert.Contains(c.GetProperty("case").GetString()!, result.Out);
        }
        // 2·256³ operations and 12·256² bytes: the three figures of one measurement agree.
        JsonElement gemm = cases[1];
        Assert.Equal(2.0 * 256 * 256 * 256 / gemm.GetProperty("ms").GetDouble() / 1e6, gemm.GetProperty("gflops").GetDouble(), 0.01 * gemm.GetProperty("gflops").GetDouble());
        Assert.Equal(gemm.GetProperty("gflops").GetDouble() / gemm.GetProperty("peak_gflops").GetDouble(), gemm.GetProperty("share_of_peak").GetDouble(), 0.01);
    }

    [Fact]
    public void AFolderTakesAFileNamedAfterTheProcessor()
    {
        CliProcess.Run("bench", "--device", "host", "--threads", "1", "--seconds", "0.01", "--cases", "gemm_256", "--json", _scratch.Root).Succeeded();
        Assert.EndsWith(".json", Assert.Single(Directory.GetFiles(_scratch.Root, "*-1t-*")));
    }

    [Fact]
    public void AnUnknownCaseListsTheKnownOnes()
    {
        _scratch.Remember();
        CliProcess.Run("bench", "--device", "host", "--cases", "gemm_256,gemm_257", "--json", _scratch.File("bench.json")).Refused(["gemm_257", .. BenchmarkCatalog.Names]);
        _scratch.AssertUnchanged();
    }

    [Fact]
    public void AnUnknownCaseOfAGpuListsItsGroups() =>
        CliProcess.Run("bench", "--device", "opencl", "--cases", "g13,g99").Refused("--cases g99", "opencl has no such case", "g0,g1,", "g3_nt_f32_", "gemm_256");

    [Fact]
    public void TuningSaysWhereThereIsNothingToTune()
    {
        CliProcess.Run("bench", "--device", "host", "--tune").Refused("--tune", "host has nothing to tune");
        Assert.Contains("nothing to tune", CliProcess.Run("bench", "--device", "opencl", "--tune").Succeeded().Out);
        CliProcess.Run("bench", "--device", "opencl", "--tune", "--cases", "g1").Refused("--tune", "--cases");
    }

    [Fact]
    public void AGpuCaseIsMeasured()
    {
        string json = _scratch.File("gpu.json");
        CliProcess.Run("bench", "--device", "opencl", "--seconds", "0.05", "--cases", "g0_loop_f32,g13", "--json", json).Succeeded();
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(json));
        JsonElement[] cases = [.. document.RootElement.EnumerateArray()];
        Assert.Equal(["g0_loop_f32", "g13_1000_launches"], cases.Select(c => c.GetProperty("case").GetString()));
        Assert.Equal(["compute", "launch"], cases.Select(c => c.GetProperty("bound").GetString()));
        Assert.All(cases, c => Assert.Equal("host", c.GetProperty("clock").GetString()));
    }

    [Fact]
    public void AFileThatCannotBeWrittenIsFoundBeforeTheWork()
    {
        string file = _scratch.File("file", "text"u8);
        foreach (string path in OperatingSystem.IsLinux() ? new[] { Path.Combine(file, "bench.json"), "/proc/sys/x/bench.json", "/dev/null" } : [Path.Combine(file, "bench.json")])
        {
            _scratch.Remember();
            CliResult result = CliProcess.Run(["bench", "--device", "host", "--json", path], timeout: TimeSpan.FromSeconds(20));
            result.Refused(path);
            Assert.Empty(result.Out);
            _scratch.AssertUnchanged();
        }
    }

    [Fact]
    public void StoppingWritesNothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "signals");
        _scratch.Remember();
        using CliProcess process = CliProcess.Start(["bench", "--device", "host", "--cases", "gemm_1536", "--seconds", "60", "--json", _scratch.File("bench.json")], "bench 1/1 gemm_1536");
        process.WaitForLine();
        process.Send(CliProcess.Interrupt);
        Assert.Equal(130, process.End(TimeSpan.FromSeconds(20)).ExitCode);
        _scratch.AssertUnchanged();
    }

    [Theory]
    [InlineData(1.0002f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void OneWrongElementIsNamed(float factor)
    {
        double[] expected = [.. Enumerable.Range(1, 100).Select(i => Math.Sin(i))];
        float[] actual = Array.ConvertAll(expected, e => (float)e);
        Assert.InRange(Verification.Check("c", actual, expected, 1e-6), 0, 1);
        actual[41] *= factor;
        Assert.Contains("c: element row 41 ", Assert.Throws<I2MException>(() => Verification.Check("c", actual, expected, 1e-6, i => $"row {i}")).Message);
    }

    [Fact]
    public void AWrongCaseIsNamedAndNotTimed()
    {
        using IBackend backend = BackendSelector.Open("host", 1, out _);
        var runner = new BenchmarkRunner(backend, new BenchmarkOptions(1, 0.01));
        string message = Assert.Throws<I2MException>(() => runner.Measure("planted", b => new Planted(b), cancel: TestContext.Current.CancellationToken)).Message;
        Assert.Contains("planted: verification failed on host: y: element 3 ", message);
        Assert.Equal(0, backend.Pool.LiveBytes);
    }

    private sealed class Planted : BenchmarkCase
    {
        private readonly BufferView _y;

        public Planted(IBackend backend) : base(backend)
        {
            _y = RentNormal(10, 1);
            Work = new BenchmarkWork(BenchmarkBound.Memory, 10, 80);
        }

        public override void Queue() => Assert.Fail("a case with wrong results was timed");

        public override double Verify(CancellationToken cancel)
        {
            double[] expected = Array.ConvertAll(Read(_y), y => (double)y);
            Backend.Fill(_y.Slice(3, 1), 7);
            return Verification.Check("y", Read(_y), expected, 1e-6);
        }
    }
}
