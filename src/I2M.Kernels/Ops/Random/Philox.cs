namespace I2M.Kernels;

/// <summary>
/// The counter-based generator Philox 4×32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
/// A number is a pure function of (seed, stream, index), so any element can be computed anywhere.
/// </summary>
public static class Philox
{
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;

    /// <summary>Four random words for key <paramref name="seed"/> and counter (<paramref name="block"/>, <paramref name="stream"/>), low words first.</summary>
    public static (uint X, uint Y, uint Z, uint W) Block(ulong seed, ulong stream, ulong block)
    {
        uint x = (uint)block, y = (uint)(block >> 32), z = (uint)stream, w = (uint)(stream >> 32);
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = (ulong)Multiplier0 * x, p1 = (ulong)Multiplier1 * z;
            (x, y, z, w) = ((uint)(p1 >> 32) ^ y ^ k0, (uint)p1, (uint)(p0 >> 32) ^ w ^ k1, (uint)p0);
            k0 += Weyl0;
            k1 += Weyl1;
        }
        return (x, y, z, w);
    }

    /// <summary>Element <paramref name="index"/> of the sequence as a 32-bit integer.</summary>
    public static uint Bits(ulong seed, ulong stream, long index)
    {
        var (x, y, z, w) = Block(seed, stream, (ulong)index / 4);
        return ((ulong)index % 4) switch { 0 => x, 1 => y, 2 => z, _ => w };
    }

    /// <summary>Element <paramref name="index"/> as a uniform number in (0, 1), in double precision of the 32 bits.</summary>
    public static double Uniform(ulong seed, ulong stream, long index) => (Bits(seed, stream, index) + 0.5) * (1.0 / 4294967296.0);
}
