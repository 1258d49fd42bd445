using ILGPU;

namespace I2M.Kernels.Ilgpu;

// Attention on tensor cores: bfloat16 operands, float32 sums. Rows a block as in the generator.
public sealed partial class IlgpuBackend
{
    private const int FlashThreads = 128;

    private void FlashForward(BufferView q, BufferView k, BufferView v, in AttentionShape s, BufferView o, BufferView lse)
    {
        int tiles = FlashTiles(s.Queries, 128);
        KernelConfig groups = FlashGroups(s, tiles);
        Action<long, long, long, long, long, AttentionShape, int> kernel = FlashAttention.Width(s.HeadDim) switch
        {
            32 => FlashForward32Kernels.Forward,
            64 => FlashForward64Kernels.Forward,
            96 => FlashForward96Kernels.Forward,
            _ => FlashForward128Kernels.Forward,
        };
        Launch(kernel, groups, Address(q), Address(k), Address(v), Address(o), Address(lse), s, tiles);
    }

    private void FlashBackward(BufferView q, BufferView k, BufferView v, BufferView o, BufferView lse, BufferView dOut, in AttentionShape s,
        BufferView dq, BufferView dk, BufferView dv)
    {
        int padded = FlashTiles(s.Queries, FlashStatisticsKernels.RowMultiple) * FlashStatisticsKernels.RowMultiple;
        long rows = (long)s.Batch * s.Heads * padded;
        using var scope = new BufferScope(Pool);
        BufferView statistics = scope.Rent(2 * rows);
        Launch(FlashStatisticsKernels.Collect, Groups(rows / FlashStatisticsKernels.Rows, FlashStatisticsKernels.Items),
            View(o).Cast<Float4>(), View(dOut).Cast<Float4>(), View(lse), View(statistics), s, padded);
        int width = FlashAttention.Width(s.HeadDim), blockRows = width <= 64 ? 128 : 64;
        Action<long, long, long, long, long, long, long, AttentionShape, int, int> keys = width switch
        {
            32 => FlashBackwardKeys32Kernels.Keys,
            64 => FlashBackwardKeys64Kernels.Keys,
            96 => FlashBackwardKeys96Kernels.Keys,
            _ => FlashBackwardKeys128Kernels.Keys,
        };
        int keyTiles = FlashTiles(s.Keys, blockRows);
        Launch(keys, FlashGroups(s, keyTiles), Address(q), Address(k), Address(v), Address(dOut), Address(statistics), Address(dk), Address(dv), s, keyTiles, padded);
        Action<long, long, long, long, long, long, AttentionShape, int, int> queries = width switch
        {
            32 => FlashBackwardQueries32Kernels.Queries,
            64 => FlashBackwardQueries64Kernels.Queries,
            96 => FlashBackwardQueries96Kernels.Queries,
            _ => FlashBackwardQueries128Kernels.Queries,
        };
        int queryTiles = FlashTiles(s.Queries, blockRows);
        Launch(queries, FlashGroups(s, queryTiles), Address(q), Address(k), Address(v), Address(dOut), Address(statistics), Address(dq), s, queryTiles, padded);
    }

    private static int FlashTiles(int rows, int blockRows) => (rows + blockRows - 1) / blockRows;

    private static KernelConfig FlashGroups(in AttentionShape s, int tiles) => Groups((long)s.Batch * s.Heads * tiles, FlashThreads);
}
