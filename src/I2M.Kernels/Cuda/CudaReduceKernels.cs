using System.Runtime.CompilerServices;
using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>Sums with 16-byte loads, in a fixed order that depends on the length alone.</summary>
internal static class CudaReduceKernels
{
    /// <summary>Items of a group, and the vectors of four that an item has in flight.</summary>
    public const int Items = 256, Vectors = 8;

    /// <summary>Elements of a tile: one pass of a group.</summary>
    public const int Tile = Items * Vectors * 4;

    /// <summary>d[group] = Σ x² over the group's tiles; the last group also takes the elements past the last whole vector.</summary>
    [KernelBounds(Items, MinGroups = 4)]
    public static void SumSquares(ArrayView<float> x, int groupTiles, ArrayView<float> d)
    {
        var warps = SharedMemory.Allocate<float>(Items / CudaWarp.Lanes);
        ArrayView<Float4> vectors = x.Cast<Float4>();
        long count = x.Length / 4;
        var sum = default(Float4);
        long at = (long)Grid.IdxX * groupTiles * (Items * Vectors) + Group.IdxX;
        for (int tile = 0; tile < groupTiles; tile++)
        {
            Float4 a = Squares(vectors, at, count), b = Squares(vectors, at + Items, count);
            Float4 c = Squares(vectors, at + 2 * Items, count), e = Squares(vectors, at + 3 * Items, count);
            Float4 f = Squares(vectors, at + 4 * Items, count), g = Squares(vectors, at + 5 * Items, count);
            Float4 h = Squares(vectors, at + 6 * Items, count), k = Squares(vectors, at + 7 * Items, count);
            sum = Float4.Add(sum, Float4.Add(Float4.Add(Float4.Add(a, b), Float4.Add(c, e)), Float4.Add(Float4.Add(f, g), Float4.Add(h, k))));
            at += Items * Vectors;
        }
        float total = sum.X + sum.Y + (sum.Z + sum.W);
        long left = count * 4 + Group.IdxX;
        if (Grid.IdxX == Grid.DimX - 1 && left < x.Length) { total += x[left] * x[left]; }
        total = CudaWarp.Sum(total);
        if (Group.IdxX % CudaWarp.Lanes == 0) { warps[Group.IdxX / CudaWarp.Lanes] = total; }
        Group.Barrier();
        if (Group.IdxX != 0) { return; }
        d[Grid.IdxX] = warps[0] + warps[1] + (warps[2] + warps[3]) + (warps[4] + warps[5] + (warps[6] + warps[7]));
    }

    /// <summary>
    /// The first stage of a sum over rows, in the order of <see cref="ReduceKernels.SumColumns"/>: an item adds four columns of its rows. The columns of
    /// <paramref name="s"/> are vectors of four, its output stride counts words.
    /// </summary>
    [KernelBounds(IlgpuBackend.GroupSize, MinGroups = 8)]
    public static void SumColumns(ArrayView<float> x, ColumnSum s, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= s.Items) { return; }
        ArrayView<Float4> vectors = x.Cast<Float4>();
        long at = s.FirstRow(i) * s.Columns + s.Column(i);
        int count = s.RowCount(i), row = 0;
        var sum = default(Float4);
        // Four loads under way at a time.
        for (; row + 4 <= count; row += 4)
        {
            Float4 a = vectors[at], b = vectors[at + s.Columns], c = vectors[at + 2 * s.Columns], e = vectors[at + 3 * s.Columns];
            sum = Float4.Add(Float4.Add(Float4.Add(Float4.Add(sum, a), b), c), e);
            at += 4 * s.Columns;
        }
        for (; row < count; row++)
        {
            sum = Float4.Add(sum, vectors[at]);
            at += s.Columns;
        }
        Write(sum, Output(s, i, 4), s, d);
    }

    /// <summary>As <see cref="SumColumns"/> of bfloat16 numbers: the columns of <paramref name="s"/> are vectors of eight.</summary>
    [KernelBounds(IlgpuBackend.GroupSize, MinGroups = 8)]
    public static void SumNarrowColumns(ArrayView<float> x, ColumnSum s, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= s.Items) { return; }
        ArrayView<Float4> vectors = x.Cast<Float4>();
        long at = s.FirstRow(i) * s.Columns + s.Column(i);
        int count = s.RowCount(i), row = 0;
        var sum = default(Float8);
        for (; row + 4 <= count; row += 4)
        {
            Float4 a = vectors[at], b = vectors[at + s.Columns], c = vectors[at + 2 * s.Columns], e = vectors[at + 3 * s.Columns];
            sum = Float8.Add(Float8.Add(Float8.Add(Float8.Add(sum, Float8.Widen(a)), Float8.Widen(b)), Float8.Widen(c)), Float8.Widen(e));
            at += 4 * s.Columns;
        }
        for (; row < count; row++)
        {
            sum = Float8.Add(sum, Float8.Widen(vectors[at]));
            at += s.Columns;
        }
        long output = Output(s, i, Float8.Width);
        Write(sum.Low, output, s, d);
        Write(sum.High, output + 1, s, d);
    }

    /// <summary>As <see cref="SumColumns"/> for x · y, x in float32 and y in bfloat16.</summary>
    [KernelBounds(IlgpuBackend.GroupSize, MinGroups = 8)]
    public static void DotNarrowColumns(ArrayView<float> x, ArrayView<float> y, ColumnSum s, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= s.Items) { return; }
        ArrayView<Float4> wide = x.Cast<Float4>();
        ArrayView<BFloat16x4> narrow = y.Cast<BFloat16x4>();
        long at = s.FirstRow(i) * s.Columns + s.Column(i);
        int count = s.RowCount(i), row = 0;
        var sum = default(Float4);
        // Four rows, eight loads, under way at a time.
        for (; row + 4 <= count; row += 4)
        {
            Float4 a = wide[at], b = wide[at + s.Columns], c = wide[at + 2 * s.Columns], e = wide[at + 3 * s.Columns];
            BFloat16x4 f = narrow[at], g = narrow[at + s.Columns], h = narrow[at + 2 * s.Columns], k = narrow[at + 3 * s.Columns];
            sum = Float4.MultiplyAdd(b, BFloat16x4.Widen(g), Float4.MultiplyAdd(a, BFloat16x4.Widen(f), sum));
            sum = Float4.MultiplyAdd(e, BFloat16x4.Widen(k), Float4.MultiplyAdd(c, BFloat16x4.Widen(h), sum));
            at += 4 * s.Columns;
        }
        for (; row < count; row++)
        {
            sum = Float4.MultiplyAdd(wide[at], BFloat16x4.Widen(narrow[at]), sum);
            at += s.Columns;
        }
        Write(sum, Output(s, i, 4), s, d);
    }

    /// <summary>Where an item's sums go, in vectors of four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Output(ColumnSum s, long i, int width) => (Quotient(i, s.Columns) * s.OutputStride + s.Column(i) * width) / 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(Float4 sum, long at, ColumnSum s, ArrayView<float> d)
    {
        ArrayView<Float4> vectors = d.Cast<Float4>();
        var value = new Float4 { X = s.Scale * sum.X, Y = s.Scale * sum.Y, Z = s.Scale * sum.Z, W = s.Scale * sum.W };
        if (s.Accumulate != 0) { value = Float4.Add(value, vectors[at]); }
        vectors[at] = value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Squares(ArrayView<Float4> x, long i, long count)
    {
        var v = default(Float4);
        if (i < count) { v = x[i]; }
        return Float4.Multiply(v, v);
    }
}
