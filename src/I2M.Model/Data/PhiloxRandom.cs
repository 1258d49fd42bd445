namespace I2M.Model.Data;

/// <summary>
/// Random numbers for shuffling and augmentation: Philox 4×32-10 (Salmon et al., "Parallel Random Numbers: As Easy as
/// 1, 2, 3", 2011), keyed by a seed and a stream, so each (seed, stream) gives the same numbers on every machine.
/// </summary>
internal struct PhiloxRandom(ulong seed, ulong stream)
{
    private uint _draws;

    /// <summary>32 random bits. Every draw is a block of its own: these callers need few numbers.</summary>
    public uint NextUInt32()
    {
        uint a = _draws++, b = 0, c = (uint)stream, d = (uint)(stream >> 32);
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (var round = 0; round < 10; round++, k0 += 0x9E3779B9, k1 += 0xBB67AE85)
        {
            ulong left = 0xD2511F53UL * a, right = 0xCD9E8D57UL * c;
            (a, b, c, d) = ((uint)(right >> 32) ^ b ^ k0, (uint)right, (uint)(left >> 32) ^ d ^ k1, (uint)left);
        }
        return a;
    }

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
