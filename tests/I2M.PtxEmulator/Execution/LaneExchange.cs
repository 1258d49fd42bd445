using System.Numerics;

namespace I2M.PtxEmulator.Execution;

internal enum ShuffleMode { Up, Down, Butterfly, Index }

/// <summary>shfl.sync d[|p], a, b, c, members.</summary>
internal sealed unsafe class ShuffleOperation(ShuffleMode mode, Slot d, Slot? p, Slot a, Slot b, Slot c, Slot members) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        LaneCheck.Members(warp, this, members, mask);
        uint* from = (uint*)(warp.Registers + a.Offset), to = (uint*)(warp.Registers + d.Offset);
        uint* amounts = (uint*)(warp.Registers + b.Offset), limits = (uint*)(warp.Registers + c.Offset);
        uint* old = stackalloc uint[Lanes.Count];
        new ReadOnlySpan<uint>(from, Lanes.Count).CopyTo(new Span<uint>(old, Lanes.Count));
        uint inside = 0;
        for (uint rest = mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            (int source, bool valid) = From(lane, (int)(amounts[lane] & 31), (int)(limits[lane] & 31), (int)(limits[lane] >> 8 & 31));
            if (valid) { inside |= 1u << lane; }
            else { source = lane; }
            if ((mask >> source & 1) == 0) { warp.Block.Report(FindingKind.MissingLanes, this, warp, 1u << lane, $"reads lane {source}, which does not take part"); }
            to[lane] = old[source];
        }
        if (p is { } slot) { CompareTargets.Put(warp, slot, mask, inside); }
    }

    /// <summary>The source lane, and whether it lies in the segment: the upper bits of a lane's number that the segment mask holds stay.</summary>
    private (int Source, bool Valid) From(int lane, int amount, int clamp, int segment)
    {
        int last = (lane & segment) | (clamp & ~segment & 31), first = lane & segment;
        return mode switch
        {
            ShuffleMode.Up => (lane - amount, lane - amount >= last),
            ShuffleMode.Down => (lane + amount, lane + amount <= last),
            ShuffleMode.Butterfly => (lane ^ amount, (lane ^ amount) <= last),
            _ => (first | (amount & ~segment & 31), (first | (amount & ~segment & 31)) <= last),
        };
    }
}

internal enum VoteMode { All, Any, Uniform, Ballot }

/// <summary>vote.sync.</summary>
internal sealed unsafe class VoteOperation(VoteMode mode, Slot d, Slot p, bool negated, Slot members) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        LaneCheck.Members(warp, this, members, mask);
        uint values = *(uint*)(warp.Registers + p.Offset);
        uint set = (negated ? ~values : values) & mask;
        if (mode == VoteMode.Ballot)
        {
            for (uint rest = mask; rest != 0; rest &= rest - 1) { Lanes.Set(warp.Registers, d.Offset, 4, BitOperations.TrailingZeroCount(rest), set); }
            return;
        }
        bool result = mode switch { VoteMode.All => set == mask, VoteMode.Any => set != 0, _ => set == mask || set == 0 };
        CompareTargets.Put(warp, d, mask, result ? Lanes.All : 0);
    }
}

/// <summary>redux.sync: the same result for all lanes.</summary>
internal sealed unsafe class ReduceLanesOperation(Slot d, Slot a, Slot members, Func<ulong, ulong, ulong, ulong> function) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        LaneCheck.Members(warp, this, members, mask);
        ulong result = Lanes.Get(warp.Registers, a.Offset, 4, Warp.First(mask));
        for (uint rest = mask & (mask - 1); rest != 0; rest &= rest - 1)
        {
            result = function(result, Lanes.Get(warp.Registers, a.Offset, 4, BitOperations.TrailingZeroCount(rest)), 0);
        }
        for (uint rest = mask; rest != 0; rest &= rest - 1) { Lanes.Set(warp.Registers, d.Offset, 4, BitOperations.TrailingZeroCount(rest), result); }
    }
}

/// <summary>match.any.sync: the lanes that hold the same value.</summary>
internal sealed unsafe class MatchOperation(Slot d, Slot a, int width, Slot members) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        LaneCheck.Members(warp, this, members, mask);
        for (uint rest = mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            ulong value = Lanes.Get(warp.Registers, a.Offset, width, lane);
            uint same = 0;
            for (uint others = mask; others != 0; others &= others - 1)
            {
                int other = BitOperations.TrailingZeroCount(others);
                if (Lanes.Get(warp.Registers, a.Offset, width, other) == value) { same |= 1u << other; }
            }
            Lanes.Set(warp.Registers, d.Offset, 4, lane, same);
        }
    }
}

/// <summary>activemask.</summary>
internal sealed class ActiveMaskOperation(Slot d) : Operation
{
    public override unsafe void Execute(Warp warp, uint mask)
    {
        for (uint rest = mask; rest != 0; rest &= rest - 1) { Lanes.Set(warp.Registers, d.Offset, 4, BitOperations.TrailingZeroCount(rest), mask); }
    }
}

internal static unsafe class LaneCheck
{
    /// <summary>All living lanes that an instruction names must be there, and all who are there must be named.</summary>
    public static void Members(Warp warp, Operation operation, Slot members, uint mask)
    {
        uint named = (uint)Lanes.Get(warp.Registers, members.Offset, 4, Warp.First(mask));
        uint missing = (named & ~mask & warp.Alive) | (mask & ~named);
        if (missing != 0) { warp.Block.Report(FindingKind.MissingLanes, operation, warp, missing, $"the lanes 0x{named:x} are named, 0x{mask:x} are here"); }
    }
}
