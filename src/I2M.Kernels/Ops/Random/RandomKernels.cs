using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Philox 4×32-10 on the device, the same bits as <see cref="Philox"/>. A work item computes one block and writes those of its four
/// elements that lie in [offset, offset + length).
/// </summary>
internal static class RandomKernels
{
    internal struct Words
    {
        public uint X, Y, Z, W;
    }

    public static void Bits(ulong seed, ulong stream, long offset, ArrayView<int> d)
    {
        long block = offset / 4 + GlobalIndex();
        long i = block * 4 - offset;
        if (i >= d.Length) { return; }
        Words words = Block(seed, stream, (ulong)block);
        Write(d, i, (int)words.X);
        Write(d, i + 1, (int)words.Y);
        Write(d, i + 2, (int)words.Z);
        Write(d, i + 3, (int)words.W);
    }

    public static void Uniform(ulong seed, ulong stream, long offset, ArrayView<float> d)
    {
        long block = offset / 4 + GlobalIndex();
        long i = block * 4 - offset;
        if (i >= d.Length) { return; }
        Words words = Block(seed, stream, (ulong)block);
        Write(d, i, Unit(words.X));
        Write(d, i + 1, Unit(words.Y));
        Write(d, i + 2, Unit(words.Z));
        Write(d, i + 3, Unit(words.W));
    }

    public static void Normal(ulong seed, ulong stream, long offset, ArrayView<float> d)
    {
        long block = offset / 4 + GlobalIndex();
        long i = block * 4 - offset;
        if (i >= d.Length) { return; }
        Words words = Block(seed, stream, (ulong)block);
        Float4 e = NormalOf(words);
        Write(d, i, e.X);
        Write(d, i + 1, e.Y);
        Write(d, i + 2, e.Z);
        Write(d, i + 3, e.W);
    }

    /// <summary>Both mixtures of x0 and the noise; mix is [4, rows].</summary>
    public static void QSample(ulong seed, ulong stream, long start, int hasBatch, ArrayView<int> batch, ArrayView<float> x0, ArrayView<float> mix, long rows, long columns,
        ArrayView<float> noisy, ArrayView<float> target)
    {
        long offset = start;
        if (hasBatch != 0) { offset += BatchNumber(batch) * x0.Length; }
        long block = offset / 4 + GlobalIndex();
        long i = block * 4 - offset;
        if (i >= x0.Length) { return; }
        Float4 e = NormalOf(Block(seed, stream, (ulong)block));
        Mix(i, e.X, x0, mix, rows, columns, noisy, target);
        Mix(i + 1, e.Y, x0, mix, rows, columns, noisy, target);
        Mix(i + 2, e.Z, x0, mix, rows, columns, noisy, target);
        Mix(i + 3, e.W, x0, mix, rows, columns, noisy, target);
    }

    /// <summary>The 64-bit integer in two words, lower first.</summary>
    internal static long BatchNumber(ArrayView<int> batch) => ((long)batch[1] << 32) | (uint)batch[0];

    private static void Mix(long i, float noise, ArrayView<float> x0, ArrayView<float> mix, long rows, long columns, ArrayView<float> noisy, ArrayView<float> target)
    {
        if (i < 0 || i >= x0.Length) { return; }
        long r = Quotient(i, columns);
        float x = x0[i];
        noisy[i] = mix[r] * x + mix[rows + r] * noise;
        target[i] = mix[2 * rows + r] * x + mix[3 * rows + r] * noise;
    }

    /// <summary>Box–Muller of a block's two pairs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Float4 NormalOf(Words words)
    {
        float first = Sqrt(-2f * LogUnit(words.X)), second = Sqrt(-2f * LogUnit(words.Z));
        float firstTurn = Unit(words.Y), secondTurn = Unit(words.W);
        return new Float4
        {
            X = first * CosTurns(firstTurn),
            Y = first * SinTurns(firstTurn),
            Z = second * CosTurns(secondTurn),
            W = second * SinTurns(secondTurn),
        };
    }

    /// <summary>((bits >> 8) + 0.5) · 2⁻²⁴, kept below 1 where the sum rounds up to 2²⁴.</summary>
    private static float Unit(uint bits)
    {
        float u = ((float)(int)(bits >> 8) + 0.5f) * 5.9604644775390625e-8f;
        if (u >= 1f) { u = 0.99999994f; }
        return u;
    }

    /// <summary>ln u. Near 1 the float u has lost the bits that make the logarithm; 1 − u = (2²⁴ − (bits >> 8) − 0.5)·2⁻²⁴ is exact there.</summary>
    private static float LogUnit(uint bits)
    {
        const int rootHalf = 11863284;
        int k = (int)(bits >> 8);
        float logarithm;
        if (k >= rootHalf) { logarithm = LogOnePlus(((float)(k - (1 << 24)) + 0.5f) * 5.9604644775390625e-8f, 0f); }
        else { logarithm = Log(Unit(bits)); }
        return logarithm;
    }

    private static void Write(ArrayView<float> d, long i, float value)
    {
        if (i >= 0 && i < d.Length) { d[i] = value; }
    }

    private static void Write(ArrayView<int> d, long i, int value)
    {
        if (i >= 0 && i < d.Length) { d[i] = value; }
    }

    internal static Words Block(ulong seed, ulong stream, ulong block)
    {
        uint x = (uint)block, y = (uint)(block >> 32), z = (uint)stream, w = (uint)(stream >> 32);
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = 0xD2511F53UL * x, p1 = 0xCD9E8D57UL * z;
            uint x1 = (uint)(p1 >> 32) ^ y ^ k0;
            z = (uint)(p0 >> 32) ^ w ^ k1;
            x = x1;
            y = (uint)p1;
            w = (uint)p0;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        return new Words { X = x, Y = y, Z = z, W = w };
    }
}
