using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

/// <summary>The exponential inside attention at any vector width.</summary>
internal static unsafe class HostAttentionMath<TWidth, TVector>
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    /// <summary>log2 e: softmax in powers of two, e^(s − m) = 2^(s·log2 e − m·log2 e), needs no reduction by ln 2.</summary>
    public const float Log2E = 1.44269504f;

    /// <summary>Exponents below give 0. The largest weight of a row is at least 1/keys, so no sum changes, and products of a weight with a value stay normal numbers: subnormal ones halve the speed.</summary>
    private const float Lowest = -100f;

    /// <summary>Adding 1.5·2^23 rounds to an integer and leaves it in the low bits.</summary>
    private const float Rounder = 12582912f;

    /// <summary>
    /// 2^x for x &lt; 127, relative error 1.5e-7, 0 for x &lt; −100; NaN stays. x = n + r with |r| ≤ ½ exactly, so 2^x = 2^n · 2^r with a
    /// polynomial that interpolates (2^r − 1)/r at Chebyshev nodes (its own error 7e-8).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Exp2(TVector x)
    {
        TVector shifted = TWidth.Add(x, TWidth.Broadcast(Rounder));
        TVector r = TWidth.Subtract(x, TWidth.Subtract(shifted, TWidth.Broadcast(Rounder)));
        TVector p = TWidth.Broadcast(1.5453163359779865e-4f);
        p = TWidth.MultiplyAdd(p, r, TWidth.Broadcast(1.3390863314270973e-3f));
        p = TWidth.MultiplyAdd(p, r, TWidth.Broadcast(9.618083015084267e-3f));
        p = TWidth.MultiplyAdd(p, r, TWidth.Broadcast(5.5503569543361664e-2f));
        p = TWidth.MultiplyAdd(p, r, TWidth.Broadcast(2.4022650718688965e-1f));
        p = TWidth.MultiplyAdd(p, r, TWidth.Broadcast(6.931471824645996e-1f));
        p = TWidth.MultiplyAdd(p, r, TWidth.Broadcast(1f));
        return ZeroWhereLow(x, TWidth.ScaleByPowerOfTwo(p, shifted));
    }

    /// <summary>0 where x &lt; <see cref="Lowest"/>, else the value. The conditions are constants for a width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector ZeroWhereLow(TVector x, TVector value)
    {
        if (typeof(TVector) == typeof(Vector512<float>))
        {
            Vector512<float> low = Vector512.LessThan(Unsafe.BitCast<TVector, Vector512<float>>(x), Vector512.Create(Lowest));
            return Unsafe.BitCast<Vector512<float>, TVector>(Vector512.ConditionalSelect(low, Vector512<float>.Zero, Unsafe.BitCast<TVector, Vector512<float>>(value)));
        }
        if (typeof(TVector) == typeof(Vector256<float>))
        {
            Vector256<float> low = Vector256.LessThan(Unsafe.BitCast<TVector, Vector256<float>>(x), Vector256.Create(Lowest));
            return Unsafe.BitCast<Vector256<float>, TVector>(Vector256.AndNot(Unsafe.BitCast<TVector, Vector256<float>>(value), low));
        }
        Vector128<float> below = Vector128.LessThan(Unsafe.BitCast<TVector, Vector128<float>>(x), Vector128.Create(Lowest));
        return Unsafe.BitCast<Vector128<float>, TVector>(Vector128.AndNot(Unsafe.BitCast<TVector, Vector128<float>>(value), below));
    }
}
