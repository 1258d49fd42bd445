using System.Numerics;

namespace I2M.PtxEmulator.Execution;

/// <summary>bra, conditional through its guard.</summary>
internal sealed class BranchOperation : Operation
{
    public int Target { get; set; }

    public int Reconverge { get; set; }

    public override bool IsControl => true;

    public override void Execute(Warp warp, uint mask) => warp.Branch(mask, Target, Reconverge);
}

/// <summary>brx.idx: each lane takes the target that its index names.</summary>
internal sealed unsafe class IndexedBranchOperation(Slot index, int targets) : Operation
{
    public int[] Targets { get; } = new int[targets];

    public int Reconverge { get; set; }

    public override bool IsControl => true;

    public override void Execute(Warp warp, uint mask)
    {
        uint* indices = (uint*)(warp.Registers + index.Offset);
        var ways = new List<(int Target, uint Mask)>();
        if (warp.Active != mask) { ways.Add((warp.Pc, warp.Active & ~mask)); }
        while (mask != 0)
        {
            uint value = indices[BitOperations.TrailingZeroCount(mask)];
            uint same = 0;
            for (int lane = 0; lane < Lanes.Count; lane++) { same |= indices[lane] == value ? mask & (1u << lane) : 0; }
            ways.Add((Targets[Math.Min(value, (uint)Targets.Length - 1)], same));
            mask &= ~same;
        }
        warp.Branch(ways.ToArray(), Reconverge);
    }
}

/// <summary>exit, and ret of a kernel.</summary>
internal sealed class ExitOperation : Operation
{
    public override bool IsControl => true;

    public override void Execute(Warp warp, uint mask) => warp.Exit(mask);
}

/// <summary>A statement without an effect here, such as a fence.</summary>
internal sealed class NoOperation : Operation
{
    public override void Execute(Warp warp, uint mask) { }
}

/// <summary>trap.</summary>
internal sealed class TrapOperation : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        warp.Block.Report(FindingKind.OutOfBounds, this, warp, mask, "the kernel trapped");
        warp.Exit(mask);
    }
}

internal enum BarrierReduction { None, And, Or, Count }

/// <summary>bar.sync, bar.arrive and bar.red.</summary>
internal sealed unsafe class BarrierOperation(Slot id, Slot? threads, bool waits, BarrierReduction reduction, Slot result, Slot source, bool sourceNegated) : Operation
{
    public override bool IsControl => true;

    public override void Execute(Warp warp, uint mask)
    {
        if (mask == 0) { return; }
        if (mask != warp.Alive) { warp.Block.Report(FindingKind.DivergentBarrier, this, warp, warp.Alive & ~mask, "not all threads of the warp reach the barrier together"); }
        int lane = Warp.First(mask);
        int number = (int)Lanes.Get(warp.Registers, id.Offset, 4, lane);
        int expected = threads is { } count ? (int)Lanes.Get(warp.Registers, count.Offset, 4, lane) : 0;
        uint values = *(uint*)(warp.Registers + source.Offset);
        warp.Block.Arrive(warp, this, number, expected, waits, reduction == BarrierReduction.None ? 0 : (sourceNegated ? ~values : values) & mask);
    }

    /// <summary>Hands the reduction's result to a warp when the barrier is complete.</summary>
    public void Complete(Warp warp, int trueCount, int threadCount)
    {
        switch (reduction)
        {
            case BarrierReduction.And: *(uint*)(warp.Registers + result.Offset) = trueCount == threadCount ? Lanes.All : 0; break;
            case BarrierReduction.Or: *(uint*)(warp.Registers + result.Offset) = trueCount > 0 ? Lanes.All : 0; break;
            case BarrierReduction.Count:
                for (int lane = 0; lane < Lanes.Count; lane++) { Lanes.Set(warp.Registers, result.Offset, 4, lane, (ulong)trueCount); }
                break;
        }
    }
}

/// <summary>bar.warp.sync: orders the memory accesses of the warp's lanes.</summary>
internal sealed class WarpBarrierOperation : Operation
{
    public override void Execute(Warp warp, uint mask) => warp.SyncEpoch++;
}
