namespace I2M.PtxEmulator;

/// <summary>The pipe or kind of work that an instruction stands for in the counts.</summary>
public enum InstructionClass
{
    /// <summary>Integer arithmetic, logic, comparisons, moves and selections.</summary>
    Alu,

    /// <summary>Floating-point additions, multiplications and their fusion.</summary>
    Fma,

    /// <summary>Divisions, roots, reciprocals, exponentials, logarithms and trigonometric functions.</summary>
    Sfu,

    /// <summary>Conversions between number formats.</summary>
    Convert,

    /// <summary>mma.sync.</summary>
    Mma,

    /// <summary>ldmatrix.</summary>
    LdMatrix,

    /// <summary>cp.async with its commits and waits.</summary>
    CpAsync,

    /// <summary>Loads from global memory.</summary>
    LoadGlobal,

    /// <summary>Stores to global memory.</summary>
    StoreGlobal,

    /// <summary>Loads from shared memory.</summary>
    LoadShared,

    /// <summary>Stores to shared memory.</summary>
    StoreShared,

    /// <summary>Loads from local memory.</summary>
    LoadLocal,

    /// <summary>Stores to local memory.</summary>
    StoreLocal,

    /// <summary>Atomic operations and reductions in memory.</summary>
    Atomic,

    /// <summary>Barriers and fences.</summary>
    Barrier,

    /// <summary>Shuffles, votes and matches.</summary>
    Shuffle,

    /// <summary>Branches, returns and exits.</summary>
    Branch,

    /// <summary>Reads of parameters.</summary>
    LoadParameter,
}

/// <summary>What one launch did. Instructions count once per warp; bytes are those that active lanes asked for.</summary>
public sealed class LaunchReport
{
    private readonly long[] _instructions;

    internal LaunchReport(IReadOnlyList<Finding> findings, long suppressed, long[] instructions)
    {
        Findings = findings;
        SuppressedFindings = suppressed;
        _instructions = instructions;
    }

    /// <summary>Findings, one per kind and instruction, in the order of the text.</summary>
    public IReadOnlyList<Finding> Findings { get; }

    /// <summary>How often something was found beyond <see cref="Findings"/>.</summary>
    public long SuppressedFindings { get; }

    /// <summary>Warp instructions of one class.</summary>
    public long Instructions(InstructionClass kind) => _instructions[(int)kind];

    /// <summary>Warp instructions of all classes.</summary>
    public long TotalInstructions => _instructions.Sum();

    /// <summary>Bytes loaded from global memory, asynchronous copies included.</summary>
    public long GlobalBytesLoaded { get; internal set; }

    /// <summary>Bytes stored to global memory.</summary>
    public long GlobalBytesStored { get; internal set; }

    /// <summary>Bytes loaded from shared memory.</summary>
    public long SharedBytesLoaded { get; internal set; }

    /// <summary>Bytes stored to shared memory, asynchronous copies included.</summary>
    public long SharedBytesStored { get; internal set; }

    /// <summary>Different sectors of 32 bytes that each warp instruction touches in global memory, summed.</summary>
    public long GlobalSectors { get; internal set; }

    /// <summary>Passes that instructions need in shared memory.</summary>
    public long SharedPasses { get; internal set; }

    /// <summary>Passes in shared memory beyond those of the same accesses without bank conflicts.</summary>
    public long SharedBankConflicts { get; internal set; }
}
