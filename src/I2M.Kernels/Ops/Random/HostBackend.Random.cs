using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

public sealed unsafe partial class HostBackend
{
    /// <summary>Numbers per tile on the stack: whole blocks of Philox.</summary>
    private const int RandomTileLength = 512;

    /// <inheritdoc cref="IBackend.RandomBits"/>
    public void RandomBits(ulong seed, ulong stream, long offset, BufferView destination) =>
        RunRandom(seed, stream, offset, destination, static (_, _) => { });

    /// <inheritdoc cref="IBackend.RandomUniform"/>
    public void RandomUniform(ulong seed, ulong stream, long offset, BufferView destination) =>
        RunRandom(seed, stream, offset, destination, static (words, count) => HostPhilox.ToUniform((uint*)words, count));

    /// <inheritdoc cref="IBackend.RandomNormal"/>
    public void RandomNormal(ulong seed, ulong stream, long offset, BufferView destination) =>
        RunRandom(seed, stream, offset, destination, ToNormal);

    /// <inheritdoc cref="IBackend.QSample"/>
    public void QSample(BufferView x0, BufferView mix, int rows, ulong seed, ulong stream, long offset, BufferView noisy, BufferView target, BufferView batch = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        long columns = ColumnsOf(x0, rows);
        RequireLength(4L * rows, mix);
        RequireLength(x0.Length, noisy);
        RequireLength(x0.Length, target);
        if (x0.Length == 0) { return; }
        if (!batch.IsNone)
        {
            RequireLength(2, batch);
            offset += Unsafe.ReadUnaligned<long>(Pointer(batch)) * x0.Length;
        }
        float* px = Pointer(x0), signal = Pointer(mix), noise = signal + rows, sample = noise + rows, epsilon = sample + rows, pn = Pointer(noisy), pt = Pointer(target);
        RunTiles(seed, stream, offset, x0.Length, ToNormal, (e, first, count) =>
        {
            // A tile may reach over the end of a row.
            for (long i = first, end = first + count; i < end;)
            {
                long r = i / columns, part = Math.Min(end, (r + 1) * columns) - i;
                ElementwiseDrivers.ApplyPair(new Mixtures(signal[r], noise[r], sample[r], epsilon[r]), px + i, e + (i - first), pn + i, pt + i, part);
                i += part;
            }
        });
    }

    /// <summary>Turns the words of whole Philox blocks, a multiple of 4, into the wanted numbers in place.</summary>
    private delegate void RandomTransform(float* words, int count);

    /// <summary>Takes count numbers, of which the first is number <paramref name="first"/> of those that were asked for.</summary>
    private delegate void RandomTile(float* numbers, long first, long count);

    private void RunRandom(ulong seed, ulong stream, long offset, BufferView destination, RandomTransform transform)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (destination.Length == 0) { return; }
        float* pd = Pointer(destination);
        RunTiles(seed, stream, offset, destination.Length, transform, (numbers, first, count) => Move(numbers, pd + first, count));
    }

    /// <summary>Works on tiles of whole blocks of the sequence, so that pairs of normal numbers are never cut, and hands on the part that was asked for.</summary>
    private void RunTiles(ulong seed, ulong stream, long offset, long length, RandomTransform transform, RandomTile use)
    {
        long last = offset + length, firstTile = offset / RandomTileLength, tiles = (last - 1) / RandomTileLength + 1 - firstTile;
        _rows.Run(tiles, MathGrain / RandomTileLength, (start, end) =>
        {
            float* words = stackalloc float[RandomTileLength];
            for (long tile = firstTile + start; tile < firstTile + end; tile++)
            {
                long origin = tile * RandomTileLength, from = Math.Max(offset, origin), to = Math.Min(last, origin + RandomTileLength);
                long firstBlock = from / 4, blocks = (to + 3) / 4 - firstBlock;
                HostPhilox.Blocks(seed, stream, firstBlock, (int)blocks, (uint*)words);
                transform(words, (int)blocks * 4);
                use(words + (from - firstBlock * 4), from - offset, to - from);
            }
        });
    }

    [SkipLocalsInit]
    private static void ToNormal(float* words, int count)
    {
        int pairs = count / 2;
        float* u1 = stackalloc float[RandomTileLength / 2], u2 = stackalloc float[RandomTileLength / 2];
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

    /// <summary>Two mixtures of sample and noise, each rounded as <see cref="Combination"/> rounds.</summary>
    private readonly struct Mixtures(float signal, float noise, float sample, float epsilon) : IBinaryPair
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x, V e, out V second) where V : struct, ILanes<V>
        {
            second = new Combination(sample, epsilon).Apply(x, e);
            return new Combination(signal, noise).Apply(x, e);
        }
    }
}
