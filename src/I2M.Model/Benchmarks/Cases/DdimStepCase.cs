using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;
using I2M.Model.Diffusion;
using I2M.Model.Dit;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>
/// One DDIM step with guidance for one picture: conditional and unconditional prediction in one batch, keys and values of the picture and the modulations of
/// all timesteps computed before, as the sampler does.
/// A small network of the same structure is verified whole, step included, against <see cref="DoubleDit"/>; the timed network's batch against its two
/// halves computed alone, as evaluating it in double would take minutes. Its attention and linear layers have cases of their own at these sizes.
/// </summary>
public sealed class DdimStepCase : BenchmarkCase
{
    private const int Steps = 50, Timestep = 599, NextTimestep = 579;
    private const double GuidanceScale = 3, GuidanceRescale = 0.7, Limit = 2e-5, LayersFactor = 3;
    private readonly NoiseSchedule _schedule = new DiffusionConfig().CreateSchedule();
    private readonly Network _network;
    private readonly double[] _noise;
    private readonly Precision _precision;
    private readonly BufferView _x;

    /// <param name="backend">Where.</param>
    /// <param name="config">The network.</param>
    /// <param name="precision">How exactly it computes.</param>
    public DdimStepCase(IBackend backend, DitConfig config, Precision precision = Precision.Float32) : base(backend)
    {
        _precision = precision;
        _network = new Network(backend, config, precision);
        _x = RentNormal(2L * config.MelTokens * config.MelTokenLength, 3);
        _noise = DoubleMath.Widen(RandomWeights.Normal(backend, 3, config.MelTokens * config.MelTokenLength));
        Work = new BenchmarkWork(BenchmarkBound.Compute, 2 * DitWork.Denoise(config), 4.0 * _network.WordsOfAStep) { Arithmetic = precision.Arithmetic() };
    }

    /// <inheritdoc/>
    public override void Queue() => Step(_network, _x);

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        double worst = VerifyMini();
        cancel.ThrowIfCancellationRequested();
        using Picture kept = _network.Encode([1]), dropped = _network.Encode([0]);
        float[] both = _network.Predict(_noise, _network.Guided);
        double[] expected = DoubleMath.Widen([.. _network.Predict(_noise, kept), .. _network.Predict(_noise, dropped)]);
        return Math.Max(worst, Check("prediction of both in one batch", both, expected));
    }

    /// <summary>Element by element in float32; in other precisions by the norm, over the layers of a network.</summary>
    private double Check(string what, float[] actual, double[] expected) => _precision == Precision.Float32
        ? Verification.Check(what, actual, expected, Limit)
        : Verification.CheckNorm(what, actual, expected, LayersFactor * Verification.NormLimit(_precision.Arithmetic()));

    /// <inheritdoc/>
    public override void Dispose()
    {
        _network.Dispose();
        base.Dispose();
    }

    private double VerifyMini()
    {
        DitConfig full = _network.Config;
        DitConfig config = full with { Hidden = 2 * full.Hidden / full.Heads, Heads = 2, Layers = 2, ImageTowerLayers = 1, MelFrames = 5 * full.MelPatchFrames, ImageSize = 7 * full.ImagePatch };
        using var network = new Network(Backend, config, _precision);
        double[] noise = DoubleMath.Widen(RandomWeights.Normal(Backend, 3, config.MelTokens * config.MelTokenLength));
        float[] prediction = network.Predict(noise, network.Guided);
        double[] both = [.. noise, .. noise];
        double[] expected = network.Reference().Predict(both, [Timestep, Timestep], network.ImageTokens(2), [1, 0]);
        double worst = Check("prediction", prediction, expected);
        using var scope = new BufferScope(Backend.Pool);
        BufferView x = scope.Rent(both.Length);
        Backend.CopyFromHost([.. both.Select(v => (float)v)], x);
        Step(network, x);
        return Math.Max(worst, Check("next x", Read(x.Slice(0, noise.Length)), ReferenceStep(noise, expected)));
    }

    /// <summary>The step as the sampler makes it, queued: prediction, guidance, DDIM, and x for both halves of the batch.</summary>
    /// <param name="network">The network.</param>
    /// <param name="x">[2, values], the state twice; becomes the next.</param>
    private void Step(Network network, BufferView x)
    {
        using var scope = new TensorScope();
        long n = x.Length / 2;
        BufferView both = network.Predict(x, network.Guided).View, guided = Tensor.Empty(Backend, checked((int)n)).View, first = x.Slice(0, n);
        Backend.GuideRows(both.Slice(0, n), both.From(n), 1, (float)GuidanceScale, (float)GuidanceRescale, guided);
        SamplerStep s = new DdimSampler(_schedule, PredictionKind.V, [Timestep], DataRange.Unlimited) { FinalAlphaBar = _schedule.AlphaBars[NextTimestep] }.Plan()[0];
        Backend.Axpby((float)s.FromState, first, (float)s.FromPrediction, guided, guided);
        Backend.Clamp(guided, float.NegativeInfinity, float.PositiveInfinity, guided);
        Backend.Axpby((float)s.State, first, (float)s.Sample, guided, first);
        Backend.Copy(first, x.From(n));
    }

    /// <summary>r = u + s·(c − u), drawn to c's deviation; x₀ = √ᾱ·x − √(1−ᾱ)·r; ε = (x − √ᾱ·x₀)/√(1−ᾱ); next = √ᾱ'·x₀ + √(1−ᾱ')·ε.</summary>
    private double[] ReferenceStep(double[] x, double[] both)
    {
        int n = x.Length;
        double[] c = both[..n], r = [.. Enumerable.Range(0, n).Select(i => both[n + i] + GuidanceScale * (both[i] - both[n + i]))];
        double factor = GuidanceRescale * Deviation(c) / Deviation(r) + 1 - GuidanceRescale;
        double a = _schedule.AlphaBars[Timestep], next = _schedule.AlphaBars[NextTimestep];
        return [.. Enumerable.Range(0, n).Select(i =>
        {
            double x0 = Math.Sqrt(a) * x[i] - Math.Sqrt(1 - a) * factor * r[i], epsilon = (x[i] - Math.Sqrt(a) * x0) / Math.Sqrt(1 - a);
            return Math.Sqrt(next) * x0 + Math.Sqrt(1 - next) * epsilon;
        })];
    }

    private static double Deviation(double[] x)
    {
        double mean = x.Average();
        return Math.Sqrt(x.Average(v => (v - mean) * (v - mean)));
    }

    /// <summary>A picture's condition and the modulations that go with it; its tensors live as long as this.</summary>
    private sealed class Picture : IDisposable
    {
        private readonly SamplingModulations _modulations;

        public Picture(DitModel model, ImageCondition condition, int batch)
        {
            (Condition, Batch) = (condition, batch);
            _modulations = new SamplingModulations(model, Timesteps.Spaced(TimestepSpacing.Trailing, 1000, Steps), condition, batch);
            // The table outlives the scopes of steps.
            _modulations.At(Timestep);
        }

        public ImageCondition Condition { get; }

        public int Batch { get; }

        /// <summary>Of <see cref="Timestep"/>.</summary>
        public (ModulationTable Table, int Step) Modulation() => _modulations.At(Timestep);

        public void Dispose()
        {
            _modulations.Dispose();
            foreach (Tensor tensor in Condition.KeyValues) { tensor.Dispose(); }
            Condition.Pooled?.Dispose();
            Condition.ClassLogits?.Dispose();
        }
    }

    /// <summary>A network with random weights and a random picture; the one place that calls the model.</summary>
    private sealed class Network : IDisposable
    {
        private readonly IBackend _backend;
        private readonly DitModel _model;
        private readonly ParameterArena _arena;
        private readonly float[] _picture;

        public Network(IBackend backend, DitConfig config, Precision precision)
        {
            _backend = backend;
            _model = DitModel.Create(config);
            _arena = new ParameterArena(backend, _model, seed: 1, trainable: false, precision);
            RandomWeights.Fill(_arena);
            _arena.RefreshCopy();
            _arena.PackWeights();
            _picture = RandomWeights.Normal(backend, 2, config.ImageTokens * config.ImageTokenLength);
            Guided = Encode([1, 0]);
        }

        public DitConfig Config => _model.Config;

        /// <summary>With the picture and without.</summary>
        public Picture Guided { get; }

        /// <summary>Words that a step reads: the weights of the blocks' 14·hidden² multiply-adds a token, and the picture's keys and values.</summary>
        public double WordsOfAStep => (double)Config.Layers * Config.Hidden * (14.0 * Config.Hidden + 2.0 * Guided.Batch * Config.ImageTokens);

        public Picture Encode(float[] keep)
        {
            using var noGrad = GradMode.NoGrad();
            int batch = keep.Length;
            float[] pictures = [.. Enumerable.Repeat(_picture, batch).SelectMany(p => p)];
            using Tensor tokens = Tensor.From(_backend, pictures, batch, Config.ImageTokens, Config.ImageTokenLength), kept = Tensor.From(_backend, keep, batch);
            return new Picture(_model, _model.EncodeImage(tokens, kept), batch);
        }

        /// <summary>The prediction of x [1, values] for every sample of the picture's batch, on the host.</summary>
        public float[] Predict(ReadOnlySpan<double> x, Picture picture)
        {
            using var scope = new TensorScope();
            var noisy = new float[picture.Batch * x.Length];
            for (int i = 0; i < noisy.Length; i++) { noisy[i] = (float)x[i % x.Length]; }
            return Predict(Tensor.From(_backend, noisy, noisy.Length).View, picture).ToArray();
        }

        /// <summary>The prediction of [batch, values], which belongs to the caller's scope.</summary>
        public Tensor Predict(BufferView x, Picture picture)
        {
            using var noGrad = GradMode.NoGrad();
            var (table, step) = picture.Modulation();
            return _model.Denoise(Tensor.Over(_backend, x, picture.Batch, Config.MelTokens, Config.MelTokenLength), table, step, picture.Condition);
        }

        public DoubleDit Reference() => new(Config, RandomWeights.Widen(_arena));

        public double[] ImageTokens(int batch) => DoubleMath.Widen([.. Enumerable.Repeat(_picture, batch).SelectMany(p => p)]);

        public void Dispose()
        {
            Guided.Dispose();
            _arena.Dispose();
        }
    }
}
