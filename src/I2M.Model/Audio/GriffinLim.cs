using I2M.Autograd;
using I2M.Kernels;

namespace I2M.Model.Audio;

/// <summary>
/// Speech from a log-mel without a trained vocoder: magnitudes by inverting the filter bank under non-negativity, phases by the fast
/// Griffin–Lim algorithm (Perraudin et al. 2013). Sounds metallic; a Vocos sounds better.
/// </summary>
public sealed class GriffinLim : IVocoder
{
    private const int PieceFrames = 2048, OverlapFrames = 16;
    private readonly IBackend _backend;
    private readonly MelSpectrogram _analysis;
    private readonly float[] _filters;
    private readonly int _iterations;
    private readonly double _momentum;

    /// <inheritdoc/>
    public string Name => $"Griffin-Lim ({_iterations} iterations{(Reason is null ? "" : "; " + Reason)})";

    /// <summary>Why it speaks, where nobody asked for it.</summary>
    public string? Reason { get; init; }

    /// <inheritdoc/>
    public MelSettings Settings => _analysis.Settings;

    /// <param name="backend">Where to compute.</param>
    /// <param name="settings">The mel's settings.</param>
    /// <param name="iterations">Phase iterations.</param>
    /// <param name="momentum">Acceleration, 0 to 1; 0 is the original algorithm.</param>
    public GriffinLim(IBackend backend, MelSettings settings, int iterations = 60, double momentum = 0.99)
    {
        _backend = backend;
        _analysis = new MelSpectrogram(backend, settings);
        _filters = MelFilterBank.Create(settings);
        (_iterations, _momentum) = (iterations, momentum);
    }

    /// <summary>A long mel is decoded in pieces that overlap and are faded into each other, as phases of its own come out of each: memory does not grow with it.</summary>
    public float[] Decode(ReadOnlySpan<float> mel, int frames)
    {
        if (frames <= PieceFrames) { return DecodeAtOnce(mel, frames); }
        var wave = new float[Settings.SampleCount(frames)];
        for (int first = 0, end = 0; end < frames; first += PieceFrames - OverlapFrames)
        {
            // The last piece takes a short rest too, as one alone may be too short to analyse.
            int count = frames - first <= PieceFrames + PieceFrames / 4 ? frames - first : PieceFrames;
            var piece = new float[Settings.Bands * count];
            for (int b = 0; b < Settings.Bands; b++) { mel.Slice(b * frames + first, count).CopyTo(piece.AsSpan(b * count)); }
            FadeIn(DecodeAtOnce(piece, count), wave.AsSpan(first * Settings.HopLength), first == 0 ? 0 : (OverlapFrames - 1) * Settings.HopLength);
            end = first + count;
        }
        return wave;
    }

    /// <summary>Puts a piece over what is there, from nothing to all of it within so many samples.</summary>
    private static void FadeIn(float[] piece, Span<float> wave, int fade)
    {
        for (int i = 0; i < fade; i++) { wave[i] += (piece[i] - wave[i]) * i / fade; }
        piece.AsSpan(fade).CopyTo(wave[fade..]);
    }

    private float[] DecodeAtOnce(ReadOnlySpan<float> mel, int frames)
    {
        using var scope = new TensorScope();
        using var noGrad = GradMode.NoGrad();
        float[] magnitude = Magnitudes(mel, frames);
        int bins = Settings.Bins;
        var phases = new float[frames * bins * 2];
        for (int i = 0; i < frames * bins; i++)
        {
            double angle = 2 * Math.PI * Philox.Uniform(0, 0, i);
            (phases[2 * i], phases[2 * i + 1]) = ((float)Math.Cos(angle), (float)Math.Sin(angle));
        }
        var previous = new float[phases.Length];
        var spectrum = new float[phases.Length];
        for (int iteration = 0; iteration < _iterations; iteration++)
        {
            using var step = new TensorScope();
            Project(magnitude, phases, spectrum);
            Tensor wave = Inverse(spectrum, frames);
            float[] rebuilt = _analysis.Spectrum(wave).ToArray();
            for (int i = 0; i < phases.Length; i++)
            {
                phases[i] = (float)(rebuilt[i] + _momentum * (rebuilt[i] - previous[i]));
                previous[i] = rebuilt[i];
            }
        }
        Project(magnitude, phases, spectrum);
        return Inverse(spectrum, frames).ToArray();
    }

    /// <summary>Magnitudes and phases are projected on the host: one mel after another, with waits.</summary>
    public Tensor Decode(Tensor mels)
    {
        int count = mels.Shape[0], frames = mels.Columns, each = checked((int)(mels.Length / count));
        float[] data = mels.ToArray();
        float[][] waves = [.. Enumerable.Range(0, count).Select(i => Decode(data.AsSpan(i * each, each), frames))];
        return Tensor.From(_backend, [.. waves.SelectMany(w => w)], count, waves[0].Length);
    }

    /// <inheritdoc/>
    public void Dispose() => _analysis.Dispose();

    private Tensor Inverse(float[] spectrum, int frames) =>
        InverseStft.Apply(Tensor.From(_backend, spectrum, frames, Settings.Bins, 2), _analysis.Window, Settings, batch: 1);

    /// <summary>magnitude · z/|z|, with phase 0 where z vanishes.</summary>
    private static void Project(float[] magnitude, float[] z, float[] spectrum)
    {
        for (int i = 0; i < magnitude.Length; i++)
        {
            double re = z[2 * i], im = z[2 * i + 1], length = Math.Sqrt(re * re + im * im);
            double factor = length > 1e-16 ? magnitude[i] / length : 0;
            spectrum[2 * i] = length > 1e-16 ? (float)(re * factor) : magnitude[i];
            spectrum[2 * i + 1] = (float)(im * factor);
        }
    }

    /// <summary>
    /// Linear magnitudes [frames, bins] from log-mels [bands, frames]: multiplicative updates s ← s ∘ (F·(m / sF)) / (F·1) descend the
    /// Kullback–Leibler divergence between m and sF (Lee &amp; Seung 2001) with s ≥ 0. It weighs quiet bands by their own size, as the
    /// ear and the log-mel do; least squares would fit the loud ones only.
    /// </summary>
    private float[] Magnitudes(ReadOnlySpan<float> mel, int frames)
    {
        int bins = Settings.Bins, bands = Settings.Bands;
        var wanted = new float[frames * bands];
        for (int f = 0; f < frames; f++)
        {
            for (int b = 0; b < bands; b++) { wanted[f * bands + b] = MathF.Exp(mel[b * frames + f]); }
        }
        float[] weights = [.. Enumerable.Range(0, bins).Select(k => _filters.AsSpan(k * bands, bands).ToArray().Sum())];
        Tensor filters = Tensor.From(_backend, _filters, bins, bands), transposed = filters.TransposeLast();
        float[] s = Tensor.From(_backend, wanted, frames, bands).MatMul(transposed).ToArray();
        var ratio = new float[wanted.Length];
        for (int iteration = 0; iteration < 40; iteration++)
        {
            using var step = new TensorScope();
            float[] now = Tensor.From(_backend, s, frames, bins).MatMul(filters).ToArray();
            for (int i = 0; i < ratio.Length; i++) { ratio[i] = wanted[i] / (now[i] + 1e-12f); }
            float[] correction = Tensor.From(_backend, ratio, frames, bands).MatMul(transposed).ToArray();
            for (int i = 0; i < s.Length; i++) { s[i] = weights[i % bins] > 0 ? s[i] * correction[i] / weights[i % bins] : 0; }
        }
        return s;
    }
}
