using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

internal readonly struct Identity : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Apply<V>(V x) where V : struct, ILanes<V> => x;
}

/// <summary>value, whatever x is.</summary>
internal readonly struct Constant(float value) : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Apply<V>(V x) where V : struct, ILanes<V> => V.All(value);
}

/// <summary>a · x.</summary>
internal readonly struct Scaled(float a) : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Apply<V>(V x) where V : struct, ILanes<V> => V.All(a) * x;
}

internal readonly struct Square : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Apply<V>(V x) where V : struct, ILanes<V> => x * x;
}

/// <summary>min(max(x, low), high).</summary>
internal readonly struct Clamped(float low, float high) : IUnary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Apply<V>(V x) where V : struct, ILanes<V> => V.Min(V.All(high), V.Max(V.All(low), x));
}

internal readonly struct Add : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Apply<V>(V x, V y) where V : struct, ILanes<V> => x + y;
}

internal readonly struct Product : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Apply<V>(V x, V y) where V : struct, ILanes<V> => x * y;
}

/// <summary>a · x + b · y.</summary>
internal readonly struct Combination(float a, float b) : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Apply<V>(V x, V y) where V : struct, ILanes<V> => V.MulAdd(V.All(a), x, V.All(b) * y);
}

/// <summary>a · (x − y).</summary>
internal readonly struct ScaledDifference(float a) : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Apply<V>(V x, V y) where V : struct, ILanes<V> => V.All(a) * (x - y);
}

/// <summary>(x − y)².</summary>
internal readonly struct SquaredDifference : IBinary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Apply<V>(V x, V y) where V : struct, ILanes<V> => (x - y) * (x - y);
}

/// <summary>x · y + z.</summary>
internal readonly struct MultiplyAdd : ITernary
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Apply<V>(V x, V y, V z) where V : struct, ILanes<V> => V.MulAdd(x, y, z);
}
