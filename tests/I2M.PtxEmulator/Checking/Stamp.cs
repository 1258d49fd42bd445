using System.Runtime.CompilerServices;

namespace I2M.PtxEmulator.Checking;

/// <summary>
/// Who touched a piece of memory last, and when, in 64 bits: lane 6, warp 6, warp-barrier epoch 10, barrier epoch 20, block 22. Zero is
/// nobody. Of several readers in one epoch the stamp keeps that they were many lanes, many warps or many blocks.
/// </summary>
internal static class Stamp
{
    private const int WarpShift = 6, SyncShift = 12, EpochShift = 22, BlockShift = 42;
    private const ulong ManyLanes = 63, ManyWarps = 63ul << WarpShift | ManyLanes, ManyBlocks = ~0ul;

    /// <summary>Lane 0 of the warp; the other lanes are this plus their index.</summary>
    public static ulong Of(long block, uint epoch, uint sync, int warp) =>
        (((ulong)block + 1) % ((1ul << 22) - 1)) << BlockShift | (ulong)(epoch & 0xFFFFF) << EpochShift | (ulong)(sync & 0x3FF) << SyncShift | (ulong)warp << WarpShift;

    /// <summary>Whether nothing orders the stamped access and mine: another block, or another thread since the last barrier that covers both.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Unordered(ulong other, ulong mine)
    {
        ulong difference = other ^ mine;
        if (difference == 0 || other == 0) { return false; }
        if (difference >> BlockShift != 0) { return true; }
        if (difference >> EpochShift != 0) { return false; }
        return (difference >> WarpShift & 63) != 0 || difference >> SyncShift == 0;
    }

    /// <summary>The stamp of all who have read, with me among them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Merge(ulong readers, ulong mine)
    {
        ulong difference = readers ^ mine;
        if (difference == 0 || readers == 0) { return mine; }
        if (difference >> BlockShift != 0) { return ManyBlocks; }
        if (difference >> EpochShift != 0) { return mine; }
        if ((difference >> WarpShift & 63) != 0) { return mine | ManyWarps; }
        return difference >> SyncShift != 0 ? mine : mine | ManyLanes;
    }
}

[Flags]
internal enum Race { None = 0, WriteWrite = 1, ReadWrite = 2 }

/// <summary>Last writer and readers of a range of memory, per grain of the smallest access that the kernel makes.</summary>
internal static unsafe class RaceGrid
{
    /// <summary>A read of some grains; tells whether an unordered write went before.</summary>
    public static Race Read(ulong* writers, ulong* readers, int count, ulong mine)
    {
        Race race = Race.None;
        for (int i = 0; i < count; i++)
        {
            if (Stamp.Unordered(writers[i], mine)) { race = Race.ReadWrite; }
            readers[i] = Stamp.Merge(readers[i], mine);
        }
        return race;
    }

    /// <summary>A write of some grains; tells whether unordered reads or writes went before.</summary>
    public static Race Write(ulong* writers, ulong* readers, int count, ulong mine)
    {
        Race race = Race.None;
        for (int i = 0; i < count; i++)
        {
            if (Stamp.Unordered(writers[i], mine)) { race |= Race.WriteWrite; }
            if (Stamp.Unordered(readers[i], mine)) { race |= Race.ReadWrite; }
            writers[i] = mine;
        }
        return race;
    }
}
