using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

public sealed unsafe partial class HostBackend
{
    /// <summary>Numbers per tile on the stack: whole blocks of Philox.</summary>
    private const int RandomTile = 512;

    /// <inheritdoc cref="IBackend.RandomBits"/>
    public void RandomBits(ulong seed, ulong stream, long offset, BufferView destination) =>
        RunRandom(seed, stream, offset, destination, (_, _) => { });

    /// <inheritdoc cref="IBackend.RandomUniform"/>
    public void RandomUniform(ulong seed, ulong stream, long offset, BufferView destination) =>
        RunRandom(seed, stream, offset, destination, ToUniform);

    /// <inheritdoc cref="IBackend.RandomNormal"/>
    public void RandomNormal(ulong seed, ulong stream, long offset, BufferView destination) =>
        RunRandom(seed, stream, offset, destination, ToNormal);

    /// <summary>Turns the words of whole Philox blocks, a multiple of 4, into the wanted numbers in place.</summary>
    private delegate void RandomTransform(float* words, int count);

    /// <summary>Works on tiles of whole blocks of the sequence, so that pairs of normal numbers are never cut, and copies the part that was asked for.</summary>
    private void RunRandom(ulong seed, ulong stream, long offset, BufferView destination, RandomTransform transform)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (destination.Length == 0) { return; }
        float* pd = Pointer(destination);
        long last = offset + destination.Length, firstTile = offset / RandomTile, tiles = (last - 1) / RandomTile + 1 - firstTile;
        _rows.Run(tiles, MathGrain / RandomTile, (start, end) =>
        {
            float* words = stackalloc float[RandomTile];
            for (long tile = firstTile + start; tile < firstTile + end; tile++)
            {
                long origin = tile * RandomTile, from = Math.Max(offset, origin), to = Math.Min(last, origin + RandomTile);
                long firstBlock = from / 4, blocks = (to + 3) / 4 - firstBlock;
                Blocks(seed, stream, firstBlock, (int)blocks, (uint*)words);
                transform(words, (int)blocks * 4);
                Move(words + (from - firstBlock * 4), pd + (from - offset), to - from);
            }
        });
    }

    private static void Blocks(ulong seed, ulong stream, long first, int count, uint* words)
    {
        for (int i = 0; i < count; i++, words += 4)
        {
            (words[0], words[1], words[2], words[3]) = Philox.Block(seed, stream, (ulong)(first + i));
        }
    }

    /// <summary>((bits >> 8) + ½) · 2⁻²⁴. The sum has 25 bits: the largest one would round to 1, outside the open interval, and takes the float below.</summary>
    private static void ToUniform(float* words, int count)
    {
        for (int i = 0; i < count; i++) { words[i] = MathF.Min(((((uint*)words)[i] >> 8) + 0.5f) * (1f / (1 << 24)), 1f - 1f / (1 << 24)); }
    }

    private static void ToNormal(float* words, int count)
    {
        int pairs = count / 2;
        float* u1 = stackalloc float[RandomTile / 2], u2 = stackalloc float[RandomTile / 2];
        ToUniform(words, count);
        for (int j = 0; j < pairs; j++) { (u1[j], u2[j]) = (words[2 * j], words[2 * j + 1]); }
        ElementwiseDrivers.ApplyPair(new BoxMuller(), u1, u2, u1, u2, pairs);
        Interleave(u1, u2, pairs, words);
    }

    /// <summary>√(−2 ln u₁) · (cos 2πu₂, sin 2πu₂).</summary>
    private readonly struct BoxMuller : IBinaryPair
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V u1, V u2, out V second) where V : struct, ILanes<V>
        {
            V radius = V.Sqrt(V.All(-2f) * VectorMath.Log(u1)), cos = VectorMath.CosSinOfTurns(u2, out V sin);
            second = radius * sin;
            return radius * cos;
        }
    }
}
