using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace I2M.Kernels.Host;

/// <summary>How a micro kernel finds element (row, depth) of its left factor: both strides are constants, so that every address is one displacement.</summary>
internal interface ILeftLayout
{
    static abstract int RowStride { get; }
    static abstract int DepthStride(int panelRows);

    /// <summary>True where the words between two rows are known at run time only; <see cref="RowStride"/> does not count then.</summary>
    static virtual bool InPlace => false;

    /// <summary>True where the words between two depths are known at run time only, and are what the kernel is told of the layout; the rows are adjacent.</summary>
    static virtual bool Columns => false;

    /// <summary>True where a factor is read with strides of whole matrix rows, which the processor does not foresee: what comes is fetched ahead.</summary>
    static virtual bool Prefetches => false;
}

/// <summary>Left factor in panels of <see cref="IVectorWidth{TVector}.PanelRows"/> rows, one depth after another, as <see cref="HostPacking"/> writes them.</summary>
internal readonly struct PackedPanel : ILeftLayout
{
    public static int RowStride => 1;
    public static int DepthStride(int panelRows) => panelRows;
}

/// <summary>Rows of a matrix where they lie, the depth contiguous.</summary>
internal readonly struct RowsInPlace : ILeftLayout
{
    public static int RowStride => 0;
    public static int DepthStride(int panelRows) => 1;
    public static bool InPlace => true;
}

/// <summary>Columns of a transposed matrix where they lie: the rows of a panel adjacent, the depths a row of the matrix apart.</summary>
internal readonly struct ColumnsInPlace : ILeftLayout
{
    public static int RowStride => 1;
    public static int DepthStride(int panelRows) => 0;
    public static bool Columns => true;
    public static bool Prefetches => true;
}

/// <summary>As <see cref="RowsInPlace"/> beside a right factor that lies in place too.</summary>
internal readonly struct RowsBothInPlace : ILeftLayout
{
    public static int RowStride => 0;
    public static int DepthStride(int panelRows) => 1;
    public static bool InPlace => true;
    public static bool Prefetches => true;
}

/// <summary>Thirds of a panel's rows that a kernel computes, so that a short last panel does not pay for a full one.</summary>
internal interface IThirds
{
    static abstract int Value { get; }
}

internal readonly struct OneThird : IThirds { public static int Value => 1; }
internal readonly struct TwoThirds : IThirds { public static int Value => 2; }
internal readonly struct ThreeThirds : IThirds { public static int Value => 3; }

/// <summary>Whether the kernel's tile is one or two registers wide.</summary>
internal interface IColumns
{
    static abstract bool Wide { get; }
}

internal readonly struct OneRegister : IColumns { public static bool Wide => false; }
internal readonly struct TwoRegisters : IColumns { public static bool Wide => true; }

/// <summary>
/// The inner product of all matrix operations: a tile c[rows, 2 registers] = Σ_depth left[row, depth] · right[depth, columns] whose sums
/// stay in registers. A step of the depth costs two loads of the right factor and one broadcast for every two multiply-adds
/// (the register tiling of BLIS; Van Zee and van de Geijn 2015).
/// </summary>
internal static unsafe class HostMicroKernel<TWidth, TVector>
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    /// <summary>Steps of the depth that memory in place is fetched ahead: about the way to the shared cache, and fewer lines than one set of L1 holds.</summary>
    private const int AheadDepth = 8;

    private const int LineWords = 16;

    /// <summary>Columns of a micro tile.</summary>
    public static int PanelColumns => 2 * TWidth.Count;

    /// <summary>How many rows the kernel for <paramref name="rows"/> valid rows computes.</summary>
    public static int ComputedRows(int rows)
    {
        int third = TWidth.PanelRows / 3;
        return rows > 2 * third ? 3 * third : rows > third ? 2 * third : third;
    }

    /// <summary>
    /// c = left · right + bias, or c += … The kernel reads and writes <see cref="ComputedRows"/> rows and one register of columns when
    /// <paramref name="columns"/> fits, else two; the memory must be there.
    /// </summary>
    /// <param name="rows">Valid rows, at most a panel's.</param>
    /// <param name="columns">Valid columns, at most <see cref="PanelColumns"/>.</param>
    /// <param name="depth">Summed length.</param>
    /// <param name="left">Left factor in the layout <typeparamref name="TLeft"/>.</param>
    /// <param name="right">Right factor; its rows are <paramref name="rightStride"/> apart.</param>
    /// <param name="rightStride">Words between two rows of the right factor.</param>
    /// <param name="c">The tile; its rows are <paramref name="stride"/> apart.</param>
    /// <param name="stride">Words between two rows of c.</param>
    /// <param name="bias">A value per column, or null.</param>
    /// <param name="accumulate">Adds to c.</param>
    public static void Multiply<TLeft>(int rows, int columns, int depth, float* left, float* right, int rightStride,
        float* c, long stride, float* bias, bool accumulate)
        where TLeft : struct, ILeftLayout =>
        Multiply<TLeft>(rows, columns, depth, left, 0, right, rightStride, c, stride, bias, accumulate);

    /// <summary>As above for a layout whose rows are <paramref name="leftStride"/> words apart (<see cref="ILeftLayout.InPlace"/>); others ignore it.</summary>
    public static void Multiply<TLeft>(int rows, int columns, int depth, float* left, long leftStride, float* right, int rightStride,
        float* c, long stride, float* bias, bool accumulate)
        where TLeft : struct, ILeftLayout
    {
        if (columns > TWidth.Count) { Select<TLeft, TwoRegisters>(rows, depth, left, leftStride, right, rightStride, c, stride, bias, accumulate); }
        else { Select<TLeft, OneRegister>(rows, depth, left, leftStride, right, rightStride, c, stride, bias, accumulate); }
    }

    private static void Select<TLeft, TColumns>(int rows, int depth, float* left, long leftStride, float* right, int rightStride, float* c, long stride, float* bias, bool accumulate)
        where TLeft : struct, ILeftLayout
        where TColumns : struct, IColumns
    {
        int third = TWidth.PanelRows / 3;
        if (rows > 2 * third) { Tile<TLeft, TColumns, ThreeThirds>(depth, left, leftStride, right, rightStride, c, stride, bias, accumulate); }
        else if (rows > third) { Tile<TLeft, TColumns, TwoThirds>(depth, left, leftStride, right, rightStride, c, stride, bias, accumulate); }
        else { Tile<TLeft, TColumns, OneThird>(depth, left, leftStride, right, rightStride, c, stride, bias, accumulate); }
    }

    /// <summary>The conditions on constants vanish when the method is compiled for a width; sums of absent rows vanish with them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TLeft, TColumns, TThirds>(int depth, float* left, long leftStride, float* right, int rightStride, float* c, long stride, float* bias, bool accumulate)
        where TLeft : struct, ILeftLayout
        where TColumns : struct, IColumns
        where TThirds : struct, IThirds
    {
        int rows = TWidth.PanelRows / 3 * TThirds.Value;
        int step = TLeft.RowStride;
        // Rows in place: every third row has a pointer, and the two after it are one and two strides away, which an address can hold.
        long one = leftStride, two = 2 * leftStride;
        float* left3 = left + 3 * one, left6 = left3 + 3 * one, left9 = left6 + 3 * one;
        TVector zero = TWidth.Broadcast(0);
        TVector s0 = zero, t0 = zero, s1 = zero, t1 = zero, s2 = zero, t2 = zero, s3 = zero, t3 = zero, s4 = zero, t4 = zero, s5 = zero, t5 = zero;
        TVector s6 = zero, t6 = zero, s7 = zero, t7 = zero, s8 = zero, t8 = zero, s9 = zero, t9 = zero, s10 = zero, t10 = zero, s11 = zero, t11 = zero;
        for (int k = 0; k < depth; k++)
        {
            TVector low = TWidth.Load(right);
            TVector high = TColumns.Wide ? TWidth.Load(right + TWidth.Count) : low;
            TVector x = TWidth.Broadcast(left[0]);
            s0 = TWidth.MultiplyAdd(x, low, s0);
            if (TColumns.Wide) { t0 = TWidth.MultiplyAdd(x, high, t0); }
            if (rows > 1)
            {
                x = TWidth.Broadcast(TLeft.InPlace ? left[one] : left[1 * step]);
                s1 = TWidth.MultiplyAdd(x, low, s1);
                if (TColumns.Wide) { t1 = TWidth.MultiplyAdd(x, high, t1); }
            }
            if (rows > 2)
            {
                x = TWidth.Broadcast(TLeft.InPlace ? left[two] : left[2 * step]);
                s2 = TWidth.MultiplyAdd(x, low, s2);
                if (TColumns.Wide) { t2 = TWidth.MultiplyAdd(x, high, t2); }
            }
            if (rows > 3)
            {
                x = TWidth.Broadcast(TLeft.InPlace ? left3[0] : left[3 * step]);
                s3 = TWidth.MultiplyAdd(x, low, s3);
                if (TColumns.Wide) { t3 = TWidth.MultiplyAdd(x, high, t3); }
            }
            if (rows > 4)
            {
                x = TWidth.Broadcast(TLeft.InPlace ? left3[one] : left[4 * step]);
                s4 = TWidth.MultiplyAdd(x, low, s4);
                if (TColumns.Wide) { t4 = TWidth.MultiplyAdd(x, high, t4); }
            }
            if (rows > 5)
            {
                x = TWidth.Broadcast(TLeft.InPlace ? left3[two] : left[5 * step]);
                s5 = TWidth.MultiplyAdd(x, low, s5);
                if (TColumns.Wide) { t5 = TWidth.MultiplyAdd(x, high, t5); }
            }
            if (rows > 6)
            {
                x = TWidth.Broadcast(TLeft.InPlace ? left6[0] : left[6 * step]);
                s6 = TWidth.MultiplyAdd(x, low, s6);
                if (TColumns.Wide) { t6 = TWidth.MultiplyAdd(x, high, t6); }
            }
            if (rows > 7)
            {
                x = TWidth.Broadcast(TLeft.InPlace ? left6[one] : left[7 * step]);
                s7 = TWidth.MultiplyAdd(x, low, s7);
                if (TColumns.Wide) { t7 = TWidth.MultiplyAdd(x, high, t7); }
            }
            if (rows > 8)
            {
                x = TWidth.Broadcast(TLeft.InPlace ? left6[two] : left[8 * step]);
                s8 = TWidth.MultiplyAdd(x, low, s8);
                if (TColumns.Wide) { t8 = TWidth.MultiplyAdd(x, high, t8); }
            }
            if (rows > 9)
            {
                x = TWidth.Broadcast(TLeft.InPlace ? left9[0] : left[9 * step]);
                s9 = TWidth.MultiplyAdd(x, low, s9);
                if (TColumns.Wide) { t9 = TWidth.MultiplyAdd(x, high, t9); }
            }
            if (rows > 10)
            {
                x = TWidth.Broadcast(TLeft.InPlace ? left9[one] : left[10 * step]);
                s10 = TWidth.MultiplyAdd(x, low, s10);
                if (TColumns.Wide) { t10 = TWidth.MultiplyAdd(x, high, t10); }
            }
            if (rows > 11)
            {
                x = TWidth.Broadcast(TLeft.InPlace ? left9[two] : left[11 * step]);
                s11 = TWidth.MultiplyAdd(x, low, s11);
                if (TColumns.Wide) { t11 = TWidth.MultiplyAdd(x, high, t11); }
            }
            if (TLeft.Prefetches && Sse.IsSupported)
            {
                Sse.Prefetch0(right + AheadDepth * (long)rightStride);
                if (2 * TWidth.Count > LineWords) { Sse.Prefetch0(right + AheadDepth * (long)rightStride + LineWords); }
                if (TLeft.Columns) { Sse.Prefetch0(left + AheadDepth * leftStride); }
            }
            left += TLeft.Columns ? leftStride : TLeft.DepthStride(TWidth.PanelRows);
            if (TLeft.InPlace)
            {
                if (rows > 3) { left3++; }
                if (rows > 6) { left6++; }
                if (rows > 9) { left9++; }
            }
            right += rightStride;
        }
        TVector biasLow = bias is null ? zero : TWidth.Load(bias);
        TVector biasHigh = TColumns.Wide && bias is not null ? TWidth.Load(bias + TWidth.Count) : zero;
        Put<TColumns>(c, s0, t0, biasLow, biasHigh, accumulate);
        if (rows > 1) { Put<TColumns>(c + 1 * stride, s1, t1, biasLow, biasHigh, accumulate); }
        if (rows > 2) { Put<TColumns>(c + 2 * stride, s2, t2, biasLow, biasHigh, accumulate); }
        if (rows > 3) { Put<TColumns>(c + 3 * stride, s3, t3, biasLow, biasHigh, accumulate); }
        if (rows > 4) { Put<TColumns>(c + 4 * stride, s4, t4, biasLow, biasHigh, accumulate); }
        if (rows > 5) { Put<TColumns>(c + 5 * stride, s5, t5, biasLow, biasHigh, accumulate); }
        if (rows > 6) { Put<TColumns>(c + 6 * stride, s6, t6, biasLow, biasHigh, accumulate); }
        if (rows > 7) { Put<TColumns>(c + 7 * stride, s7, t7, biasLow, biasHigh, accumulate); }
        if (rows > 8) { Put<TColumns>(c + 8 * stride, s8, t8, biasLow, biasHigh, accumulate); }
        if (rows > 9) { Put<TColumns>(c + 9 * stride, s9, t9, biasLow, biasHigh, accumulate); }
        if (rows > 10) { Put<TColumns>(c + 10 * stride, s10, t10, biasLow, biasHigh, accumulate); }
        if (rows > 11) { Put<TColumns>(c + 11 * stride, s11, t11, biasLow, biasHigh, accumulate); }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TColumns>(float* c, TVector low, TVector high, TVector biasLow, TVector biasHigh, bool accumulate)
        where TColumns : struct, IColumns
    {
        low = TWidth.Add(low, biasLow);
        if (accumulate) { low = TWidth.Add(low, TWidth.Load(c)); }
        TWidth.Store(c, low);
        if (!TColumns.Wide) { return; }
        high = TWidth.Add(high, biasHigh);
        if (accumulate) { high = TWidth.Add(high, TWidth.Load(c + TWidth.Count)); }
        TWidth.Store(c + TWidth.Count, high);
    }
}
