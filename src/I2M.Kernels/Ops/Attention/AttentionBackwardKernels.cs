using System.Runtime.CompilerServices;
using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Backward attention in two passes without atomics, so that every sum has a fixed order. Both recompute P = e^(scale·q·kᵀ − lse) and
/// dS = P ∘ (do·vᵀ − D) block by block: <see cref="Keys"/> keeps 32 keys and walks over queries, <see cref="Queries"/> the other way round.
/// With narrow, all operands but lse and delta are bfloat16.
/// </summary>
internal static class AttentionBackwardKernels
{
    /// <summary>Items of a group of <see cref="Delta"/>.</summary>
    public const int DeltaItems = 128;

    /// <summary>Rows that a group of <see cref="Delta"/> works on.</summary>
    public const int DeltaRows = DeltaItems / ItemsPerRow;

    private const int ItemsPerRow = 16;

    /// <summary>delta[b,h,q] = Σ_d do·o; sixteen items a row.</summary>
    public static void Delta(ArrayView<float> o, ArrayView<float> dOut, ArrayView<float> delta, AttentionShape s, int narrow)
    {
        var partials = SharedMemory.Allocate<float>(DeltaItems);
        long row = (long)Grid.IdxX * DeltaRows + Group.IdxX / ItemsPerRow;
        int part = Group.IdxX % ItemsPerRow;
        float sum = 0f;
        if (row < delta.Length)
        {
            long query = row % s.Queries;
            long head = row / s.Queries % s.Heads;
            long sample = row / s.Queries / s.Heads;
            long start = (sample * s.Queries + query) * s.StrideO + head * s.HeadDim;
            for (int d = part; d < s.HeadDim; d += ItemsPerRow) { sum += Elements.Load(o, start + d, narrow) * Elements.Load(dOut, start + d, narrow); }
        }
        partials[Group.IdxX] = sum;
        Group.Barrier();
        if (part == 0 && row < delta.Length)
        {
            float total = 0f;
            for (int i = 0; i < ItemsPerRow; i++) { total += partials[Group.IdxX + i]; }
            delta[row] = total;
        }
    }

    /// <summary>One slab of dk and dv for 32 keys. The block of scores is transposed: rows are keys, columns queries.</summary>
    public static void Keys(ArrayView<float> q, ArrayView<float> k, ArrayView<float> v, ArrayView<float> lse, ArrayView<float> delta, ArrayView<float> dOut,
        ArrayView<float> dk, ArrayView<float> dv, AttentionShape s, int narrow, int tiles, int slabs)
    {
        var keyTile = SharedMemory.Allocate<float>(AttentionTiles.Rows * AttentionTiles.Pitch);
        var valueTile = SharedMemory.Allocate<float>(AttentionTiles.Rows * AttentionTiles.Pitch);
        var queryTile = SharedMemory.Allocate<float>(AttentionTiles.Columns * AttentionTiles.Pitch);
        var weights = SharedMemory.Allocate<float>(AttentionTiles.Rows * AttentionTiles.Pitch);
        int slab = Grid.IdxX % slabs;
        int row0 = Grid.IdxX / slabs % tiles * AttentionTiles.Rows;
        int head = Grid.IdxX / slabs / tiles % s.Heads;
        int sample = Grid.IdxX / slabs / tiles / s.Heads;
        var queries = HeadRows.Of(q, sample, head, s.Queries, s.StrideQ, s.HeadDim, narrow);
        var keys = HeadRows.Of(k, sample, head, s.Keys, s.StrideK, s.HeadDim, narrow);
        var values = HeadRows.Of(v, sample, head, s.Keys, s.StrideV, s.HeadDim, narrow);
        var outputs = HeadRows.Of(dOut, sample, head, s.Queries, s.StrideO, s.HeadDim, narrow);
        long statistics = ((long)sample * s.Heads + head) * s.Queries;
        var sumK = default(Tile4x4);
        var sumV = default(Tile4x4);
        for (int query0 = 0; query0 < s.Queries; query0 += AttentionTiles.Columns)
        {
            bool loaded = slabs == 1 && query0 > 0;
            Tile4x4 dp = AttentionTiles.Products(values, row0, valueTile, loaded, outputs, query0, queryTile, slabs, slab);
            Tile4x4 p = AttentionTiles.Products(keys, row0, keyTile, loaded, queries, query0, queryTile, slabs, slab);
            int column = query0 + Group.IdxX;
            Float4 sums = Four(lse, statistics, column, s.Queries, float.MaxValue);
            Float4 deltas = Four(delta, statistics, column, s.Queries, 0f);
            p = Probabilities(s.Scale, p, sums, sums, sums, sums);
            AttentionTiles.Share(LogitGradients(p, dp, deltas, deltas, deltas, deltas), weights);
            Group.Barrier();
            sumK = AttentionTiles.Weighted(sumK, weights, queryTile);
            Group.Barrier();
            AttentionTiles.Share(p, weights);
            AttentionTiles.Load(outputs, query0, AttentionTiles.Columns, slab * AttentionTiles.Slab, queryTile);
            Group.Barrier();
            sumV = AttentionTiles.Weighted(sumV, weights, queryTile);
            Group.Barrier();
        }
        AttentionTiles.Store(HeadRows.Of(dk, sample, head, s.Keys, s.StrideK, s.HeadDim, narrow), row0, slab * AttentionTiles.Slab, sumK, s.Scale);
        AttentionTiles.Store(HeadRows.Of(dv, sample, head, s.Keys, s.StrideV, s.HeadDim, narrow), row0, slab * AttentionTiles.Slab, sumV, 1f);
    }

    /// <summary>One slab of dq for 32 queries.</summary>
    public static void Queries(ArrayView<float> q, ArrayView<float> k, ArrayView<float> v, ArrayView<float> lse, ArrayView<float> delta, ArrayView<float> dOut,
        ArrayView<float> dq, AttentionShape s, int narrow, int tiles, int slabs)
    {
        var queryTile = SharedMemory.Allocate<float>(AttentionTiles.Rows * AttentionTiles.Pitch);
        var outputTile = SharedMemory.Allocate<float>(AttentionTiles.Rows * AttentionTiles.Pitch);
        var keyTile = SharedMemory.Allocate<float>(AttentionTiles.Columns * AttentionTiles.Pitch);
        var weights = SharedMemory.Allocate<float>(AttentionTiles.Rows * AttentionTiles.Pitch);
        int slab = Grid.IdxX % slabs;
        int row0 = Grid.IdxX / slabs % tiles * AttentionTiles.Rows;
        int head = Grid.IdxX / slabs / tiles % s.Heads;
        int sample = Grid.IdxX / slabs / tiles / s.Heads;
        var queries = HeadRows.Of(q, sample, head, s.Queries, s.StrideQ, s.HeadDim, narrow);
        var keys = HeadRows.Of(k, sample, head, s.Keys, s.StrideK, s.HeadDim, narrow);
        var values = HeadRows.Of(v, sample, head, s.Keys, s.StrideV, s.HeadDim, narrow);
        var outputs = HeadRows.Of(dOut, sample, head, s.Queries, s.StrideO, s.HeadDim, narrow);
        long statistics = ((long)sample * s.Heads + head) * s.Queries;
        int row = row0 + 4 * Group.IdxY;
        var sumQ = default(Tile4x4);
        for (int key0 = 0; key0 < s.Keys; key0 += AttentionTiles.Columns)
        {
            bool loaded = slabs == 1 && key0 > 0;
            Tile4x4 dp = AttentionTiles.Products(outputs, row0, outputTile, loaded, values, key0, keyTile, slabs, slab);
            Tile4x4 p = AttentionTiles.Products(queries, row0, queryTile, loaded, keys, key0, keyTile, slabs, slab);
            int valid = s.Keys - key0 - Group.IdxX;
            p = Probabilities(s.Scale, p,
                Masked(One(lse, statistics, row, s.Queries), valid),
                Masked(One(lse, statistics, row + 1, s.Queries), valid),
                Masked(One(lse, statistics, row + 2, s.Queries), valid),
                Masked(One(lse, statistics, row + 3, s.Queries), valid));
            Tile4x4 ds = LogitGradients(p, dp,
                Same(One(delta, statistics, row, s.Queries)),
                Same(One(delta, statistics, row + 1, s.Queries)),
                Same(One(delta, statistics, row + 2, s.Queries)),
                Same(One(delta, statistics, row + 3, s.Queries)));
            AttentionTiles.Share(ds, weights);
            Group.Barrier();
            sumQ = AttentionTiles.Weighted(sumQ, weights, keyTile);
            Group.Barrier();
        }
        AttentionTiles.Store(HeadRows.Of(dq, sample, head, s.Queries, s.StrideQ, s.HeadDim, narrow), row0, slab * AttentionTiles.Slab, sumQ, s.Scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Tile4x4 Probabilities(float scale, Tile4x4 s, Float4 lse0, Float4 lse1, Float4 lse2, Float4 lse3) => new()
    {
        R0 = AttentionTiles.Probabilities(scale, s.R0, lse0),
        R1 = AttentionTiles.Probabilities(scale, s.R1, lse1),
        R2 = AttentionTiles.Probabilities(scale, s.R2, lse2),
        R3 = AttentionTiles.Probabilities(scale, s.R3, lse3),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Tile4x4 LogitGradients(Tile4x4 p, Tile4x4 dp, Float4 delta0, Float4 delta1, Float4 delta2, Float4 delta3) => new()
    {
        R0 = AttentionTiles.LogitGradients(p.R0, dp.R0, delta0),
        R1 = AttentionTiles.LogitGradients(p.R1, dp.R1, delta1),
        R2 = AttentionTiles.LogitGradients(p.R2, dp.R2, delta2),
        R3 = AttentionTiles.LogitGradients(p.R3, dp.R3, delta3),
    };

    /// <summary>The words of an item's four columns, fallback where outside.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Four(ArrayView<float> source, long start, int column, int count, float fallback)
    {
        var result = new Float4 { X = fallback, Y = fallback, Z = fallback, W = fallback };
        if (column < count) { result.X = source[start + column]; }
        if (column + AttentionTiles.Side < count) { result.Y = source[start + column + AttentionTiles.Side]; }
        if (column + 2 * AttentionTiles.Side < count) { result.Z = source[start + column + 2 * AttentionTiles.Side]; }
        if (column + 3 * AttentionTiles.Side < count) { result.W = source[start + column + 3 * AttentionTiles.Side]; }
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float One(ArrayView<float> source, long start, int row, int count)
    {
        float result = 0f;
        if (row < count) { result = source[start + row]; }
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Same(float value) => new() { X = value, Y = value, Z = value, W = value };

    /// <summary>lse for the columns before valid; for the others a value that makes the probability zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Masked(float lse, int valid) => new()
    {
        X = valid > 0 ? lse : float.MaxValue,
        Y = valid > AttentionTiles.Side ? lse : float.MaxValue,
        Z = valid > 2 * AttentionTiles.Side ? lse : float.MaxValue,
        W = valid > 3 * AttentionTiles.Side ? lse : float.MaxValue,
    };
}
