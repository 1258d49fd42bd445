namespace I2M.PtxEmulator;

/// <summary>What a checker found.</summary>
public enum FindingKind
{
    /// <summary>An access outside of every allocation, of the shared memory or of the local memory. It is not carried out; a load gives 0.</summary>
    OutOfBounds,

    /// <summary>An address that is not a multiple of the access's size, on which a device faults. It is not carried out.</summary>
    Misaligned,

    /// <summary>A read of bytes that nobody wrote.</summary>
    UninitializedMemory,

    /// <summary>A read of a register that this thread never wrote.</summary>
    UninitializedRegister,

    /// <summary>Two threads of a block touch the same bytes of shared memory, at least one writes, and no barrier lies between.</summary>
    SharedRace,

    /// <summary>As <see cref="SharedRace"/> for global memory, also between blocks.</summary>
    GlobalRace,

    /// <summary>Shared memory that an asynchronous copy has not been waited for is read, or written again.</summary>
    AsyncCopyNotWaited,

    /// <summary>A barrier that only some of a warp's threads reach together.</summary>
    DivergentBarrier,

    /// <summary>Warps wait at a barrier that others never reach.</summary>
    BarrierNeverCompleted,

    /// <summary>A barrier above 15, of a number of threads that is no multiple of 32 or above the block's, or of another number than those who wait at it named.</summary>
    BarrierMisused,

    /// <summary>A shuffle, vote or matrix instruction without all the lanes that it names, or that reads a lane that does not take part.</summary>
    MissingLanes,

    /// <summary>Asynchronous copies that are still under way when their thread ends.</summary>
    AsyncCopyAbandoned,

    /// <summary>A warp ran more instructions than <see cref="EmulatorOptions.InstructionLimit"/>; the launch was ended.</summary>
    InstructionLimit,
}

/// <summary>One finding: the first of its kind at its instruction.</summary>
/// <param name="Kind">What was found.</param>
/// <param name="Message">Kernel, line, instruction, block, thread and address.</param>
/// <param name="Line">The line of the instruction in the PTX text.</param>
public sealed record Finding(FindingKind Kind, string Message, int Line);
