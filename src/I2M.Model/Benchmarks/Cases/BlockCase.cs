using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;
using I2M.Model.Dit;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>
/// One block of the diffusion transformer: self attention, cross attention with the projection of its context, and the MLP, each with norm, modulation and
/// gate; forward, or forward and backward to weights, input, context and modulations. A block of two heads is verified against
/// <see cref="DoubleDit"/>, its gradient against central differences in double; another precision against the same block in float32. Of the
/// timed block the first sample is compared with that sample computed alone.
/// </summary>
public sealed class BlockCase : BenchmarkCase
{
    private const int MiniBatch = 2;
    private const double Limit = 1e-5, SlopeLimit = 1e-4;
    private readonly DitConfig _config;
    private readonly Precision _precision;
    private readonly bool _backward;
    private readonly Block _block;

    /// <param name="backend">Where.</param>
    /// <param name="config">The network that it is a block of.</param>
    /// <param name="batch">Samples.</param>
    /// <param name="precision">How exactly it computes.</param>
    /// <param name="backward">Whether the backward pass is timed too.</param>
    public BlockCase(IBackend backend, DitConfig config, int batch, Precision precision, bool backward) : base(backend)
    {
        (_precision, _backward) = (precision, backward);
        _config = config with { Layers = 1, ImageTowerLayers = 0 };
        _block = new Block(backend, _config, batch, precision, backward);
        double hidden = config.Hidden, flops = batch * (DitWork.Denoise(_config) + 4 * hidden * hidden * config.ImageTokens);
        double words = batch * hidden * (2.0 * config.MelTokens + config.ImageTokens) + 16 * hidden * hidden;
        Work = new BenchmarkWork(BenchmarkBound.Compute, (backward ? 3 : 1) * flops, 4 * (backward ? 3 : 1) * words) { Arithmetic = precision.Arithmetic(), Amount = batch, Product = "samples" };
    }

    /// <inheritdoc/>
    public override void Queue() => _block.Run();

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        double worst = VerifyMini();
        cancel.ThrowIfCancellationRequested();
        using var alone = new Block(Backend, _config, 1, _precision, _backward);
        float[] first = alone.Output(), all = _block.Output();
        worst = Math.Max(worst, Check("first sample", all.AsSpan(0, first.Length), DoubleMath.Widen(first)));
        if (!_backward) { return worst; }
        float[] gradient = alone.InputGradient();
        return Math.Max(worst, Check("gradient of the first sample", _block.InputGradient().AsSpan(0, gradient.Length), DoubleMath.Widen(gradient)));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _block.Dispose();
        base.Dispose();
    }

    private double VerifyMini()
    {
        DitConfig mini = _config with { Hidden = 2 * _config.Hidden / _config.Heads, Heads = 2, MelFrames = 3 * _config.MelPatchFrames, ImageSize = 3 * _config.ImagePatch };
        using var exact = new Block(Backend, mini, MiniBatch, Precision.Float32, _backward);
        float[] output = exact.Output();
        double worst = Verification.Check("output", output, exact.Reference(0), Limit);
        if (_backward)
        {
            // The change of Σ output · weight along signs in everything at once, against what the gradient promises.
            const double step = 1e-4;
            double slope = (exact.Weighted(exact.Reference(step)) - exact.Weighted(exact.Reference(-step))) / (2 * step);
            exact.Run();
            var (promised, length) = exact.Promised();
            worst = Math.Max(worst, Verification.Check("gradient along random signs", promised, slope, SlopeLimit, length));
        }
        if (_precision == Precision.Float32) { return worst; }
        using var rounded = new Block(Backend, mini, MiniBatch, _precision, _backward);
        worst = Math.Max(worst, Check("output", rounded.Output(), DoubleMath.Widen(output)));
        return _backward ? Math.Max(worst, Check("gradient", rounded.InputGradient(), DoubleMath.Widen(exact.InputGradient()))) : worst;
    }

    /// <summary>Element by element in float32; in other precisions by the norm.</summary>
    private double Check(string what, ReadOnlySpan<float> actual, double[] expected) => _precision == Precision.Float32
        ? Verification.Check(what, actual, expected, Limit)
        : Verification.CheckNorm(what, actual, expected, Verification.NormLimit(_precision.Arithmetic()));

    /// <summary>A block with random weights and operands; the first samples of a larger batch are those of a smaller one.</summary>
    private sealed class Block : IDisposable
    {
        /// <summary>Shift, scale and gate of three branches.</summary>
        private const int Chunks = 9;
        private const string Prefix = "blocks.0.";
        private readonly IBackend _backend;
        private readonly DitModel _model;
        private readonly ParameterArena _arena;
        private readonly List<BufferView> _rented = [];
        private readonly Tensor _x, _context, _modulation, _outputGradient;

        public Block(IBackend backend, DitConfig config, int batch, Precision precision, bool backward)
        {
            _backend = backend;
            _model = new ImageDit(config with { CompatSeed = false });
            _arena = new ParameterArena(backend, _model, seed: 1, trainable: backward, precision);
            RandomWeights.Fill(_arena);
            _arena.RefreshCopy();
            _x = Operand(1, 1, backward, batch, config.MelTokens, config.Hidden);
            _context = Operand(2, 1, backward, batch, config.ImageTokens, config.Hidden);
            _modulation = Operand(3, 0.3f, backward, batch, Chunks * config.Hidden);
            _outputGradient = Operand(4, 1, false, batch, config.MelTokens, config.Hidden);
        }

        private IEnumerable<ParameterArena.Entry> Weights => _arena.Entries.Where(e => e.Name.StartsWith(Prefix, StringComparison.Ordinal) && !e.Name.Contains("adaLN", StringComparison.Ordinal));

        private Tensor[] Inputs => [_x, _context, _modulation];

        private bool IsTrainable => _x.RequiresGrad;

        /// <summary>Forward, and backward where gradients are wanted.</summary>
        public void Run()
        {
            using var scope = new TensorScope();
            using Tensor y = Forward();
            if (IsTrainable) { y.Backward(_outputGradient); }
        }

        public float[] Output()
        {
            using var scope = new TensorScope();
            using var noGrad = GradMode.NoGrad();
            return Forward().ToArray();
        }

        /// <summary>Of the input alone, from a run of its own.</summary>
        public float[] InputGradient()
        {
            ZeroGradients();
            Run();
            return _x.GradientToArray();
        }

        /// <summary>The output in double, every weight and input moved by so many of its signs.</summary>
        public double[] Reference(double by)
        {
            var weights = new Dictionary<string, double[]>(RandomWeights.Widen(_arena), StringComparer.Ordinal);
            int number = 0;
            foreach (ParameterArena.Entry entry in Weights) { weights[entry.Name] = Moved(weights[entry.Name], by, number++); }
            double[][] inputs = [.. Inputs.Select(t => Moved(DoubleMath.Widen(t.ToArray()), by, number++))];
            return new DoubleDit(_model.Config, weights).Branches(Prefix, inputs[0], inputs[1], inputs[2]);
        }

        /// <summary>Σ output · its gradient.</summary>
        public double Weighted(double[] output) => DoubleMath.Dot(output, DoubleMath.Widen(_outputGradient.ToArray()));

        /// <summary>Gradient · signs after one run from zero, and the length that rounding is measured by, √Σ gradient².</summary>
        public (double Along, double Length) Promised()
        {
            double along = 0, squares = 0;
            int number = 0;
            foreach (float[] gradient in Weights.Select(e => _arena.Read(e, _arena.Gradients)).Concat(Inputs.Select(t => t.GradientToArray())))
            {
                double[] signs = Moved(new double[gradient.Length], 1, number++), g = DoubleMath.Widen(gradient);
                along += DoubleMath.Dot(g, signs);
                squares += DoubleMath.Dot(g, g);
            }
            return (along, Math.Sqrt(squares));
        }

        public void Dispose()
        {
            foreach (BufferView view in _rented) { _backend.Pool.Return(view); }
            _arena.Dispose();
        }

        private static double[] Moved(double[] values, double by, int number)
        {
            var random = new Random(number);
            return Array.ConvertAll(values, v => v + by * (2 * random.Next(2) - 1));
        }

        private Tensor Forward()
        {
            DitModel.IBlock block = _model.Blocks[0];
            using Tensor context = _context.As(_model.Precision.Activations()), kv = block.ProjectContext(context);
            return block.Forward(_x, _modulation, kv);
        }

        private void ZeroGradients()
        {
            _arena.ZeroGradients();
            foreach (Tensor input in Inputs) { _backend.Fill(input.Gradient, 0); }
        }

        private Tensor Operand(ulong stream, float scale, bool wantsGradient, params int[] shape)
        {
            BufferView values = Rent(shape);
            _backend.RandomNormal(1, stream, 0, values);
            if (scale != 1) { _backend.Scale(scale, values, values); }
            if (!wantsGradient) { return Tensor.Over(_backend, values, shape); }
            BufferView gradient = Rent(shape);
            _backend.Fill(gradient, 0);
            return Tensor.Leaf(_backend, values, gradient, shape);
        }

        private BufferView Rent(int[] shape)
        {
            _rented.Add(_backend.Pool.Rent(shape.Aggregate(1L, static (n, size) => n * size)));
            return _rented[^1];
        }
    }
}
