using I2M.Kernels;

namespace I2M.Testing;

/// <summary>Test data from Philox: each call takes the next stream of one seed, so a failure is reproduced by its seed alone.</summary>
public sealed class RandomData(ulong seed)
{
    private ulong _stream;

    /// <summary>The seed, for messages.</summary>
    public ulong Seed => seed;

    /// <summary>Normal numbers with the given mean and standard deviation (Box–Muller in double).</summary>
    public float[] Normal(long length, double deviation = 1, double mean = 0)
    {
        ulong stream = _stream++;
        var values = new float[length];
        for (long i = 0; i < length; i++)
        {
            double radius = Math.Sqrt(-2 * Math.Log(Philox.Uniform(seed, stream, 2 * i)));
            values[i] = (float)(mean + deviation * radius * Math.Cos(2 * Math.PI * Philox.Uniform(seed, stream, 2 * i + 1)));
        }
        return values;
    }

    /// <summary>Uniform numbers in [low, high].</summary>
    public float[] Uniform(long length, double low, double high)
    {
        ulong stream = _stream++;
        var values = new float[length];
        for (long i = 0; i < length; i++) { values[i] = (float)(low + (high - low) * Philox.Uniform(seed, stream, i)); }
        return values;
    }

    /// <summary>Integers in [0, limit).</summary>
    public int[] Indices(int length, int limit)
    {
        ulong stream = _stream++;
        var values = new int[length];
        for (int i = 0; i < length; i++) { values[i] = (int)(Philox.Bits(seed, stream, i) % (uint)limit); }
        return values;
    }
}
