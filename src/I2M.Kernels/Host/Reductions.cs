using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

/// <summary>
/// Sums and maxima of one row or chunk on one thread. Blocks of <see cref="Block"/> elements are summed in the lanes of four float
/// registers, and the blocks in double, so the error does not grow with the length.
/// </summary>
internal static unsafe class Reductions
{
    /// <summary>Elements per float sum: at most eight additions a lane in 512-bit registers, 128 in the scalar case.</summary>
    private const int Block = 512;

    /// <summary>Σ f(x[i]).</summary>
    public static double Sum<F>(F f, float* x, long length) where F : struct, IUnary
    {
        double sum = 0;
        for (long i = 0; i < length; i += Block)
        {
            int count = (int)Math.Min(Block, length - i);
            if (Vector512.IsHardwareAccelerated) { sum += SumBlock<F, Lanes512>(f, x + i, count); }
            else if (Vector256.IsHardwareAccelerated) { sum += SumBlock<F, Lanes256>(f, x + i, count); }
            else if (Vector128.IsHardwareAccelerated) { sum += SumBlock<F, Lanes128>(f, x + i, count); }
            else { sum += SumBlock<F, Lanes32>(f, x + i, count); }
        }
        return sum;
    }

    /// <summary>Σ f(x[i], y[i]).</summary>
    public static double Sum<F>(F f, float* x, float* y, long length) where F : struct, IBinary
    {
        double sum = 0;
        for (long i = 0; i < length; i += Block)
        {
            int count = (int)Math.Min(Block, length - i);
            if (Vector512.IsHardwareAccelerated) { sum += SumBlock<F, Lanes512>(f, x + i, y + i, count); }
            else if (Vector256.IsHardwareAccelerated) { sum += SumBlock<F, Lanes256>(f, x + i, y + i, count); }
            else if (Vector128.IsHardwareAccelerated) { sum += SumBlock<F, Lanes128>(f, x + i, y + i, count); }
            else { sum += SumBlock<F, Lanes32>(f, x + i, y + i, count); }
        }
        return sum;
    }

    /// <summary>The largest x[i]; length ≥ 1.</summary>
    public static float Max(float* x, long length) =>
        Vector512.IsHardwareAccelerated ? MaxLoop<Lanes512>(x, length)
        : Vector256.IsHardwareAccelerated ? MaxLoop<Lanes256>(x, length)
        : Vector128.IsHardwareAccelerated ? MaxLoop<Lanes128>(x, length)
        : MaxLoop<Lanes32>(x, length);

    /// <summary>
    /// destination[c] = scale · Σ_r x[r · columns + c] (or += with <paramref name="accumulate"/>) for c in [first, last), in the order of r, with the rounding
    /// error of each addition carried along (Kahan's sum).
    /// </summary>
    public static void SumRows(float* x, long rows, long columns, long first, long last, float scale, bool accumulate, float* destination)
    {
        long c = first;
        if (Vector512.IsHardwareAccelerated) { c = SumRowsLoop<Lanes512>(x, rows, columns, c, last, scale, accumulate, destination); }
        else if (Vector256.IsHardwareAccelerated) { c = SumRowsLoop<Lanes256>(x, rows, columns, c, last, scale, accumulate, destination); }
        else if (Vector128.IsHardwareAccelerated) { c = SumRowsLoop<Lanes128>(x, rows, columns, c, last, scale, accumulate, destination); }
        SumRowsLoop<Lanes32>(x, rows, columns, c, last, scale, accumulate, destination);
    }

    /// <summary>sum[c] = Σ_r x[r · stride + c] in the order of r, in float: for few rows. Four rows a time, so that the sums are loaded and stored once for four.</summary>
    public static void AddRows(float* x, long rows, long stride, long columns, float* sum)
    {
        Buffer.MemoryCopy(x, sum, columns * sizeof(float), columns * sizeof(float));
        long r = 1;
        for (; r <= rows - 4; r += 4)
        {
            float* row = x + r * stride;
            long c = 0;
            if (Vector512.IsHardwareAccelerated) { c = AddFourRows<Lanes512>(row, stride, c, columns, sum); }
            else if (Vector256.IsHardwareAccelerated) { c = AddFourRows<Lanes256>(row, stride, c, columns, sum); }
            else if (Vector128.IsHardwareAccelerated) { c = AddFourRows<Lanes128>(row, stride, c, columns, sum); }
            AddFourRows<Lanes32>(row, stride, c, columns, sum);
        }
        for (; r < rows; r++) { ElementwiseDrivers.Apply(new Add(), sum, x + r * stride, sum, columns); }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long AddFourRows<V>(float* x, long stride, long c, long columns, float* sum) where V : struct, ILanes<V>
    {
        float* second = x + stride, third = second + stride, fourth = third + stride;
        for (; c <= columns - V.Count; c += V.Count)
        {
            (V.Load(sum + c) + V.Load(x + c) + V.Load(second + c) + V.Load(third + c) + V.Load(fourth + c)).Store(sum + c);
        }
        return c;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float SumBlock<F, V>(F f, float* x, int count) where F : struct, IUnary where V : struct, ILanes<V>
    {
        V a = V.All(0), b = a, c = a, d = a;
        int i = 0;
        for (; i <= count - 4 * V.Count; i += 4 * V.Count)
        {
            a += f.Apply(V.Load(x + i));
            b += f.Apply(V.Load(x + i + V.Count));
            c += f.Apply(V.Load(x + i + 2 * V.Count));
            d += f.Apply(V.Load(x + i + 3 * V.Count));
        }
        for (; i <= count - V.Count; i += V.Count) { a += f.Apply(V.Load(x + i)); }
        Lanes32 tail = Lanes32.All(0);
        for (; i < count; i++) { tail += f.Apply(Lanes32.Load(x + i)); }
        return V.Sum(a + b + (c + d)) + Lanes32.Sum(tail);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float SumBlock<F, V>(F f, float* x, float* y, int count) where F : struct, IBinary where V : struct, ILanes<V>
    {
        V a = V.All(0), b = a, c = a, d = a;
        int i = 0;
        for (; i <= count - 4 * V.Count; i += 4 * V.Count)
        {
            a += f.Apply(V.Load(x + i), V.Load(y + i));
            b += f.Apply(V.Load(x + i + V.Count), V.Load(y + i + V.Count));
            c += f.Apply(V.Load(x + i + 2 * V.Count), V.Load(y + i + 2 * V.Count));
            d += f.Apply(V.Load(x + i + 3 * V.Count), V.Load(y + i + 3 * V.Count));
        }
        for (; i <= count - V.Count; i += V.Count) { a += f.Apply(V.Load(x + i), V.Load(y + i)); }
        Lanes32 tail = Lanes32.All(0);
        for (; i < count; i++) { tail += f.Apply(Lanes32.Load(x + i), Lanes32.Load(y + i)); }
        return V.Sum(a + b + (c + d)) + Lanes32.Sum(tail);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float MaxLoop<V>(float* x, long length) where V : struct, ILanes<V>
    {
        float max = x[0];
        long i = 0;
        if (length >= V.Count)
        {
            V lanes = V.Load(x);
            for (i = V.Count; i <= length - V.Count; i += V.Count) { lanes = V.Max(lanes, V.Load(x + i)); }
            max = V.MaxLane(lanes);
        }
        for (; i < length; i++) { max = MathF.Max(max, x[i]); }
        return max;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long SumRowsLoop<V>(float* x, long rows, long columns, long c, long last, float scale, bool accumulate, float* destination)
        where V : struct, ILanes<V>
    {
        for (; c <= last - V.Count; c += V.Count)
        {
            V sum = V.All(0), lost = sum;
            for (long r = 0; r < rows; r++)
            {
                V term = V.Load(x + r * columns + c) - lost, next = sum + term;
                lost = next - sum - term;
                sum = next;
            }
            V scaled = V.All(scale) * sum;
            (accumulate ? V.Load(destination + c) + scaled : scaled).Store(destination + c);
        }
        return c;
    }
}
