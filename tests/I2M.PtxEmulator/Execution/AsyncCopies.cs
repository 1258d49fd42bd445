using System.Numerics;
using I2M.PtxEmulator.Checking;

namespace I2M.PtxEmulator.Execution;

/// <summary>
/// The asynchronous copies of a warp. The source is read when a copy is issued; the bytes reach shared memory as late as a device may deliver
/// them, at the wait that covers them, so a kernel that waits too little computes with stale bytes, besides being reported.
/// </summary>
internal sealed unsafe class AsyncCopies(Warp warp)
{
    private readonly List<Copy> _copies = [];
    private readonly int[] _committed = new int[Lanes.Count];

    private readonly record struct Copy(Operation Operation, int Lane, int Group, int Address, int Size, UInt128 Data);

    /// <summary>A lane's copy to a valid shared address.</summary>
    public void Issue(Operation operation, int lane, int address, int size, UInt128 data)
    {
        MemoryUnit memory = warp.Block.Memory;
        if (memory.Shared.AnyInFlight(address, size))
        {
            warp.Block.Report(FindingKind.AsyncCopyNotWaited, operation, warp, 1u << lane, $"another asynchronous copy to shared offset {address} has not been waited for");
        }
        memory.TouchShared(warp, operation, address, size, lane, write: true, memory.StampOf(warp, lane), null);
        new Span<byte>(memory.Shared.InFlight + address, size).Fill(1);
        memory.CopiesInFlight++;
        _copies.Add(new Copy(operation, lane, _committed[lane], address, size, data));
    }

    /// <summary>cp.async.commit_group.</summary>
    public void Commit(uint mask)
    {
        for (; mask != 0; mask &= mask - 1) { _committed[BitOperations.TrailingZeroCount(mask)]++; }
    }

    /// <summary>cp.async.wait_group: all but the latest <paramref name="pending"/> groups of each lane arrive; −1 for copies without a group too.</summary>
    public void Wait(uint mask, int pending)
    {
        int kept = 0;
        for (int i = 0; i < _copies.Count; i++)
        {
            Copy copy = _copies[i];
            bool arrives = (mask >> copy.Lane & 1) != 0 && (pending < 0 || copy.Group < _committed[copy.Lane] - pending);
            if (arrives) { Deliver(copy); }
            else { _copies[kept++] = copy; }
        }
        _copies.RemoveRange(kept, _copies.Count - kept);
    }

    private void Deliver(Copy copy)
    {
        MemoryUnit memory = warp.Block.Memory;
        SharedMemory shared = memory.Shared;
        UInt128 data = copy.Data;
        new ReadOnlySpan<byte>(&data, copy.Size).CopyTo(new Span<byte>(shared.Data + copy.Address, copy.Size));
        new Span<byte>(shared.InFlight + copy.Address, copy.Size).Clear();
        ByteMap.Set(shared.Initialized + copy.Address, copy.Size);
        memory.CopiesInFlight--;
        memory.TouchShared(warp, copy.Operation, copy.Address, copy.Size, copy.Lane, write: true, memory.StampOf(warp, copy.Lane), null);
    }

    /// <summary>The threads of the mask end; copies of which nobody waited are reported, unless they are empty groups at the end of a pipeline.</summary>
    public void Abandon(uint mask)
    {
        if (_copies.Count == 0) { return; }
        Copy first = _copies.Find(c => (mask >> c.Lane & 1) != 0);
        if (first.Operation is not null)
        {
            warp.Block.Report(FindingKind.AsyncCopyAbandoned, first.Operation, warp, 1u << first.Lane, $"nobody waits for this copy to shared offset {first.Address} before the thread ends");
        }
        Wait(mask, -1);
    }

    /// <summary>Begins a block.</summary>
    public void Reset()
    {
        _copies.Clear();
        Array.Clear(_committed);
    }
}
