using System.Collections.Immutable;
using System.Globalization;

namespace I2M.Kernels.Ilgpu;

/// <summary>Rows of queries (of keys in the pass that sums their gradients) that a group of the generated kernels of attention owns (eng/kernel-generator, FlashFamily).</summary>
internal enum FlashTile
{
    /// <summary>Two warps of 16 rows: the finest division of few rows.</summary>
    Rows32 = 32,
    /// <summary>Four warps of 16 rows.</summary>
    Rows64 = 64,
    /// <summary>Four warps of 32 rows: every fragment of the other matrices feeds twice as many products.</summary>
    Rows128 = 128,
}

/// <summary>How a pass of attention runs on CUDA.</summary>
/// <param name="Tile">Its kernel.</param>
/// <param name="Groups">Groups of that many rows.</param>
/// <param name="Multiprocessors">Of the device.</param>
internal readonly record struct FlashPlan(FlashTile Tile, long Groups, int Multiprocessors)
{
    /// <summary>Every tile, the tallest first.</summary>
    public static ImmutableArray<FlashTile> Tiles { get; } = [FlashTile.Rows128, FlashTile.Rows64, FlashTile.Rows32];

    /// <summary>Two warps for each of four schedulers: one multiplies while the other exponentiates.</summary>
    private const int ThreadsToOverlap = 256;

    private static readonly IReadOnlyDictionary<(AttentionPass Pass, int Width, FlashTile Tile), int> s_sharedBytes = SharedBytes();

    /// <summary>Why this tile was measured to be the best, or null where none was measured.</summary>
    public string? Measured { get; init; }

    /// <summary>Why, in one line.</summary>
    public string Reason => Measured ?? string.Create(CultureInfo.InvariantCulture,
        $"{Groups} groups of {(int)Tile} rows on {Multiprocessors} multiprocessors: at most {OnBusiest(Groups, Multiprocessors)} on one");

    /// <summary>
    /// The choice by sizes. All multiprocessors wait for the busiest one, so that one's rows count, times what a row costs in a group of this height, and half as much again
    /// where it has so few warps that nothing is multiplied while they exponentiate. Of equals the tallest wins. Tuning replaces this estimate by measurement.
    /// </summary>
    public static FlashPlan For(AttentionPass pass, in AttentionShape s, int multiprocessors, int sharedBytes)
    {
        int width = FlashAttention.Width(s.HeadDim), rows = pass == AttentionPass.Keys ? s.Keys : s.Queries;
        long heads = (long)s.Batch * s.Heads, least = long.MaxValue;
        var best = new FlashPlan(FlashTile.Rows32, 0, multiprocessors);
        foreach (FlashTile tile in Tiles)
        {
            if (!Fits(pass, width, tile, sharedBytes)) { continue; }
            long groups = heads * GroupsOf(rows, tile), busiest = OnBusiest(groups, multiprocessors);
            long cost = busiest * (int)tile * RowCost(tile) * (busiest * Threads(tile) < ThreadsToOverlap ? 3 : 2);
            if (cost < least) { (best, least) = (new FlashPlan(tile, groups, multiprocessors), cost); }
        }
        return best;
    }

    /// <summary>Groups over so many rows.</summary>
    public static int GroupsOf(int rows, FlashTile tile) => (rows + (int)tile - 1) / (int)tile;

    /// <summary>Work items of a group.</summary>
    public static int Threads(FlashTile tile) => tile == FlashTile.Rows32 ? 64 : 128;

    /// <summary>Whether there is such a kernel and the device has the shared memory for it.</summary>
    public static bool Fits(AttentionPass pass, int width, FlashTile tile, int sharedBytes) => s_sharedBytes.TryGetValue((pass, width, tile), out int bytes) && bytes <= sharedBytes;

    /// <summary>
    /// What a row costs in hundredths of a row of the tallest group: with half the rows a warp, a fragment from shared memory feeds half as many products (FlashAttention-2
    /// measured 27 % less speed so); with half the warps, each also copies twice as much. docs/kernels.md has the counts.
    /// </summary>
    private static int RowCost(FlashTile tile) => tile switch { FlashTile.Rows128 => 100, FlashTile.Rows64 => 140, _ => 160 };

    private static long OnBusiest(long groups, int multiprocessors) => (groups + multiprocessors - 1) / multiprocessors;

    private static Dictionary<(AttentionPass, int, FlashTile), int> SharedBytes()
    {
        var kernels = FlashTable.Forward.Select(k => (AttentionPass.Forward, k.Key, k.Value.Method))
            .Concat(FlashTable.Keys.Select(k => (AttentionPass.Keys, k.Key, k.Value.Method))).Concat(FlashTable.Queries.Select(k => (AttentionPass.Queries, k.Key, k.Value.Method)));
        return kernels.ToDictionary(k => (k.Item1, k.Key.Width, k.Key.Tile), k => KernelEntry.Of(k.Method).SharedBytes);
    }
}
