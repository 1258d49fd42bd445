using System.Runtime.InteropServices;
using I2M.Kernels.Ilgpu;
using I2M.PtxEmulator;
using ILGPU.Runtime.Cuda;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>What the attention kernels do per launch, as the emulator counts it: products, bytes and passes in shared memory, at whole tiles.</summary>
public sealed class FlashCountersTests
{
    private const int Length = 128;

    /// <summary>Products of 16×8×16 in a score matrix times a head's channels.</summary>
    private const int ProductVolume = 16 * 8 * 16;

    public static TheoryData<int, int> ForwardTiles => Tiles(FlashTable.Forward.Keys);

    public static TheoryData<int, int> BackwardTiles => Tiles(FlashTable.Keys.Keys);

    [Theory, MemberData(nameof(ForwardTiles))]
    public void Forward_multiplies_twice_reads_each_operand_once_a_group_and_has_no_bank_conflict(int headDim, int rows)
    {
        int groups = Length / rows;
        long operand = (long)Length * 2 * headDim;
        LaunchReport report = Run($"FlashForward{headDim}Rows{rows}Kernels.Forward", headDim, groups, operand, operand, operand, operand, Length * 4L);
        Expect(report, products: 2, headDim, operandsRead: 1 + 2 * groups, operandsWritten: 1, otherRead: 0, otherWritten: Length * 4);
    }

    [Theory, MemberData(nameof(BackwardTiles))]
    public void Keys_multiply_four_times_and_have_no_bank_conflict(int headDim, int rows)
    {
        int groups = Length / rows;
        long operand = (long)Length * 2 * headDim;
        LaunchReport report = Run($"FlashBackwardKeys{headDim}Rows{rows}Kernels.Keys", headDim, groups, operand, operand, operand, operand, Length * 8L, operand, operand);
        Expect(report, products: 4, headDim, operandsRead: 2 + 2 * groups, operandsWritten: 2, otherRead: Length * 8 * groups, otherWritten: 0);
    }

    [Theory, MemberData(nameof(BackwardTiles))]
    public void Queries_multiply_three_times_and_have_no_bank_conflict(int headDim, int rows)
    {
        int groups = Length / rows;
        long operand = (long)Length * 2 * headDim;
        LaunchReport report = Run($"FlashBackwardQueries{headDim}Rows{rows}Kernels.Queries", headDim, groups, operand, operand, operand, operand, Length * 8L, operand);
        // Four lanes share a row's statistics.
        Expect(report, products: 3, headDim, operandsRead: 2 + 2 * groups, operandsWritten: 1, otherRead: Length * 8 * 4, otherWritten: 0, sharedByLanes: 4);
    }

    private static TheoryData<int, int> Tiles(IEnumerable<(int Width, FlashTile Tile)> kernels)
    {
        var rows = new TheoryData<int, int>();
        foreach (var (width, tile) in kernels) { rows.Add(width, (int)tile); }
        return rows;
    }

    private static void Expect(LaunchReport report, int products, int headDim, int operandsRead, int operandsWritten, int otherRead, int otherWritten, int sharedByLanes = 1)
    {
        long operand = (long)Length * 2 * headDim;
        TestContext.Current.TestOutputHelper?.WriteLine($"{report.Instructions(InstructionClass.Mma)} mma, {report.Instructions(InstructionClass.LdMatrix)} ldmatrix, {report.Instructions(InstructionClass.Sfu)} sfu, " +
            $"{report.TotalInstructions} in all; {report.GlobalBytesLoaded} bytes loaded, {report.GlobalBytesStored} stored, {report.GlobalSectors} sectors; " +
            $"{report.SharedPasses} passes in shared memory, {report.SharedBankConflicts} by conflicts");
        Assert.Empty(report.Findings);
        Assert.Equal(0, report.SharedBankConflicts);
        Assert.Equal((long)products * Length * Length * headDim / ProductVolume, report.Instructions(InstructionClass.Mma));
        Assert.Equal(operandsRead * operand + otherRead, report.GlobalBytesLoaded);
        Assert.Equal(operandsWritten * operand + otherWritten, report.GlobalBytesStored);
        Assert.Equal((report.GlobalBytesLoaded + report.GlobalBytesStored - otherRead - otherWritten) / 32, report.GlobalSectors - (otherRead / sharedByLanes + otherWritten) / 32);
    }

    /// <summary>Runs a kernel of the catalogue on buffers of so many bytes, in the order of its addresses, and the parameters that follow them.</summary>
    private static LaunchReport Run(string name, int headDim, int tiles, params ReadOnlySpan<long> buffers)
    {
        KernelEntry entry = Assert.Single(KernelCatalog.Of(typeof(IBackend).Assembly), kernel => kernel.Name == name);
        using var compiler = new PtxCompiler(CudaArchitecture.SM_80);
        (string text, string symbol) = compiler.Compile(entry);
        PtxKernel kernel = PtxModule.Parse(text).Kernels[symbol];
        using var memory = new DeviceMemory();
        byte[] parameters = new byte[kernel.ParameterBytes];
        for (int i = 0; i < buffers.Length; i++)
        {
            ulong address = memory.Allocate(buffers[i]);
            memory.Write(address, new byte[buffers[i]]);
            MemoryMarshal.Write(parameters.AsSpan(kernel.Parameters[i].Offset), address);
        }
        MemoryMarshal.Write(parameters.AsSpan(kernel.Parameters[buffers.Length].Offset), new AttentionShape(1, 1, Length, Length, headDim, 0.125f));
        MemoryMarshal.Write(parameters.AsSpan(kernel.Parameters[buffers.Length + 1].Offset), tiles);
        if (kernel.Parameters.Count > buffers.Length + 2) { MemoryMarshal.Write(parameters.AsSpan(kernel.Parameters[buffers.Length + 2].Offset), Length); }
        return new PtxMachine(memory, new EmulatorOptions()).Run(kernel, new LaunchShape(tiles, 1, 1, entry.MaxThreads, 1, 1, entry.SharedBytes), parameters);
    }
}
