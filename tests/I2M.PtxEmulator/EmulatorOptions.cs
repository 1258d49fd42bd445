namespace I2M.PtxEmulator;

/// <summary>What a machine checks and counts, and its limits. Counting costs little; the race checkers cost most.</summary>
public sealed record EmulatorOptions
{
    /// <summary>Reads of global, shared and local memory that nobody wrote.</summary>
    public bool CheckInitialization { get; init; } = true;

    /// <summary>Reads of registers that were never written.</summary>
    public bool CheckRegisters { get; init; } = true;

    /// <summary>Races in shared memory, and asynchronous copies without a wait.</summary>
    public bool CheckSharedRaces { get; init; } = true;

    /// <summary>Races in global memory within one launch.</summary>
    public bool CheckGlobalRaces { get; init; } = true;

    /// <summary>Bank conflicts and 32-byte sectors.</summary>
    public bool CountTransactions { get; init; } = true;

    /// <summary>The most findings that a report keeps.</summary>
    public int MaxFindings { get; init; } = 32;

    /// <summary>Host threads that run blocks; 0 for one per processor.</summary>
    public int Threads { get; init; }

    /// <summary>The most instructions that one warp may run, against endless loops.</summary>
    public long InstructionLimit { get; init; } = 2_000_000_000;
}
