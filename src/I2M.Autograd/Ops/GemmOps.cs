using I2M.Kernels;

namespace I2M.Autograd;

public static partial class TensorOps
{
    /// <summary>activation(x · weightᵀ + bias) + residual over the last dimension: PyTorch's linear and what often follows it, in one pass over the result.</summary>
    /// <param name="x">[…, in]</param>
    /// <param name="weight">[out, in] of x's type, float32 or bfloat16.</param>
    /// <param name="bias">[out], float32, or null.</param>
    /// <param name="activation">GELU, or None; recorded in float32 alone.</param>
    /// <param name="residual">[…, out], float32, or null.</param>
    /// <param name="products">What float32 factors may lose, forward and backward.</param>
    /// <param name="result">How the result, and so its gradient, is stored; null for float32 beside a residual, else x's type.</param>
    public static Tensor Linear(this Tensor x, Tensor weight, Tensor? bias, GemmActivation activation = GemmActivation.None, Tensor? residual = null,
        MatmulPrecision products = MatmulPrecision.Float32, ElementType? result = null)
    {
        int outputs = weight.Shape[0], inputs = (int)(weight.Length / outputs);
        RequireOneType(x, weight);
        Tensor y = LinearResult(x, outputs, inputs, residual, result);
        bool records = GradMode.Records(x, weight, bias) || (residual is not null && GradMode.Records(residual));
        using Tensor? inner = records && activation != GemmActivation.None ? Tensor.Empty(x.Backend, y.Shape.ToArray()) : null;
        var epilogue = new GemmEpilogue { Bias = View(bias), Activation = activation, PreActivation = View(inner), Residual = View(residual) };
        x.Backend.Gemm(x.Data, weight.Data, epilogue, new GemmShape(GemmLayout.NT, x.Rows, outputs, inputs) { Precision = products }, y.Data);
        return records ? y.Attach(new LinearNode(x, weight, bias, activation, inner, residual, products)) : y;
    }

    /// <summary>The same by a packed weight, for inference: nothing is recorded.</summary>
    /// <param name="x">[…, in], float32</param>
    /// <param name="weight">[out, in], packed as the right factor of an NT product.</param>
    /// <param name="bias">[out] or None.</param>
    /// <param name="activation">GELU, or None.</param>
    /// <param name="residual">[…, out] or null.</param>
    /// <param name="products">What the factors may lose.</param>
    internal static Tensor Linear(this Tensor x, PackedMatrix weight, BufferView bias, GemmActivation activation = GemmActivation.None, Tensor? residual = null,
        MatmulPrecision products = MatmulPrecision.Float32)
    {
        Tensor y = LinearResult(x, weight.Shape.N, weight.Shape.K, residual, null);
        var epilogue = new GemmEpilogue { Bias = bias, Activation = activation, Residual = View(residual) };
        x.Backend.Gemm(x.View, weight, epilogue, new GemmShape(GemmLayout.NT, x.Rows, weight.Shape.N, weight.Shape.K) { Precision = products }, y.View);
        return y;
    }

    /// <summary>
    /// contract(gelu(expand(x))) + residual, a transformer's MLP as one node: the gradient of the hidden values comes out of its product already
    /// multiplied by GELU's derivative, and overwrites them. x, the weights and the hidden values are of one type; the result is float32 beside a residual,
    /// else of that type too.
    /// </summary>
    /// <param name="x">[…, in]</param>
    /// <param name="expandWeight">[hidden, in]</param>
    /// <param name="expandBias">[hidden], float32</param>
    /// <param name="contractWeight">[out, hidden]</param>
    /// <param name="contractBias">[out], float32</param>
    /// <param name="form">Which GELU.</param>
    /// <param name="residual">[…, out], float32, or null.</param>
    /// <param name="products">What float32 factors may lose, forward and backward.</param>
    public static Tensor GeluMlp(this Tensor x, Tensor expandWeight, Tensor expandBias, Tensor contractWeight, Tensor contractBias, GemmActivation form, Tensor? residual = null,
        MatmulPrecision products = MatmulPrecision.Float32)
    {
        bool records = GradMode.Records(x, expandWeight, expandBias) || GradMode.Records(contractWeight, contractBias, residual);
        if (!records)
        {
            using Tensor a = x.Linear(expandWeight, expandBias, form, null, products);
            return a.Linear(contractWeight, contractBias, GemmActivation.None, residual, products);
        }
        RequireOneType(x, expandWeight);
        RequireOneType(x, contractWeight);
        int hidden = expandWeight.Shape[0], outputs = contractWeight.Shape[0];
        using Tensor h = LinearResult(x, hidden, expandWeight.Columns, null, null);
        using Tensor inner = h.EmptyLike();
        Tensor y = LinearResult(h, outputs, contractWeight.Columns, residual, null);
        var expand = new GemmEpilogue { Bias = expandBias.View, Activation = form, PreActivation = inner.Data };
        x.Backend.Gemm(x.Data, expandWeight.Data, expand, new GemmShape(GemmLayout.NT, x.Rows, hidden, x.Columns) { Precision = products }, h.Data);
        var contract = new GemmEpilogue { Bias = contractBias.View, Residual = View(residual) };
        x.Backend.Gemm(h.Data, contractWeight.Data, contract, new GemmShape(GemmLayout.NT, x.Rows, outputs, hidden) { Precision = products }, y.Data);
        return y.Attach(new GeluMlpNode([x, expandWeight, expandBias, contractWeight, contractBias, residual], inner, h, form, products));
    }

    private static BufferView View(Tensor? tensor) => tensor?.View ?? BufferView.None;

    private static Tensor LinearResult(Tensor x, int outputs, int inputs, Tensor? residual, ElementType? type)
    {
        if (x.Columns != inputs) { throw new ArgumentException($"Linear: the input has {x.Columns} features, the weight [{outputs}, {inputs}] wants {inputs}."); }
        int[] shape = x.Shape.ToArray();
        shape[^1] = outputs;
        if (residual is not null && !residual.Shape.SequenceEqual(shape)) { throw new ArgumentException($"Linear: the residual is [{string.Join(", ", residual.Shape.ToArray())}], the result [{string.Join(", ", shape)}]."); }
        return Tensor.Empty(x.Backend, type ?? (residual is null ? x.Type : ElementType.Float32), shape);
    }

    private static void RequireOneType(Tensor x, Tensor weight)
    {
        if (x.Type != weight.Type) { throw new ArgumentException($"Linear: the input holds {x.Type}, the weight {weight.Type}: both are of one type."); }
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

    /// <summary>
    /// The gradients of y = x · weightᵀ + bias, given y's. The factors of a product are of one type, so beside a bfloat16 x a float32 gradient of y is rounded
    /// for the products; the bias adds it up as it came.
    /// </summary>
    private abstract class LinearGradNode(MatmulPrecision products, params ReadOnlySpan<Tensor?> inputs) : GradNode(inputs)
    {
        private readonly MatmulPrecision _products = products;

        protected void Gemm(BufferView a, BufferView b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c) => Backend.Gemm(a, b, epilogue, shape with { Precision = _products }, c);

        protected void WeightGradient(int weight, BufferView dy, BufferView x, int rows, int outputs, int inputs)
        {
            if (!Needs(weight)) { return; }
            BufferView dweight = AccumulateOrOverwrite(weight, out bool accumulate);
            Gemm(dy, x, BufferView.None, new GemmShape(GemmLayout.TN, outputs, inputs, rows) { Accumulate = accumulate }, dweight);
        }

        protected void BiasGradient(int bias, BufferView dy, int rows, int outputs)
        {
            if (!Needs(bias)) { return; }
            BufferView dbias = AccumulateOrOverwrite(bias, out bool accumulate);
            Backend.SumColumns(dy, new ReduceShape(1, rows, outputs), 1, accumulate, dbias);
        }

        protected void InputGradient(BufferView dy, BufferView weight, int rows, int outputs, int inputs)
        {
            if (!Needs(0)) { return; }
            BufferView dx = AccumulateOrOverwrite(0, out bool accumulate);
            Gemm(dy, weight, BufferView.None, new GemmShape(GemmLayout.NN, rows, inputs, outputs) { Accumulate = accumulate }, dx);
        }
    }

    private sealed class LinearNode : LinearGradNode
    {
        private const int Weight = 1, Bias = 2, Residual = 3;
        private readonly BufferView _x, _weight, _inner;
        private readonly GemmActivation _activation;
        private readonly int _rows, _inputs, _outputs;

        public LinearNode(Tensor x, Tensor weight, Tensor? bias, GemmActivation activation, Tensor? inner, Tensor? residual, MatmulPrecision products)
            : base(products, x, weight, bias, residual)
        {
            (_x, _weight, _activation) = (Save(x), Save(weight), activation);
            if (inner is not null) { _inner = Save(inner); }
            (_rows, _inputs, _outputs) = (x.Rows, x.Columns, weight.Shape[0]);
        }

        public override void Backward()
        {
            bool activated = _activation != GemmActivation.None;
            if (activated && Needs(Residual)) { CopyTo(Residual); }
            if (_activation == GemmActivation.GeluErf) { Backend.GeluErfBackward(_inner, OutputGradient, OutputGradient); }
            else if (_activation == GemmActivation.GeluTanh) { Backend.GeluTanhBackward(_inner, OutputGradient, OutputGradient); }
            using (Factor dy = GradientAs(_x.Type, (long)_rows * _outputs))
            {
                InputGradient(dy.View, _weight, _rows, _outputs, _inputs);
                WeightGradient(Weight, dy.View, _x, _rows, _outputs, _inputs);
            }
            BiasGradient(Bias, OutputGradient, _rows, _outputs);
            if (!activated && Needs(Residual)) { Pass(Residual); }
        }
    }

    private sealed class GeluMlpNode : LinearGradNode
    {
        private const int ExpandWeight = 1, ExpandBias = 2, ContractWeight = 3, ContractBias = 4, Residual = 5;
        private readonly BufferView _x, _expandWeight, _contractWeight, _inner, _hidden;
        private readonly GemmActivation _form;
        private readonly int _rows, _inputs, _width, _outputs;

        /// <param name="inputs">x, weight and bias of both layers, residual.</param>
        /// <param name="inner">Before the activation.</param>
        /// <param name="hidden">After it; nobody else reads it, the backward reuses its memory.</param>
        /// <param name="form">Which GELU.</param>
        /// <param name="products">What float32 factors may lose.</param>
        public GeluMlpNode(ReadOnlySpan<Tensor?> inputs, Tensor inner, Tensor hidden, GemmActivation form, MatmulPrecision products) : base(products, inputs)
        {
            (_x, _expandWeight, _contractWeight) = (Save(inputs[0]!), Save(inputs[ExpandWeight]!), Save(inputs[ContractWeight]!));
            (_inner, _hidden, _form) = (Save(inner), Save(hidden), form);
            (_rows, _inputs, _width, _outputs) = (inner.Rows, inputs[0]!.Columns, inner.Columns, inputs[ContractWeight]!.Shape[0]);
        }

        public override void Backward()
        {
            using (Factor dy = GradientAs(_x.Type, (long)_rows * _outputs))
            {
                WeightGradient(ContractWeight, dy.View, _hidden, _rows, _outputs, _width);
                BiasGradient(ContractBias, OutputGradient, _rows, _outputs);
                // The gradient of the expanding layer's bias is the sum over the rows of what comes back through GELU.
                bool addsSums = false;
                BufferView dbias = Needs(ExpandBias) ? AccumulateOrOverwrite(ExpandBias, out addsSums) : BufferView.None;
                var throughGelu = new GemmEpilogue { Activation = _form, GeluGradientOf = _inner, ColumnSums = dbias, AddsColumnSums = addsSums };
                Gemm(dy.View, _contractWeight, throughGelu, new GemmShape(GemmLayout.NN, _rows, _width, _outputs), _hidden);
            }
            InputGradient(_hidden, _expandWeight, _rows, _width, _inputs);
            WeightGradient(ExpandWeight, _hidden, _x, _rows, _width, _inputs);
            if (Needs(Residual)) { Pass(Residual); }
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
