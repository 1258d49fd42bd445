namespace I2M.PtxEmulator.Execution;

/// <summary>
/// A place in a warp's register file: 32 lanes of 4 or 8 bytes from <paramref name="Offset"/>; a predicate is one 32-bit mask.
/// <paramref name="Id"/> indexes the masks that tell which lanes have been written; constants share id 0, which all lanes have.
/// </summary>
internal readonly record struct Slot(int Offset, int Id);

/// <summary>A kernel, decoded: operations, the layout of the register file and of the memories.</summary>
internal sealed class KernelProgram
{
    public required string Name { get; init; }

    public required IReadOnlyList<PtxParameter> Parameters { get; init; }

    public required int ParameterBytes { get; init; }

    public required int StaticSharedBytes { get; init; }

    public required int DynamicSharedAlignment { get; init; }

    public required int LocalBytes { get; init; }

    public required int MaxThreads { get; init; }

    public required Operation[] Operations { get; init; }

    /// <summary>Bytes of a warp's register file.</summary>
    public required int RegisterBytes { get; init; }

    /// <summary>The name of each slot by id; constants share the first.</summary>
    public required string[] SlotNames { get; init; }

    /// <summary>How many slots have an id.</summary>
    public int SlotCount => SlotNames.Length;

    /// <summary>Slots of constants: 4 or 8 bytes wide (0: a predicate), the same in all lanes.</summary>
    public required IReadOnlyList<(Slot Slot, int Width, ulong Value)> Constants { get; init; }

    /// <summary>Slots of special registers such as %tid.x, filled when a block starts.</summary>
    public required IReadOnlyList<(Slot Slot, string Name)> Specials { get; init; }

    /// <summary>The size of the smallest access to shared memory: the grain of its race checker.</summary>
    public required int SharedGrain { get; init; }

    /// <summary>The size of the smallest access to global memory.</summary>
    public required int GlobalGrain { get; init; }

    /// <summary>Whether a barrier names a number of threads: then some barriers may be of some of the warps only.</summary>
    public required bool HasPartialBarriers { get; init; }

    /// <summary>The place of the dynamic shared memory.</summary>
    public int DynamicSharedOffset => (StaticSharedBytes + DynamicSharedAlignment - 1) / DynamicSharedAlignment * DynamicSharedAlignment;
}
