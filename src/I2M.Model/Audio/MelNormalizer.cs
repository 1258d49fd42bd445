using I2M.Kernels;

namespace I2M.Model.Audio;

/// <summary>
/// The affine map between log-mels and what the diffusion model sees: (max(mel, floor) − mean) / deviation · scale. Without it the log-mel's
/// large variance lets the class shine through the noise, and the model never needs the picture. Stored in every checkpoint.
/// </summary>
/// <param name="Mean">Mean over the speech frames of the training data.</param>
/// <param name="Deviation">Standard deviation over the same.</param>
/// <param name="Floor">Lower values are raised to this level first.</param>
/// <param name="Scale">Input scale.</param>
/// <param name="Low">Smallest normalised value.</param>
/// <param name="High">Largest normalised value in the training data.</param>
public sealed record MelNormalizer(double Mean, double Deviation, double Floor, double Scale, double Low, double High)
{
    /// <summary>Level that quiet bins are raised to: an amplitude of 1e-5, below which nothing is heard.</summary>
    public const double DefaultFloor = -11.5;

    /// <summary>The original's choice: raw log-mels, clipped at ±10 when sampling.</summary>
    public static MelNormalizer CompatSeed(MelSettings mel) => new(0, 1, mel.SilenceLevel, 1, -10, 10);

    /// <summary>What makes the map unusable, in words, or null: a checkpoint's statistics are not believed unseen.</summary>
    public string? FindProblem()
    {
        if (!double.IsFinite(Mean) || !double.IsFinite(Floor)) { return $"mean {Mean}, floor {Floor}: expected finite numbers"; }
        if (!(Deviation > 0 && Scale > 0) || !double.IsFinite(Deviation * Scale)) { return $"deviation {Deviation}, scale {Scale}: expected positive numbers"; }
        return Low <= High ? null : $"low {Low}, high {High}: expected low not above high";
    }

    /// <summary>Measures mean, deviation and range. A frame counts as speech when its loudest band is well above the floor.</summary>
    /// <param name="mels">Log-mels, each [bands, frames].</param>
    /// <param name="bands">Mel bands.</param>
    /// <param name="scale">Input scale to apply.</param>
    /// <exception cref="I2MException">There is no speech at all.</exception>
    public static MelNormalizer Measure(IEnumerable<float[]> mels, int bands, double scale)
    {
        double sum = 0, squares = 0, high = double.NegativeInfinity;
        long count = 0;
        foreach (float[] mel in mels)
        {
            int frames = mel.Length / bands;
            for (int f = 0; f < frames; f++)
            {
                double loudest = double.NegativeInfinity;
                for (int b = 0; b < bands; b++) { loudest = Math.Max(loudest, mel[b * frames + f]); }
                if (loudest < DefaultFloor + 3) { continue; }
                high = Math.Max(high, loudest);
                for (int b = 0; b < bands; b++)
                {
                    double value = Math.Max(mel[b * frames + f], DefaultFloor);
                    sum += value;
                    squares += value * value;
                }
                count += bands;
            }
        }
        if (count == 0) { throw new I2MException("the training audio is silent: expected speech"); }
        double mean = sum / count, deviation = Math.Sqrt(Math.Max(1e-6, squares / count - mean * mean));
        return new MelNormalizer(mean, deviation, DefaultFloor, scale, (DefaultFloor - mean) / deviation * scale, (high - mean) / deviation * scale);
    }

    /// <summary>Log-mel → model scale.</summary>
    public void Normalize(ReadOnlySpan<float> mel, Span<float> destination)
    {
        for (int i = 0; i < mel.Length; i++) { destination[i] = (float)((Math.Max(mel[i], Floor) - Mean) / Deviation * Scale); }
    }

    /// <summary>Model scale → log-mel.</summary>
    public float[] Denormalize(ReadOnlySpan<double> normalized)
    {
        var mel = new float[normalized.Length];
        for (int i = 0; i < mel.Length; i++) { mel[i] = (float)Math.Max(normalized[i] / Scale * Deviation + Mean, Floor); }
        return mel;
    }
}
