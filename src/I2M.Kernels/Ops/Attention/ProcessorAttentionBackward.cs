using System.Runtime.CompilerServices;
using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Backward attention on OpenCL devices that are processors, in the two passes of <see cref="AttentionBackwardKernels"/>, each item on four rows of a
/// head as in <see cref="ProcessorAttention"/>.
/// </summary>
internal static class ProcessorAttentionBackward
{
    /// <summary>dk and dv; an item per four keys of a head. The scores are transposed: rows are keys, columns queries.</summary>
    public static void Keys(ArrayView<float> k, ArrayView<float> v, ArrayView<float> q, ArrayView<float> dOut, ArrayView<float> queryPanels, ArrayView<float> outputPanels,
        ArrayView<float> lse, ArrayView<float> delta, ArrayView<float> dk, ArrayView<float> dv, AttentionShape s, ProcessorAttentionSizes p)
    {
        var weights = LocalMemory.Allocate<float>(Tile4x16.Rows * ProcessorAttention.Block);
        var gradients = LocalMemory.Allocate<float>(Tile4x16.Rows * ProcessorAttention.Block);
        var sumsK = LocalMemory.Allocate<float>(Tile4x16.Rows * AttentionShape.MostHeadDim);
        var sumsV = LocalMemory.Allocate<float>(Tile4x16.Rows * AttentionShape.MostHeadDim);
        var factors = LocalMemory.Allocate<float>(Tile4x16.Rows);
        int row0 = Grid.IdxX % p.Tiles * Tile4x16.Rows;
        int head = Grid.IdxX / p.Tiles;
        var keys = HeadRows.Of(k, head / s.Heads, head % s.Heads, s.Keys, s.StrideK, s.HeadDim);
        var values = HeadRows.Of(v, head / s.Heads, head % s.Heads, s.Keys, s.StrideV, s.HeadDim);
        var queries = HeadRows.Of(q, head / s.Heads, head % s.Heads, s.Queries, s.StrideQ, s.HeadDim);
        var outputs = HeadRows.Of(dOut, head / s.Heads, head % s.Heads, s.Queries, s.StrideO, s.HeadDim);
        ProcessorAttention.Clear(sumsK, s.HeadDim);
        ProcessorAttention.Clear(sumsV, s.HeadDim);
        Fill(factors, 1f);
        for (int query0 = 0; query0 < s.Queries; query0 += ProcessorAttention.Block)
        {
            int valid = IntrinsicMath.Min(ProcessorAttention.Block, s.Queries - query0);
            long at = head * p.HeadPanels + query0 / Row16.Width * p.Panel;
            ProcessorAttention.Scores(keys, row0, queryPanels, at, p.Panel, valid, s.Scale, weights);
            ProcessorAttention.Scores(values, row0, outputPanels, at, p.Panel, valid, 1f, gradients);
            long statistics = (long)head * s.Queries + query0;
            for (int i = 0; i < Tile4x16.Rows * ProcessorAttention.Block; i += ProcessorAttention.Block)
            {
                for (int j = 0; j < valid; j++)
                {
                    float probability = DeviceMath.ExpOfNegative(weights[i + j] - lse[statistics + j]);
                    weights[i + j] = probability;
                    gradients[i + j] = probability * (gradients[i + j] - delta[statistics + j]);
                }
            }
            ProcessorAttention.AddWeighted(sumsK, factors, gradients, queries, query0, valid);
            ProcessorAttention.AddWeighted(sumsV, factors, weights, outputs, query0, valid);
        }
        ProcessorAttention.Store(HeadRows.Of(dv, head / s.Heads, head % s.Heads, s.Keys, s.StrideV, s.HeadDim), row0, sumsV, factors);
        Fill(factors, s.Scale);
        ProcessorAttention.Store(HeadRows.Of(dk, head / s.Heads, head % s.Heads, s.Keys, s.StrideK, s.HeadDim), row0, sumsK, factors);
    }

    /// <summary>dq; an item per four queries of a head.</summary>
    public static void Queries(ArrayView<float> q, ArrayView<float> dOut, ArrayView<float> k, ArrayView<float> keyPanels, ArrayView<float> valuePanels,
        ArrayView<float> lse, ArrayView<float> delta, ArrayView<float> dq, AttentionShape s, ProcessorAttentionSizes p)
    {
        var weights = LocalMemory.Allocate<float>(Tile4x16.Rows * ProcessorAttention.Block);
        var gradients = LocalMemory.Allocate<float>(Tile4x16.Rows * ProcessorAttention.Block);
        var sums = LocalMemory.Allocate<float>(Tile4x16.Rows * AttentionShape.MostHeadDim);
        var factors = LocalMemory.Allocate<float>(Tile4x16.Rows);
        int row0 = Grid.IdxX % p.Tiles * Tile4x16.Rows;
        int head = Grid.IdxX / p.Tiles;
        var queries = HeadRows.Of(q, head / s.Heads, head % s.Heads, s.Queries, s.StrideQ, s.HeadDim);
        var outputs = HeadRows.Of(dOut, head / s.Heads, head % s.Heads, s.Queries, s.StrideO, s.HeadDim);
        var keys = HeadRows.Of(k, head / s.Heads, head % s.Heads, s.Keys, s.StrideK, s.HeadDim);
        ProcessorAttention.Clear(sums, s.HeadDim);
        Fill(factors, 1f);
        for (int key0 = 0; key0 < s.Keys; key0 += ProcessorAttention.Block)
        {
            int valid = IntrinsicMath.Min(ProcessorAttention.Block, s.Keys - key0);
            long at = head * p.HeadPanels + key0 / Row16.Width * p.Panel;
            ProcessorAttention.Scores(queries, row0, keyPanels, at, p.Panel, valid, s.Scale, weights);
            ProcessorAttention.Scores(outputs, row0, valuePanels, at, p.Panel, valid, 1f, gradients);
            for (int i = 0; i < Tile4x16.Rows; i++)
            {
                long row = (long)head * s.Queries + IntrinsicMath.Min(row0 + i, s.Queries - 1);
                float sum = lse[row], offset = delta[row];
                int start = i * ProcessorAttention.Block;
                for (int j = 0; j < valid; j++)
                {
                    gradients[start + j] = DeviceMath.ExpOfNegative(weights[start + j] - sum) * (gradients[start + j] - offset);
                }
            }
            ProcessorAttention.AddWeighted(sums, factors, gradients, keys, key0, valid);
        }
        Fill(factors, s.Scale);
        ProcessorAttention.Store(HeadRows.Of(dq, head / s.Heads, head % s.Heads, s.Queries, s.StrideQ, s.HeadDim), row0, sums, factors);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fill(ArrayView<float> factors, float value)
    {
        for (int i = 0; i < Tile4x16.Rows; i++) { factors[i] = value; }
    }
}
