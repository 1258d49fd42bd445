using I2M.Kernels;

namespace I2M.Model.Data;

/// <summary>
/// Random numbers for shuffling and augmentation from <see cref="Philox"/>, keyed by a seed and a stream, so each (seed, stream) gives the
/// same numbers on every machine.
/// </summary>
internal struct PhiloxRandom(ulong seed, ulong stream)
{
    private uint _draws;

    /// <summary>32 random bits. Every draw is a block of its own: these callers need few numbers.</summary>
    public uint NextUInt32() => Philox.Block(seed, stream, _draws++).X;

    /// <summary>Uniform in [0, 1).</summary>
    public double NextDouble() => NextUInt32() * (1.0 / 4294967296.0);

    /// <summary>Uniform in [low, high).</summary>
    public double NextDouble(double low, double high) => low + (high - low) * NextDouble();

    /// <summary>Uniform in 0 … bound−1.</summary>
    public int Next(int bound) => (int)((ulong)NextUInt32() * (ulong)bound >> 32);

    /// <summary>Puts a list into random order (Fisher–Yates).</summary>
    public void Shuffle<T>(IList<T> items)
    {
        for (var i = items.Count - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}
