using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Algorithms;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Forward attention with a running maximum and sum. A group works on 32 queries of a head and walks over keys in blocks of 64.
/// </summary>
internal static class AttentionKernels
{
    // Four neighbouring items share the bookkeeping of a row of scores.
    private const int ItemsPerRow = 4;

    /// <summary>One slab of o for 32 queries, and their lse; q, k, v and o are bfloat16 with <paramref name="narrow"/>.</summary>
    public static void Forward(ArrayView<float> q, ArrayView<float> k, ArrayView<float> v, ArrayView<float> o, ArrayView<float> lse,
        AttentionShape s, int narrow, int tiles, int slabs)
    {
        var queryTile = SharedMemory.Allocate<float>(AttentionTiles.Rows * AttentionTiles.Pitch);
        var keyTile = SharedMemory.Allocate<float>(AttentionTiles.Columns * AttentionTiles.Pitch);
        var weights = SharedMemory.Allocate<float>(AttentionTiles.Rows * AttentionTiles.Pitch);
        var partials = SharedMemory.Allocate<float>(AttentionTiles.Rows * ItemsPerRow);
        var factors = SharedMemory.Allocate<float>(AttentionTiles.Rows);
        int slab = Grid.IdxX % slabs;
        int row0 = Grid.IdxX / slabs % tiles * AttentionTiles.Rows;
        int head = Grid.IdxX / slabs / tiles % s.Heads;
        int sample = Grid.IdxX / slabs / tiles / s.Heads;
        var queries = HeadRows.Of(q, sample, head, s.Queries, s.StrideQ, s.HeadDim, narrow);
        var keys = HeadRows.Of(k, sample, head, s.Keys, s.StrideK, s.HeadDim, narrow);
        var values = HeadRows.Of(v, sample, head, s.Keys, s.StrideV, s.HeadDim, narrow);
        int item = Group.IdxY * AttentionTiles.Side + Group.IdxX;
        int row = item / ItemsPerRow;
        int part = item % ItemsPerRow;
        int rowStart = row * AttentionTiles.Pitch;
        float max = float.MinValue;
        float sum = 0f;
        var result = default(Tile4x4);
        for (int key0 = 0; key0 < s.Keys; key0 += AttentionTiles.Columns)
        {
            Tile4x4 scores = AttentionTiles.Products(queries, row0, queryTile, slabs == 1 && key0 > 0, keys, key0, keyTile, slabs, slab);
            AttentionTiles.Share(scores, weights);
            AttentionTiles.Load(values, key0, AttentionTiles.Columns, slab * AttentionTiles.Slab, keyTile);
            Group.Barrier();
            int valid = IntrinsicMath.Min(AttentionTiles.Columns, s.Keys - key0);
            float blockMax = max;
            for (int c = part; c < valid; c += ItemsPerRow) { blockMax = XMath.Max(blockMax, s.Scale * weights[rowStart + c]); }
            partials[item] = blockMax;
            Group.Barrier();
            blockMax = MaxOfParts(partials, row);
            float factor = XMath.Exp(max - blockMax);
            float blockSum = 0f;
            for (int c = part; c < AttentionTiles.Columns; c += ItemsPerRow)
            {
                float p = c < valid ? XMath.Exp(s.Scale * weights[rowStart + c] - blockMax) : 0f;
                weights[rowStart + c] = p;
                blockSum += p;
            }
            max = blockMax;
            sum = sum * factor + blockSum;
            if (part == 0) { factors[row] = factor; }
            Group.Barrier();
            result = AttentionTiles.Weighted(ScaleRows(result, factors), weights, keyTile);
            Group.Barrier();
        }
        partials[item] = sum;
        Group.Barrier();
        float total = SumOfParts(partials, row);
        if (part == 0)
        {
            factors[row] = 1f / total;
            if (slab == 0 && row0 + row < s.Queries) { lse[((long)sample * s.Heads + head) * s.Queries + row0 + row] = max + XMath.Log(total); }
        }
        Group.Barrier();
        var output = HeadRows.Of(o, sample, head, s.Queries, s.StrideO, s.HeadDim, narrow);
        AttentionTiles.Store(output, row0, slab * AttentionTiles.Slab, ScaleRows(result, factors), 1f);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float MaxOfParts(ArrayView<float> partials, int row)
    {
        int first = row * ItemsPerRow;
        return XMath.Max(XMath.Max(partials[first], partials[first + 1]), XMath.Max(partials[first + 2], partials[first + 3]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float SumOfParts(ArrayView<float> partials, int row)
    {
        int first = row * ItemsPerRow;
        return partials[first] + partials[first + 1] + (partials[first + 2] + partials[first + 3]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Tile4x4 ScaleRows(Tile4x4 c, ArrayView<float> factors)
    {
        int row = 4 * Group.IdxY;
        return new Tile4x4
        {
            R0 = Float4.Multiply(factors[row], c.R0),
            R1 = Float4.Multiply(factors[row + 1], c.R1),
            R2 = Float4.Multiply(factors[row + 2], c.R2),
            R3 = Float4.Multiply(factors[row + 3], c.R3),
        };
    }
}
