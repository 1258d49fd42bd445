using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Audio;

namespace I2M.Model.Vocos;

/// <summary>
/// Vocos (Siuzdak 2023, arXiv 2306.00814): a ConvNeXt backbone over mel frames predicts magnitude and phase of a short-time spectrum; one inverse
/// STFT gives the waveform. Parameter names are those of charactr/vocos-mel-24khz.
/// </summary>
public sealed class VocosModel : Module
{
    private const float Eps = 1e-6f;
    private const float MagnitudeLimit = 100;
    private readonly Backbone _backbone;
    private readonly Head _head;

    /// <summary>Sizes and mel settings.</summary>
    public VocosConfig Config { get; }

    /// <param name="config">Sizes and mel settings.</param>
    public VocosModel(VocosConfig config)
    {
        Config = config;
        _backbone = AddModule("backbone", new Backbone(config));
        _head = AddModule("head", new Head(config));
    }

    /// <summary>Log-mels [batch, bands, frames] → features [batch, frames, dim].</summary>
    public Tensor Features(Tensor mel)
    {
        using Tensor frames = mel.TransposeLast();                                 // [batch, frames, bands]
        return _backbone.Forward(frames);
    }

    /// <summary>Log-mels [batch, bands, frames] → waveforms [batch, samples].</summary>
    /// <param name="mel">Natural logarithm, not normalised.</param>
    /// <param name="window">The Hann window [fftSize].</param>
    public Tensor Forward(Tensor mel, Tensor window)
    {
        using Tensor features = Features(mel);                                     // [batch, frames, dim]
        using Tensor spectrum = _head.Forward(features);                           // [batch·frames, bins, 2]
        return InverseStft.Apply(spectrum, window, Config.Mel, mel.Shape[0]);
    }

    private sealed class Backbone : Module
    {
        private readonly Conv _embed;
        private readonly LayerNorm _norm, _finalNorm;
        private readonly ModuleList<ConvNextBlock> _blocks;

        public Backbone(VocosConfig config)
        {
            _embed = AddModule("embed", new Conv(config.Mel.Bands, config.Dim, depthwise: false));
            _norm = AddModule("norm", new LayerNorm(config.Dim, Eps));
            _blocks = AddModule("convnext", new ModuleList<ConvNextBlock>(Enumerable.Range(0, config.Layers).Select(_ => new ConvNextBlock(config))));
            _finalNorm = AddModule("final_layer_norm", new LayerNorm(config.Dim, Eps));
        }

        public Tensor Forward(Tensor frames)
        {
            using Tensor embedded = _embed.Forward(frames);                        // [batch, frames, dim]
            Tensor h = _norm.Forward(embedded);
            foreach (ConvNextBlock block in _blocks.Items)
            {
                Tensor next = block.Forward(h);
                h.Dispose();
                h = next;
            }
            Tensor result = _finalNorm.Forward(h);
            h.Dispose();
            return result;
        }
    }

    private sealed class ConvNextBlock : Module
    {
        private readonly Parameter _gamma;
        private readonly Conv _depthwise;
        private readonly LayerNorm _norm;
        private readonly Linear _expand, _contract;

        public ConvNextBlock(VocosConfig config)
        {
            _gamma = AddParameter("gamma", [config.Dim], Initializers.Constant(1f / config.Layers), decay: false);
            _depthwise = AddModule("dwconv", new Conv(config.Dim, config.Dim, depthwise: true));
            _norm = AddModule("norm", new LayerNorm(config.Dim, Eps));
            _expand = AddModule("pwconv1", new Linear(config.Dim, config.IntermediateDim, Initializers.Normal(0.02)));
            _contract = AddModule("pwconv2", new Linear(config.IntermediateDim, config.Dim, Initializers.Normal(0.02)));
        }

        public Tensor Forward(Tensor x)
        {
            using Tensor c = _depthwise.Forward(x);                                // [batch, frames, dim]
            using Tensor n = _norm.Forward(c);
            using Tensor p = Linear.GeluPair(_expand, n, _contract, GemmActivation.GeluErf);   // [batch, frames, dim]
            return x.GatedResidual(p, _gamma.Value);
        }
    }

    private sealed class Conv : Module
    {
        private readonly Parameter _weight, _bias;
        private readonly bool _depthwise;

        public Conv(int inputs, int outputs, bool depthwise)
        {
            _weight = AddParameter("weight", [outputs, depthwise ? 1 : inputs, 7], Initializers.Normal(0.02));
            _bias = AddParameter("bias", [outputs], Initializers.Zeros, decay: false);
            _depthwise = depthwise;
        }

        public Tensor Forward(Tensor x) => _depthwise ? x.DepthwiseConv1d(_weight.Value, _bias.Value) : x.Conv1d(_weight.Value, _bias.Value);
    }

    private sealed class Head : Module
    {
        private readonly Linear _out;

        public Head(VocosConfig config) => _out = AddModule("out", new Linear(config.Dim, config.Mel.FftSize + 2, Initializers.Normal(0.02)));

        public Tensor Forward(Tensor features)
        {
            using Tensor x = _out.Forward(features);                               // [batch, frames, 2·bins]: log-magnitudes, phases
            return x.PolarSpectrum(MagnitudeLimit);
        }
    }
}
