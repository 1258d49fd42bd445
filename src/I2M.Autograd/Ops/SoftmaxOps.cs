using I2M.Kernels;

namespace I2M.Autograd;

public static partial class TensorOps
{
    /// <summary>Softmax over the last dimension.</summary>
    public static Tensor Softmax(this Tensor x)
    {
        Tensor y = x.EmptyLike();
        x.Backend.Softmax(x.View, x.Columns, y.View);
        return GradMode.Records(x) ? y.Attach(new SoftmaxNode(x, y)) : y;
    }

    /// <summary>Cross-entropy of each row of logits [rows, classes] with its class index → [rows].</summary>
    public static Tensor CrossEntropyRows(this Tensor logits, Tensor labels)
    {
        Tensor loss = Tensor.Empty(logits.Backend, logits.Rows);
        logits.Backend.CrossEntropyRows(logits.View, labels.View, logits.Columns, loss.View);
        return GradMode.Records(logits) ? loss.Attach(new CrossEntropyRowsNode(logits, labels)) : loss;
    }

    private sealed class SoftmaxNode : GradNode
    {
        private readonly BufferView _y;
        private readonly int _columns;

        public SoftmaxNode(Tensor x, Tensor y) : base(x) => (_y, _columns) = (Save(y), y.Columns);

        public override void Backward()
        {
            using Target dx = Overwrite(0);
            Backend.SoftmaxBackward(_y, OutputGradient, _columns, dx.View);
        }
    }

    private sealed class CrossEntropyRowsNode : GradNode
    {
        private readonly BufferView _logits, _labels;
        private readonly int _columns;

        public CrossEntropyRowsNode(Tensor logits, Tensor labels) : base(logits) => (_logits, _labels, _columns) = (Save(logits), Save(labels), logits.Columns);

        public override void Backward()
        {
            using Target dx = Overwrite(0);
            Backend.CrossEntropyRowsBackward(_logits, _labels, OutputGradient, _columns, dx.View);
        }
    }
}
