using I2M.Kernels;

namespace I2M.Model.Diffusion;

/// <summary>Which n of T timesteps a sampler visits (Lin et al. 2024, table 2).</summary>
public enum TimestepSpacing
{
    /// <summary>Multiples of T/n from 0: never sees pure noise.</summary>
    Leading,
    /// <summary>T−1, T−1−T/n, …: starts at pure noise.</summary>
    Trailing,
    /// <summary>Equal steps from T−1 to 0, both included.</summary>
    Linspace,
    /// <summary>The original's: multiples of the whole number T/n, at most n of them.</summary>
    Seed,
}

/// <summary>Lists of timesteps, noisiest first.</summary>
public static class Timesteps
{
    /// <summary><paramref name="count"/> of <paramref name="total"/> timesteps.</summary>
    /// <exception cref="I2MException">More steps than there are.</exception>
    public static int[] Spaced(TimestepSpacing spacing, int total, int count)
    {
        if (count < 1 || count > total) { throw new I2MException($"--steps {count}: expected 1 to {total}"); }
        var timesteps = new int[count];
        for (int i = 0; i < count; i++)
        {
            int ascending = count - 1 - i;
            timesteps[i] = spacing switch
            {
                TimestepSpacing.Leading => (int)((long)ascending * total / count),
                TimestepSpacing.Trailing => (int)Math.Round(total - (double)i * total / count, MidpointRounding.ToEven) - 1,
                TimestepSpacing.Linspace => count == 1 ? total - 1 : (int)Math.Round((double)ascending * (total - 1) / (count - 1), MidpointRounding.ToEven),
                _ => ascending * (total / count),
            };
        }
        return timesteps;
    }
}
