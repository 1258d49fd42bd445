using System.Runtime.CompilerServices;
using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>The views of a product's epilogue as kernels take them; those that are left out stand for c.</summary>
internal struct CudaGemmViews
{
    public ArrayView<float> C, Bias, Activation, Residual, Sums;
}

/// <summary>
/// The epilogue of the CUDA products. A warp's tile of sums comes through shared memory (<see cref="Place"/>), so that a lane gets eight columns of a row:
/// all global accesses are of 16 bytes and rows are read and written in whole sectors. GELU is <see cref="CudaMath"/>'s;
/// float32 products in full go through <see cref="GemmKernels.Activate"/> instead.
/// </summary>
internal static class CudaGemmEpilogue
{
    /// <summary>Columns of a lane.</summary>
    public const int Columns = Float8.Width;

    /// <summary>
    /// Where 16-byte chunk number <paramref name="chunk"/> of a staged row of so many chunks lies, in chunks. The bits that are mixed in (0, 5, 2, 7 for four rows, and the
    /// chunk's own fourth bit) keep both sides free of bank conflicts: the accumulators' layout writes pairs of chunks of four rows at a time, readers take every chunk
    /// or every second one of a row of 16 or of two rows of 8.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Place(int row, int chunk, int chunks) => row * chunks + (chunk ^ (((row & 1) * 5) | (row & 2)) ^ (chunk >> 3));

    /// <summary>Rows that a warp of a tensor-core product stages at a time: those of one partial sum of columns.</summary>
    public const int SumRows = 32;

    /// <summary>Finishes and stores the calling warp's staged rows, and their sums by column where they are wanted.</summary>
    /// <param name="staged">Shared memory.</param>
    /// <param name="first">The warp's first chunk in it.</param>
    /// <param name="rows">Staged rows.</param>
    /// <param name="width">Their columns, 32 or 64.</param>
    /// <param name="tileRow">Row of the group's tile of the first one.</param>
    /// <param name="tileColumn">Column of the tile.</param>
    /// <param name="place">The tile.</param>
    /// <param name="views">The views.</param>
    /// <param name="s">Sizes and parts.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreRows(ArrayView<Float4> staged, int first, int rows, int width, int tileRow, int tileColumn, CudaGemmPlace place, CudaGemmViews views, CudaGemmSizes s)
    {
        int row0 = place.Row + tileRow, column0 = place.Column + tileColumn;
        int lane = Group.IdxX & 31;
        int lanesPerRow = width / Columns;
        int part = lane % lanesPerRow;
        // bfloat16: eight neighbours, 16 bytes; float32: two quads half a row apart, so that the lanes' quads follow one another.
        int low = s.Narrow != 0 ? 2 * part : part;
        int high = s.Narrow != 0 ? 2 * part + 1 : part + lanesPerRow;
        int columnLow = column0 + 4 * low, columnHigh = column0 + 4 * high;
        bool whole = s.Wide != 0 && columnHigh + 4 <= s.N;
        var sums = default(Float8);
        for (int row = lane / lanesPerRow; row < rows; row += 32 / lanesPerRow)
        {
            if (row0 + row >= s.M) { break; }
            Float4 x = staged[first + Place(row, low, width / 4)];
            Float4 y = staged[first + Place(row, high, width / 4)];
            long at = place.StartC + (long)(row0 + row) * s.LeadingC;
            Float8 stored;
            if (whole) { stored = FinishWhole(x, y, at, columnLow, columnHigh, views, s); }
            else { stored = new Float8 { Low = FinishQuad(x, at, columnLow, views, s), High = FinishQuad(y, at, columnHigh, views, s) }; }
            sums = Float8.Add(sums, stored);
        }
        if (s.SumRows == 0) { return; }
        // Lanes a row's width apart hold the same columns.
        if (lanesPerRow == 4) { sums = AddAcross(sums, 4); }
        sums = AddAcross(AddAcross(sums, 8), 16);
        if (lane >= lanesPerRow) { return; }
        long sumRow = ((long)place.Item * s.SumRows + row0 / rows) * s.N;
        StoreSums(sums.Low, sumRow, columnLow, views.Sums, s.N);
        StoreSums(sums.High, sumRow, columnHigh, views.Sums, s.N);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float8 AddAcross(Float8 v, int lanes) => new() { Low = AddAcross(v.Low, lanes), High = AddAcross(v.High, lanes) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 AddAcross(Float4 v, int lanes) => new()
    {
        X = v.X + Warp.ShuffleXor(v.X, lanes),
        Y = v.Y + Warp.ShuffleXor(v.Y, lanes),
        Z = v.Z + Warp.ShuffleXor(v.Z, lanes),
        W = v.W + Warp.ShuffleXor(v.W, lanes),
    };

    /// <summary>Four columns of a row of partial sums; rows of whole vectors in one access.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreSums(Float4 x, long row, int column, ArrayView<float> sums, int columns)
    {
        if ((columns & 3) == 0)
        {
            if (column < columns) { sums.Cast<Float4>()[(row + column) / 4] = x; }
            return;
        }
        for (int end = IntrinsicMath.Min(column + 4, columns); column < end; column++)
        {
            sums[row + column] = x.X;
            x = new Float4 { X = x.Y, Y = x.Z, Z = x.W, W = 0f };
        }
    }

    /// <summary>Eight columns, all of which exist, in 16-byte accesses.</summary>
    /// <returns>What was stored, before it was rounded to c's type.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 FinishWhole(Float4 x, Float4 y, long row, int columnLow, int columnHigh, CudaGemmViews views, CudaGemmSizes s)
    {
        long low = row + columnLow, high = row + columnHigh;
        if (s.HasBias != 0)
        {
            x = Float4.Add(x, LoadQuad(views.Bias, columnLow));
            y = Float4.Add(y, LoadQuad(views.Bias, columnHigh));
        }
        if (s.Activation == 2)
        {
            Float8 inner = Load(views.Activation, low, high, s.Narrow);
            x = Slope(x, inner.Low, s.Tanh);
            y = Slope(y, inner.High, s.Tanh);
        }
        else if (s.Activation == 1)
        {
            if (s.KeepsPreActivation != 0) { Store(views.Activation, low, high, s.Narrow, x, y); }
            x = Gelu(x, s.Tanh);
            y = Gelu(y, s.Tanh);
        }
        if (s.HasResidual != 0)
        {
            x = Float4.Add(x, LoadQuad(views.Residual, low));
            y = Float4.Add(y, LoadQuad(views.Residual, high));
        }
        if (s.Accumulate != 0)
        {
            Float8 before = Load(views.C, low, high, s.Narrow);
            x = Float4.Add(x, before.Low);
            y = Float4.Add(y, before.High);
        }
        Store(views.C, low, high, s.Narrow, x, y);
        return new Float8 { Low = x, High = y };
    }

    /// <summary>Four columns one by one, those past the last left out.</summary>
    /// <returns>As <see cref="FinishWhole"/>, 0 for columns past the last.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 FinishQuad(Float4 x, long row, int column, CudaGemmViews views, CudaGemmSizes s)
    {
        for (int i = 0; i < 4; i++)
        {
            float stored = 0f;
            if (column + i < s.N) { stored = FinishOne(x.X, row + column + i, column + i, views, s); }
            x = new Float4 { X = x.Y, Y = x.Z, Z = x.W, W = stored };
        }
        return x;
    }

    /// <summary>One element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float FinishOne(float x, long at, int column, CudaGemmViews views, CudaGemmSizes s)
    {
        if (s.HasBias != 0) { x += views.Bias[column]; }
        if (s.Activation == 2) { x *= Slope(LoadOne(views.Activation, at, s.Narrow), s.Tanh); }
        else if (s.Activation == 1)
        {
            if (s.KeepsPreActivation != 0) { StoreOne(views.Activation, at, s.Narrow, x); }
            x = Gelu(x, s.Tanh);
        }
        if (s.HasResidual != 0) { x += views.Residual[at]; }
        if (s.Accumulate != 0) { x += LoadOne(views.C, at, s.Narrow); }
        StoreOne(views.C, at, s.Narrow, x);
        return x;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Gelu(float x, int tanh)
    {
        float y;
        if (tanh != 0) { y = CudaMath.GeluTanh(x).Value; }
        else { y = CudaMath.GeluErf(x).Value; }
        return y;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Slope(float x, int tanh)
    {
        float y;
        if (tanh != 0) { y = CudaMath.GeluTanh(x).Slope; }
        else { y = CudaMath.GeluErf(x).Slope; }
        return y;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Gelu(Float4 x, int tanh) => new() { X = Gelu(x.X, tanh), Y = Gelu(x.Y, tanh), Z = Gelu(x.Z, tanh), W = Gelu(x.W, tanh) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Slope(Float4 x, Float4 u, int tanh) =>
        new() { X = x.X * Slope(u.X, tanh), Y = x.Y * Slope(u.Y, tanh), Z = x.Z * Slope(u.Z, tanh), W = x.W * Slope(u.W, tanh) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 LoadQuad(ArrayView<float> view, long at) => view.Cast<Float4>()[at / 4];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float8 Load(ArrayView<float> view, long low, long high, int narrow)
    {
        if (narrow == 0) { return new Float8 { Low = LoadQuad(view, low), High = LoadQuad(view, high) }; }
        return Float8.Widen(view.Cast<Float4>()[low / Columns]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(ArrayView<float> view, long low, long high, int narrow, Float4 x, Float4 y)
    {
        ArrayView<Float4> quads = view.Cast<Float4>();
        if (narrow != 0) { quads[low / Columns] = Float8.Narrow(new Float8 { Low = x, High = y }); }
        else
        {
            quads[low / 4] = x;
            quads[high / 4] = y;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float LoadOne(ArrayView<float> view, long at, int narrow)
    {
        if (narrow != 0) { return Interop.IntAsFloat((uint)view.Cast<ushort>()[at] << 16); }
        return view[at];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreOne(ArrayView<float> view, long at, int narrow, float x)
    {
        if (narrow != 0) { view.Cast<ushort>()[at] = (ushort)RoundToBFloat16(x); }
        else { view[at] = x; }
    }
}
