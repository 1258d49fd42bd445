using I2M.Kernels;

namespace I2M.Autograd;

public static partial class TensorOps
{
    /// <summary>x · weightᵀ + bias over the last dimension, PyTorch's linear.</summary>
    /// <param name="x">[…, in]</param>
    /// <param name="weight">[out, in]</param>
    /// <param name="bias">[out] or null.</param>
    public static Tensor Linear(this Tensor x, Tensor weight, Tensor? bias)
    {
        int outputs = weight.Shape[0], inputs = (int)(weight.Length / outputs);
        if (x.Columns != inputs) { throw new ArgumentException($"Linear: the input has {x.Columns} features, the weight [{outputs}, {inputs}] wants {inputs}."); }
        int[] shape = x.Shape.ToArray();
        shape[^1] = outputs;
        Tensor y = Tensor.Empty(x.Backend, shape);
        x.Backend.Gemm(x.View, weight.View, bias?.View ?? BufferView.None, new GemmShape(GemmLayout.NT, x.Rows, outputs, inputs), y.View);
        return GradMode.Records(x, weight, bias) ? y.Attach(new LinearNode(x, weight, bias)) : y;
    }

    /// <summary>The matrix product [m, k] · [k, n], or of equal batches [b, m, k] · [b, k, n].</summary>
    public static Tensor MatMul(this Tensor a, Tensor b)
    {
        int m = a.Shape[^2], k = a.Shape[^1], n = b.Shape[^1], batch = (int)(a.Length / ((long)m * k));
        if (b.Shape[^2] != k || b.Length != (long)batch * k * n) { throw new ArgumentException($"MatMul: [{string.Join(", ", a.Shape.ToArray())}] and [{string.Join(", ", b.Shape.ToArray())}] do not fit."); }
        int[] shape = a.Shape.ToArray();
        shape[^1] = n;
        Tensor c = Tensor.Empty(a.Backend, shape);
        a.Backend.Gemm(a.View, b.View, BufferView.None, Batched(GemmLayout.NN, m, n, k, batch), c.View);
        return GradMode.Records(a, b) ? c.Attach(new MatMulNode(a, b, m, n, k, batch)) : c;
    }

    private static GemmShape Batched(GemmLayout layout, int m, int n, int k, int batch, bool accumulate = false) => new(layout, m, n, k)
    {
        Batch = batch,
        StrideA = (long)m * k,
        StrideB = (long)k * n,
        StrideC = (long)m * n,
        Accumulate = accumulate,
    };

    private sealed class LinearNode : GradNode
    {
        private readonly BufferView _x, _weight;
        private readonly int _rows, _inputs, _outputs;

        public LinearNode(Tensor x, Tensor weight, Tensor? bias) : base(x, weight, bias)
        {
            (_x, _weight) = (Save(x), Save(weight));
            (_rows, _inputs, _outputs) = (x.Rows, x.Columns, weight.Shape[0]);
        }

        public override void Backward()
        {
            if (Needs(0))
            {
                BufferView dx = AccumulateOrOverwrite(0, out bool accumulate);
                Backend.Gemm(OutputGradient, _weight, BufferView.None, new GemmShape(GemmLayout.NN, _rows, _inputs, _outputs) { Accumulate = accumulate }, dx);
            }
            if (Needs(1))
            {
                BufferView dweight = AccumulateOrOverwrite(1, out bool accumulate);
                Backend.Gemm(OutputGradient, _x, BufferView.None, new GemmShape(GemmLayout.TN, _outputs, _inputs, _rows) { Accumulate = accumulate }, dweight);
            }
            if (Needs(2))
            {
                BufferView dbias = AccumulateOrOverwrite(2, out bool accumulate);
                Backend.SumColumns(OutputGradient, new ReduceShape(1, _rows, _outputs), 1, accumulate, dbias);
            }
        }
    }

    private sealed class MatMulNode : GradNode
    {
        private readonly BufferView _a, _b;
        private readonly int _m, _n, _k, _batch;

        public MatMulNode(Tensor a, Tensor b, int m, int n, int k, int batch) : base(a, b)
        {
            (_a, _b) = (Save(a), Save(b));
            (_m, _n, _k, _batch) = (m, n, k, batch);
        }

        public override void Backward()
        {
            if (Needs(0))
            {
                BufferView da = AccumulateOrOverwrite(0, out bool accumulate);
                Backend.Gemm(OutputGradient, _b, BufferView.None, Batched(GemmLayout.NT, _m, _k, _n, _batch, accumulate), da);
            }
            if (Needs(1))
            {
                BufferView db = AccumulateOrOverwrite(1, out bool accumulate);
                Backend.Gemm(_a, OutputGradient, BufferView.None, Batched(GemmLayout.TN, _k, _n, _m, _batch, accumulate), db);
            }
        }
    }
}
