using System.Numerics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace I2M.Kernels.Host;

/// <summary>
/// A register of floats of some width. Mathematics is written once against this interface and runs sixteen, eight, four or one lane
/// wide; every width does the same operations in the same order, so the lanes of a vector and a scalar tail agree.
/// </summary>
internal unsafe interface ILanes<V> : IAdditionOperators<V, V, V>, ISubtractionOperators<V, V, V>, IMultiplyOperators<V, V, V>,
    IDivisionOperators<V, V, V>, IUnaryNegationOperators<V, V>
    where V : struct, ILanes<V>
{
    /// <summary>Lanes per register.</summary>
    static abstract int Count { get; }

    static abstract V Load(float* source);

    void Store(float* destination);

    /// <summary>Stores past the caches, without reading the line first; the address is a multiple of the register's size. Needs a store fence before others read.</summary>
    void StoreStreaming(float* aligned);

    /// <summary>The same value in every lane.</summary>
    static abstract V All(float value);

    /// <summary>a · b + c, rounded once where the processor can (<see cref="Lanes.IsFused"/>), else twice, in every width alike.</summary>
    static abstract V MulAdd(V a, V b, V c);

    /// <summary>The smaller one; a NaN in <paramref name="value"/> stays.</summary>
    static abstract V Min(V bound, V value);

    /// <summary>The larger one; a NaN in <paramref name="value"/> stays.</summary>
    static abstract V Max(V bound, V value);

    static abstract V Abs(V x);

    static abstract V Sqrt(V x);

    /// <summary>Per lane a &lt; b ? then : otherwise.</summary>
    static abstract V WhereLess(V a, V b, V then, V otherwise);

    /// <summary>True if a lane of a is greater than its partner in b.</summary>
    static abstract bool AnyGreater(V a, V b);

    /// <summary>2^k for integral k in [−126, 127].</summary>
    static abstract V PowerOfTwo(V k);

    /// <summary>Splits a positive normal x into m · 2^e with m in [√½, √2).</summary>
    static abstract V Split(V x, out V e);

    /// <summary>Turns (cos, sin) by k quarter turns, k integral.</summary>
    static abstract void Turn(V k, ref V cos, ref V sin);

    /// <summary>The sum of all lanes: halves are added until one lane is left.</summary>
    static abstract float Sum(V x);

    /// <summary>The largest lane.</summary>
    static abstract float MaxLane(V x);
}

/// <summary>What all widths share.</summary>
internal static class Lanes
{
    /// <summary>The processor multiplies and adds with one rounding.</summary>
    public static bool IsFused => Fma.IsSupported || AdvSimd.IsSupported;

    /// <summary>Bits of √½: the lower end of the mantissas that <see cref="ILanes{V}.Split"/> returns.</summary>
    public const int RootHalfBits = 0x3F3504F3;

    public const int MantissaBits = 23, ExponentBias = 127, SignBit = int.MinValue;
}
