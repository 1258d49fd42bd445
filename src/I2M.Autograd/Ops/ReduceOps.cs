using I2M.Kernels;

namespace I2M.Autograd;

public static partial class TensorOps
{
    /// <summary>Mean over the tokens: [batch, tokens, channels] → [batch, channels].</summary>
    public static Tensor MeanTokens(this Tensor x)
    {
        var shape = new ReduceShape(x.Shape[0], x.Shape[1], x.Shape[2]);
        Tensor y = Tensor.Empty(x.Backend, shape.Batch, shape.Columns);
        x.Backend.SumColumns(x.View, shape, 1f / shape.Rows, accumulate: false, y.View);
        return GradMode.Records(x) ? y.Attach(new MeanTokensNode(x, shape)) : y;
    }

    /// <summary>The mean of all values as a scalar: of the columns first, then of those.</summary>
    public static Tensor Mean(this Tensor x)
    {
        using Tensor rows = x.Reshape(1, x.Rows, x.Columns);
        using Tensor columns = rows.MeanTokens();                                  // [1, columns]
        using Tensor across = columns.Reshape(1, x.Columns, 1);
        using Tensor mean = across.MeanTokens();                                   // [1, 1]
        return mean.Reshape();
    }

    /// <summary>Mean squared error of each row: [rows, …] and [rows, …] → [rows]. The target is constant.</summary>
    public static Tensor SquaredErrorRows(this Tensor x, Tensor target, int rows)
    {
        RequireSameLength(x, target, nameof(SquaredErrorRows));
        Tensor error = Tensor.Empty(x.Backend, rows);
        x.Backend.SquaredErrorRows(x.View, target.View, error.View);
        return GradMode.Records(x) ? error.Attach(new SquaredErrorRowsNode(x, target)) : error;
    }

    /// <summary>Σ x[i] · weight[i] as a scalar; the weights are constant. With weights 1/n it is the mean.</summary>
    public static Tensor WeightedSum(this Tensor x, Tensor weight)
    {
        RequireSameLength(x, weight, nameof(WeightedSum));
        Tensor sum = Tensor.Empty(x.Backend);
        x.Backend.Dot(x.View, weight.View, sum.View);
        return GradMode.Records(x) ? sum.Attach(new WeightedSumNode(x, weight)) : sum;
    }

    /// <summary>The mean of all squared differences as a scalar, PyTorch's mse_loss. The target is constant.</summary>
    public static Tensor MseLoss(this Tensor x, Tensor target) => SquaredErrorRows(x, target, 1).Reshape();

    private sealed class MeanTokensNode(Tensor x, ReduceShape shape) : GradNode(x)
    {
        private readonly ReduceShape _shape = shape;

        public override void Backward()
        {
            BufferView dx = AccumulateOrOverwrite(0, out bool accumulate);
            Backend.BroadcastRows(OutputGradient, _shape, 1f / _shape.Rows, accumulate, dx);
        }
    }

    private sealed class SquaredErrorRowsNode : GradNode
    {
        private readonly BufferView _x, _target;

        public SquaredErrorRowsNode(Tensor x, Tensor target) : base(x) => (_x, _target) = (Save(x), Save(target));

        public override void Backward()
        {
            using Target dx = Overwrite(0);
            Backend.SquaredErrorRowsBackward(_x, _target, OutputGradient, dx.View);
        }
    }

    private sealed class WeightedSumNode : GradNode
    {
        private readonly BufferView _weight;

        public WeightedSumNode(Tensor x, Tensor weight) : base(x) => _weight = Save(weight);

        public override void Backward()
        {
            using Target dx = Overwrite(0);
            Backend.ScaleByDevice(OutputGradient, _weight, dx.View);
        }
    }
}
