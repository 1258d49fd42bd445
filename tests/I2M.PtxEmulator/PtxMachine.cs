using I2M.PtxEmulator.Execution;

namespace I2M.PtxEmulator;

/// <summary>
/// Runs kernels on the host, a warp at a time: blocks in parallel, the warps of a block in turn from barrier to barrier. Results do not depend
/// on the number of host threads unless the kernel races.
/// </summary>
/// <param name="memory">The global memory.</param>
/// <param name="options">What to check and count.</param>
public sealed class PtxMachine(DeviceMemory memory, EmulatorOptions options)
{
    /// <summary>Shared memory per block that an H200 offers at most.</summary>
    public const int MaxSharedBytes = 232_448;

    /// <summary>Runs one launch to its end.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="shape">Its grid and blocks.</param>
    /// <param name="parameters">The block of parameters, <see cref="PtxKernel.ParameterBytes"/> bytes.</param>
    /// <exception cref="ArgumentException">The shape or the parameters are impossible for this kernel.</exception>
    public LaunchReport Run(PtxKernel kernel, LaunchShape shape, ReadOnlySpan<byte> parameters)
    {
        Validate(kernel, shape, parameters.Length);
        using var launch = new Launch(kernel.Program, shape, options, memory, parameters.ToArray());
        int threads = (int)Math.Min(options.Threads > 0 ? options.Threads : Environment.ProcessorCount, shape.Blocks);
        var counters = new LaunchCounters[threads];
        long next = -1;
        void RunBlocks(int worker)
        {
            using var block = new Block(launch);
            counters[worker] = block.Counters;
            try
            {
                for (long number; (number = Interlocked.Increment(ref next)) < shape.Blocks;) { block.Run(number); }
            }
            catch (OperationCanceledException) { Interlocked.Exchange(ref next, shape.Blocks); }
        }
        if (threads == 1) { RunBlocks(0); }
        else { Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, RunBlocks); }
        return Report(launch, counters);
    }

    private static void Validate(PtxKernel kernel, LaunchShape s, int parameterBytes)
    {
        string name = kernel.Name;
        if (s.GridX < 1 || s.GridY < 1 || s.GridZ < 1 || s.BlockX < 1 || s.BlockY < 1 || s.BlockZ < 1) { throw new ArgumentException($"{name}: the shape {s} has no threads", nameof(s)); }
        if (s.GridY > 65535 || s.GridZ > 65535) { throw new ArgumentException($"{name}: a grid is at most 65535 blocks high and deep, not {s.GridY} x {s.GridZ}", nameof(s)); }
        if ((long)s.BlockX * s.BlockY * s.BlockZ > kernel.MaxThreads) { throw new ArgumentException($"{name}: {s.BlockX} x {s.BlockY} x {s.BlockZ} threads, at most {kernel.MaxThreads}", nameof(s)); }
        int shared = kernel.Program.DynamicSharedOffset + s.DynamicSharedBytes;
        if (s.DynamicSharedBytes < 0 || shared > MaxSharedBytes) { throw new ArgumentException($"{name}: {shared} bytes of shared memory, at most {MaxSharedBytes}", nameof(s)); }
        if (parameterBytes != kernel.ParameterBytes) { throw new ArgumentException($"{name}: {parameterBytes} bytes of parameters, expected {kernel.ParameterBytes}", nameof(parameterBytes)); }
    }

    private static LaunchReport Report(Launch launch, LaunchCounters[] counters)
    {
        long[] instructions = new long[counters[0].Instructions.Length];
        foreach (LaunchCounters c in counters)
        {
            for (int i = 0; i < instructions.Length; i++) { instructions[i] += c.Instructions[i]; }
        }
        return new LaunchReport(launch.Log.All, launch.Log.Suppressed, instructions)
        {
            GlobalBytesLoaded = counters.Sum(c => c.GlobalLoaded),
            GlobalBytesStored = counters.Sum(c => c.GlobalStored),
            SharedBytesLoaded = counters.Sum(c => c.SharedLoaded),
            SharedBytesStored = counters.Sum(c => c.SharedStored),
            GlobalSectors = counters.Sum(c => c.Sectors),
            SharedPasses = counters.Sum(c => c.Passes),
            SharedBankConflicts = counters.Sum(c => c.Conflicts),
        };
    }
}
