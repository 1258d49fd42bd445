using I2M.Kernels;

namespace I2M.Autograd;

public static partial class TensorOps
{
    /// <summary>Convolution with "same" zero padding, channels last.</summary>
    /// <param name="x">[batch, length, in]</param>
    /// <param name="weight">[out, in, kernel]</param>
    /// <param name="bias">[out]</param>
    public static Tensor Conv1d(this Tensor x, Tensor weight, Tensor bias)
    {
        var shape = new Conv1dShape(x.Shape[0], x.Shape[1], x.Shape[2], weight.Shape[0], weight.Shape[2]);
        if (weight.Shape[1] != shape.InChannels) { throw new ArgumentException($"Conv1d: the input has {shape.InChannels} channels, the weight wants {weight.Shape[1]}."); }
        Tensor y = Tensor.Empty(x.Backend, shape.Batch, shape.Length, shape.OutChannels);
        x.Backend.Conv1d(x.View, weight.View, bias.View, shape, y.View);
        return GradMode.Records(x, weight, bias) ? y.Attach(new Conv1dNode(x, weight, bias, shape, depthwise: false)) : y;
    }

    /// <summary>Depthwise convolution with "same" zero padding, channels last.</summary>
    /// <param name="x">[batch, length, channels]</param>
    /// <param name="weight">[channels, 1, kernel]</param>
    /// <param name="bias">[channels]</param>
    public static Tensor DepthwiseConv1d(this Tensor x, Tensor weight, Tensor bias)
    {
        var shape = new Conv1dShape(x.Shape[0], x.Shape[1], x.Shape[2], weight.Shape[0], weight.Shape[2]);
        if (shape.OutChannels != shape.InChannels) { throw new ArgumentException($"DepthwiseConv1d: the input has {shape.InChannels} channels, the weight {shape.OutChannels}."); }
        Tensor y = x.EmptyLike();
        x.Backend.DepthwiseConv1d(x.View, weight.View, bias.View, shape, y.View);
        return GradMode.Records(x, weight, bias) ? y.Attach(new Conv1dNode(x, weight, bias, shape, depthwise: true)) : y;
    }

    private sealed class Conv1dNode : GradNode
    {
        private readonly BufferView _x, _weight;
        private readonly Conv1dShape _shape;
        private readonly bool _depthwise;

        public Conv1dNode(Tensor x, Tensor weight, Tensor bias, Conv1dShape shape, bool depthwise) : base(x, weight, bias) =>
            (_x, _weight, _shape, _depthwise) = (Save(x), Save(weight), shape, depthwise);

        public override void Backward()
        {
            if (Needs(0))
            {
                using Target dx = Overwrite(0);
                if (_depthwise) { Backend.DepthwiseConv1dBackwardInput(_weight, OutputGradient, _shape, dx.View); }
                else { Backend.Conv1dBackwardInput(_weight, OutputGradient, _shape, dx.View); }
            }
            if (!Needs(1) && !Needs(2)) { return; }
            // The kernel adds to both; the gradient of a constant weight goes to scratch that nobody reads.
            using var scratch = new BufferScope(Backend.Pool);
            BufferView dweight = Needs(1) ? Accumulate(1) : scratch.Rent(_weight.Length);
            BufferView dbias = Needs(2) ? Accumulate(2) : BufferView.None;
            if (_depthwise) { Backend.DepthwiseConv1dBackwardWeight(_x, OutputGradient, _shape, dweight, dbias); }
            else { Backend.Conv1dBackwardWeight(_x, OutputGradient, _shape, dweight, dbias); }
        }
    }
}
