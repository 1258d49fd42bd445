using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;

namespace I2M.Model.Vocos.Training;

/// <summary>Tells true waveforms from decoded ones.</summary>
public abstract class Discriminator : Module
{
    private protected const float Slope = 0.1f;

    /// <summary>What it notices in waveforms [batch, samples], layer by layer, and last the scores: positive for true ones.</summary>
    public abstract List<Tensor> Forward(Tensor wave);

    /// <summary>A convolution with its weights, drawn as PyTorch draws them.</summary>
    private protected sealed class Conv : Module
    {
        private readonly Parameter _weight, _bias;
        private readonly Conv2dGeometry _geometry;

        public Conv(int inputs, int outputs, Conv2dGeometry geometry)
        {
            _geometry = geometry;
            _weight = AddParameter("weight", [outputs, geometry.KernelHeight, geometry.KernelWidth, inputs], Initializers.KaimingUniform);
            _bias = AddParameter("bias", [outputs], Initializers.UniformBias(geometry.KernelHeight * geometry.KernelWidth * inputs), decay: false);
        }

        public Tensor Forward(Tensor x) => x.Conv2d(_weight.Value, _bias.Value, _geometry);
    }

    /// <summary>Layers with leaky ReLUs between them; the last gives the scores.</summary>
    private protected static List<Tensor> Forward(Tensor x, ModuleList<Conv> layers, int firstNoticed)
    {
        var noticed = new List<Tensor>();
        for (int i = 0; i < layers.Items.Count; i++)
        {
            Tensor y = layers.Items[i].Forward(x);
            x = i + 1 < layers.Items.Count ? y.LeakyRelu(Slope) : y;
            if (i >= firstNoticed) { noticed.Add(x); }
        }
        return noticed;
    }

    private protected static int Channels(int paper, double width) => Math.Max(1, (int)Math.Round(paper * width));
}

/// <summary>Looks at every p-th sample (HiFi-GAN, arXiv 2010.05646): the waveform is folded to [samples/p, p] and convolved along time alone.</summary>
public sealed class PeriodDiscriminator : Discriminator
{
    private readonly int _period;
    private readonly ModuleList<Conv> _layers;

    /// <param name="period">Samples of a row.</param>
    /// <param name="width">Factor of the paper's channels.</param>
    public PeriodDiscriminator(int period, double width)
    {
        _period = period;
        int[] channels = [1, .. new[] { 32, 128, 512, 1024, 1024 }.Select(c => Channels(c, width))];
        List<Conv> layers = [.. Enumerable.Range(0, 5).Select(i => new Conv(channels[i], channels[i + 1], new Conv2dGeometry(5, 1, StrideHeight: i < 4 ? 3 : 1, PadHeight: 2)))];
        layers.Add(new Conv(channels[5], 1, new Conv2dGeometry(3, 1, PadHeight: 1)));
        _layers = AddModule("convs", new ModuleList<Conv>(layers));
    }

    /// <inheritdoc/>
    public override List<Tensor> Forward(Tensor wave)
    {
        int batch = wave.Shape[0], rows = wave.Shape[1] / _period;
        using Tensor whole = wave.SliceColumns(0, rows * _period);
        using Tensor folded = whole.Reshape(batch, rows, _period, 1);
        return Forward(folded, _layers, firstNoticed: 1);
    }
}

/// <summary>Looks at magnitudes of one short-time spectrum with a rectangular window (UnivNet, arXiv 2106.07889).</summary>
public sealed class ResolutionDiscriminator : Discriminator
{
    private readonly int _size, _hop;
    private readonly ModuleList<Conv> _layers;

    /// <param name="size">Samples of a frame.</param>
    /// <param name="hop">Samples between two frames.</param>
    /// <param name="width">Factor of the paper's channels.</param>
    public ResolutionDiscriminator(int size, int hop, double width)
    {
        (_size, _hop) = (size, hop);
        int c = Channels(64, width);
        // Height is time, width frequency.
        _layers = AddModule("convs", new ModuleList<Conv>(
        [
            new Conv(1, c, new Conv2dGeometry(5, 7, 2, 2, 2, 3)),
            new Conv(c, c, new Conv2dGeometry(3, 5, 1, 2, 1, 2)),
            new Conv(c, c, new Conv2dGeometry(3, 5, 2, 2, 1, 2)),
            new Conv(c, c, new Conv2dGeometry(3, 3, 1, 2, 1, 1)),
            new Conv(c, c, new Conv2dGeometry(3, 3, 2, 2, 1, 1)),
            new Conv(c, 1, new Conv2dGeometry(3, 3, 1, 1, 1, 1)),
        ]));
    }

    /// <inheritdoc/>
    public override List<Tensor> Forward(Tensor wave)
    {
        int batch = wave.Shape[0], samples = wave.Shape[1], frames = 1 + samples / _hop;
        using Tensor cut = wave.Frame(null, new FrameShape(batch, samples, frames, _size, _hop, _size / 2));
        using Tensor spectrum = cut.RealFft();
        using Tensor magnitude = spectrum.Magnitude();
        using Tensor picture = magnitude.Reshape(batch, frames, _size / 2 + 1, 1);
        return Forward(picture, _layers, firstNoticed: 0);
    }
}

/// <summary>Five multi-period and three multi-resolution discriminators, as Vocos is trained with.</summary>
public sealed class DiscriminatorSet : Module
{
    private readonly ModuleList<PeriodDiscriminator> _periods;
    private readonly ModuleList<ResolutionDiscriminator> _resolutions;

    /// <param name="width">Factor of the paper's channels.</param>
    public DiscriminatorSet(double width)
    {
        _periods = AddModule("periods", new ModuleList<PeriodDiscriminator>(new[] { 2, 3, 5, 7, 11 }.Select(p => new PeriodDiscriminator(p, width))));
        _resolutions = AddModule("resolutions", new ModuleList<ResolutionDiscriminator>(new[] { (1024, 256), (2048, 512), (512, 128) }.Select(r => new ResolutionDiscriminator(r.Item1, r.Item2, width))));
    }

    /// <summary>Each discriminator with its weight in the sum: those of a kind share the kind's.</summary>
    /// <param name="resolutionWeight">Weight of the multi-resolution kind; the other's is 1.</param>
    public IEnumerable<(Discriminator Discriminator, float Weight)> Weighted(double resolutionWeight)
    {
        foreach (PeriodDiscriminator each in _periods.Items) { yield return (each, 1f / _periods.Items.Count); }
        foreach (ResolutionDiscriminator each in _resolutions.Items) { yield return (each, (float)resolutionWeight / _resolutions.Items.Count); }
    }
}
