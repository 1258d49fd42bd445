using System.Globalization;

namespace I2M.Model.Audio;

/// <summary>Keeps waveforms within what a file can hold.</summary>
public static class Loudness
{
    /// <summary>The largest amplitude that 16 bits hold.</summary>
    private const float FullScale = 32767f / 32768f;
    /// <summary>Below this (−80 dB) nothing is heard.</summary>
    private const float Silence = 1e-4f;

    /// <summary>The largest absolute sample; 0 of none. NaN where there is one.</summary>
    public static float Peak(ReadOnlySpan<float> samples)
    {
        float peak = 0;
        foreach (float sample in samples) { peak = MathF.Max(peak, MathF.Abs(sample)); }
        return peak;
    }

    /// <summary>
    /// The clip as it should be written: for 16 bits a peak beyond full scale is scaled to it as a whole, which keeps its form where clipping would distort; floats keep
    /// it. Other clips stay as they are.
    /// </summary>
    /// <param name="clip">The clip.</param>
    /// <param name="encoding">How it will be written.</param>
    /// <param name="warning">What the listener should know, in one line: scaled, beyond full scale, or silent; null for nothing.</param>
    public static AudioClip Fit(AudioClip clip, WavEncoding encoding, out string? warning)
    {
        float peak = Peak(clip.Samples);
        warning = peak < Silence ? string.Create(CultureInfo.InvariantCulture, $"is silent (peak {peak:G3})") : null;
        if (!(peak > 1) || float.IsInfinity(peak)) { return clip; }
        if (encoding == WavEncoding.Float32)
        {
            warning = string.Create(CultureInfo.InvariantCulture, $"peak {peak:F3} is beyond full scale: kept, but players may clip it");
            return clip;
        }
        float factor = FullScale / peak;
        warning = string.Create(CultureInfo.InvariantCulture, $"peak {peak:F3} is beyond full scale: scaled by {factor:F3} to fit 16 bits (--float keeps it)");
        return clip with { Samples = Array.ConvertAll(clip.Samples, sample => sample * factor) };
    }
}
