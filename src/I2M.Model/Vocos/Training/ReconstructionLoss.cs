using I2M.Autograd;
using I2M.Kernels;
using I2M.Model.Audio;

namespace I2M.Model.Vocos.Training;

/// <summary>Losses of a batch, each a scalar on the device.</summary>
/// <param name="Total">The weighted sum that is descended.</param>
/// <param name="Mel">Mean absolute error of the log-mels.</param>
/// <param name="Stft">Spectral convergence and log-magnitude error, summed, averaged over the resolutions.</param>
public readonly record struct LossTensors(Tensor Total, Tensor Mel, Tensor Stft);

/// <summary>
/// How far a decoded waveform is from the true one, without regard to phase: the L1 distance of log-mels (Vocos, arXiv 2306.00814) and the multi-resolution
/// STFT loss (Parallel WaveGAN, arXiv 1910.11480).
/// <code>
/// total = melWeight · mean |mel − mel̂| + stftWeight · mean over resolutions of (‖S − Ŝ‖ / ‖S‖ + mean |ln S − ln Ŝ|)
/// </code>
/// S are magnitudes; the norms are taken per waveform and their ratios averaged. Hops differ from the synthesis' own, so that no frame of it is favoured.
/// </summary>
public sealed class ReconstructionLoss : IDisposable
{
    /// <summary>Below this magnitude, about −108 dB of full scale at the middle resolution, nothing is heard and logarithms are not compared.</summary>
    private const float MagnitudeFloor = 1e-3f;
    /// <summary>Mean energy of a spectrum below which a waveform counts as silent: its convergence is not divided by less.</summary>
    private const float EnergyFloor = 1e-4f;
    private static readonly (int Size, int Hop)[] s_resolutions = [(512, 120), (1024, 240), (2048, 480)];

    private readonly IBackend _backend;
    private readonly MelSpectrogram _mel;
    private readonly (Tensor Window, int Size, int Hop)[] _resolutions;
    private readonly float _melWeight, _stftWeight;

    /// <param name="backend">Where to compute.</param>
    /// <param name="mel">The vocoder's mels.</param>
    /// <param name="melWeight">Weight of the mel loss.</param>
    /// <param name="stftWeight">Weight of the STFT loss.</param>
    public ReconstructionLoss(IBackend backend, MelSettings mel, double melWeight, double stftWeight)
    {
        _backend = backend;
        _mel = new MelSpectrogram(backend, mel);
        _resolutions = [.. s_resolutions.Select(r => (Tensor.Persistent(backend, MelSpectrogram.HannWindow(r.Size), r.Size), r.Size, r.Hop))];
        (_melWeight, _stftWeight) = ((float)melWeight, (float)stftWeight);
    }

    /// <summary>Fewest samples of a waveform.</summary>
    public static int MinSamples => s_resolutions.Max(r => r.Size) / 2 + 1;

    /// <summary>Log-mels of waveforms [batch, samples] → [batch, bands, frames], constant.</summary>
    public Tensor Mel(Tensor wave)
    {
        using var noGrad = GradMode.NoGrad();
        return _mel.Forward(wave);
    }

    /// <summary>The losses of decoded waveforms.</summary>
    /// <param name="decoded">[batch, samples]</param>
    /// <param name="wave">[batch, samples], constant.</param>
    /// <param name="mel">The true waveforms' log-mels from <see cref="Mel"/>.</param>
    public LossTensors Forward(Tensor decoded, Tensor wave, Tensor mel)
    {
        Tensor melLoss = _mel.Forward(decoded).Subtract(mel).Abs().Mean();
        Tensor? stft = null;
        foreach (var (window, size, hop) in _resolutions)
        {
            Tensor one = StftLoss(decoded, wave, window, size, hop);
            stft = stft is null ? one : stft.Add(one);
        }
        Tensor stftLoss = stft!.Scale(1f / _resolutions.Length);
        return new LossTensors(TensorOps.Axpby(_melWeight, melLoss, _stftWeight, stftLoss), melLoss, stftLoss);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _mel.Dispose();
        foreach (var (window, _, _) in _resolutions) { window.Dispose(); }
    }

    private Tensor StftLoss(Tensor decoded, Tensor wave, Tensor window, int size, int hop)
    {
        int batch = wave.Shape[0];
        Tensor target = Target(wave, window, size, hop);                           // [batch·frames, bins]
        using Tensor magnitude = Magnitudes(decoded, window, size, hop);
        using Tensor error = magnitude.SquaredErrorRows(target, batch);            // [batch]
        using Tensor distance = error.SqrtClamp(1e-12f);
        Tensor convergence = distance.WeightedSum(InverseNorms(target, batch));
        using Tensor log = magnitude.LogClamp(MagnitudeFloor);
        using Tensor difference = log.Subtract(LogOf(target));
        using Tensor absolute = difference.Abs();
        return convergence.Add(absolute.Mean());
    }

    private static Tensor Target(Tensor wave, Tensor window, int size, int hop)
    {
        using var noGrad = GradMode.NoGrad();
        return Magnitudes(wave, window, size, hop);
    }

    private static Tensor LogOf(Tensor target)
    {
        using var noGrad = GradMode.NoGrad();
        return target.LogClamp(MagnitudeFloor);
    }

    private static Tensor Magnitudes(Tensor wave, Tensor window, int size, int hop)
    {
        int batch = wave.Shape[0], samples = wave.Shape[1];
        using Tensor frames = wave.Frame(window, new FrameShape(batch, samples, 1 + samples / hop, size, hop, size / 2));
        using Tensor spectrum = frames.RealFft();
        return spectrum.Magnitude();
    }

    /// <summary>1 / (batch · √(mean S²)) of each waveform: with roots of mean squared errors, the mean ratio of norms.</summary>
    private Tensor InverseNorms(Tensor target, int batch)
    {
        using var noGrad = GradMode.NoGrad();
        int bins = target.Columns, frames = target.Rows / batch;
        using Tensor squares = target.Multiply(target).Reshape(batch, frames, bins);
        using Tensor columns = squares.MeanTokens().Reshape(batch, bins, 1);
        float[] energies = columns.MeanTokens().ToArray();
        for (int b = 0; b < batch; b++) { energies[b] = 1 / (batch * MathF.Sqrt(MathF.Max(energies[b], EnergyFloor))); }
        return Tensor.From(_backend, energies, batch);
    }
}
