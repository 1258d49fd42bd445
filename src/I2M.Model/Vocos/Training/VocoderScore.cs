using I2M.Autograd;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Evaluation;

namespace I2M.Model.Vocos.Training;

/// <summary>How well a vocoder gives back sounds from their mels, averaged over clips.</summary>
/// <param name="Clips">Clips judged.</param>
/// <param name="MeanAbsoluteError">Of log-mels.</param>
/// <param name="MeanSquaredError">Of log-mels.</param>
/// <param name="MaxDifference">Of log-mels, the largest of all clips.</param>
/// <param name="SignalToNoise">Of log-mels, in dB, over the clips that are not given back exactly; null when all are.</param>
/// <param name="Correlation">Pearson's r of log-mels, over the clips where it is defined, which it is not for silence; null when there is none.</param>
/// <param name="LogSpectralDistance">Root mean square over the bins of a frame of 20·log₁₀(|S| / |Ŝ|), averaged over frames, in dB; inaudible magnitudes count as the floor.</param>
/// <param name="RealTime">Seconds of sound decoded in a second.</param>
public sealed record VocoderScore(int Clips, double MeanAbsoluteError, double MeanSquaredError, double MaxDifference, double? SignalToNoise, double? Correlation,
    double LogSpectralDistance, double RealTime);

/// <summary>A clip, its mel, and what a vocoder made of that.</summary>
/// <param name="Name">The file's name.</param>
/// <param name="Wave">The true waveform.</param>
/// <param name="Mel">Its log-mel [bands, frames].</param>
/// <param name="Decoded">The decoded waveform.</param>
/// <param name="DecodedMel">Its log-mel [bands, frames].</param>
public sealed record DecodedClip(string Name, float[] Wave, float[] Mel, float[] Decoded, float[] DecodedMel);

/// <summary>Sends clips through their mels and a vocoder and compares.</summary>
public sealed class VocoderJudge : IDisposable
{
    private const float MagnitudeFloor = 1e-3f;
    private readonly IBackend _backend;
    private readonly MelSpectrogram _analysis;
    private readonly List<(string Name, float[] Wave, float[] Mel)> _clips = [];

    /// <param name="backend">Where to compute.</param>
    /// <param name="settings">The mels.</param>
    /// <param name="files">Sound files; their first seconds are taken.</param>
    /// <param name="maxSeconds">How many seconds of each.</param>
    public VocoderJudge(IBackend backend, MelSettings settings, IEnumerable<string> files, double maxSeconds)
    {
        _backend = backend;
        _analysis = new MelSpectrogram(backend, settings);
        int hop = settings.HopLength, least = (Math.Max(ReconstructionLoss.MinSamples, settings.Pad) / hop + 4) * hop, most = Math.Max(least, (int)(maxSeconds * settings.SampleRate) / hop * hop);
        foreach (string file in files)
        {
            float[] clip = SpeechFolder.Clip(file, settings.SampleRate, least, most);
            float[] wave = clip[..(clip.Length / hop * hop)]; // As many samples as its frames decode to.
            _clips.Add((Path.GetFileName(file), wave, _analysis.Compute(wave)));
        }
    }

    /// <summary>How many clips there are.</summary>
    public int Clips => _clips.Count;

    /// <summary>Decodes every clip's mel and averages what comes of it.</summary>
    /// <param name="vocoder">Judged.</param>
    /// <param name="each">Called with each clip's number and result, or null.</param>
    /// <param name="cancel">Stops between two clips.</param>
    public VocoderScore Score(IVocoder vocoder, Action<int, DecodedClip>? each = null, CancellationToken cancel = default)
    {
        double mae = 0, mse = 0, max = 0, distance = 0, sound = 0;
        List<double> snr = [], r = [];
        var clock = new System.Diagnostics.Stopwatch();
        for (int i = 0; i < _clips.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            var (name, wave, mel) = _clips[i];
            clock.Start();
            float[] decoded = vocoder.Decode(mel, mel.Length / _analysis.Settings.Bands);
            clock.Stop();
            float[] again = _analysis.Compute(decoded);
            MelMetrics m = MelMetrics.Compare(mel, again);
            mae += m.MeanAbsoluteError;
            mse += m.MeanSquaredError;
            max = Math.Max(max, m.MaxDifference);
            if (double.IsFinite(m.SignalToNoise)) { snr.Add(m.SignalToNoise); }
            if (double.IsFinite(m.Correlation)) { r.Add(m.Correlation); }
            distance += LogSpectralDistance(wave, decoded);
            sound += wave.Length / (double)_analysis.Settings.SampleRate;
            each?.Invoke(i, new DecodedClip(name, wave, mel, decoded, again));
        }
        int n = _clips.Count;
        return new VocoderScore(n, mae / n, mse / n, max, Mean(snr), Mean(r), distance / n, sound / clock.Elapsed.TotalSeconds);
    }

    /// <inheritdoc/>
    public void Dispose() => _analysis.Dispose();

    private static double? Mean(List<double> values) => values.Count > 0 ? values.Average() : null;

    private double LogSpectralDistance(float[] wave, float[] decoded)
    {
        using var scope = new TensorScope();
        using var noGrad = GradMode.NoGrad();
        float[] a = Decibels(wave), b = Decibels(decoded);
        int bins = _analysis.Settings.Bins, frames = a.Length / bins;
        double sum = 0;
        for (int f = 0; f < frames; f++)
        {
            double squares = 0;
            for (int k = f * bins; k < (f + 1) * bins; k++) { squares += (a[k] - b[k]) * (double)(a[k] - b[k]); }
            sum += Math.Sqrt(squares / bins);
        }
        return sum / frames;
    }

    private float[] Decibels(float[] wave)
    {
        const float DecibelsPerNeper = 8.6858896f;
        return _analysis.Spectrum(Tensor.From(_backend, wave, 1, wave.Length)).Magnitude().LogClamp(MagnitudeFloor).Scale(DecibelsPerNeper).ToArray();
    }
}
