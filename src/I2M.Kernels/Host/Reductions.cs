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
    public static double Sum<F>(F f, float* x, long length) where F : struct, IUnary =>
        Sum(new IgnoreOthers<F>(f), x, x, x, length);

    /// <summary>Σ f(x[i], y[i]).</summary>
    public static double Sum<F>(F f, float* x, float* y, long length) where F : struct, IBinary =>
        Sum(new IgnoreThird<F>(f), x, y, y, length);

    /// <summary>Σ f(x[i], y[i], z[i]).</summary>
    public static double Sum<F>(F f, float* x, float* y, float* z, long length) where F : struct, ITernary
    {
        double sum = 0;
        for (long i = 0; i < length; i += Block)
        {
            int count = (int)Math.Min(Block, length - i);
            if (Vector512.IsHardwareAccelerated) { sum += SumBlock<F, Lanes512>(f, x + i, y + i, z + i, count); }
            else if (Vector256.IsHardwareAccelerated) { sum += SumBlock<F, Lanes256>(f, x + i, y + i, z + i, count); }
            else if (Vector128.IsHardwareAccelerated) { sum += SumBlock<F, Lanes128>(f, x + i, y + i, z + i, count); }
            else { sum += SumBlock<F, Lanes32>(f, x + i, y + i, z + i, count); }
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float SumBlock<F, V>(F f, float* x, float* y, float* z, int count) where F : struct, ITernary where V : struct, ILanes<V>
    {
        V a = V.All(0), b = a, c = a, d = a;
        int i = 0;
        for (; i <= count - 4 * V.Count; i += 4 * V.Count)
        {
            a += f.Apply(V.Load(x + i), V.Load(y + i), V.Load(z + i));
            b += f.Apply(V.Load(x + i + V.Count), V.Load(y + i + V.Count), V.Load(z + i + V.Count));
            c += f.Apply(V.Load(x + i + 2 * V.Count), V.Load(y + i + 2 * V.Count), V.Load(z + i + 2 * V.Count));
            d += f.Apply(V.Load(x + i + 3 * V.Count), V.Load(y + i + 3 * V.Count), V.Load(z + i + 3 * V.Count));
        }
        for (; i <= count - V.Count; i += V.Count) { a += f.Apply(V.Load(x + i), V.Load(y + i), V.Load(z + i)); }
        Lanes32 tail = Lanes32.All(0);
        for (; i < count; i++) { tail += f.Apply(Lanes32.Load(x + i), Lanes32.Load(y + i), Lanes32.Load(z + i)); }
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

    private readonly struct IgnoreOthers<F>(F f) : ITernary where F : struct, IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x, V y, V z) where V : struct, ILanes<V> => f.Apply(x);
    }

    private readonly struct IgnoreThird<F>(F f) : ITernary where F : struct, IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x, V y, V z) where V : struct, ILanes<V> => f.Apply(x, y);
    }
}
