using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

public sealed unsafe partial class HostBackend
{
    /// <summary>Numbers per tile on the stack: whole blocks of Philox.</summary>
    private const int RandomTile = 512;

    /// <inheritdoc cref="IBackend.RandomBits"/>
    public void RandomBits(ulong seed, ulong stream, long offset, BufferView destination) =>
        RunRandom(seed, stream, offset, destination, static (_, _) => { });

    /// <inheritdoc cref="IBackend.RandomUniform"/>
    public void RandomUniform(ulong seed, ulong stream, long offset, BufferView destination) =>
        RunRandom(seed, stream, offset, destination, static (words, count) => HostPhilox.ToUniform((uint*)words, count));

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
                HostPhilox.Blocks(seed, stream, firstBlock, (int)blocks, (uint*)words);
                transform(words, (int)blocks * 4);
                Move(words + (from - firstBlock * 4), pd + (from - offset), to - from);
            }
        });
    }

    [SkipLocalsInit]
    private static void ToNormal(float* words, int count)
    {
        int pairs = count / 2;
        float* u1 = stackalloc float[RandomTile / 2], u2 = stackalloc float[RandomTile / 2];
        HostPhilox.ToUniformPairs((ulong*)words, pairs, u1, u2);
        ElementwiseDrivers.ApplyPair(new BoxMuller(), u1, u2, u1, u2, pairs);
        HostPhilox.Interleave(u1, u2, pairs, (ulong*)words);
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
