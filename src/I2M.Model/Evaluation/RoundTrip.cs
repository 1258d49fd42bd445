using System.Globalization;
using I2M.Kernels;
using I2M.Model.Audio;

namespace I2M.Model.Evaluation;

/// <summary>A mel, and the mel of the waveform that a vocoder made of it, over the frames that both have.</summary>
/// <param name="Frames">Frames compared.</param>
/// <param name="Mel">The mel that was decoded, [bands, frames].</param>
/// <param name="Again">The mel of the result, [bands, frames].</param>
/// <param name="Metrics">Their distance.</param>
public sealed record RoundTrip(int Frames, float[] Mel, float[] Again, MelMetrics Metrics)
{
    /// <summary>Below this mean absolute error a round trip is faithful.</summary>
    public const double MaxError = 0.2;
    /// <summary>Above this correlation a round trip is faithful.</summary>
    public const double MinCorrelation = 0.99;
    /// <summary>Above this ratio, in dB, a round trip is faithful.</summary>
    public const double MinSignalToNoise = 20;

    /// <summary>Analyses a decoded waveform and compares.</summary>
    /// <param name="backend">Where to compute.</param>
    /// <param name="settings">The mel's settings.</param>
    /// <param name="mel">[bands, frames], natural logarithm.</param>
    /// <param name="wave">What was decoded from it.</param>
    /// <returns>Null where the waveform is too short to be analysed.</returns>
    public static RoundTrip? Measure(IBackend backend, MelSettings settings, ReadOnlySpan<float> mel, ReadOnlySpan<float> wave)
    {
        if (wave.Length <= settings.Pad) { return null; }
        using var analysis = new MelSpectrogram(backend, settings);
        float[] again = analysis.Compute(wave);
        int frames = Math.Min(mel.Length, again.Length) / settings.Bands;
        float[] first = Cut(mel, settings.Bands, frames), second = Cut(again, settings.Bands, frames);
        return new RoundTrip(frames, first, second, MelMetrics.Compare(first, second));
    }

    /// <summary>The limits that are not kept, each in words; empty for a faithful round trip.</summary>
    public IReadOnlyList<string> Failures
    {
        get
        {
            List<string> failures = [];
            MelMetrics m = Metrics;
            if (!(m.MeanAbsoluteError < MaxError)) { failures.Add(Text($"MAE {m.MeanAbsoluteError:F3} is not below {MaxError}")); }
            if (double.IsNaN(m.Correlation)) { failures.Add("the correlation is undefined, as a mel is the same everywhere"); }
            else if (!(m.Correlation > MinCorrelation)) { failures.Add(Text($"correlation {m.Correlation:F4} is not above {MinCorrelation}")); }
            if (!(m.SignalToNoise > MinSignalToNoise)) { failures.Add(Text($"SNR {m.SignalToNoise:F1} dB is not above {MinSignalToNoise} dB")); }
            return failures;
        }
    }

    /// <summary>The verdict in words.</summary>
    public string Verdict => Failures.Count == 0
        ? Text($"faithful: MAE below {MaxError}, correlation above {MinCorrelation}, SNR above {MinSignalToNoise} dB")
        : $"not faithful: {string.Join("; ", Failures)}";

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private static float[] Cut(ReadOnlySpan<float> mel, int bands, int frames)
    {
        int from = mel.Length / bands;
        var values = new float[bands * frames];
        for (int b = 0; b < bands; b++) { mel.Slice(b * from, frames).CopyTo(values.AsSpan(b * frames)); }
        return values;
    }
}
