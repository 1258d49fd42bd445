namespace I2M.PtxReport;

/// <summary>How many groups of a kernel a multiprocessor holds at a time (CUDA C++ programming guide, compute capabilities).</summary>
internal static class Occupancy
{
    private const int Registers = 65536, RegisterUnit = 256, WarpSize = 32, MaxThreads = 2048, MaxGroups = 32, SharedReserve = 1024, SharedUnit = 128;

    /// <summary>Shared memory of a multiprocessor in bytes.</summary>
    private static int SharedBytes(string target) => target switch
    {
        "sm_80" => 164 * 1024,
        "sm_90" => 228 * 1024,
        _ => throw new ArgumentOutOfRangeException(nameof(target), target, "sm_80 or sm_90 expected"),
    };

    /// <summary>Groups at a time, limited by threads, registers (granted by the warp in units of 256) or shared memory (1 KB a group is the system's).</summary>
    /// <param name="target">"sm_80" or "sm_90".</param>
    /// <param name="threads">Threads a group.</param>
    /// <param name="registers">Registers a thread.</param>
    /// <param name="shared">Static and dynamic shared memory a group in bytes.</param>
    public static int Groups(string target, int threads, int registers, int shared)
    {
        int warps = (threads + WarpSize - 1) / WarpSize;
        int warpRegisters = (registers * WarpSize + RegisterUnit - 1) / RegisterUnit * RegisterUnit;
        int byRegisters = Registers / Math.Max(1, warpRegisters) / warps;
        int byShared = SharedBytes(target) / ((shared + SharedReserve + SharedUnit - 1) / SharedUnit * SharedUnit);
        return Math.Min(Math.Min(MaxGroups, MaxThreads / (warps * WarpSize)), Math.Min(byRegisters, byShared));
    }

    /// <summary>Threads at a time over the most that a multiprocessor holds.</summary>
    public static double Share(int groups, int threads) => (double)groups * ((threads + WarpSize - 1) / WarpSize * WarpSize) / MaxThreads;
}
