using I2M.Kernels;

namespace I2M.Autograd;

/// <summary>The residual stream after a branch and what the next branch reads of it.</summary>
/// <param name="Sum">x + gate · h, [batch, tokens, channels].</param>
/// <param name="Normed">AdaLN of the sum, [batch, tokens, channels].</param>
public readonly record struct ResidualNorm(Tensor Sum, Tensor Normed) : IDisposable
{
    /// <summary>Lets go of both.</summary>
    public void Dispose()
    {
        Sum.Dispose();
        Normed.Dispose();
    }
}

public static partial class TensorOps
{
    /// <summary>
    /// <see cref="GatedResidual"/> and <see cref="AdaLayerNorm"/> of its result in one pass: sum = x + gate ∘ h, normed = normalised sum · (1 + scale) + shift.
    /// </summary>
    /// <param name="x">[batch, tokens, channels]</param>
    /// <param name="h">[batch, tokens, channels], float32 or bfloat16</param>
    /// <param name="modulation">[batch, chunks · channels]</param>
    /// <param name="gateChunk">Chunk that holds the gate.</param>
    /// <param name="scaleChunk">Chunk that holds the scale.</param>
    /// <param name="shiftChunk">Chunk that holds the shift.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="result">How the normed values, and so their gradient, are stored; the sum is float32.</param>
    public static ResidualNorm ResidualAdaLayerNorm(this Tensor x, Tensor h, Tensor modulation, int gateChunk, int scaleChunk, int shiftChunk, float eps,
        ElementType result = ElementType.Float32)
    {
        ModulationShape shape = ModulationOf(x, modulation);
        BufferView gate = Chunk(modulation.View, gateChunk, shape), scale = Chunk(modulation.View, scaleChunk, shape), shift = Chunk(modulation.View, shiftChunk, shape);
        Tensor sum = x.EmptyLike(), normed = x.EmptyLike(result, result);
        using Tensor mean = Tensor.Empty(x.Backend, x.Rows), rstd = Tensor.Empty(x.Backend, x.Rows);
        x.Backend.ResidualAdaLayerNorm(x.View, h.Data, gate, scale, shift, shape, eps, sum.View, normed.Data, mean.View, rstd.View);
        if (GradMode.Records(x, h, modulation))
        {
            var residual = new GatedResidualNode(x, h, modulation, gateChunk, shape);
            sum.Attach(residual);
            normed.Attach(new ResidualAdaLayerNormNode(residual, sum, h, modulation, mean, rstd, (gateChunk, scaleChunk, shiftChunk), shape));
        }
        return new ResidualNorm(sum, normed);
    }

    /// <summary>
    /// The norm's node, made after the residual's, runs before it, when all that flows around the norm is in the sum's gradient: it completes that and does the
    /// residual's work on h and the gate with it. Where nothing reads the normed values, it does not run, and the residual works for itself.
    /// </summary>
    private sealed class ResidualAdaLayerNormNode : GradNode
    {
        private readonly GatedResidualNode _residual;
        private readonly BufferView _sum, _h, _modulation, _mean, _rstd;
        private readonly (int Gate, int Scale, int Shift) _chunks;
        private readonly ModulationShape _shape;

        public ResidualAdaLayerNormNode(GatedResidualNode residual, Tensor sum, Tensor h, Tensor modulation, Tensor mean, Tensor rstd, (int, int, int) chunks, ModulationShape shape)
            : base(sum, h, modulation)
        {
            (_residual, _sum, _h, _modulation, _mean, _rstd) = (residual, Save(sum), Save(h), Save(modulation), Save(mean), Save(rstd));
            (_chunks, _shape) = (chunks, shape);
        }

        public override void Backward()
        {
            BufferView dgate = default, dscale = default, dshift = default;
            if (Needs(2))
            {
                BufferView dmodulation = Accumulate(2);
                (dgate, dscale, dshift) = (Chunk(dmodulation, _chunks.Gate, _shape), Chunk(dmodulation, _chunks.Scale, _shape), Chunk(dmodulation, _chunks.Shift, _shape));
            }
            BufferView dx = AccumulateOrOverwrite(0, out bool accumulate);
            if (Needs(1))
            {
                using Target dh = Overwrite(1);
                Run(dx, dh.View, dgate, dscale, dshift, accumulate);
            }
            else { Run(dx, BufferView.None, dgate, dscale, dshift, accumulate); }
            _residual.BranchIsDone = true;
        }

        private void Run(BufferView dx, BufferView dh, BufferView dgate, BufferView dscale, BufferView dshift, bool accumulate) =>
            Backend.ResidualAdaLayerNormBackward(_sum, _h, Chunk(_modulation, _chunks.Gate, _shape), Chunk(_modulation, _chunks.Scale, _shape), _mean, _rstd, OutputGradient, _shape,
                dx, dh, dgate, dscale, dshift, accumulate);
    }
}
