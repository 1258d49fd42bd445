using I2M.Autograd;
using I2M.Kernels;

namespace I2M.Model.Audio;

/// <summary>
/// Log-mel features as Vocos computes them: periodic Hann window, magnitude spectrum (power 1), mel filters, natural logarithm with a floor.
/// Differentiable, on any backend.
/// </summary>
public sealed class MelSpectrogram : IDisposable
{
    /// <summary>44 s at 24 kHz and 256 samples a frame: spectra of 17 MiB.</summary>
    private const int PieceFrames = 4096;
    private readonly IBackend _backend;
    private readonly Tensor _filters;

    /// <summary>The analysis settings.</summary>
    public MelSettings Settings { get; }

    /// <summary>The Hann window [fftSize].</summary>
    public Tensor Window { get; }

    /// <param name="backend">Where to compute.</param>
    /// <param name="settings">Analysis settings.</param>
    public MelSpectrogram(IBackend backend, MelSettings settings)
    {
        _backend = backend;
        Settings = settings;
        Window = Tensor.Persistent(backend, HannWindow(settings.FftSize), settings.FftSize);
        _filters = Tensor.Persistent(backend, MelFilterBank.Create(settings), settings.Bins, settings.Bands);
    }

    /// <summary>The periodic Hann window w[i] = ½ − ½·cos(2πi/size).</summary>
    public static float[] HannWindow(int size)
    {
        var window = new float[size];
        for (int i = 0; i < size; i++) { window[i] = (float)(0.5 - 0.5 * Math.Cos(2 * Math.PI * i / size)); }
        return window;
    }

    /// <summary>Complex spectrum of waveforms [batch, samples] → [batch·frames, bins, 2].</summary>
    /// <exception cref="I2MException">The clip is too short to be mirrored at its ends.</exception>
    public Tensor Spectrum(Tensor wave)
    {
        int batch = wave.Shape[0], samples = wave.Shape[1];
        if (samples <= Settings.Pad) { throw new I2MException($"audio: {samples} samples: expected more than {Settings.Pad} at {Settings.SampleRate} Hz"); }
        var shape = new FrameShape(batch, samples, Settings.FrameCount(samples), Settings.FftSize, Settings.HopLength, Settings.Pad);
        using Tensor frames = wave.Frame(Window, shape);
        return frames.RealFft();
    }

    /// <summary>Log-mel features of waveforms [batch, samples] → [batch, bands, frames].</summary>
    public Tensor Forward(Tensor wave)
    {
        int batch = wave.Shape[0];
        using Tensor spectrum = Spectrum(wave);                                    // [batch·frames, bins, 2]
        using Tensor magnitude = spectrum.Magnitude();                             // [batch·frames, bins]
        using Tensor mel = magnitude.MatMul(_filters);                             // [batch·frames, bands]
        using Tensor log = mel.LogClamp(Settings.Floor);
        using Tensor shaped = log.Reshape(batch, (int)(log.Length / batch / Settings.Bands), Settings.Bands);
        return shaped.TransposeLast();                                             // [batch, bands, frames]
    }

    /// <summary>Log-mel features of one clip, [bands, frames] row-major; a long one is analysed in pieces, so that the spectra stay small.</summary>
    /// <exception cref="I2MException">The clip is too short to be mirrored at its ends.</exception>
    public float[] Compute(ReadOnlySpan<float> wave)
    {
        int frames = Settings.FrameCount(wave.Length), hop = Settings.HopLength;
        if (frames < 2 * PieceFrames) { return ComputeAtOnce(wave); }
        var mel = new float[Settings.Bands * frames];
        // A piece that begins within the clip is mirrored there too: frames that see that are left out.
        int lead = (Settings.Pad + hop - 1) / hop;
        for (int first = 0, count; first < frames; first += count)
        {
            // The last piece takes the rest, so that it is long enough for its own end to be mirrored.
            count = frames - first < 2 * PieceFrames ? frames - first : PieceFrames;
            int skip = first == 0 ? 0 : lead, start = (first - skip) * hop;
            int end = first + count == frames ? wave.Length : (first + count - 1) * hop - Settings.Pad + Settings.FftSize;
            float[] piece = ComputeAtOnce(wave[start..end]);
            int held = piece.Length / Settings.Bands;
            for (int b = 0; b < Settings.Bands; b++) { piece.AsSpan(b * held + skip, count).CopyTo(mel.AsSpan(b * frames + first)); }
        }
        return mel;
    }

    private float[] ComputeAtOnce(ReadOnlySpan<float> wave)
    {
        using var scope = new TensorScope();
        using var noGrad = GradMode.NoGrad();
        return Forward(Tensor.From(_backend, wave, 1, wave.Length)).ToArray();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Window.Dispose();
        _filters.Dispose();
    }
}
