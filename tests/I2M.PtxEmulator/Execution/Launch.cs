using I2M.PtxEmulator.Checking;

namespace I2M.PtxEmulator.Execution;

/// <summary>What all blocks of a launch share.</summary>
internal sealed class Launch(KernelProgram program, LaunchShape shape, EmulatorOptions options, DeviceMemory memory, byte[] parameters) : IDisposable
{
    public KernelProgram Program => program;

    public LaunchShape Shape => shape;

    public EmulatorOptions Options => options;

    public DeviceMemory Memory => memory;

    public byte[] Parameters => parameters;

    public FindingLog Log { get; } = new(options.MaxFindings);

    public GlobalRaces GlobalRaces { get; } = new(program.GlobalGrain, ColumnsOf(program, shape));

    /// <summary>Columns of readers that the race checkers keep; see <see cref="RaceGrid"/>.</summary>
    public int ReaderColumns { get; } = ColumnsOf(program, shape);

    public void Dispose() => GlobalRaces.Dispose();

    private static int ColumnsOf(KernelProgram program, LaunchShape shape) => program.HasPartialBarriers ? (shape.Threads + Lanes.Count - 1) / Lanes.Count : 1;
}

/// <summary>Counts of the blocks that one host thread ran.</summary>
internal sealed class LaunchCounters
{
    public long[] Instructions { get; } = new long[Enum.GetValues<InstructionClass>().Length];

    public long GlobalLoaded { get; set; }

    public long GlobalStored { get; set; }

    public long SharedLoaded { get; set; }

    public long SharedStored { get; set; }

    public long Sectors { get; set; }

    public long Passes { get; set; }

    public long Conflicts { get; set; }
}
