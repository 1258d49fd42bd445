namespace I2M.Model.Data.Drawing;

/// <summary>
/// SplitMix64: a small counter-based generator, so that a drawing depends on its seed alone and not on the runtime's <see cref="Random"/>.
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
/// </summary>
internal sealed class DrawingRandom(ulong seed)
{
    private ulong state = seed;

    public ulong Next()
    {
        state += 0x9E3779B97F4A7C15;
        ulong z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [low, high).</summary>
    public float Range(float low, float high) => low + (high - low) * ((Next() >> 40) * (1f / (1 << 24)));

    /// <summary>Uniform integer in [low, high].</summary>
    public int Whole(int low, int high) => low + (int)(Next() % (ulong)(high - low + 1));

    public bool Chance(float probability) => Range(0, 1) < probability;

    public T Pick<T>(params ReadOnlySpan<T> items) => items[Whole(0, items.Length - 1)];
}
