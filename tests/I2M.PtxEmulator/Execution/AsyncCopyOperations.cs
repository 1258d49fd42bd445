using System.Numerics;
using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <summary>cp.async.{ca,cg}.shared.global [to], [from], bytes{, source bytes}: what the source does not give is zero.</summary>
internal sealed unsafe class AsyncCopyOperation(AddressSlot to, AddressSlot from, int bytes, Slot? sourceBytes) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        ulong* sources = stackalloc ulong[Lanes.Count];
        ulong* targets = stackalloc ulong[Lanes.Count];
        from.Fill(sources, warp);
        to.Fill(targets, warp);
        mask = CheckTargets(warp, targets, mask);
        uint pending = mask;
        while (pending != 0)
        {
            int size = SourceBytes(warp, Warp.First(pending));
            uint same = 0;
            for (uint rest = pending; rest != 0; rest &= rest - 1)
            {
                int lane = BitOperations.TrailingZeroCount(rest);
                if (SourceBytes(warp, lane) == size) { same |= 1u << lane; }
            }
            Issue(warp, sources, targets, same, size);
            pending &= ~same;
        }
        warp.Block.Memory.CountStored(targets, bytes, mask);
    }

    private int SourceBytes(Warp warp, int lane) => sourceBytes is { } slot ? (int)Math.Min(Lanes.Get(warp.Registers, slot.Offset, 4, lane), (ulong)bytes) : bytes;

    private uint CheckTargets(Warp warp, ulong* targets, uint mask)
    {
        for (uint rest = mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            bool aligned = targets[lane] % (ulong)bytes == 0;
            if (!aligned) { warp.Block.Report(FindingKind.Misaligned, this, warp, 1u << lane, $"shared offset {targets[lane]} is not a multiple of {bytes}"); }
            if (!aligned || !warp.Block.Memory.SharedInRange(warp, this, targets[lane], bytes, 1u << lane)) { mask &= ~(1u << lane); }
        }
        return mask;
    }

    /// <summary>Copies of the lanes that read the same number of bytes; with none the source address is not looked at.</summary>
    private void Issue(Warp warp, ulong* sources, ulong* targets, uint mask, int size)
    {
        byte** pointers = stackalloc byte*[Lanes.Count];
        uint good = size == 0 ? mask : warp.Block.Memory.ReadForCopy(warp, this, sources, size, bytes, mask, pointers);
        for (uint rest = mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            UInt128 data = UInt128.Zero;
            if (size > 0 && (good >> lane & 1) != 0) { new ReadOnlySpan<byte>(pointers[lane], size).CopyTo(new Span<byte>(&data, 16)); }
            warp.Copies.Issue(this, lane, (int)targets[lane], bytes, data);
        }
    }
}

/// <summary>cp.async.commit_group.</summary>
internal sealed class CommitCopiesOperation : Operation
{
    public override void Execute(Warp warp, uint mask) => warp.Copies.Commit(mask);
}

/// <summary>cp.async.wait_group n, and wait_all as −1.</summary>
internal sealed class WaitCopiesOperation(int pending) : Operation
{
    public override void Execute(Warp warp, uint mask) => warp.Copies.Wait(mask, pending);
}
