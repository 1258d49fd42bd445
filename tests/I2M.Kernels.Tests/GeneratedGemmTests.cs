using I2M.KernelGenerator;
using I2M.Kernels.Ilgpu;
using I2M.PtxEmulator;
using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>The generated products as text: up to date, free of bank conflicts, reading no byte twice, and every planted fault is found.</summary>
public sealed class GeneratedGemmTests
{
    public static TheoryData<string> Names => [.. CudaGemmTable.Tensor.Values.Concat(CudaGemmTable.Simt.Values).Concat(CudaGemmTable.SimtAligned.Values).Select(kernel => kernel.Method.Name)];

    [Fact]
    public void The_committed_kernels_are_those_of_the_generator() =>
        Assert.Empty(GeneratedSources.Stale(Path.Combine(ReferenceData.RepositoryRoot, "src", "I2M.Kernels", "Cuda", "Generated")));

    /// <summary>What the memory system does for 256×256×256: each tile of a and b once for each tile of c, whole sectors, no conflict in shared memory.</summary>
    [Theory, MemberData(nameof(Names))]
    public void A_product_of_whole_tiles_moves_as_many_bytes_as_it_must_and_meets_no_bank_conflict(string name)
    {
        const int Size = 256;
        using GemmWorkbench bench = Bench(name, out int rows, out int columns, out int elementBytes);
        (LaunchReport report, int wrong) = bench.Run(bench.Text(), Size, Size, Size);
        Assert.Empty(report.Findings);
        Assert.Equal(0, wrong);
        long ideal = (long)(Size / rows) * (Size / columns) * (rows + columns) * Size * elementBytes, stored = (long)Size * Size * sizeof(float);
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: conflicts {report.SharedBankConflicts}, loaded {report.GlobalBytesLoaded} (ideal {ideal}), stored {report.GlobalBytesStored}, sectors {report.GlobalSectors} (ideal {(ideal + stored) / 32}), " +
            $"instructions {report.TotalInstructions}: mma {report.Instructions(InstructionClass.Mma)}, fma {report.Instructions(InstructionClass.Fma)}, ldmatrix {report.Instructions(InstructionClass.LdMatrix)}, ld.shared {report.Instructions(InstructionClass.LoadShared)}, " +
            $"cp.async {report.Instructions(InstructionClass.CpAsync)}, alu {report.Instructions(InstructionClass.Alu)}, cvt {report.Instructions(InstructionClass.Convert)}");
        Assert.Equal(0, report.SharedBankConflicts);
        Assert.Equal(ideal, report.GlobalBytesLoaded);
        Assert.Equal(stored, report.GlobalBytesStored);
        Assert.Equal((ideal + stored) / 32, report.GlobalSectors);
    }

    [Theory]
    [InlineData("a removed barrier", "cp.async.wait_group 1; bar.sync 0;", "cp.async.wait_group 1;", true)]
    [InlineData("a removed wait", "cp.async.wait_group 1; bar.sync 0;", "bar.sync 0;", true)]
    [InlineData("a wait for one stage too few", "cp.async.wait_group 1; bar.sync 0;", "cp.async.wait_group 2; bar.sync 0;", true)]
    [InlineData("a row too many", "setp.gt.s32 p, aRows, 0;", "setp.ge.s32 p, aRows, 0;", true)]
    [InlineData("a piece of a tile 16 bytes off", "[aAt + 2048]", "[aAt + 2064]", false)]
    [InlineData("swapped fragment registers", "{af0, af1, af2, af3}, {bf0, bf1}", "{af0, af2, af1, af3}, {bf0, bf1}", false)]
    [InlineData("a wrong accumulator", "{c4, c5, c6, c7};", "{c0, c1, c2, c3};", false)]
    [InlineData("another exchange of chunks", "xor.b32 bAt, bRead, 32;", "xor.b32 bAt, bRead, 64;", false)]
    public void A_planted_fault_is_found(string fault, string original, string planted, bool finding)
    {
        using GemmWorkbench bench = Bench("Bf16Nt64x64x64", out _, out _, out _);
        string text = bench.Text();
        int at = text.IndexOf(original, StringComparison.Ordinal);
        Assert.True(at >= 0, $"{fault}: the kernel no longer holds '{original}'");
        (LaunchReport sound, int none) = bench.Run(text, 70, 67, 200);
        Assert.Empty(sound.Findings);
        Assert.Equal(0, none);
        (LaunchReport report, int wrong) = bench.Run(string.Concat(text.AsSpan(0, at), planted, text.AsSpan(at + original.Length)), 70, 67, 200);
        Assert.True(finding ? report.Findings.Count > 0 : wrong > 0, $"{fault}: {report.Findings.Count} findings, {wrong} wrong elements");
    }

    private static GemmWorkbench Bench(string name, out int rows, out int columns, out int elementBytes)
    {
        foreach (var ((type, layout, tile), kernel) in CudaGemmTable.Tensor)
        {
            if (kernel.Method.Name != name) { continue; }
            (rows, columns) = tile switch { CudaGemmTile.Tile64x64 => (64, 64), CudaGemmTile.Tile128x256 => (128, 256), _ => (128, 128) };
            elementBytes = type == ElementType.BFloat16 ? 2 : 4;
            return new GemmWorkbench(kernel.Method, type, layout, rows, columns);
        }
        (rows, columns, elementBytes) = (128, 128, 4);
        var (exact, method) = CudaGemmTable.Simt.Concat(CudaGemmTable.SimtAligned).Single(pair => pair.Value.Method.Name == name);
        return new GemmWorkbench(method.Method, ElementType.Float32, exact, rows, columns);
    }
}
