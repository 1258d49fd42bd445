using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Audio;

namespace I2M.Model.Vocos;

/// <summary>A Vocos model with its weights, ready to decode.</summary>
public sealed class VocosVocoder : IVocoder
{
    private readonly IBackend _backend;
    private readonly Tensor _window;

    /// <summary>The network.</summary>
    public VocosModel Model { get; }

    /// <summary>Its weights.</summary>
    public ParameterArena Arena { get; }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public MelSettings Settings => Model.Config.Mel;

    /// <summary>Without a seed the weights are zero until the loader writes them.</summary>
    internal VocosVocoder(IBackend backend, VocosConfig config, string name, bool trainable, ulong? seed = null)
    {
        _backend = backend;
        Name = name;
        Model = new VocosModel(config);
        Arena = new ParameterArena(backend, Model, seed, trainable);
        _window = Tensor.Persistent(backend, MelSpectrogram.HannWindow(config.Mel.FftSize), config.Mel.FftSize);
    }

    /// <summary>Log-mels [batch, bands, frames] → waveforms [batch, samples], recorded for a backward pass where gradients are on.</summary>
    public Tensor Forward(Tensor mel) => Model.Forward(mel, _window);

    /// <summary>
    /// Frames before and after a frame that the samples at it depend on: three for each convolution of seven (the embedding and one a block), and those whose windows
    /// reach over.
    /// </summary>
    public int ContextFrames => 3 * (Model.Config.Layers + 1) + (Settings.FftSize + 3 * Settings.HopLength - 1) / (2 * Settings.HopLength);

    /// <summary>What fits into one chunk of a <see cref="VocosStream"/> is decoded at once, more in chunks: the activations stay as small.</summary>
    public float[] Decode(ReadOnlySpan<float> mel, int frames)
    {
        if (frames <= VocosStream.DefaultChunkFrames + 2 * ContextFrames) { return DecodeAtOnce(mel, frames); }
        var wave = new float[Settings.SampleCount(frames)];
        int done = 0;
        var stream = new VocosStream(this, samples =>
        {
            samples.CopyTo(wave.AsSpan(done));
            done += samples.Length;
        });
        stream.Push(mel, frames);
        stream.Finish();
        return wave;
    }

    /// <summary>Decodes a mel of any length in one piece.</summary>
    internal float[] DecodeAtOnce(ReadOnlySpan<float> mel, int frames)
    {
        using var scope = new TensorScope();
        using var noGrad = GradMode.NoGrad();
        return Forward(Tensor.From(_backend, mel, 1, Settings.Bands, frames)).ToArray();
    }

    /// <summary>Queued without a wait.</summary>
    public Tensor Decode(Tensor mels)
    {
        using var noGrad = GradMode.NoGrad();
        return Forward(mels);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _window.Dispose();
        Arena.Dispose();
    }
}
