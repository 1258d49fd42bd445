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

    /// <summary>The weights are undefined until the loader writes them.</summary>
    internal VocosVocoder(IBackend backend, VocosConfig config, string name, bool trainable)
    {
        _backend = backend;
        Name = name;
        Model = new VocosModel(config);
        Arena = new ParameterArena(backend, Model, seed: null, trainable);
        _window = Tensor.Persistent(backend, MelSpectrogram.HannWindow(config.Mel.FftSize), config.Mel.FftSize);
    }

    /// <summary>Log-mels [batch, bands, frames] → waveforms [batch, samples], recorded for a backward pass where gradients are on.</summary>
    public Tensor Forward(Tensor mel) => Model.Forward(mel, _window);

    /// <inheritdoc/>
    public float[] Decode(ReadOnlySpan<float> mel, int frames)
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
