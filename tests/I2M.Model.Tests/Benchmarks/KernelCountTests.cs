using System.Globalization;
using I2M.Kernels;
using I2M.Model.Benchmarks;
using I2M.Model.Benchmarks.Cases;
using I2M.PtxEmulator;
using I2M.Testing.Emulation;
using Xunit;

namespace I2M.Model.Tests.Benchmarks;

/// <summary>
/// What the emulator counts in the kernels of tensor cores on whole tiles, and what that says about their speed. Each test prints a row of the table in
/// docs/kernels.md: kernel, products, other instructions a product, passes in shared memory a product, share of passes beyond the least, bytes from memory a product.
/// </summary>
public sealed class KernelCountTests
{
    /// <summary>Multiply-adds of an mma.sync in bfloat16.</summary>
    private const long PerProduct = 16 * 8 * 16;

    private readonly Dictionary<string, List<LaunchReport>> _launches = [];

    [Theory]
    [InlineData("Tile64x64")]
    [InlineData("Tile128x128")]
    [InlineData("Tile128x128Deep")]
    [InlineData("Tile128x256")]
    public void ProductsOfWholeTilesDoNoMoreThanTheyMust(string tile)
    {
        using IBackend backend = Open();
        var shape = new GemmShape(GemmLayout.NT, 128, 256, 256);
        ((ITunable)backend).Tiles = new TileTable([new TileChoice<GemmTileKey>(GemmTileKey.Of(Arithmetic.BFloat16, shape), tile, "counted")], []);
        using var work = new GemmCase(backend, shape, Arithmetic.BFloat16, ElementType.BFloat16);
        LaunchReport report = Count(work, "TensorGemmKernels");
        Assert.Equal((long)shape.M * shape.N * shape.K / PerProduct, report.Instructions(InstructionClass.Mma));
        Assert.Equal(0, report.Instructions(InstructionClass.LoadLocal) + report.Instructions(InstructionClass.StoreLocal));
    }

    [Theory]
    [InlineData(AttentionPass.Forward, "FlashForward64", 2)]
    [InlineData(AttentionPass.Keys, "FlashBackwardKeys64", 4)]
    [InlineData(AttentionPass.Queries, "FlashBackwardQueries64", 3)]
    public void AttentionMultipliesWhatItMust(AttentionPass pass, string kernel, int matrices)
    {
        foreach (string tile in new[] { "Rows128", "Rows64", "Rows32" })
        {
            using IBackend backend = Open();
            var shape = new AttentionShape(1, 1, 128, 128, 64, 0.125f);
            ((ITunable)backend).Tiles = new TileTable([], [new TileChoice<AttentionTileKey>(AttentionTileKey.Of(pass, shape), tile, "counted")]);
            using var work = new AttentionCase(backend, shape, pass == AttentionPass.Forward ? AttentionPasses.Forward : AttentionPasses.Backward, ElementType.BFloat16);
            LaunchReport report = Count(work, $"{kernel}{tile}");
            Assert.Equal(matrices * 128L * 128 * 64 / PerProduct, report.Instructions(InstructionClass.Mma));
            Assert.Equal(0, report.Instructions(InstructionClass.LoadLocal) + report.Instructions(InstructionClass.StoreLocal));
        }
    }

    [Theory]
    [InlineData("g0_loop_bf16", "TensorLoopKernels.BFloat16")]
    [InlineData("g0_loop_tf32", "TensorLoopKernels.TensorFloat32")]
    public void TheCeilingDoesNothingButMultiply(string name, string kernel)
    {
        using IBackend backend = Open();
        DeviceSizes sizes = DeviceSizes.Tiny with { LoopRounds = 100 };
        using BenchmarkCase work = BenchmarkCatalog.For(backend, sizes).Get(name)(backend);
        LaunchReport report = Count(work, kernel);
        Assert.Equal(100 * 8 * 4 * 2L, report.Instructions(InstructionClass.Mma));
        Assert.True(report.TotalInstructions - report.Instructions(InstructionClass.Mma) < report.Instructions(InstructionClass.Mma), "more than one instruction beside a product");
    }

    private IBackend Open() => EmulatedBackend.Open((kernel, report) =>
    {
        if (!_launches.TryGetValue(kernel, out List<LaunchReport>? reports)) { _launches[kernel] = reports = []; }
        reports.Add(report);
    });

    /// <summary>Runs a case once and prints the row of the one kernel whose name begins so. Whole tiles have no bank conflicts.</summary>
    private LaunchReport Count(BenchmarkCase work, string kernel)
    {
        _launches.Clear();
        work.Run();
        var (name, reports) = Assert.Single(_launches, l => l.Key.StartsWith(kernel, StringComparison.Ordinal));
        LaunchReport report = Assert.Single(reports);
        double products = report.Instructions(InstructionClass.Mma);
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {products} | {(report.TotalInstructions - products) / products:F2} | {report.SharedPasses / products:F2} | {100.0 * report.SharedBankConflicts / Math.Max(1, report.SharedPasses):F1} % | {(report.GlobalBytesLoaded + report.GlobalBytesStored) / products:F0} |"));
        Assert.Equal(0, report.SharedBankConflicts);
        return report;
    }
}
