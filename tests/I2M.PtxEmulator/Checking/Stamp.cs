using System.Runtime.CompilerServices;

namespace I2M.PtxEmulator.Checking;

/// <summary>
/// Who touched a piece of memory last, and when, in 64 bits: lane 6, warp 6, warp-barrier epoch 10, the warp's phase 20 (the barriers of the block
/// at which it has arrived), block 22. Zero is nobody. Of several readers in one phase the stamp keeps that they were many lanes, many warps or many blocks.
/// </summary>
internal static unsafe class Stamp
{
    /// <summary>Stands for many warps, in stamps and in what a warp knows of others.</summary>
    public const int AnyWarp = 63;

    private const int WarpShift = 6, SyncShift = 12, PhaseShift = 22, BlockShift = 42, PhaseBits = 20;
    private const ulong ManyLanes = 63, ManyWarps = (ulong)AnyWarp << WarpShift | ManyLanes, ManyBlocks = ~0ul;

    /// <summary>Lane 0 of the warp; the other lanes are this plus their index.</summary>
    public static ulong Of(long block, uint phase, uint sync, int warp) =>
        (((ulong)block + 1) % ((1ul << 22) - 1)) << BlockShift | (ulong)(phase & ((1u << PhaseBits) - 1)) << PhaseShift | (ulong)(sync & 0x3FF) << SyncShift | (ulong)warp << WarpShift;

    /// <summary>Whether nothing orders the stamped access and mine: another block, or another thread since the last barrier that covers both.</summary>
    /// <param name="other">The access before.</param>
    /// <param name="mine">Mine.</param>
    /// <param name="known">Per warp, the last phase that barriers order before my warp's present one.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Unordered(ulong other, ulong mine, uint* known)
    {
        ulong difference = other ^ mine;
        if (difference == 0 || other == 0) { return false; }
        if (difference >> BlockShift != 0) { return true; }
        if ((difference >> WarpShift & 63) == 0) { return difference >> SyncShift == 0; }
        // The sign of a difference of two counters of 20 bits.
        return (int)((uint)(other >> PhaseShift) - known[other >> WarpShift & 63]) << (32 - PhaseBits) > 0;
    }

    /// <summary>The stamp of all who have read, with me among them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Merge(ulong readers, ulong mine)
    {
        ulong difference = readers ^ mine;
        if (difference == 0 || readers == 0) { return mine; }
        if (difference >> BlockShift != 0) { return ManyBlocks; }
        if (difference >> PhaseShift != 0) { return mine; }
        if ((difference >> WarpShift & 63) != 0) { return mine | ManyWarps; }
        return difference >> SyncShift != 0 ? mine : mine | ManyLanes;
    }
}

[Flags]
internal enum Race { None = 0, WriteWrite = 1, ReadWrite = 2 }

/// <summary>
/// Last writer and readers of a range of memory, per grain of the smallest access that the kernel makes. Where every barrier is one of the whole block, one
/// column of stamps holds the readers: warps that have read since the last barrier are in the same phase, and one barrier orders them all. Where some barriers are of
/// some warps only, each warp has a column of its own.
/// </summary>
internal static unsafe class RaceGrid
{
    /// <summary>A read of some grains; tells whether an unordered write went before.</summary>
    public static Race Read(ulong* writers, ulong* readers, int count, ulong mine, uint* known)
    {
        Race race = Race.None;
        for (int i = 0; i < count; i++)
        {
            if (Stamp.Unordered(writers[i], mine, known)) { race = Race.ReadWrite; }
            readers[i] = Stamp.Merge(readers[i], mine);
        }
        return race;
    }

    /// <summary>A write of some grains; tells whether unordered reads or writes went before.</summary>
    public static Race Write(ulong* writers, ulong* readers, int columns, int columnLength, int count, ulong mine, uint* known)
    {
        Race race = Race.None;
        for (int i = 0; i < count; i++)
        {
            if (Stamp.Unordered(writers[i], mine, known)) { race |= Race.WriteWrite; }
            for (int column = 0; column < columns; column++)
            {
                if (Stamp.Unordered(readers[column * columnLength + i], mine, known)) { race |= Race.ReadWrite; }
            }
            writers[i] = mine;
        }
        return race;
    }
}
