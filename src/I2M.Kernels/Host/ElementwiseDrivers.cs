using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

/// <summary>A function of one number; scalars that it needs are fields.</summary>
internal interface IUnary
{
    V Apply<V>(V x) where V : struct, ILanes<V>;
}

/// <summary>A function of two numbers.</summary>
internal interface IBinary
{
    V Apply<V>(V x, V y) where V : struct, ILanes<V>;
}

/// <summary>A function of three numbers.</summary>
internal interface ITernary
{
    V Apply<V>(V x, V y, V z) where V : struct, ILanes<V>;
}

/// <summary>A function of two numbers with two results.</summary>
internal interface IBinaryPair
{
    V Apply<V>(V x, V y, out V second) where V : struct, ILanes<V>;
}

/// <summary>
/// destination[i] = f(x[i], …) on one thread: one loop per number of operands, in the widest registers the processor likes, then a
/// scalar tail. All operands of an element are read before it is written, so a destination may be an operand.
/// </summary>
internal static unsafe class ElementwiseDrivers
{
    public static void Apply<F>(F f, float* x, float* destination, long length) where F : struct, IUnary
    {
        long i = 0;
        if (Vector512.IsHardwareAccelerated) { i = Loop<F, Lanes512>(f, x, destination, i, length); }
        else if (Vector256.IsHardwareAccelerated) { i = Loop<F, Lanes256>(f, x, destination, i, length); }
        else if (Vector128.IsHardwareAccelerated) { i = Loop<F, Lanes128>(f, x, destination, i, length); }
        Loop<F, Lanes32>(f, x, destination, i, length);
    }

    public static void Apply<F>(F f, float* x, float* y, float* destination, long length) where F : struct, IBinary
    {
        long i = 0;
        if (Vector512.IsHardwareAccelerated) { i = Loop<F, Lanes512>(f, x, y, destination, i, length); }
        else if (Vector256.IsHardwareAccelerated) { i = Loop<F, Lanes256>(f, x, y, destination, i, length); }
        else if (Vector128.IsHardwareAccelerated) { i = Loop<F, Lanes128>(f, x, y, destination, i, length); }
        Loop<F, Lanes32>(f, x, y, destination, i, length);
    }

    public static void Apply<F>(F f, float* x, float* y, float* z, float* destination, long length) where F : struct, ITernary
    {
        long i = 0;
        if (Vector512.IsHardwareAccelerated) { i = Loop<F, Lanes512>(f, x, y, z, destination, i, length); }
        else if (Vector256.IsHardwareAccelerated) { i = Loop<F, Lanes256>(f, x, y, z, destination, i, length); }
        else if (Vector128.IsHardwareAccelerated) { i = Loop<F, Lanes128>(f, x, y, z, destination, i, length); }
        Loop<F, Lanes32>(f, x, y, z, destination, i, length);
    }

    public static void ApplyPair<F>(F f, float* x, float* y, float* first, float* second, long length) where F : struct, IBinaryPair
    {
        long i = 0;
        if (Vector512.IsHardwareAccelerated) { i = PairLoop<F, Lanes512>(f, x, y, first, second, i, length); }
        else if (Vector256.IsHardwareAccelerated) { i = PairLoop<F, Lanes256>(f, x, y, first, second, i, length); }
        else if (Vector128.IsHardwareAccelerated) { i = PairLoop<F, Lanes128>(f, x, y, first, second, i, length); }
        PairLoop<F, Lanes32>(f, x, y, first, second, i, length);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Loop<F, V>(F f, float* x, float* destination, long i, long length) where F : struct, IUnary where V : struct, ILanes<V>
    {
        for (; i <= length - V.Count; i += V.Count) { f.Apply(V.Load(x + i)).Store(destination + i); }
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Loop<F, V>(F f, float* x, float* y, float* destination, long i, long length) where F : struct, IBinary where V : struct, ILanes<V>
    {
        for (; i <= length - V.Count; i += V.Count) { f.Apply(V.Load(x + i), V.Load(y + i)).Store(destination + i); }
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Loop<F, V>(F f, float* x, float* y, float* z, float* destination, long i, long length)
        where F : struct, ITernary where V : struct, ILanes<V>
    {
        for (; i <= length - V.Count; i += V.Count) { f.Apply(V.Load(x + i), V.Load(y + i), V.Load(z + i)).Store(destination + i); }
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long PairLoop<F, V>(F f, float* x, float* y, float* first, float* second, long i, long length)
        where F : struct, IBinaryPair where V : struct, ILanes<V>
    {
        for (; i <= length - V.Count; i += V.Count)
        {
            f.Apply(V.Load(x + i), V.Load(y + i), out V other).Store(first + i);
            other.Store(second + i);
        }
        return i;
    }
}
