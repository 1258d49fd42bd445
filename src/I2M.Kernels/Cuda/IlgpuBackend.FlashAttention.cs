using ILGPU;

namespace I2M.Kernels.Ilgpu;

// Attention on tensor cores: bfloat16 operands, float32 sums.
public sealed partial class IlgpuBackend
{
    private int FlashShared => _device.Limits.DynamicSharedBytes;

    /// <summary>Which kernel a pass of this attention takes on CUDA, and why.</summary>
    internal FlashPlan PlanAttention(AttentionPass pass, in AttentionShape s) => Tuned(pass, FlashPlan.For(pass, s, Device.ComputeUnits, FlashShared), s);

    private void FlashForward(BufferView q, BufferView k, BufferView v, in AttentionShape s, BufferView o, BufferView lse)
    {
        FlashTile tile = PlanAttention(AttentionPass.Forward, s).Tile;
        int tiles = FlashPlan.GroupsOf(s.Queries, tile);
        Launch(FlashTable.Forward[(FlashAttention.Width(s.HeadDim), tile)], FlashGroups(s, tile, tiles), Address(q), Address(k), Address(v), Address(o), Address(lse), s, tiles);
    }

    private void FlashBackward(BufferView q, BufferView k, BufferView v, BufferView o, BufferView lse, BufferView dOut, in AttentionShape s,
        BufferView dq, BufferView dk, BufferView dv)
    {
        int width = FlashAttention.Width(s.HeadDim), multiple = FlashStatisticsKernels.RowMultiple, padded = (s.Queries + multiple - 1) / multiple * multiple;
        long rows = (long)s.Batch * s.Heads * padded;
        using var scope = new BufferScope(Pool);
        BufferView statistics = scope.Rent(2 * rows);
        Launch(FlashStatisticsKernels.Collect, Groups(rows / FlashStatisticsKernels.Rows, FlashStatisticsKernels.Items),
            View(o).Cast<Float4>(), View(dOut).Cast<Float4>(), View(lse), View(statistics), s, padded);
        FlashTile keyTile = PlanAttention(AttentionPass.Keys, s).Tile, queryTile = PlanAttention(AttentionPass.Queries, s).Tile;
        int keyTiles = FlashPlan.GroupsOf(s.Keys, keyTile), queryTiles = FlashPlan.GroupsOf(s.Queries, queryTile);
        Launch(FlashTable.Keys[(width, keyTile)], FlashGroups(s, keyTile, keyTiles), Address(q), Address(k), Address(v), Address(dOut), Address(statistics), Address(dk), Address(dv), s, keyTiles, padded);
        Launch(FlashTable.Queries[(width, queryTile)], FlashGroups(s, queryTile, queryTiles), Address(q), Address(k), Address(v), Address(dOut), Address(statistics), Address(dq), s, queryTiles, padded);
    }

    private static KernelConfig FlashGroups(in AttentionShape s, FlashTile tile, int tiles) => Groups((long)s.Batch * s.Heads * tiles, FlashPlan.Threads(tile));
}
