using System.Runtime.CompilerServices;
using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>Sizes and strides of a product, in the form in which kernels take them: a[i,k] lies at i · RowA + k · StepA, b[k,j] at k · StepB + j · ColumnB.</summary>
internal struct GemmSizes
{
    public int M, N, K, RowTiles, ColumnTiles, HasBias, Accumulate;
    public long RowA, StepA, StepB, ColumnB, RowC, BatchA, BatchB, BatchC;
}

/// <summary>
/// Matrix products in float32. A group of 16×16 items computes a 64×64 tile of c, 4×4 elements an item; factors pass through shared
/// memory in slabs of 16 along k. An item owns rows 4y..4y+3 and columns x, x+16, x+32, x+48: neighbours in x then read and write
/// neighbouring words, which is free of bank conflicts on a GPU and becomes vector code in PoCL.
/// </summary>
internal static class GemmKernels
{
    /// <summary>Items per side of a group.</summary>
    public const int Side = 16;

    /// <summary>Rows and columns of a group's tile.</summary>
    public const int Tile = 64;

    private const int Slab = 16;

    // One word of padding spreads a transposing store over all banks of shared memory.
    private const int Pitch = Tile + 1;

    /// <summary>c = op(a) · op(b) + bias for all layouts.</summary>
    public static void Tiled(ArrayView<float> a, ArrayView<float> b, ArrayView<float> bias, ArrayView<float> c, GemmSizes s)
    {
        var tileA = SharedMemory.Allocate<float>(Slab * Pitch);
        var tileB = SharedMemory.Allocate<float>(Slab * Pitch);
        int x = Group.IdxX;
        int y = Group.IdxY;
        int column0 = Grid.IdxX % s.ColumnTiles * Tile;
        int row0 = Grid.IdxX / s.ColumnTiles % s.RowTiles * Tile;
        long batch = Grid.IdxX / s.ColumnTiles / s.RowTiles;
        var sum = default(Tile4x4);
        for (int k0 = 0; k0 < s.K; k0 += Slab)
        {
            Fill(a, batch * s.BatchA, s.RowA, s.StepA, row0, s.M, k0, s.K, tileA);
            Fill(b, batch * s.BatchB, s.ColumnB, s.StepB, column0, s.N, k0, s.K, tileB);
            Group.Barrier();
            sum = Tile4x4.AddOuter16(sum, tileA, 4 * y, 1, Pitch, tileB, x, Side, Pitch);
            Group.Barrier();
        }
        long start = batch * s.BatchC;
        int row = row0 + 4 * y;
        int column = column0 + x;
        StoreRow(c, start, row, column, sum.R0, bias, s);
        StoreRow(c, start, row + 1, column, sum.R1, bias, s);
        StoreRow(c, start, row + 2, column, sum.R2, bias, s);
        StoreRow(c, start, row + 3, column, sum.R3, bias, s);
    }

    /// <summary>
    /// tile[k, line] = source[(line0 + line) · strideLine + (k0 + k) · strideK], zero outside. Neighbouring items read along whichever
    /// of the two directions is contiguous.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fill(ArrayView<float> source, long start, long strideLine, long strideK, int line0, int lines, int k0, int depth, ArrayView<float> tile)
    {
        int item = Group.IdxY * Side + Group.IdxX;
        bool alongK = strideK == 1;
        int k = alongK ? item % Slab : item / Tile;
        int line = alongK ? item / Slab : item % Tile;
        int nextK = alongK ? 0 : Side * Side / Tile;
        int nextLine = alongK ? Side * Side / Slab : 0;
        FillOne(source, start, strideLine, strideK, line0, lines, k0, depth, tile, k, line);
        FillOne(source, start, strideLine, strideK, line0, lines, k0, depth, tile, k + nextK, line + nextLine);
        FillOne(source, start, strideLine, strideK, line0, lines, k0, depth, tile, k + 2 * nextK, line + 2 * nextLine);
        FillOne(source, start, strideLine, strideK, line0, lines, k0, depth, tile, k + 3 * nextK, line + 3 * nextLine);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FillOne(ArrayView<float> source, long start, long strideLine, long strideK, int line0, int lines, int k0, int depth,
        ArrayView<float> tile, int k, int line)
    {
        float value = 0f;
        if (line0 + line < lines && k0 + k < depth) { value = source[start + (line0 + line) * strideLine + (k0 + k) * strideK]; }
        tile[k * Pitch + line] = value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRow(ArrayView<float> c, long start, int row, int column, Float4 v, ArrayView<float> bias, GemmSizes s)
    {
        if (row >= s.M) { return; }
        start += row * s.RowC;
        StoreOne(c, start, column, v.X, bias, s);
        StoreOne(c, start, column + Side, v.Y, bias, s);
        StoreOne(c, start, column + 2 * Side, v.Z, bias, s);
        StoreOne(c, start, column + 3 * Side, v.W, bias, s);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreOne(ArrayView<float> c, long start, int column, float value, ArrayView<float> bias, GemmSizes s)
    {
        if (column >= s.N) { return; }
        if (s.HasBias != 0) { value += bias[column]; }
        if (s.Accumulate != 0) { value += c[start + column]; }
        c[start + column] = value;
    }
}
