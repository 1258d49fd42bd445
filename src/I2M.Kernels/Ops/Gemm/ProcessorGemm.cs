using System.Runtime.CompilerServices;
using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>Sixteen neighbouring columns of b: element [k, j] of panel p lies at p · Panel + k · Step + j, in b itself or in a packed copy.</summary>
internal struct PanelLayout
{
    /// <summary>Panels of a matrix, and words between the panels, the rows of a panel and the matrices of a batch.</summary>
    public int Count;
    public long Panel, Step, Batch;
}

/// <summary>
/// What <see cref="ProcessorGemm.Pack"/> reads: element [k, j] at k · Step + j · Column. Matrix m of the batch begins at
/// m / Heads · Batch + m % Heads · Head.
/// </summary>
internal struct PanelSource
{
    public int Rows, Columns, Heads;
    public long Step, Column, Batch, Head;

    /// <summary>Panels that hold all columns of a matrix.</summary>
    public readonly int Panels => (Columns + Row16.Width - 1) / Row16.Width;
}

/// <summary>
/// Matrix products on OpenCL devices that are processors. A group there is a loop on one core, a barrier cuts that loop in two and saves all registers,
/// and local memory is ordinary memory; so an item computes a 4×16 tile of c on its own, with the sums in vector registers, straight from the caches.
/// Neighbouring items own successive rows of the same sixteen columns, whose panel of b stays in the nearest cache.
/// </summary>
internal static class ProcessorGemm
{
    /// <summary>Items of a group.</summary>
    public const int Items = 8;

    // Sums are closed after so many steps and added up: the rounding error of a long sum stays that of a short one.
    private const int Block = 512;

    /// <summary>c = op(a) · panels + bias + residual; an item per four rows and panel.</summary>
    public static void Tiles(ArrayView<float> a, ArrayView<float> b, ArrayView<float> bias, ArrayView<float> residual, ArrayView<float> c, GemmSizes s, PanelLayout panels, int items)
    {
        var edge = LocalMemory.Allocate<float>(Tile4x16.Rows * Row16.Width);
        int item = Grid.IdxX * Group.DimX + Group.IdxX;
        if (item >= items) { return; }
        int row = item % s.RowTiles * Tile4x16.Rows;
        int panel = item / s.RowTiles % panels.Count;
        long batch = item / s.RowTiles / panels.Count;
        FourRows rows = FourRows.Of(batch * s.BatchA, row, s.M, s.RowA);
        long at = batch * panels.Batch + panel * panels.Panel;
        var sum = default(Tile4x16);
        for (int block = 0; block < s.K; block += Block)
        {
            int depth = IntrinsicMath.Min(Block, s.K - block);
            sum = Tile4x16.Add(sum, Tile4x16.AddProducts(default, a, rows, s.StepA, b, at, panels.Step, depth));
            long step = Block * s.StepA;
            rows = new FourRows { R0 = rows.R0 + step, R1 = rows.R1 + step, R2 = rows.R2 + step, R3 = rows.R3 + step };
            at += Block * panels.Step;
        }
        int column = panel * Row16.Width;
        long start = batch * s.BatchC + row * s.RowC + column;
        if (column + Row16.Width > s.N)
        {
            Tile4x16.Store(sum, edge, 0, Row16.Width);
            StoreEdge(edge, c, start, column, IntrinsicMath.Min(Tile4x16.Rows, s.M - row), bias, residual, s);
            return;
        }
        StoreRow(sum.R0, c, start, column, bias, residual, s);
        if (row + 1 < s.M) { StoreRow(sum.R1, c, start + s.RowC, column, bias, residual, s); }
        if (row + 2 < s.M) { StoreRow(sum.R2, c, start + 2 * s.RowC, column, bias, residual, s); }
        if (row + 3 < s.M) { StoreRow(sum.R3, c, start + 3 * s.RowC, column, bias, residual, s); }
    }

    /// <summary>panels[batch, panel, k, j] = source[k, 16 · panel + j], zero past the last column; an item per row of a panel.</summary>
    public static void Pack(ArrayView<float> source, ArrayView<float> panels, PanelSource s, long items)
    {
        long item = (long)Grid.IdxX * Group.DimX + Group.IdxX;
        if (item >= items) { return; }
        long k = item % s.Rows;
        long matrixPanel = item / s.Rows;
        int column0 = (int)(matrixPanel % s.Panels) * Row16.Width;
        long matrix = matrixPanel / s.Panels;
        long start = matrix / s.Heads * s.Batch + matrix % s.Heads * s.Head + k * s.Step + column0 * s.Column;
        int width = IntrinsicMath.Min(Row16.Width, s.Columns - column0);
        for (int j = 0; j < width; j++) { panels[item * Row16.Width + j] = source[start + j * s.Column]; }
        for (int j = width; j < Row16.Width; j++) { panels[item * Row16.Width + j] = 0f; }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRow(Row16 v, ArrayView<float> c, long at, int column, ArrayView<float> bias, ArrayView<float> residual, GemmSizes s)
    {
        if (s.HasBias != 0) { v = Row16.Add(v, Row16.Load(bias, column)); }
        if (s.HasResidual != 0) { v = Row16.Add(v, Row16.Load(residual, at)); }
        if (s.Accumulate != 0) { v = Row16.Add(v, Row16.Load(c, at)); }
        Row16.Store(v, c, at);
    }

    /// <summary>The last panel, where it is not whole: word by word from memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreEdge(ArrayView<float> tile, ArrayView<float> c, long start, int column, int rows, ArrayView<float> bias, ArrayView<float> residual, GemmSizes s)
    {
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < s.N - column; j++)
            {
                long at = start + i * s.RowC + j;
                float value = tile[i * Row16.Width + j];
                if (s.HasBias != 0) { value += bias[column + j]; }
                if (s.HasResidual != 0) { value += residual[at]; }
                if (s.Accumulate != 0) { value += c[at]; }
                c[at] = value;
            }
        }
    }
}
