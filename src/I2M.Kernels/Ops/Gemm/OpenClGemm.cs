using System.Runtime.CompilerServices;
using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// <see cref="GemmKernels.Tiled"/> for GPUs on OpenCL, with factors whose lines are whole vectors of four: an item fetches its four elements of a slab by one
/// access, 16 bytes of float32 or 8 of bfloat16. Sums run in the same order.
/// </summary>
internal static class OpenClGemm
{
    // Elements of a vector.
    private const int Width = 4;

    /// <summary>Whether a factor that starts at a whole vector keeps to whole vectors from line to line and from batch to batch.</summary>
    public static bool IsVector(long strideLine, long strideK, long strideBatch) =>
        strideBatch % Width == 0 && ((strideK == 1 && strideLine % Width == 0) || (strideLine == 1 && strideK != 1 && strideK % Width == 0));

    /// <summary>c = op(a) · op(b) + bias + residual for all layouts.</summary>
    [KernelBounds(GemmKernels.Side * GemmKernels.Side)]
    public static void Tiled(ArrayView<float> a, ArrayView<float> b, ArrayView<float> bias, ArrayView<float> residual, ArrayView<float> c, GemmSizes s)
    {
        var tileA = SharedMemory.Allocate<float>(GemmKernels.Slab * GemmKernels.Pitch);
        var tileB = SharedMemory.Allocate<float>(GemmKernels.Slab * GemmKernels.Pitch);
        int x = Group.IdxX;
        int y = Group.IdxY;
        int column0 = Grid.IdxX % s.ColumnTiles * GemmKernels.Tile;
        int row0 = Grid.IdxX / s.ColumnTiles % s.RowTiles * GemmKernels.Tile;
        long batch = Grid.IdxX / s.ColumnTiles / s.RowTiles;
        int depth = IntrinsicMath.Min(s.K, s.TotalK - (int)batch * s.SplitK);
        var sum = default(Tile4x4);
        for (int block = 0; block < depth; block += GemmKernels.Block)
        {
            int end = IntrinsicMath.Min(block + GemmKernels.Block, depth);
            var partial = default(Tile4x4);
            for (int k0 = block; k0 < end; k0 += GemmKernels.Slab)
            {
                Fill(a, s.NarrowFactors, batch * s.BatchA, s.RowA, s.StepA, row0, s.M, k0, depth, tileA);
                Fill(b, s.NarrowFactors, batch * s.BatchB, s.ColumnB, s.StepB, column0, s.N, k0, depth, tileB);
                Group.Barrier();
                // A loop, so that ILGPU leaves the loads before the barrier, as in the kernel for all devices.
                for (int k = 0; k < GemmKernels.Slab; k += 8)
                {
                    partial = Tile4x4.AddOuter8(partial, tileA, k * GemmKernels.Pitch + 4 * y, 1, GemmKernels.Pitch, tileB, k * GemmKernels.Pitch + x, GemmKernels.Side, GemmKernels.Pitch);
                }
                Group.Barrier();
            }
            sum = Tile4x4.Add(sum, partial);
        }
        long start = batch * s.BatchC;
        int row = row0 + 4 * y;
        int column = column0 + x;
        GemmKernels.StoreRow(c, start, row, column, sum.R0, bias, residual, s);
        GemmKernels.StoreRow(c, start, row + 1, column, sum.R1, bias, residual, s);
        GemmKernels.StoreRow(c, start, row + 2, column, sum.R2, bias, residual, s);
        GemmKernels.StoreRow(c, start, row + 3, column, sum.R3, bias, residual, s);
    }

    /// <summary>tile[k, line] = source[(line0 + line) · strideLine + (k0 + k) · strideK], zero outside: a vector an item, along the contiguous direction.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fill(ArrayView<float> source, int narrow, long start, long strideLine, long strideK, int line0, int lines, int k0, int depth, ArrayView<float> tile)
    {
        int item = Group.IdxY * GemmKernels.Side + Group.IdxX;
        bool alongK = strideK == 1;
        int k = alongK ? item % (GemmKernels.Slab / Width) * Width : item / (GemmKernels.Tile / Width);
        int line = alongK ? item / (GemmKernels.Slab / Width) : item % (GemmKernels.Tile / Width) * Width;
        int linesLeft = lines - line0 - line;
        int depthLeft = depth - k0 - k;
        int count = alongK ? depthLeft : linesLeft;
        if (linesLeft <= 0 || depthLeft <= 0) { count = 0; }
        Float4 v = Load(source, narrow, start + (line0 + line) * strideLine + (k0 + k) * strideK, count);
        int place = k * GemmKernels.Pitch + line;
        int step = alongK ? GemmKernels.Pitch : 1;
        tile[place] = v.X;
        tile[place + step] = v.Y;
        tile[place + 2 * step] = v.Z;
        tile[place + 3 * step] = v.W;
    }

    /// <summary>The vector at element <paramref name="at"/>; its elements from <paramref name="count"/> on are zero and are not read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Load(ArrayView<float> source, int narrow, long at, int count)
    {
        var v = default(Float4);
        if (count >= Width)
        {
            if (narrow != 0) { v = BFloat16x4.Widen(source.Cast<BFloat16x4>()[at / Width]); }
            else { v = source.Cast<Float4>()[at / Width]; }
        }
        else
        {
            if (count > 0) { v.X = Elements.Load(source, at, narrow); }
            if (count > 1) { v.Y = Elements.Load(source, at + 1, narrow); }
            if (count > 2) { v.Z = Elements.Load(source, at + 2, narrow); }
        }
        return v;
    }
}
