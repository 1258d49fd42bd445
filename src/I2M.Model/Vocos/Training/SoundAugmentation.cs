using System.Numerics.Tensors;
using I2M.Model.Data;

namespace I2M.Model.Vocos.Training;

/// <summary>
/// Changes crops so that a vocoder trained on few recordings or on synthetic speech meets what other microphones, rooms, throats and codecs do: another rate of
/// playing (which moves pitch and formants), a second sound, echoes, an uneven frequency response or the missing top band of a lower sample rate, noise, low level.
/// A vocoder copies what its mel says, so the changed crop is input and target alike. Everything is a function of the random stream given.
/// </summary>
internal static class SoundAugmentation
{
    /// <summary>Samples that a caller has to have for a crop, before it is played faster and filtered.</summary>
    public static int SourceLength(int crop) => (int)Math.Ceiling((crop + FilterTaps - 1 + EchoSamples) * FastestRate) + 3;

    private const double SlowestRate = 0.7, FastestRate = 1.4, QuietestPeak = -30, LoudestPeak = -1;
    private const int FilterTaps = 255, Echoes = 40, EchoSamples = 4800;

    /// <summary>Fills a crop from a clip.</summary>
    /// <param name="random">The sample's own stream.</param>
    /// <param name="source">[<see cref="SourceLength"/>] the sound.</param>
    /// <param name="other">[<see cref="SourceLength"/>] another sound, for crops where two speak; empty for none.</param>
    /// <param name="crop">[samples] the result, its peak between −30 and −1 dB of full scale.</param>
    public static void Apply(ref PhiloxRandom random, ReadOnlySpan<float> source, ReadOnlySpan<float> other, Span<float> crop)
    {
        float[] wave = new float[crop.Length + FilterTaps - 1 + EchoSamples];
        Play(source, random.NextDouble() < 0.5 ? 1 : random.NextDouble(SlowestRate, FastestRate), 1, wave);
        if (!other.IsEmpty) { Play(other, random.NextDouble(SlowestRate, FastestRate), (float)random.NextDouble(0.2, 1), wave); }
        if (random.NextDouble() < 0.3) { Echo(ref random, wave); }
        Filter(wave.AsSpan(EchoSamples), Response(ref random), crop);
        if (random.NextDouble() < 0.5) { AddNoise(ref random, crop); }
        float peak = Math.Abs(TensorPrimitives.MaxMagnitude<float>(crop));
        if (peak > 0) { TensorPrimitives.Multiply(crop, (float)(Math.Pow(10, random.NextDouble(QuietestPeak, LoudestPeak) / 20) / peak), crop); }
    }

    /// <summary>wave[i] += gain · source(i · rate), between samples by the cubic through the nearest four (Catmull–Rom).</summary>
    private static void Play(ReadOnlySpan<float> source, double rate, float gain, Span<float> wave)
    {
        for (int i = 0; i < wave.Length; i++)
        {
            double at = i * rate + 1;
            int k = (int)at;
            float t = (float)(at - k), a = source[k - 1], b = source[k], c = source[k + 1], d = source[k + 2];
            wave[i] += gain * (b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))));
        }
    }

    /// <summary>Adds reflections that decay by 60 dB over 0.05 to 0.6 s, at random times with random signs; the first 0.2 s lack theirs and are not used.</summary>
    private static void Echo(ref PhiloxRandom random, Span<float> wave)
    {
        float[] dry = wave.ToArray();
        double decay = random.NextDouble(0.05, 0.6), strength = random.NextDouble(0.05, 0.5);
        for (int e = 0; e < Echoes; e++)
        {
            int delay = 1 + random.Next(EchoSamples);
            double gain = strength * Math.Pow(10, -3 * delay / 24_000.0 / decay) * (random.Next(2) == 0 ? -1 : 1);
            TensorPrimitives.MultiplyAdd(dry.AsSpan(0, dry.Length - delay), (float)gain, wave[delay..], wave[delay..]);
        }
    }

    /// <summary>
    /// Taps of a linear-phase filter by frequency sampling, under a Hann window: an uneven response through nine random gains, closer together at low frequencies, and
    /// for one crop in three no top band.
    /// </summary>
    private static float[] Response(ref PhiloxRandom random)
    {
        const int Bins = FilterTaps / 2;
        double unevenness = random.NextDouble() < 0.3 ? 0 : random.NextDouble(0, 12);
        Span<double> knots = stackalloc double[9];
        foreach (ref double knot in knots) { knot = random.NextDouble(-unevenness, unevenness); }
        double top = random.NextDouble() < 0.33 ? random.NextDouble(0.28, 0.95) : 2;
        Span<double> gains = stackalloc double[Bins + 1];
        for (int k = 0; k <= Bins; k++)
        {
            double position = 8 * Math.Sqrt((double)k / Bins);
            int low = Math.Min(7, (int)position);
            gains[k] = (double)k / Bins > top ? 0 : Math.Pow(10, (knots[low] + (position - low) * (knots[low + 1] - knots[low])) / 20);
        }
        float[] taps = new float[FilterTaps];
        for (int n = 0; n <= Bins; n++)
        {
            double sum = gains[0];
            for (int k = 1; k <= Bins; k++) { sum += 2 * gains[k] * Math.Cos(2 * Math.PI * k * n / FilterTaps); }
            double window = 0.5 + 0.5 * Math.Cos(Math.PI * n / (Bins + 1));
            taps[Bins + n] = taps[Bins - n] = (float)(sum / FilterTaps * window);
        }
        return taps;
    }

    private static void Filter(ReadOnlySpan<float> wave, float[] taps, Span<float> result)
    {
        for (int i = 0; i < result.Length; i++) { result[i] = TensorPrimitives.Dot(wave.Slice(i, FilterTaps), taps); }
    }

    /// <summary>Noise between white and brown, 20 to 70 dB below the peak.</summary>
    private static void AddNoise(ref PhiloxRandom random, Span<float> crop)
    {
        float level = (float)(Math.Abs(TensorPrimitives.MaxMagnitude<float>(crop)) * Math.Pow(10, random.NextDouble(-70, -20) / 20));
        float pole = (float)random.NextDouble(0, 0.98), state = 0, input = level * MathF.Sqrt(3 * (1 - pole * pole));
        foreach (ref float sample in crop)
        {
            state = pole * state + input * (float)(2 * random.NextDouble() - 1);
            sample += state;
        }
    }
}
