using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Benchmarks;
using I2M.Testing.Emulation;
using Xunit;

namespace I2M.Model.Tests.Benchmarks;

/// <summary>The cases of GPUs on the emulator of a CUDA device: that each is verified and measured, and what is refused.</summary>
public sealed class DeviceBenchTests : IDisposable
{
    private static readonly BenchmarkOptions s_options = new(1, 0.001);
    private readonly IBackend _backend = EmulatedBackend.Open();

    public void Dispose() => _backend.Dispose();

    /// <summary>One case of every kind; the many shapes of a group run the same code.</summary>
    [Theory]
    [InlineData("g0_loop_bf16", "bfloat16", "compute")]
    [InlineData("g0_loop_tf32", "tensorfloat32", "compute")]
    [InlineData("g0_loop_f32", "float32", "compute")]
    [InlineData("g0_copy", "float32", "memory")]
    [InlineData("g1_nt_bf16_42x64x64", "bfloat16", "compute")]
    [InlineData("g2_nn_bf16_42x64x64", "bfloat16", "compute")]
    [InlineData("g2_tn_bf16_64x64x42", "bfloat16", "compute")]
    [InlineData("g3_nt_bf16_72x72x72", "bfloat16", "compute")]
    [InlineData("g4_nt_bf16_17x64x64", "bfloat16", "compute")]
    [InlineData("g5_nn_f32_72x72x72", "float32", "compute")]
    [InlineData("g5_nn_tf32_72x72x72", "tensorfloat32", "compute")]
    [InlineData("g6_flash_fwd_bf16_b1_21x24", "bfloat16", "compute")]
    [InlineData("g7_flash_bwd_bf16_b1_21x24", "bfloat16", "compute")]
    [InlineData("g8_adaln_fwd", "float32", "memory")]
    [InlineData("g8_adaln_bwd", "float32", "memory")]
    [InlineData("g8_gelu_bwd", "float32", "memory")]
    [InlineData("g8_adamw", "float32", "memory")]
    [InlineData("g8_adaln_fwd_bf16", "float32", "memory")]
    [InlineData("g8_adaln_bwd_bf16", "float32", "memory")]
    [InlineData("g8_adamw_bf16", "float32", "memory")]
    [InlineData("g8_gelu_fwd", "float32", "memory")]
    [InlineData("g8_gradient_norm", "float32", "memory")]
    [InlineData("g10_train_step_f32_b1", "float32", "compute")]
    [InlineData("g10_train_step_bf16_b1", "bfloat16", "compute")]
    [InlineData("g9_block_fwd_bf16_b1", "bfloat16", "compute")]
    [InlineData("g9_block_fwd_bwd_bf16_b1", "bfloat16", "compute")]
    [InlineData("g11_ddim3_bf16_replayed", "bfloat16", "compute")]
    [InlineData("g11_ddim3_bf16_queued", "bfloat16", "compute")]
    [InlineData("g11_ddim3_bf16_uncached", "bfloat16", "compute")]
    [InlineData("g12_vocos_f32_b1_5", "float32", "compute")]
    [InlineData("g12_vocos_f32_b3_5", "float32", "compute")]
    [InlineData("g13_1000_launches", "float32", "launch")]
    [InlineData("g13_1000_launches_replayed", "float32", "launch")]
    public void EveryKindOfCaseIsVerifiedAndMeasured(string name, string arithmetic, string bound)
    {
        BenchmarkSuite suite = BenchmarkCatalog.For(_backend, DeviceSizes.Tiny);
        BenchmarkResult result = new BenchmarkRunner(_backend, s_options).Measure(name, suite.Get(name), cancel: TestContext.Current.CancellationToken);
        Assert.Equal((arithmetic, bound, "host"), (result.Arithmetic, result.Bound, result.Clock));
        Assert.InRange(result.ErrorOfLimit, 0, 1);
        Assert.True(result.Ms > 0);
        Assert.Equal(bound != "launch", result.ShareOfPeak > 0);
        Assert.Null(result.ShareOfNominal);
        bool chooses = result.Bound == "compute" && !new[] { "g0", "g9", "g10", "g11", "g12" }.Contains(result.Case.Split('_')[0]);
        Assert.Equal(chooses, result.Choice?.Contains(": ", StringComparison.Ordinal) ?? false);
        Assert.Equal(new[] { "g9", "g10", "g11", "g12" }.Contains(result.Case.Split('_')[0]), result.ProductsPerS > 0);
        // The transform keeps its twiddles, of all passes and of the spectrum's two halves.
        Assert.Equal(name.StartsWith("g12", StringComparison.Ordinal) ? 2 * sizeof(float) * 1024 : 0, _backend.Pool.LiveBytes);
    }

    /// <summary>Whole blocks, samples and waveforms are verified by what goes in and out: a fault in one of many kernels must not drown in that.</summary>
    [Theory]
    [InlineData("g9_block_fwd_bf16_b1", "FlashForward", "{P0,P1,P2,P3}, {B0,B1}", "{P0,P2,P1,P3}, {B0,B1}")]
    [InlineData("g9_block_fwd_bwd_bf16_b1", "FlashBackwardQueries", "{O0,O1,O2,O3}, [t", "{O0,O2,O1,O3}, [t")]
    [InlineData("g11_ddim3_bf16_queued", "FlashForward", "{P0,P1,P2,P3}, {B0,B1}", "{P0,P2,P1,P3}, {B0,B1}")]
    [InlineData("g12_vocos_f32_b3_5", "CudaFftKernels.Inverse", "sub.f32", "add.f32")]
    public void APlantedFaultIsFoundBeforeAnythingIsTimed(string name, string kernel, string original, string planted)
    {
        int places = 0;
        using IBackend faulty = EmulatedBackend.Open(plant: (entry, text) =>
        {
            if (!entry.StartsWith(kernel, StringComparison.Ordinal)) { return text; }
            string changed = text.Replace(original, planted, StringComparison.Ordinal);
            places += changed == text ? 0 : 1;
            return changed;
        });
        BenchmarkSuite suite = BenchmarkCatalog.For(faulty, DeviceSizes.Tiny);
        var refused = Assert.Throws<I2MException>(() => new BenchmarkRunner(faulty, s_options).Measure(name, suite.Get(name), cancel: TestContext.Current.CancellationToken));
        Assert.True(places > 0, $"{kernel} does not run, or holds no '{original}'");
        Assert.StartsWith($"bench: {name}: verification failed on cuda-emulated: ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RatesStandBesideTheFirstOfTheirGroup()
    {
        BenchmarkSuite suite = BenchmarkCatalog.For(_backend, DeviceSizes.Tiny);
        BenchmarkResult launch = new BenchmarkRunner(_backend, s_options).Measure("g0_copy", suite.Get("g0_copy"), cancel: TestContext.Current.CancellationToken);
        BenchmarkResult one = launch with { Case = "g12_vocos_f32_b1_94", Product = "seconds of audio", ProductsPerS = 200 }, many = one with { Case = "g12_vocos_f32_b16_94", ProductsPerS = 1500 };
        Assert.Equal(["g12: seconds of audio a second: g12_vocos_f32_b1_94 200, g12_vocos_f32_b16_94 1500 (7.50 of the first)"], BenchmarkResult.Rates([launch, one, many]));
    }

    [Fact]
    public void TheCatalogueDiffersByDevice()
    {
        using IBackend host = BackendSelector.Open("host", 1, out _);
        using IBackend openCl = BackendSelector.Open("opencl", 1, out _);
        Assert.DoesNotContain(BenchmarkCatalog.For(host).Names, n => n.StartsWith("g0", StringComparison.Ordinal));
        Assert.Contains("g3_nt_f32_256x256x256", BenchmarkCatalog.For(openCl, DeviceSizes.Small).Names);
        Assert.DoesNotContain(BenchmarkCatalog.For(openCl, DeviceSizes.Small).Names, n => n.Contains("bf16", StringComparison.Ordinal));
        Assert.DoesNotContain(BenchmarkCatalog.For(openCl, DeviceSizes.Small).Names, n => n.StartsWith("g10", StringComparison.Ordinal) || n.EndsWith("replayed", StringComparison.Ordinal));
        BenchmarkSuite cuda = BenchmarkCatalog.For(_backend, DeviceSizes.Full);
        Assert.Contains("g1_nt_bf16_28000x2304x768", cuda.Names);
        Assert.Equal(cuda.Names.Count, cuda.Names.Distinct().Count());
        Assert.Equal(["g6_flash_fwd_bf16_b32_875x875", "g13_1000_launches", "g13_1000_launches_replayed"], cuda.Select("g6_flash_fwd_bf16_b32_875x875,g13"));
        Assert.Equal(["g10_train_step_f32_b32", "g10_train_step_tf32_b32", "g10_train_step_bf16_b32"], cuda.Select("g10"));
        foreach (string group in new[] { "g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7", "g8", "g9", "g10", "g11", "g12", "g13" }) { Assert.NotEmpty(cuda.Select(group)); }
    }

    [Theory]
    [InlineData("g14")]
    [InlineData("g")]
    [InlineData("gemm")]
    [InlineData("g1_nt_bf16_42x64x65")]
    [InlineData(",")]
    public void AnUnknownCaseIsRefused(string cases)
    {
        BenchmarkSuite suite = BenchmarkCatalog.For(_backend, DeviceSizes.Tiny);
        string message = Assert.Throws<I2MException>(() => suite.Select(cases)).Message;
        Assert.Contains($"--cases {cases}: {_backend.Name} has no such case", message);
        Assert.Contains("g13", message);
    }

    [Fact]
    public void AGroupOfTheDeviceIsUnknownToTheHost() => Assert.Contains("host has no such case", Assert.Throws<I2MException>(() => BenchmarkCatalog.Host.Select("g1")).Message);

    [Fact]
    public void AWrongElementOfANormIsFound()
    {
        double[] expected = [.. Enumerable.Range(1, 100_000).Select(i => Math.Sin(i))];
        float[] actual = Array.ConvertAll(expected, e => (float)e);
        Assert.InRange(Verification.CheckNorm("c", actual, expected, 1e-2), 0, 1);
        actual[41] += 0.5f;
        Assert.Contains("c: element 41 ", Assert.Throws<I2MException>(() => Verification.CheckNorm("c", actual, expected, 1e-2)).Message);
        actual = Array.ConvertAll(expected, e => (float)(1.02 * e));
        Assert.Contains("norm", Assert.Throws<I2MException>(() => Verification.CheckNorm("c", actual, expected, 1e-2)).Message);
    }

    [Fact]
    public void OperandsTakeTurns()
    {
        DeviceSizes sizes = DeviceSizes.Tiny with { Sets = 3 };
        using BenchmarkCase work = BenchmarkCatalog.For(_backend, sizes).Get("g8_gelu_bwd")(_backend);
        long one = 3 * 4 * 4L * sizes.Batch * sizes.MelTokens * sizes.Hidden;
        Assert.True(_backend.Pool.LiveBytes >= 3 * one);
        Assert.InRange(work.Verify(TestContext.Current.CancellationToken), 0, 1);
    }
}
