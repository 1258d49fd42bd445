using System.Numerics;
using System.Runtime.InteropServices;
using I2M.PtxEmulator.Checking;
using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

internal enum WarpState { Running, Waiting, Done }

/// <summary>
/// 32 threads that run in step. Divergent branches use the classic reconvergence stack: both sides run, one after the other, to the branch's
/// immediate post-dominator. Always running the lowest program counter instead would be simpler, but ILGPU places loop bodies after the code
/// that follows them, so lanes would reach barriers before their siblings. A stack entry that reaches its reconvergence point is popped.
/// </summary>
internal sealed unsafe class Warp : IDisposable
{
    private readonly Stack<Path> _pending = new();
    private readonly uint* _known = (uint*)NativeMemory.Alloc(Stamp.AnyWarp + 1, sizeof(uint));
    private byte* _registers;
    private int _registerBytes;

    public Warp(Block block, int index)
    {
        Block = block;
        Index = index;
        Copies = new AsyncCopies(this);
    }

    private readonly record struct Path(int Pc, int Reconverge, uint Mask);

    public Block Block { get; }

    public int Index { get; }

    public byte* Registers => _registers;

    /// <summary>Per slot id, the lanes that have been written.</summary>
    public uint[] Written { get; private set; } = [];

    /// <summary>Threads that exist and have not ended.</summary>
    public uint Alive { get; private set; }

    /// <summary>Threads that run the present path.</summary>
    public uint Active { get; private set; }

    public int Pc { get; set; }

    public WarpState State { get; set; }

    /// <summary>Counts the barriers of the block at which the warp has arrived, from 1.</summary>
    public uint Phase { get; private set; }

    /// <summary>Per warp of the block, the last of its phases that barriers order before this warp's present one; 0 for none. The entry for any warp is of use where all barriers are of the whole block.</summary>
    public uint* Known => _known;

    /// <summary>Counts bar.warp.sync: two accesses by lanes of this warp are ordered if it lies between.</summary>
    public uint SyncEpoch { get; set; }

    public AsyncCopies Copies { get; }

    private int _reconverge;

    /// <summary>Begins a block: registers unwritten, constants and special registers set.</summary>
    public void Start(KernelProgram program, uint threads)
    {
        Reserve(program);
        Array.Clear(Written);
        Written[0] = Lanes.All;
        Alive = Active = threads;
        Pc = 0;
        SyncEpoch = Phase = 1;
        new Span<uint>(_known, Stamp.AnyWarp + 1).Clear();
        _reconverge = ControlFlow.NoReconvergence;
        _pending.Clear();
        Copies.Reset();
        State = threads == 0 ? WarpState.Done : WarpState.Running;
        foreach ((Slot slot, int width, ulong value) in program.Constants)
        {
            if (width == RegisterVariable.Predicate) { *(uint*)(_registers + slot.Offset) = value != 0 ? Lanes.All : 0; }
            for (int lane = 0; lane < Lanes.Count && width > 0; lane++) { Lanes.Set(_registers, slot.Offset, width, lane, value); }
        }
        foreach ((Slot slot, string name) in program.Specials)
        {
            for (int lane = 0; lane < Lanes.Count; lane++) { Lanes.Set(_registers, slot.Offset, 4, lane, Block.Special(name, Index * Lanes.Count + lane)); }
        }
    }

    private void Reserve(KernelProgram program)
    {
        if (Written.Length != program.SlotCount) { Written = new uint[program.SlotCount]; }
        if (_registerBytes < program.RegisterBytes)
        {
            NativeMemory.AlignedFree(_registers);
            _registers = (byte*)NativeMemory.AlignedAlloc((nuint)program.RegisterBytes, 64);
            _registerBytes = program.RegisterBytes;
        }
        NativeMemory.Clear(_registers, (nuint)program.RegisterBytes);
    }

    /// <summary>Runs until the warp waits at a barrier or ends.</summary>
    public void Run(KernelProgram program, bool checkRegisters)
    {
        Operation[] operations = program.Operations;
        long[] counts = Block.Counters.Instructions;
        long budget = Block.Options.InstructionLimit - Block.InstructionsOf(Index);
        long start = budget;
        while (State == WarpState.Running)
        {
            if (Pc == _reconverge) { Pop(); continue; }
            Operation operation = operations[Pc++];
            uint mask = Active;
            if (operation.Guard >= 0)
            {
                uint guard = *(uint*)(_registers + operation.Guard);
                mask &= operation.GuardNegated ? ~guard : guard;
            }
            counts[(int)operation.Class]++;
            if (--budget < 0)
            {
                Block.Report(FindingKind.InstructionLimit, operation, this, Active, $"warp ran {Block.Options.InstructionLimit} instructions");
                throw new OperationCanceledException();
            }
            if (checkRegisters) { CheckReads(operation, mask); }
            if (mask != 0 || operation.IsControl) { operation.Execute(this, mask); }
            foreach (int id in operation.Writes) { Written[id] |= mask; }
        }
        Block.AddInstructions(Index, start - budget);
    }

    private void CheckReads(Operation operation, uint mask)
    {
        foreach (int id in operation.Reads)
        {
            uint missing = mask & ~Written[id];
            if (missing != 0) { ReportRegister(operation, id, missing); }
        }
    }

    private void ReportRegister(Operation operation, int id, uint missing)
    {
        Written[id] |= missing;
        Block.Report(FindingKind.UninitializedRegister, operation, this, missing, $"reads register {Block.Program.SlotNames[id]} that was never written");
    }

    /// <summary>Sends the lanes of the mask to the target; the others go on. Both meet again at the reconvergence point.</summary>
    public void Branch(uint taken, int target, int reconverge)
    {
        if (taken == 0) { return; }
        if (taken == Active) { Pc = target; return; }
        Split([new Path(target, reconverge, taken), new Path(Pc, reconverge, Active & ~taken)], reconverge);
    }

    /// <summary>Sends each lane to its own target.</summary>
    public void Branch(ReadOnlySpan<(int Target, uint Mask)> ways, int reconverge)
    {
        if (ways.Length == 1) { Pc = ways[0].Target; return; }
        var paths = new Path[ways.Length];
        for (int i = 0; i < ways.Length; i++) { paths[i] = new Path(ways[i].Target, reconverge, ways[i].Mask); }
        Split(paths, reconverge);
    }

    private void Split(ReadOnlySpan<Path> paths, int reconverge)
    {
        // The present path goes on from the meeting point. If it already ends there, its own continuation is on the stack.
        if (reconverge != _reconverge && reconverge != ControlFlow.NoReconvergence) { _pending.Push(new Path(reconverge, _reconverge, Active)); }
        foreach (Path path in paths)
        {
            if (path.Pc != reconverge) { _pending.Push(path); }
        }
        Pop();
    }

    private void Pop()
    {
        while (_pending.TryPop(out Path path))
        {
            uint mask = path.Mask & Alive;
            if (mask == 0 || path.Pc == path.Reconverge) { continue; }
            (Pc, _reconverge, Active) = (path.Pc, path.Reconverge, mask);
            return;
        }
        State = WarpState.Done;
    }

    /// <summary>Ends the threads of the mask.</summary>
    public void Exit(uint mask)
    {
        Copies.Abandon(mask);
        Alive &= ~mask;
        Active &= ~mask;
        if (Active == 0) { Pop(); }
    }

    /// <summary>The warp arrives at a barrier: who is released by it knows all that this warp has done and knows.</summary>
    public void Release(Span<uint> barrier)
    {
        for (int warp = 0; warp < barrier.Length; warp++) { barrier[warp] = Math.Max(barrier[warp], warp == Index ? Phase : _known[warp]); }
        Phase++;
    }

    /// <summary>A barrier lets the warp go.</summary>
    public void Acquire(ReadOnlySpan<uint> barrier)
    {
        for (int warp = 0; warp < barrier.Length; warp++) { _known[warp] = Math.Max(_known[warp], barrier[warp]); }
        _known[Stamp.AnyWarp] = Phase - 1;
    }

    public void Dispose()
    {
        NativeMemory.Free(_known);
        NativeMemory.AlignedFree(_registers);
        _registers = null;
    }

    public static int First(uint mask) => BitOperations.TrailingZeroCount(mask);
}
