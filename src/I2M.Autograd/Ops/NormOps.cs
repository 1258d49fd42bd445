using I2M.Kernels;

namespace I2M.Autograd;

public static partial class TensorOps
{
    /// <summary>LayerNorm over the last dimension, with or without affine parameters; the result, and so its gradient, in the type that is asked for.</summary>
    public static Tensor LayerNorm(this Tensor x, Tensor? weight, Tensor? bias, float eps, ElementType result = ElementType.Float32)
    {
        Tensor y = x.EmptyLike(result, result);
        using Tensor mean = Tensor.Empty(x.Backend, x.Rows), rstd = Tensor.Empty(x.Backend, x.Rows);
        x.Backend.LayerNorm(x.View, ViewOrNone(weight), ViewOrNone(bias), x.Columns, eps, y.Data, mean.View, rstd.View);
        bool records = GradMode.IsEnabled && (x.RequiresGrad || weight is { RequiresGrad: true } || bias is { RequiresGrad: true });
        return records ? y.Attach(new LayerNormNode(x, weight, bias, mean, rstd)) : y;
    }

    /// <summary>
    /// AdaLN: normalised x · (1 + scale) + shift, scale and shift being chunks of the modulation's rows.
    /// </summary>
    /// <param name="x">[batch, tokens, channels]</param>
    /// <param name="modulation">[batch, chunks · channels]</param>
    /// <param name="scaleChunk">Chunk that holds the scale.</param>
    /// <param name="shiftChunk">Chunk that holds the shift.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="result">How the result, and so its gradient, is stored.</param>
    public static Tensor AdaLayerNorm(this Tensor x, Tensor modulation, int scaleChunk, int shiftChunk, float eps, ElementType result = ElementType.Float32)
    {
        ModulationShape shape = ModulationOf(x, modulation);
        Tensor y = x.EmptyLike(result, result);
        using Tensor mean = Tensor.Empty(x.Backend, x.Rows), rstd = Tensor.Empty(x.Backend, x.Rows);
        x.Backend.AdaLayerNorm(x.View, Chunk(modulation.View, scaleChunk, shape), Chunk(modulation.View, shiftChunk, shape), shape, eps, y.Data, mean.View, rstd.View);
        return GradMode.Records(x, modulation) ? y.Attach(new AdaLayerNormNode(x, modulation, mean, rstd, scaleChunk, shiftChunk, shape)) : y;
    }

    private static BufferView ViewOrNone(Tensor? tensor) => tensor?.View ?? BufferView.None;

    private static BufferView Chunk(BufferView modulation, int chunk, ModulationShape shape) => modulation.From((long)chunk * shape.Channels);

    private sealed class LayerNormNode : GradNode
    {
        private readonly BufferView _x, _weight, _mean, _rstd;
        private readonly int _channels;

        public LayerNormNode(Tensor x, Tensor? weight, Tensor? bias, Tensor mean, Tensor rstd) : base(x, weight, bias)
        {
            (_x, _mean, _rstd, _channels) = (Save(x), Save(mean), Save(rstd), x.Columns);
            _weight = weight is null ? BufferView.None : Save(weight);
        }

        public override void Backward()
        {
            BufferView dweight = Needs(1) ? Accumulate(1) : BufferView.None;
            BufferView dbias = Needs(2) ? Accumulate(2) : BufferView.None;
            if (Needs(0))
            {
                BufferView dx = AccumulateOrOverwrite(0, out bool accumulate);
                Backend.LayerNormBackward(_x, _weight, _mean, _rstd, OutputGradient, _channels, dx, dweight, dbias, accumulate);
                return;
            }
            using var scratch = new BufferScope(Backend.Pool);
            Backend.LayerNormBackward(_x, _weight, _mean, _rstd, OutputGradient, _channels, scratch.Rent(_x.Length), dweight, dbias);
        }
    }

    private sealed class AdaLayerNormNode : GradNode
    {
        private readonly BufferView _x, _modulation, _mean, _rstd;
        private readonly int _scaleChunk, _shiftChunk;
        private readonly ModulationShape _shape;

        public AdaLayerNormNode(Tensor x, Tensor modulation, Tensor mean, Tensor rstd, int scaleChunk, int shiftChunk, ModulationShape shape) : base(x, modulation)
        {
            (_x, _modulation, _mean, _rstd) = (Save(x), Save(modulation), Save(mean), Save(rstd));
            (_scaleChunk, _shiftChunk, _shape) = (scaleChunk, shiftChunk, shape);
        }

        public override void Backward()
        {
            using var scratch = new BufferScope(Backend.Pool);
            BufferView dmodulation;
            if (Needs(1)) { dmodulation = Accumulate(1); }
            else
            {
                dmodulation = scratch.Rent(_modulation.Length);
                Backend.Fill(dmodulation, 0);
            }
            BufferView dscale = Chunk(dmodulation, _scaleChunk, _shape), dshift = Chunk(dmodulation, _shiftChunk, _shape);
            BufferView scale = Chunk(_modulation, _scaleChunk, _shape);
            if (Needs(0))
            {
                BufferView dx = AccumulateOrOverwrite(0, out bool accumulate);
                Backend.AdaLayerNormBackward(_x, scale, _mean, _rstd, OutputGradient, _shape, dx, dscale, dshift, accumulate);
                return;
            }
            Backend.AdaLayerNormBackward(_x, scale, _mean, _rstd, OutputGradient, _shape, scratch.Rent(_x.Length), dscale, dshift);
        }
    }
}
