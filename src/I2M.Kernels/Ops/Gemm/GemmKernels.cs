using System.Runtime.CompilerServices;
using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>Sizes and strides of a product, in the form in which kernels take them: a[i,k] lies at i · RowA + k · StepA, b[k,j] at k · StepB + j · ColumnB.</summary>
internal struct GemmSizes
{
    public int M, N, K, RowTiles, ColumnTiles, HasBias, HasResidual, Accumulate;
    public long RowA, StepA, StepB, ColumnB, RowC, BatchA, BatchB, BatchC;

    /// <summary>The summed dimension is cut into items of K each, of which the last may be shorter: its full size, and K. Otherwise K and 0.</summary>
    public int TotalK, SplitK;

    /// <summary>1 where a and b, and where c, hold bfloat16.</summary>
    public int NarrowFactors, NarrowResult;
}

/// <summary>An activation after a product: sums [batch, m, n] lie at their own strides, everything else in c's layout.</summary>
internal struct GemmActivationSizes
{
    public int M, N, Tanh, Gradient, KeepsPreActivation, HasResidual, Accumulate, NarrowResult;
    public long Elements, RowSums, BatchSums, RowC, BatchC;
}

/// <summary>
/// Matrix products with float32 sums; factors and results are float32 or bfloat16. A group of 16×16 items computes a 64×64 tile of c, 4×4 elements an item; factors pass through shared
/// memory in slabs of 16 along k. An item owns rows 4y..4y+3 and columns x, x+16, x+32, x+48: neighbours in x then read and write
/// neighbouring words, which is free of bank conflicts on a GPU and becomes vector code in PoCL.
/// </summary>
internal static class GemmKernels
{
    /// <summary>Items per side of a group.</summary>
    public const int Side = 16;

    /// <summary>Rows and columns of a group's tile.</summary>
    public const int Tile = 64;

    /// <summary>Items of a group of <see cref="Skinny"/>.</summary>
    public const int SkinnyItems = SkinnyColumns * SkinnyLanes;

    /// <summary>Rows of c that a group of <see cref="Skinny"/> computes.</summary>
    public const int SkinnyRows = 4;

    /// <summary>Columns of c that a group of <see cref="Skinny"/> computes.</summary>
    public const int SkinnyColumns = 16;

    // Items that share the sum over k of a column.
    private const int SkinnyLanes = 8;

    /// <summary>Steps along k that pass through shared memory at a time.</summary>
    public const int Slab = 16;

    /// <summary>Sums are closed after so many steps and added up: the rounding error of a long sum stays that of a short one.</summary>
    public const int Block = 512;

    /// <summary>Words between two steps of a slab: one word of padding spreads a transposing store over all banks of shared memory.</summary>
    public const int Pitch = Tile + 1;

    /// <summary>c = op(a) · op(b) + bias + residual for all layouts.</summary>
    [KernelBounds(Side * Side)]
    public static void Tiled(ArrayView<float> a, ArrayView<float> b, ArrayView<float> bias, ArrayView<float> residual, ArrayView<float> c, GemmSizes s)
    {
        var tileA = SharedMemory.Allocate<float>(Slab * Pitch);
        var tileB = SharedMemory.Allocate<float>(Slab * Pitch);
        int x = Group.IdxX;
        int y = Group.IdxY;
        int column0 = Grid.IdxX % s.ColumnTiles * Tile;
        int row0 = Grid.IdxX / s.ColumnTiles % s.RowTiles * Tile;
        long batch = Grid.IdxX / s.ColumnTiles / s.RowTiles;
        int depth = IntrinsicMath.Min(s.K, s.TotalK - (int)batch * s.SplitK);
        var sum = default(Tile4x4);
        for (int block = 0; block < depth; block += Block)
        {
            int end = IntrinsicMath.Min(block + Block, depth);
            var partial = default(Tile4x4);
            for (int k0 = block; k0 < end; k0 += Slab)
            {
                Fill(a, s.NarrowFactors, batch * s.BatchA, s.RowA, s.StepA, row0, s.M, k0, depth, tileA);
                Fill(b, s.NarrowFactors, batch * s.BatchB, s.ColumnB, s.StepB, column0, s.N, k0, depth, tileB);
                Group.Barrier();
                // A loop, though short: ILGPU 1.5.3 moves loads from straight code past the barrier that follows it (down to where their sums are
                // used), and the next slab would be written over them. Nothing moves out of a loop.
                for (int k = 0; k < Slab; k += 8)
                {
                    partial = Tile4x4.AddOuter8(partial, tileA, k * Pitch + 4 * y, 1, Pitch, tileB, k * Pitch + x, Side, Pitch);
                }
                Group.Barrier();
            }
            sum = Tile4x4.Add(sum, partial);
        }
        long start = batch * s.BatchC;
        int row = row0 + 4 * y;
        int column = column0 + x;
        StoreRow(c, start, row, column, sum.R0, bias, residual, s);
        StoreRow(c, start, row + 1, column, sum.R1, bias, residual, s);
        StoreRow(c, start, row + 2, column, sum.R2, bias, residual, s);
        StoreRow(c, start, row + 3, column, sum.R3, bias, residual, s);
    }

    /// <summary>
    /// The same product for a few rows of a, where reading b is all the work: a group computes 4 rows by 16 columns, 8 items share a
    /// column's sum. Neighbouring items read along whichever direction of b is contiguous.
    /// </summary>
    public static void Skinny(ArrayView<float> a, ArrayView<float> b, ArrayView<float> bias, ArrayView<float> residual, ArrayView<float> c, GemmSizes s)
    {
        var partials = SharedMemory.Allocate<float>(SkinnyItems * SkinnyRows);
        int item = Group.IdxX;
        bool alongK = s.StepB == 1;
        int localColumn = alongK ? item / SkinnyLanes : item % SkinnyColumns;
        int lane = alongK ? item % SkinnyLanes : item / SkinnyColumns;
        int column = Grid.IdxX % s.ColumnTiles * SkinnyColumns + localColumn;
        int row = Grid.IdxX / s.ColumnTiles % s.RowTiles * SkinnyRows;
        long batch = Grid.IdxX / s.ColumnTiles / s.RowTiles;
        // Rows and columns past the end repeat the last one; only the store leaves them out.
        long startA = batch * s.BatchA;
        long startB = batch * s.BatchB + IntrinsicMath.Min(column, s.N - 1) * s.ColumnB;
        long row0 = startA + row * s.RowA;
        long row1 = startA + IntrinsicMath.Min(row + 1, s.M - 1) * s.RowA;
        long row2 = startA + IntrinsicMath.Min(row + 2, s.M - 1) * s.RowA;
        long row3 = startA + IntrinsicMath.Min(row + 3, s.M - 1) * s.RowA;
        var sum = default(Float4);
        for (int k = lane; k < s.K; k += SkinnyLanes)
        {
            long offset = k * s.StepA;
            var rows = new Float4
            {
                X = Elements.Load(a, row0 + offset, s.NarrowFactors),
                Y = Elements.Load(a, row1 + offset, s.NarrowFactors),
                Z = Elements.Load(a, row2 + offset, s.NarrowFactors),
                W = Elements.Load(a, row3 + offset, s.NarrowFactors),
            };
            sum = Float4.MultiplyAdd(Elements.Load(b, startB + k * s.StepB, s.NarrowFactors), rows, sum);
        }
        int place = localColumn * SkinnyLanes + lane;
        partials[place] = sum.X;
        partials[SkinnyItems + place] = sum.Y;
        partials[2 * SkinnyItems + place] = sum.Z;
        partials[3 * SkinnyItems + place] = sum.W;
        Group.Barrier();
        if (item >= SkinnyRows * SkinnyColumns) { return; }
        row += item / SkinnyColumns;
        if (row >= s.M) { return; }
        float total = 0f;
        for (int i = 0; i < SkinnyLanes; i++) { total += partials[item * SkinnyLanes + i]; }
        StoreOne(c, batch * s.BatchC + row * s.RowC, Grid.IdxX % s.ColumnTiles * SkinnyColumns + item % SkinnyColumns, total, bias, residual, s);
    }

    /// <summary>Adds up the parts of a product whose summed dimension was split: c[i,j] = Σ parts[split, i, j] + bias + residual; one item per element.</summary>
    public static void AddSplits(ArrayView<float> parts, int splits, ArrayView<float> bias, ArrayView<float> residual, ArrayView<float> c, GemmSizes s)
    {
        long item = (long)Grid.IdxX * Group.DimX + Group.IdxX;
        long size = (long)s.M * s.N;
        if (item >= size) { return; }
        float sum = 0f;
        for (int split = 0; split < splits; split++) { sum += parts[split * size + item]; }
        StoreOne(c, item / s.N * s.RowC, (int)(item % s.N), sum, bias, residual, s);
    }

    /// <summary>sums[chunk, j] = Σ c[i, j] over a chunk of <see cref="ReduceKernels.ItemTerms"/> of the rows of the batch; one item per sum.</summary>
    public static void SumColumns(ArrayView<float> c, ArrayView<float> sums, int rows, GemmSizes s)
    {
        long item = GlobalIndex();
        if (item >= sums.Length) { return; }
        long chunk = Quotient(item, s.N), column = item - chunk * s.N;
        int row = (int)chunk * ReduceKernels.ItemTerms;
        int end = IntrinsicMath.Min(row + ReduceKernels.ItemTerms, rows);
        float sum = 0f;
        for (; row < end; row++)
        {
            int batch = row / s.M;
            sum += c[batch * s.BatchC + (row - batch * s.M) * s.RowC + column];
        }
        sums[item] = sum;
    }

    /// <summary>The epilogue from the activation on: <paramref name="gelu"/> receives the sums or, for a gradient, holds the value whose activation it goes back through; one item per element.</summary>
    public static void Activate(ArrayView<float> sums, ArrayView<float> gelu, ArrayView<float> residual, ArrayView<float> c, GemmActivationSizes s)
    {
        long item = GlobalIndex();
        if (item >= s.Elements) { return; }
        long row = Quotient(item, s.N), batch = Quotient(row, s.M);
        long column = item - row * s.N;
        row -= batch * s.M;
        long at = batch * s.BatchC + row * s.RowC + column;
        float sum = sums[batch * s.BatchSums + row * s.RowSums + column];
        float v = sum;
        if (s.Gradient != 0) { v = sum * GeluSlope(Elements.Load(gelu, at, s.NarrowResult), s.Tanh); }
        else
        {
            if (s.KeepsPreActivation != 0) { Elements.Store(gelu, at, sum, s.NarrowResult); }
            v = Gelu(sum, s.Tanh);
        }
        if (s.HasResidual != 0) { v += residual[at]; }
        if (s.Accumulate != 0) { v += Elements.Load(c, at, s.NarrowResult); }
        Elements.Store(c, at, v, s.NarrowResult);
    }

    // 2√(2/π); ½(1 + tanh u) = σ(2u), which does not cancel for negative u.
    private const float TanhLinear = 1.59576912f, TanhCubic = 0.044715f;

    private static float Gelu(float x, int tanh) => tanh != 0 ? x * Sigmoid(TanhLinear * x * (1f + TanhCubic * x * x)) : x * NormalCdf(x);

    private static float GeluSlope(float x, int tanh)
    {
        if (tanh == 0) { return NormalCdf(x) + x * 0.398942280f * ExpMinusSquare(x, 0.5f); }
        float u = TanhLinear * x * (1f + TanhCubic * x * x);
        float slope = SigmoidSlope(u);
        // Where the slope is 0, u's derivative may be infinite and their product is still 0.
        float bend = 0f;
        if (slope > 0f) { bend = x * slope * TanhLinear * (1f + 3f * TanhCubic * x * x); }
        return Sigmoid(u) + bend;
    }

    /// <summary>
    /// tile[k, line] = source[(line0 + line) · strideLine + (k0 + k) · strideK], zero outside. Neighbouring items read along whichever
    /// of the two directions is contiguous.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fill(ArrayView<float> source, int narrow, long start, long strideLine, long strideK, int line0, int lines, int k0, int depth, ArrayView<float> tile)
    {
        int item = Group.IdxY * Side + Group.IdxX;
        bool alongK = strideK == 1;
        int k = alongK ? item % Slab : item / Tile;
        int line = alongK ? item / Slab : item % Tile;
        int nextK = alongK ? 0 : Side * Side / Tile;
        int nextLine = alongK ? Side * Side / Slab : 0;
        FillOne(source, narrow, start, strideLine, strideK, line0, lines, k0, depth, tile, k, line);
        FillOne(source, narrow, start, strideLine, strideK, line0, lines, k0, depth, tile, k + nextK, line + nextLine);
        FillOne(source, narrow, start, strideLine, strideK, line0, lines, k0, depth, tile, k + 2 * nextK, line + 2 * nextLine);
        FillOne(source, narrow, start, strideLine, strideK, line0, lines, k0, depth, tile, k + 3 * nextK, line + 3 * nextLine);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FillOne(ArrayView<float> source, int narrow, long start, long strideLine, long strideK, int line0, int lines, int k0, int depth,
        ArrayView<float> tile, int k, int line)
    {
        float value = 0f;
        if (line0 + line < lines && k0 + k < depth) { value = Elements.Load(source, start + (line0 + line) * strideLine + (k0 + k) * strideK, narrow); }
        tile[k * Pitch + line] = value;
    }

    /// <summary>Writes an item's four sums of a row, with the epilogue, where they lie inside.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void StoreRow(ArrayView<float> c, long start, int row, int column, Float4 v, ArrayView<float> bias, ArrayView<float> residual, GemmSizes s)
    {
        if (row >= s.M) { return; }
        start += row * s.RowC;
        StoreOne(c, start, column, v.X, bias, residual, s);
        StoreOne(c, start, column + Side, v.Y, bias, residual, s);
        StoreOne(c, start, column + 2 * Side, v.Z, bias, residual, s);
        StoreOne(c, start, column + 3 * Side, v.W, bias, residual, s);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreOne(ArrayView<float> c, long start, int column, float value, ArrayView<float> bias, ArrayView<float> residual, GemmSizes s)
    {
        if (column >= s.N) { return; }
        if (s.HasBias != 0) { value += bias[column]; }
        if (s.HasResidual != 0) { value += residual[start + column]; }
        if (s.Accumulate != 0) { value += Elements.Load(c, start + column, s.NarrowResult); }
        Elements.Store(c, start + column, value, s.NarrowResult);
    }
}
