using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;
using I2M.Model.Diffusion;
using I2M.Model.Dit;
using I2M.Model.Images;
using I2M.Model.Training;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>How a sample is drawn.</summary>
public enum SamplingWay
{
    /// <summary>As <c>i2m generate</c> does: keys, values and modulations computed once; the network's part of a step recorded once and replayed, where the device records.</summary>
    Replayed,
    /// <summary>The same, every step queued operation by operation.</summary>
    Queued,
    /// <summary>Queued, and every step encodes the picture and computes its modulations again.</summary>
    Uncached,
}

/// <summary>
/// A whole sample for one picture by DDIM with guidance, from the picture to the last step, waited for. A small network of the same structure is verified
/// over a few steps against <see cref="DoubleDit"/>, drawn in the same way; of the timed one, that two draws are equal to the bit and finite.
/// </summary>
public sealed class SamplingCase : BenchmarkCase
{
    private const int MiniSteps = 4;
    private const double Limit = 2e-5, LayersFactor = 3;
    private static readonly GenerateOptions s_options = new();
    private readonly Precision _precision;
    private readonly SamplingWay _way;
    private readonly Network _network;

    /// <param name="backend">Where.</param>
    /// <param name="config">The network.</param>
    /// <param name="precision">How exactly it computes.</param>
    /// <param name="steps">Denoising steps.</param>
    /// <param name="way">How.</param>
    public SamplingCase(IBackend backend, DitConfig config, Precision precision, int steps, SamplingWay way) : base(backend)
    {
        (_precision, _way) = (precision, way);
        _network = new Network(backend, config, precision, steps);
        Work = new BenchmarkWork(BenchmarkBound.Compute, 2 * steps * DitWork.Denoise(config), 4.0 * steps * config.Layers * config.Hidden * 14 * config.Hidden)
        {
            Arithmetic = precision.Arithmetic(),
            Amount = 1,
            Product = "samples",
        };
    }

    /// <inheritdoc/>
    public override void Queue() => _network.Draw(_way);

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        double worst = VerifyMini();
        cancel.ThrowIfCancellationRequested();
        float[] first = _network.Draw(_way);
        // Equal also to what is queued without a recording.
        double[] again = DoubleMath.Widen(_network.Draw(_way == SamplingWay.Replayed ? SamplingWay.Queued : _way));
        return Math.Max(worst, Verification.Check("the same sample again", first, again, 1e-12));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _network.Dispose();
        base.Dispose();
    }

    private double VerifyMini()
    {
        DitConfig full = _network.Config;
        DitConfig config = full with { Hidden = 2 * full.Hidden / full.Heads, Heads = 2, Layers = 2, ImageTowerLayers = Math.Min(1, full.ImageTowerLayers), MelFrames = 5 * full.MelPatchFrames, ImageSize = 7 * full.ImagePatch };
        using var network = new Network(Backend, config, _precision, MiniSteps);
        float[] sample = network.Draw(_way);
        double[] expected = network.Reference();
        return _precision == Precision.Float32
            ? Verification.Check("sample", sample, expected, Limit)
            : Verification.CheckNorm("sample", sample, expected, LayersFactor * Verification.NormLimit(_precision.Arithmetic()));
    }

    /// <summary>A network with random weights and a random picture.</summary>
    private sealed class Network : IDisposable
    {
        private readonly IBackend _backend;
        private readonly DitModel _model;
        private readonly ParameterArena _arena;
        private readonly RgbImage _picture;
        private readonly DdimSampler _sampler;

        public Network(IBackend backend, DitConfig config, Precision precision, int steps)
        {
            _backend = backend;
            _model = DitModel.Create(config);
            _arena = new ParameterArena(backend, _model, seed: 1, trainable: false, precision);
            RandomWeights.Fill(_arena);
            _arena.RefreshCopy();
            _arena.PackWeights();
            var pixels = new byte[3 * config.ImageSize * config.ImageSize];
            new Random(1).NextBytes(pixels);
            _picture = new RgbImage(config.ImageSize, config.ImageSize, pixels);
            NoiseSchedule schedule = new DiffusionConfig().CreateSchedule();
            _sampler = new DdimSampler(schedule, PredictionKind.V, Timesteps.Spaced(TimestepSpacing.Trailing, schedule.AlphaBars.Count, steps), DataRange.Unlimited);
        }

        public DitConfig Config => _model.Config;

        /// <summary>The sample's tokens, [melTokens, melTokenLength].</summary>
        public float[] Draw(SamplingWay way)
        {
            using var scope = new TensorScope();
            using var noGrad = GradMode.NoGrad();
            if (way == SamplingWay.Uncached) { return DrawUncached(); }
            using var sampler = new BatchSampler(_backend, _model, _sampler, s_options, count: 1) { RecordsSteps = way == SamplingWay.Replayed };
            return sampler.Run([_picture], null, CancellationToken.None).ToArray();
        }

        /// <summary>The same by <see cref="Sampling.Sample"/> in double.</summary>
        public double[] Reference()
        {
            var network = new DoubleDit(Config, RandomWeights.Widen(_arena));
            double[] image = ImageTokens(), x = DoubleMath.Widen(Noise());
            _sampler.Sample(x, Predict, static (_, _) => { });
            return x;

            void Predict(ReadOnlySpan<double> noisy, int timestep, Span<double> prediction)
            {
                double[] both = network.Predict([.. noisy, .. noisy], [timestep, timestep], [.. image, .. image], [1, 0]);
                int n = noisy.Length;
                for (int i = 0; i < n; i++) { prediction[i] = both[n + i] + s_options.Guidance * (both[i] - both[n + i]); }
                double factor = s_options.GuidanceRescale * Deviation(both.AsSpan(0, n)) / Deviation(prediction) + 1 - s_options.GuidanceRescale;
                for (int i = 0; i < n; i++) { prediction[i] *= factor; }
            }
        }

        public void Dispose() => _arena.Dispose();

        private float[] DrawUncached()
        {
            Tensor x = Tensor.Empty(_backend, 2, Config.MelTokens, Config.MelTokenLength), guided = Tensor.Empty(_backend, Config.MelTokens, Config.MelTokenLength);
            float[] pixels = ImageTensor.ToChw(_picture);
            Tensor pictures = Tensor.From(_backend, [.. pixels, .. pixels], 2, 3, Config.ImageSize, Config.ImageSize), keep = Tensor.From(_backend, [1, 0], 2);
            BufferView state = x.View.Slice(0, guided.Length), p = guided.View;
            _backend.RandomNormal(s_options.Seed, RandomStreams.Sampling, 0, state);
            foreach (SamplerStep s in _sampler.Plan())
            {
                using var scope = new TensorScope();
                _backend.Copy(state, x.View.From(guided.Length));
                ImageCondition condition = _model.EncodeImage(pictures.Patchify(Config.ImagePatches(2)), keep);
                BufferView both = _model.Denoise(x, [s.Timestep, s.Timestep], condition).View;
                _backend.GuideRows(both.Slice(0, guided.Length), both.From(guided.Length), 1, (float)s_options.Guidance, (float)s_options.GuidanceRescale, p);
                _backend.Axpby((float)s.FromState, state, (float)s.FromPrediction, p, p);
                _backend.Axpby((float)s.State, state, (float)s.Sample, p, state);
            }
            return x.SliceRows(0, 1).ToArray();
        }

        private float[] Noise()
        {
            using var scope = new BufferScope(_backend.Pool);
            BufferView noise = scope.Rent((long)Config.MelTokens * Config.MelTokenLength);
            _backend.RandomNormal(s_options.Seed, RandomStreams.Sampling, 0, noise);
            var values = new float[noise.Length];
            _backend.CopyToHost(noise, values);
            return values;
        }

        private double[] ImageTokens()
        {
            using var scope = new TensorScope();
            return DoubleMath.Widen(Tensor.From(_backend, ImageTensor.ToChw(_picture), 1, 3, Config.ImageSize, Config.ImageSize).Patchify(Config.ImagePatches(1)).ToArray());
        }

        private static double Deviation(ReadOnlySpan<double> x)
        {
            double mean = 0, sum = 0;
            foreach (double v in x) { mean += v / x.Length; }
            foreach (double v in x) { sum += (v - mean) * (v - mean); }
            return Math.Sqrt(sum / x.Length);
        }
    }
}
