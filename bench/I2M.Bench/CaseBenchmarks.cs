using BenchmarkDotNet.Attributes;
using I2M.Kernels;
using I2M.Model.Benchmarks;

namespace I2M.Bench;

/// <summary>
/// The cases of <c>i2m bench</c> under BenchmarkDotNet: the same objects, verified in the setup. I2M_BENCH_DEVICE and I2M_BENCH_THREADS choose the
/// device and its threads (host, one per processor).
/// </summary>
public class CaseBenchmarks
{
    private IBackend _backend = null!;
    private BenchmarkCase _case = null!;

    /// <summary>Which case.</summary>
    [ParamsSource(nameof(Names))]
    public string Case { get; set; } = "";

    /// <summary>All of them.</summary>
    public static IEnumerable<string> Names => BenchmarkCatalog.Names;

    /// <summary>Opens the device, makes the case and verifies it.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _ = int.TryParse(Environment.GetEnvironmentVariable("I2M_BENCH_THREADS"), out int threads);
        _backend = BackendSelector.Open(Environment.GetEnvironmentVariable("I2M_BENCH_DEVICE") ?? "host", threads, out _);
        _case = BenchmarkCatalog.For(_backend).Get(Case)(_backend);
        _case.Verify(CancellationToken.None);
    }

    /// <summary>One run.</summary>
    [Benchmark]
    public void Run() => _case.Run();

    /// <summary>Closes the device.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _case.Dispose();
        _backend.Dispose();
    }
}
