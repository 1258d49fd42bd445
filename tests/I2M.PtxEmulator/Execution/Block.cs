using I2M.PtxEmulator.Checking;

namespace I2M.PtxEmulator.Execution;

/// <summary>One block at a time: its warps, barriers and shared memory. A host thread reuses one object for all the blocks that it runs.</summary>
internal sealed class Block : IDisposable
{
    private const int BarrierCount = 16;

    private readonly Launch _launch;
    private readonly Warp[] _warps;
    private readonly long[] _instructionsOfWarp;
    private readonly Barrier[] _barriers;

    public Block(Launch launch)
    {
        _launch = launch;
        int warps = (launch.Shape.Threads + Lanes.Count - 1) / Lanes.Count;
        _warps = new Warp[warps];
        _barriers = [.. Enumerable.Range(0, BarrierCount).Select(_ => new Barrier { Clock = new uint[warps] })];
        _instructionsOfWarp = new long[warps];
        Memory = new MemoryUnit(this, launch);
        for (int i = 0; i < warps; i++) { _warps[i] = new Warp(this, i); }
    }

    private sealed class Barrier
    {
        public int Arrived { get; set; }

        public int TrueCount { get; set; }

        public int Expected { get; set; }

        /// <summary>Per warp, the last phase that those who have arrived know of.</summary>
        public required uint[] Clock { get; init; }

        public List<(Warp Warp, BarrierOperation Operation)> Waiting { get; } = [];
    }

    public KernelProgram Program => _launch.Program;

    public EmulatorOptions Options => _launch.Options;

    public byte[] Parameters => _launch.Parameters;

    public LaunchCounters Counters { get; } = new();

    public MemoryUnit Memory { get; }

    /// <summary>The number of the block in the grid, x fastest.</summary>
    public long Number { get; private set; }

    public int WarpCount => _warps.Length;

    /// <summary>Runs one block to its end.</summary>
    public void Run(long number)
    {
        Number = number;
        Array.Clear(_instructionsOfWarp);
        Memory.Start();
        foreach (Barrier barrier in _barriers) { Reset(barrier); }
        foreach (Warp warp in _warps)
        {
            int threads = Math.Min(Lanes.Count, _launch.Shape.Threads - warp.Index * Lanes.Count);
            warp.Start(Program, threads == Lanes.Count ? Lanes.All : (1u << threads) - 1);
        }
        while (RunRound()) { }
    }

    /// <summary>Each warp that can run does so up to its next barrier. False when all are done.</summary>
    private bool RunRound()
    {
        bool ran = false;
        foreach (Warp warp in _warps)
        {
            if (warp.State != WarpState.Running) { continue; }
            warp.Run(Program, Options.CheckRegisters);
            ran = true;
        }
        if (!ran) { ReleaseStuck(); }
        return Array.Exists(_warps, w => w.State != WarpState.Done);
    }

    /// <summary>A warp comes to a barrier. Warps count as 32 threads, as on a device.</summary>
    public void Arrive(Warp warp, BarrierOperation operation, int id, int expected, bool waits, uint values)
    {
        Barrier barrier = _barriers[id & (BarrierCount - 1)];
        int all = _warps.Length * Lanes.Count, wanted = expected > 0 ? expected : all;
        if (id is < 0 or >= BarrierCount || wanted % Lanes.Count != 0 || wanted > all || barrier.Arrived > 0 && barrier.Expected != wanted)
        {
            Report(FindingKind.BarrierMisused, operation, warp, warp.Alive, $"barrier {id} of {wanted} threads, of {all} in the block, while {barrier.Arrived} of {barrier.Expected} wait at it");
        }
        barrier.Expected = wanted;
        barrier.Arrived += Lanes.Count;
        warp.Release(barrier.Clock);
        barrier.TrueCount += System.Numerics.BitOperations.PopCount(values);
        if (waits)
        {
            warp.State = WarpState.Waiting;
            barrier.Waiting.Add((warp, operation));
        }
        if (barrier.Arrived >= barrier.Expected) { Complete(barrier); }
    }

    /// <summary>All have come: what each did before it arrived is ordered before what those who waited do next. Warps that take no part are not ordered.</summary>
    private void Complete(Barrier barrier)
    {
        int threads = Math.Min(barrier.Expected, _launch.Shape.Threads);
        foreach ((Warp warp, BarrierOperation operation) in barrier.Waiting)
        {
            operation.Complete(warp, barrier.TrueCount, threads);
            warp.Acquire(barrier.Clock);
            warp.State = WarpState.Running;
        }
        Reset(barrier);
    }

    private static void Reset(Barrier barrier)
    {
        barrier.Arrived = barrier.TrueCount = 0;
        Array.Clear(barrier.Clock);
        barrier.Waiting.Clear();
    }

    /// <summary>Nobody can run and some wait: they are let go with a finding, so that the launch ends.</summary>
    private void ReleaseStuck()
    {
        foreach (Barrier barrier in _barriers)
        {
            if (barrier.Waiting.Count == 0) { continue; }
            (Warp warp, BarrierOperation operation) = barrier.Waiting[0];
            Report(FindingKind.BarrierNeverCompleted, operation, warp, warp.Alive, $"{barrier.Arrived} of {barrier.Expected} threads came to the barrier");
            Complete(barrier);
        }
    }

    public long InstructionsOf(int warp) => _instructionsOfWarp[warp];

    public void AddInstructions(int warp, long count) => _instructionsOfWarp[warp] += count;

    /// <summary>The value of a special register for a thread of the block.</summary>
    public ulong Special(string name, int thread)
    {
        LaunchShape s = _launch.Shape;
        return name switch
        {
            "%tid.x" => (ulong)(thread % s.BlockX),
            "%tid.y" => (ulong)(thread / s.BlockX % s.BlockY),
            "%tid.z" => (ulong)(thread / s.BlockX / s.BlockY),
            "%ntid.x" => (ulong)s.BlockX,
            "%ntid.y" => (ulong)s.BlockY,
            "%ntid.z" => (ulong)s.BlockZ,
            "%ctaid.x" => (ulong)(Number % s.GridX),
            "%ctaid.y" => (ulong)(Number / s.GridX % s.GridY),
            "%ctaid.z" => (ulong)(Number / s.GridX / s.GridY),
            "%nctaid.x" => (ulong)s.GridX,
            "%nctaid.y" => (ulong)s.GridY,
            "%nctaid.z" => (ulong)s.GridZ,
            "%laneid" => (ulong)(thread % Lanes.Count),
            "%warpid" => (ulong)(thread / Lanes.Count),
            "%nwarpid" => (ulong)_warps.Length,
            "%dynamic_smem_size" => (ulong)s.DynamicSharedBytes,
            "%total_smem_size" => (ulong)(Program.DynamicSharedOffset + s.DynamicSharedBytes),
            "%lanemask_eq" => 1ul << (thread & 31),
            "%lanemask_lt" => (1ul << (thread & 31)) - 1,
            "%lanemask_le" => (2ul << (thread & 31)) - 1,
            "%lanemask_gt" => ~((2u << (thread & 31)) - 1),
            "%lanemask_ge" => ~((1u << (thread & 31)) - 1),
            _ => 0,
        };
    }

    /// <summary>The special registers that <see cref="Special"/> knows.</summary>
    public static bool IsSpecial(string name) => name is "%tid.x" or "%tid.y" or "%tid.z" or "%ntid.x" or "%ntid.y" or "%ntid.z" or "%ctaid.x" or "%ctaid.y"
        or "%ctaid.z" or "%nctaid.x" or "%nctaid.y" or "%nctaid.z" or "%laneid" or "%warpid" or "%nwarpid" or "%dynamic_smem_size" or "%total_smem_size"
        or "%lanemask_eq" or "%lanemask_lt" or "%lanemask_le" or "%lanemask_gt" or "%lanemask_ge";

    /// <summary>Notes a finding for the first of the lanes.</summary>
    public void Report(FindingKind kind, Operation operation, Warp warp, uint lanes, string what) =>
        _launch.Log.Add(kind, operation.Source, Number, () =>
        {
            int thread = warp.Index * Lanes.Count + (lanes == 0 ? 0 : Warp.First(lanes));
            return $"{kind}: {what}; kernel {Program.Name}, line {operation.Source.Line}, '{operation.Source.Text}', " +
                $"block ({Special("%ctaid.x", 0)}, {Special("%ctaid.y", 0)}, {Special("%ctaid.z", 0)}), thread ({Special("%tid.x", thread)}, {Special("%tid.y", thread)}, {Special("%tid.z", thread)})";
        });

    public void Dispose()
    {
        foreach (Warp warp in _warps) { warp.Dispose(); }
        Memory.Dispose();
    }
}
