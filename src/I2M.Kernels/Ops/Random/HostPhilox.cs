using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace I2M.Kernels.Host;

/// <summary>
/// <see cref="Philox"/> for many consecutive blocks. A lane of 64 bits holds one 32-bit word of one block, with anything above it: the
/// multiplication reads the lower halves alone and gives the whole product, and the rest is shifts and exclusive ors.
/// </summary>
internal static unsafe class HostPhilox
{
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;
    private const int Rounds = 10, HalfBits = 32;

    /// <summary>Bits of a random word below the 24 that a uniform number takes, and its unit.</summary>
    private const int DroppedBits = 8;
    private const float Unit = 1f / (1 << 24), BelowOne = 1f - Unit;

    /// <summary>Writes the four words of each of <paramref name="count"/> blocks from <paramref name="first"/> on.</summary>
    public static void Blocks(ulong seed, ulong stream, long first, int count, uint* words)
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i <= count - Vector512<ulong>.Count; i += Vector512<ulong>.Count) { EightBlocks(seed, stream, (ulong)(first + i), (ulong*)words + 2 * i); }
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= count - Vector256<ulong>.Count; i += Vector256<ulong>.Count) { FourBlocks(seed, stream, (ulong)(first + i), (ulong*)words + 2 * i); }
        }
        for (uint* block = words + 4 * i; i < count; i++, block += 4)
        {
            (block[0], block[1], block[2], block[3]) = Philox.Block(seed, stream, (ulong)(first + i));
        }
    }

    /// <summary>((bits >> 8) + ½) · 2⁻²⁴ in place. The sum has 25 bits: the largest one would round to 1, outside the open interval, and takes the float below.</summary>
    public static void ToUniform(uint* words, int count)
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i <= count - Vector512<uint>.Count; i += Vector512<uint>.Count) { Uniform(Vector512.Load(words + i)).Store((float*)words + i); }
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            for (; i <= count - Vector128<uint>.Count; i += Vector128<uint>.Count) { Uniform(Vector128.Load(words + i)).Store((float*)words + i); }
        }
        for (; i < count; i++) { ((float*)words)[i] = Uniform(words[i]); }
    }

    /// <summary>The uniform numbers of the even words and of the odd ones, a pair from each element.</summary>
    public static void ToUniformPairs(ulong* words, int pairs, float* even, float* odd)
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i <= pairs - Vector512<uint>.Count; i += Vector512<uint>.Count)
            {
                Vector512<ulong> lower = Vector512.Load(words + i), upper = Vector512.Load(words + i + Vector512<ulong>.Count);
                Uniform(Vector512.Narrow(lower, upper)).Store(even + i);
                Uniform(Vector512.Narrow(lower >>> HalfBits, upper >>> HalfBits)).Store(odd + i);
            }
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            for (; i <= pairs - Vector128<uint>.Count; i += Vector128<uint>.Count)
            {
                Vector128<ulong> lower = Vector128.Load(words + i), upper = Vector128.Load(words + i + Vector128<ulong>.Count);
                Uniform(Vector128.Narrow(lower, upper)).Store(even + i);
                Uniform(Vector128.Narrow(lower >>> HalfBits, upper >>> HalfBits)).Store(odd + i);
            }
        }
        for (; i < pairs; i++) { (even[i], odd[i]) = (Uniform((uint)words[i]), Uniform((uint)(words[i] >> HalfBits))); }
    }

    /// <summary>destination[i] = even[i] in the lower and odd[i] in the upper half.</summary>
    public static void Interleave(float* even, float* odd, int pairs, ulong* destination)
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i <= pairs - Vector512<uint>.Count; i += Vector512<uint>.Count)
            {
                (Vector512<ulong> evenLower, Vector512<ulong> evenUpper) = Vector512.Widen(Vector512.Load((uint*)even + i));
                (Vector512<ulong> oddLower, Vector512<ulong> oddUpper) = Vector512.Widen(Vector512.Load((uint*)odd + i));
                (evenLower | oddLower << HalfBits).Store(destination + i);
                (evenUpper | oddUpper << HalfBits).Store(destination + i + Vector512<ulong>.Count);
            }
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            for (; i <= pairs - Vector128<uint>.Count; i += Vector128<uint>.Count)
            {
                (Vector128<ulong> evenLower, Vector128<ulong> evenUpper) = Vector128.Widen(Vector128.Load((uint*)even + i));
                (Vector128<ulong> oddLower, Vector128<ulong> oddUpper) = Vector128.Widen(Vector128.Load((uint*)odd + i));
                (evenLower | oddLower << HalfBits).Store(destination + i);
                (evenUpper | oddUpper << HalfBits).Store(destination + i + Vector128<ulong>.Count);
            }
        }
        for (; i < pairs; i++) { destination[i] = ((uint*)even)[i] | (ulong)((uint*)odd)[i] << HalfBits; }
    }

    [SkipLocalsInit]
    private static void EightBlocks(ulong seed, ulong stream, ulong first, ulong* pairs)
    {
        Vector512<ulong> x = Vector512.Create(first) + Vector512<ulong>.Indices, y = x >>> HalfBits;
        Vector512<ulong> z = Vector512.Create(stream), w = z >>> HalfBits;
        Vector512<ulong> multiplier0 = Vector512.Create((ulong)Multiplier0), multiplier1 = Vector512.Create((ulong)Multiplier1);
        (uint k0, uint k1) = ((uint)seed, (uint)(seed >> HalfBits));
        for (int round = 0; round < Rounds; round++)
        {
            Vector512<ulong> p0 = Multiply(x, multiplier0), p1 = Multiply(z, multiplier1);
            (x, y, z, w) = (p1 >>> HalfBits ^ y ^ Vector512.Create((ulong)k0), p1, p0 >>> HalfBits ^ w ^ Vector512.Create((ulong)k1), p0);
            k0 += Weyl0;
            k1 += Weyl1;
        }
        Vector512<ulong> half = Vector512.Create((ulong)uint.MaxValue), xy = x & half | y << HalfBits, zw = z & half | w << HalfBits;
        ulong* columns = stackalloc ulong[2 * Vector512<ulong>.Count];
        xy.Store(columns);
        zw.Store(columns + Vector512<ulong>.Count);
        for (int i = 0; i < Vector512<ulong>.Count; i++) { (pairs[2 * i], pairs[2 * i + 1]) = (columns[i], columns[i + Vector512<ulong>.Count]); }
    }

    [SkipLocalsInit]
    private static void FourBlocks(ulong seed, ulong stream, ulong first, ulong* pairs)
    {
        Vector256<ulong> x = Vector256.Create(first) + Vector256<ulong>.Indices, y = x >>> HalfBits;
        Vector256<ulong> z = Vector256.Create(stream), w = z >>> HalfBits;
        Vector256<ulong> multiplier0 = Vector256.Create((ulong)Multiplier0), multiplier1 = Vector256.Create((ulong)Multiplier1);
        (uint k0, uint k1) = ((uint)seed, (uint)(seed >> HalfBits));
        for (int round = 0; round < Rounds; round++)
        {
            Vector256<ulong> p0 = Multiply(x, multiplier0), p1 = Multiply(z, multiplier1);
            (x, y, z, w) = (p1 >>> HalfBits ^ y ^ Vector256.Create((ulong)k0), p1, p0 >>> HalfBits ^ w ^ Vector256.Create((ulong)k1), p0);
            k0 += Weyl0;
            k1 += Weyl1;
        }
        Vector256<ulong> half = Vector256.Create((ulong)uint.MaxValue), xy = x & half | y << HalfBits, zw = z & half | w << HalfBits;
        ulong* columns = stackalloc ulong[2 * Vector256<ulong>.Count];
        xy.Store(columns);
        zw.Store(columns + Vector256<ulong>.Count);
        for (int i = 0; i < Vector256<ulong>.Count; i++) { (pairs[2 * i], pairs[2 * i + 1]) = (columns[i], columns[i + Vector256<ulong>.Count]); }
    }

    /// <summary>The product of the lower halves; b has no upper half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Multiply(Vector512<ulong> a, Vector512<ulong> b) =>
        Avx512F.IsSupported ? Avx512F.Multiply(a.AsUInt32(), b.AsUInt32()) : (a & Vector512.Create((ulong)uint.MaxValue)) * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Multiply(Vector256<ulong> a, Vector256<ulong> b) =>
        Avx2.IsSupported ? Avx2.Multiply(a.AsUInt32(), b.AsUInt32()) : (a & Vector256.Create((ulong)uint.MaxValue)) * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Uniform(Vector512<uint> bits) =>
        Vector512.Min((Vector512.ConvertToSingle((bits >>> DroppedBits).AsInt32()) + Vector512.Create(0.5f)) * Unit, Vector512.Create(BelowOne));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Uniform(Vector128<uint> bits) =>
        Vector128.Min((Vector128.ConvertToSingle((bits >>> DroppedBits).AsInt32()) + Vector128.Create(0.5f)) * Unit, Vector128.Create(BelowOne));

    private static float Uniform(uint bits) => MathF.Min(((bits >> DroppedBits) + 0.5f) * Unit, BelowOne);
}
