using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

/// <summary>The exponential inside attention at any vector width.</summary>
internal static unsafe class HostAttentionMath<TWidth, TVector>
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    private const float Lowest = -87f;
    private const float Log2E = 1.44269504f;
    /// <summary>Adding 1.5·2^23 rounds to an integer and leaves it in the low bits.</summary>
    private const float Rounder = 12582912f;
    /// <summary>ln 2 in two parts; products of the first with an exponent are exact.</summary>
    private const float Ln2High = 0.693359375f, Ln2Low = -2.12194440e-4f;

    /// <summary>
    /// e^x for x ≤ 88, relative error 2e-7, values below −87 as −87 (1.6e-38). x = n·ln 2 + r with |r| ≤ ln 2 / 2, so
    /// e^x = 2^n · e^r with the polynomial for e^r of Cephes (Moshier, expf).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Exp(TVector x)
    {
        x = TWidth.Max(TWidth.Broadcast(Lowest), x);
        TVector shifted = TWidth.MultiplyAdd(x, TWidth.Broadcast(Log2E), TWidth.Broadcast(Rounder));
        TVector n = TWidth.Subtract(shifted, TWidth.Broadcast(Rounder));
        TVector r = TWidth.MultiplyAdd(n, TWidth.Broadcast(-Ln2High), x);
        r = TWidth.MultiplyAdd(n, TWidth.Broadcast(-Ln2Low), r);
        TVector p = TWidth.Broadcast(1.9875691500e-4f);
        p = TWidth.MultiplyAdd(p, r, TWidth.Broadcast(1.3981999507e-3f));
        p = TWidth.MultiplyAdd(p, r, TWidth.Broadcast(8.3334519073e-3f));
        p = TWidth.MultiplyAdd(p, r, TWidth.Broadcast(4.1665795894e-2f));
        p = TWidth.MultiplyAdd(p, r, TWidth.Broadcast(1.6666665459e-1f));
        p = TWidth.MultiplyAdd(p, r, TWidth.Broadcast(5.0000001201e-1f));
        p = TWidth.MultiplyAdd(p, TWidth.Multiply(r, r), r);
        return TWidth.ScaleByPowerOfTwo(TWidth.Add(p, TWidth.Broadcast(1f)), shifted);
    }
}
