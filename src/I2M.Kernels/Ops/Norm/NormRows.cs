using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

/// <summary>
/// The backward pass of a normalised row in two passes over it: all sums, then dx. With x̂ = (x − mean)·rstd and g = dy·weight,
/// dx = rstd · (g − mean(g) − x̂ · mean(g·x̂)), dweight = Σ dy·x̂ and dbias = Σ dy.
/// </summary>
internal static unsafe class NormRows
{
    /// <summary>Columns per float sum; the blocks are summed in double, so the error does not grow with the length.</summary>
    private const int Block = 512;

    /// <summary>Adds this row's dy·x̂ to <paramref name="dweight"/> and dy to <paramref name="dbias"/>; gives Σ g and Σ g·x̂.</summary>
    public static void Sums(float* x, float* weight, float* dy, float mean, float rstd, long columns, float* dweight, float* dbias,
        out double gradient, out double projection)
    {
        gradient = projection = 0;
        for (long i = 0; i < columns; i += Block)
        {
            int count = (int)Math.Min(Block, columns - i), done = 0;
            if (Vector512.IsHardwareAccelerated) { done = SumLoop<Lanes512>(x + i, weight + i, dy + i, mean, rstd, done, count, dweight + i, dbias + i, ref gradient, ref projection); }
            else if (Vector256.IsHardwareAccelerated) { done = SumLoop<Lanes256>(x + i, weight + i, dy + i, mean, rstd, done, count, dweight + i, dbias + i, ref gradient, ref projection); }
            else if (Vector128.IsHardwareAccelerated) { done = SumLoop<Lanes128>(x + i, weight + i, dy + i, mean, rstd, done, count, dweight + i, dbias + i, ref gradient, ref projection); }
            if (done < count) { SumLoop<Lanes32>(x + i, weight + i, dy + i, mean, rstd, done, count, dweight + i, dbias + i, ref gradient, ref projection); }
        }
    }

    /// <summary>dx, or dx += with <paramref name="accumulate"/>, from the means of g and g·x̂. dx may be dy.</summary>
    public static void InputGradient(float* x, float* weight, float* dy, float mean, float rstd, float gradientMean, float projection, bool accumulate, long columns, float* dx)
    {
        long i = 0;
        if (Vector512.IsHardwareAccelerated) { i = InputLoop<Lanes512>(x, weight, dy, mean, rstd, gradientMean, projection, accumulate, i, columns, dx); }
        else if (Vector256.IsHardwareAccelerated) { i = InputLoop<Lanes256>(x, weight, dy, mean, rstd, gradientMean, projection, accumulate, i, columns, dx); }
        else if (Vector128.IsHardwareAccelerated) { i = InputLoop<Lanes128>(x, weight, dy, mean, rstd, gradientMean, projection, accumulate, i, columns, dx); }
        if (i < columns) { InputLoop<Lanes32>(x, weight, dy, mean, rstd, gradientMean, projection, accumulate, i, columns, dx); }
    }

    /// <summary>Two registers a time, each with its own sums, so that an addition need not wait for the one before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int SumLoop<V>(float* x, float* weight, float* dy, float mean, float rstd, int i, int count, float* dweight, float* dbias,
        ref double gradient, ref double projection) where V : struct, ILanes<V>
    {
        V g0 = V.All(0), g1 = g0, p0 = g0, p1 = g0, center = V.All(mean), inverse = V.All(rstd);
        for (; i <= count - 2 * V.Count; i += 2 * V.Count)
        {
            Add(x + i, weight + i, dy + i, center, inverse, dweight + i, dbias + i, ref g0, ref p0);
            Add(x + i + V.Count, weight + i + V.Count, dy + i + V.Count, center, inverse, dweight + i + V.Count, dbias + i + V.Count, ref g1, ref p1);
        }
        for (; i <= count - V.Count; i += V.Count) { Add(x + i, weight + i, dy + i, center, inverse, dweight + i, dbias + i, ref g0, ref p0); }
        gradient += V.Sum(g0 + g1);
        projection += V.Sum(p0 + p1);
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<V>(float* x, float* weight, float* dy, V mean, V rstd, float* dweight, float* dbias, ref V gradient, ref V projection) where V : struct, ILanes<V>
    {
        V normalized = (V.Load(x) - mean) * rstd, d = V.Load(dy), g = d * V.Load(weight);
        gradient += g;
        projection = V.MulAdd(normalized, g, projection);
        V.MulAdd(normalized, d, V.Load(dweight)).Store(dweight);
        (V.Load(dbias) + d).Store(dbias);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long InputLoop<V>(float* x, float* weight, float* dy, float mean, float rstd, float gradientMean, float projection, bool accumulate, long i, long columns, float* dx)
        where V : struct, ILanes<V>
    {
        V center = V.All(mean), inverse = V.All(rstd), back = V.All(-projection), shift = V.All(-gradientMean);
        for (; i <= columns - V.Count; i += V.Count)
        {
            V normalized = (V.Load(x + i) - center) * inverse;
            V d = inverse * V.MulAdd(normalized, back, V.MulAdd(V.Load(dy + i), V.Load(weight + i), shift));
            (accumulate ? V.Load(dx + i) + d : d).Store(dx + i);
        }
        return i;
    }
}
