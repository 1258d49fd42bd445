using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Algorithms;

namespace I2M.Kernels.Ilgpu;

/// <summary>Sizes of the attention kernels for processors: words between the packed heads of k and of v (or of q and of do), and between their panels.</summary>
internal struct ProcessorAttentionSizes
{
    public int Tiles;
    public long Panel, HeadPanels;
}

/// <summary>
/// Attention on OpenCL devices that are processors: an item works on four rows of a head on its own (see <see cref="ProcessorGemm"/> for why), with a
/// block of their scores and their sums in private memory, that is in the nearest cache. The factors that a product reads by columns come packed in
/// panels of sixteen. For head dimensions that are multiples of sixteen.
/// </summary>
internal static class ProcessorAttention
{
    /// <summary>Scores of a row that an item holds at a time.</summary>
    public const int Block = 64;

    // Far below every score: e^x of it counts for nothing, and it stays finite in a difference.
    private const float Masked = -1e30f;

    /// <summary>o and lse; an item per four queries of a head.</summary>
    public static void Forward(ArrayView<float> q, ArrayView<float> keyPanels, ArrayView<float> v, ArrayView<float> o, ArrayView<float> lse, AttentionShape s, ProcessorAttentionSizes p)
    {
        var weights = LocalMemory.Allocate<float>(Tile4x16.Rows * Block);
        var sums = LocalMemory.Allocate<float>(Tile4x16.Rows * AttentionShape.MostHeadDim);
        var rowMax = LocalMemory.Allocate<float>(Tile4x16.Rows);
        var rowSum = LocalMemory.Allocate<float>(Tile4x16.Rows);
        var factors = LocalMemory.Allocate<float>(Tile4x16.Rows);
        int row0 = Grid.IdxX % p.Tiles * Tile4x16.Rows;
        int head = Grid.IdxX / p.Tiles;
        var queries = HeadRows.Of(q, head / s.Heads, head % s.Heads, s.Queries, s.StrideQ, s.HeadDim);
        var values = HeadRows.Of(v, head / s.Heads, head % s.Heads, s.Keys, s.StrideV, s.HeadDim);
        for (int i = 0; i < Tile4x16.Rows; i++)
        {
            rowMax[i] = float.MinValue;
            rowSum[i] = 0f;
        }
        Clear(sums, s.HeadDim);
        for (int key0 = 0; key0 < s.Keys; key0 += Block)
        {
            int valid = IntrinsicMath.Min(Block, s.Keys - key0);
            Scores(queries, row0, keyPanels, head * p.HeadPanels + key0 / Row16.Width * p.Panel, p.Panel, valid, s.Scale, weights);
            for (int i = 0; i < Tile4x16.Rows; i++)
            {
                float max = SoftmaxRow(weights, i * Block, valid, rowMax[i], out float sum);
                float factor = DeviceMath.ExpOfNegative(rowMax[i] - max);
                factors[i] = factor;
                rowMax[i] = max;
                rowSum[i] = rowSum[i] * factor + sum;
            }
            AddWeighted(sums, factors, weights, values, key0, valid);
        }
        var output = HeadRows.Of(o, head / s.Heads, head % s.Heads, s.Queries, s.StrideO, s.HeadDim);
        for (int i = 0; i < Tile4x16.Rows; i++)
        {
            factors[i] = 1f / rowSum[i];
            if (row0 + i < s.Queries) { lse[(long)head * s.Queries + row0 + i] = rowMax[i] + XMath.Log(rowSum[i]); }
        }
        Store(output, row0, sums, factors);
    }

    /// <summary>weights[i, j] = factor · row i of left · column j of the panels, for whole panels up to valid columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scores(HeadRows left, int row0, ArrayView<float> panels, long at, long panel, int valid, float factor, ArrayView<float> weights)
    {
        FourRows rows = FourRows.Of(left.Start, row0, left.Count, left.Stride);
        for (int j = 0; j < valid; j += Row16.Width)
        {
            Tile4x16 tile = Tile4x16.AddProducts(default, left.Data, rows, 1, panels, at, Row16.Width, left.Width);
            Tile4x16.Store(Tile4x16.Multiply(factor, tile), weights, j, Block);
            at += panel;
        }
    }

    /// <summary>sums[i, :] = factors[i] · sums[i, :] + Σ_j weights[i, j] · row first + j of right.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddWeighted(ArrayView<float> sums, ArrayView<float> factors, ArrayView<float> weights, HeadRows right, int first, int count)
    {
        var rows = new FourRows { R0 = 0, R1 = Block, R2 = 2 * Block, R3 = 3 * Block };
        for (int channel = 0; channel < right.Width; channel += Row16.Width)
        {
            Tile4x16 tile = Tile4x16.Load(sums, channel, AttentionShape.MostHeadDim);
            tile.R0 = Row16.Multiply(factors[0], tile.R0);
            tile.R1 = Row16.Multiply(factors[1], tile.R1);
            tile.R2 = Row16.Multiply(factors[2], tile.R2);
            tile.R3 = Row16.Multiply(factors[3], tile.R3);
            long at = right.Start + (long)first * right.Stride + channel;
            Tile4x16.Store(Tile4x16.AddProducts(tile, weights, rows, 1, right.Data, at, right.Stride, count), sums, channel, AttentionShape.MostHeadDim);
        }
    }

    /// <summary>Writes factors[i] · sums[i, :] to the rows that exist.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(HeadRows target, int row0, ArrayView<float> sums, ArrayView<float> factors)
    {
        int rows = IntrinsicMath.Min(Tile4x16.Rows, target.Count - row0);
        for (int i = 0; i < rows; i++)
        {
            long start = target.Start + (long)(row0 + i) * target.Stride;
            for (int channel = 0; channel < target.Width; channel += Row16.Width)
            {
                Row16.Store(Row16.Multiply(factors[i], Row16.Load(sums, i * AttentionShape.MostHeadDim + channel)), target.Data, start + channel);
            }
        }
    }

    /// <summary>Four rows of zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Clear(ArrayView<float> sums, int width)
    {
        for (int i = 0; i < Tile4x16.Rows; i++)
        {
            for (int channel = 0; channel < width; channel++) { sums[i * AttentionShape.MostHeadDim + channel] = 0f; }
        }
    }

    /// <summary>Turns a row's scores into e^(score − max), where max is the largest of them and of the one before; returns it and their sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float SoftmaxRow(ArrayView<float> weights, int start, int valid, float before, out float sum)
    {
        int whole = (valid + Row16.Width - 1) / Row16.Width * Row16.Width;
        for (int j = valid; j < whole; j++) { weights[start + j] = Masked; }
        Row16 largest = Row16.Same(before);
        for (int j = 0; j < whole; j += Row16.Width) { largest = Row16.Max(largest, Row16.Load(weights, start + j)); }
        float max = Row16.Max(largest);
        for (int j = 0; j < whole; j++) { weights[start + j] = DeviceMath.ExpOfNegative(weights[start + j] - max); }
        var total = default(Row16);
        for (int j = 0; j < whole; j += Row16.Width) { total = Row16.Add(total, Row16.Load(weights, start + j)); }
        sum = Row16.Sum(total);
        return max;
    }
}
