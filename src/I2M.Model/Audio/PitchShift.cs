using I2M.Kernels;

namespace I2M.Model.Audio;

/// <summary>
/// Raises or lowers speech without changing its length: stretched by r = 2^(semitones/12), then played r times as fast, that is, resampled. Formants move
/// with the pitch, as in a smaller or larger speaker.
/// </summary>
public static class PitchShift
{
    private const double MaxSemitones = 24;

    /// <summary>A fraction stands for r: the one of the smallest denominator within half a cent, and some denominator up to 2048 always is.</summary>
    private const double MaxError = 0.5 / 1200;

    private const int MaxDenominator = 2048;

    /// <summary>Shifts a clip; its length stays to the sample.</summary>
    /// <param name="clip">The input.</param>
    /// <param name="semitones">−24 to 24; 12 is an octave up.</param>
    /// <exception cref="I2MException">The shift is out of range.</exception>
    public static AudioClip Shift(AudioClip clip, double semitones) => Apply(clip, 1, semitones);

    /// <summary>Changes speed and pitch, each without the other, in one stretch and one resampling.</summary>
    /// <param name="clip">The input.</param>
    /// <param name="speed">How many times as fast, 0.25 to 4.</param>
    /// <param name="semitones">−24 to 24.</param>
    /// <returns>A clip of round(length / speed) samples.</returns>
    /// <exception cref="I2MException">A value is out of range.</exception>
    public static AudioClip Apply(AudioClip clip, double speed, double semitones)
    {
        if (!(speed is >= 0.25 and <= 4)) throw new I2MException($"speed: {speed}, expected 0.25 to 4");
        if (!(Math.Abs(semitones) <= MaxSemitones)) throw new I2MException($"pitch: {semitones} semitones, expected −{MaxSemitones} to {MaxSemitones}");
        if (semitones == 0) return TimeStretch.Stretch(clip, 1 / speed);
        var (numerator, denominator) = Fraction(Math.Pow(2, semitones / 12));
        var stretched = TimeStretch.Stretch(clip, (double)numerator / denominator / speed);
        // Only the ratio of two rates matters to the resampler, and small ones have few filter phases.
        var samples = Resampler.Resample(stretched with { SampleRate = numerator }, denominator).Samples;
        Array.Resize(ref samples, (int)Math.Max(1, Math.Round(clip.Samples.Length / speed)));
        return clip with { Samples = samples };
    }

    private static (int Numerator, int Denominator) Fraction(double value)
    {
        for (var denominator = 1; ; denominator++)
        {
            var numerator = (int)Math.Max(1, Math.Round(value * denominator));
            if (denominator == MaxDenominator || Math.Abs(Math.Log2(numerator / (value * denominator))) <= MaxError) return (numerator, denominator);
        }
    }
}
