using System.Security.Cryptography;
using I2M.Model.Audio;

namespace I2M.Model.Data.Auditing;

/// <summary>How speech is cut off.</summary>
public enum SpeechEnd
{
    /// <summary>It fades into silence.</summary>
    Whole,

    /// <summary>The sound ends while somebody speaks.</summary>
    Abrupt,

    /// <summary>It goes on after the last frame that the model sees.</summary>
    BeyondModel,
}

/// <summary>What a waveform is like.</summary>
/// <param name="Content">SHA-256 of the samples without the silence around them, in 16 bits at the model's rate, the first half of it: equal for copies whatever the container.</param>
/// <param name="Peak">Largest amplitude.</param>
/// <param name="Silence">Share of the model's length in which nobody speaks.</param>
/// <param name="Clipped">Cut off at the largest amplitude again and again.</param>
/// <param name="End">How speech ends.</param>
public sealed record SoundCheck(UInt128 Content, double Peak, double Silence, bool Clipped, SpeechEnd End)
{
    /// <summary>A sound that stays below this amplitude is silent.</summary>
    private const double Audible = 1e-4;

    private const double FrameSeconds = 0.02;

    /// <summary>Frames so far below the loudest (45 dB), or below −60 dB of full scale, are silent.</summary>
    private const double SilentShare = 0.0056, SilentLevel = 1e-3;

    /// <summary>Speech that is still within 30 dB of its loudest in the last 20 ms is cut off.</summary>
    private const double EndShare = 0.0316;

    /// <summary>Clipping: so many runs of so many samples that all lie within a step and a half of 16 bits from the peak.</summary>
    private const int FlatRuns = 5, FlatSamples = 4;

    private const double FlatStep = 1.5 / 32_768;

    /// <summary>Nothing is to be heard.</summary>
    public bool Silent => Peak < Audible;

    /// <summary>Examines a sound.</summary>
    /// <param name="stored">At the file's own rate: resampling rounds what was cut off.</param>
    /// <param name="clip">At the model's rate.</param>
    /// <param name="modelSamples">Samples of <paramref name="clip"/> that the model sees.</param>
    public static SoundCheck Of(AudioClip stored, AudioClip clip, int modelSamples)
    {
        int frame = Math.Max(1, (int)(FrameSeconds * clip.SampleRate));
        double[] levels = [.. clip.Samples.Chunk(frame).Select(Rms)];
        double loudest = levels.Length == 0 ? 0 : levels.Max(), threshold = Math.Max(SilentLevel, SilentShare * loudest);
        int seen = (modelSamples + frame - 1) / frame, speaking = levels.Take(seen).Count(l => l > threshold);
        bool beyond = levels.Skip(seen).Any(l => l > threshold);
        bool abrupt = loudest > threshold && Rms(clip.Samples.AsSpan(Math.Max(0, clip.Samples.Length - frame))) > EndShare * loudest;
        double peak = clip.Samples.Length == 0 ? 0 : clip.Samples.Max(MathF.Abs);
        return new SoundCheck(Hash(clip.Samples), peak, 1 - (double)speaking / seen, IsClipped(stored.Samples), beyond ? SpeechEnd.BeyondModel : abrupt ? SpeechEnd.Abrupt : SpeechEnd.Whole);
    }

    private static double Rms(float[] samples) => Rms(samples.AsSpan());

    private static double Rms(ReadOnlySpan<float> samples)
    {
        double sum = 0;
        foreach (float s in samples) { sum += s * s; }
        return samples.IsEmpty ? 0 : Math.Sqrt(sum / samples.Length);
    }

    private static bool IsClipped(float[] samples)
    {
        double flat = samples.Length == 0 ? 0 : samples.Max(MathF.Abs) - FlatStep;
        if (flat < 0.05) { return false; }
        int runs = 0, run = 0;
        foreach (float s in samples)
        {
            run = Math.Abs(s) >= flat ? run + 1 : 0;
            if (run == FlatSamples && ++runs == FlatRuns) { return true; }
        }
        return false;
    }

    private static UInt128 Hash(float[] samples)
    {
        short[] values = [.. samples.Select(s => (short)Math.Clamp(Math.Round(s * 32_768.0), short.MinValue, short.MaxValue))];
        int first = Array.FindIndex(values, v => v != 0), last = Array.FindLastIndex(values, v => v != 0);
        ReadOnlySpan<short> content = first < 0 ? [] : values.AsSpan(first..(last + 1));
        byte[] hash = SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(content));
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash);
    }
}
