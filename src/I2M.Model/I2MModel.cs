using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Diffusion;
using I2M.Model.Dit;
using I2M.Model.Images;
using I2M.Model.Training;

namespace I2M.Model;

/// <summary>Which sampler draws the mel.</summary>
public enum SamplerKind
{
    /// <summary>DDIM.</summary>
    Ddim,
    /// <summary>DDPM, ancestral.</summary>
    Ddpm,
    /// <summary>DPM-Solver++ 2M.</summary>
    DpmSolver,
}

/// <summary>How to generate.</summary>
public sealed record GenerateOptions
{
    /// <summary>Sampler.</summary>
    public SamplerKind Sampler { get; init; } = SamplerKind.Ddim;
    /// <summary>Denoising steps.</summary>
    public int Steps { get; init; } = 50;
    /// <summary>Guidance scale; 1 is none.</summary>
    public double Guidance { get; init; } = 3;
    /// <summary>How far the guided prediction's deviation is drawn back to the conditional one's, 0 to 1.</summary>
    public double GuidanceRescale { get; init; } = 0.7;
    /// <summary>Share of fresh noise in DDIM.</summary>
    public double Eta { get; init; }
    /// <summary>Seed of the noise.</summary>
    public ulong Seed { get; init; } = 1;
    /// <summary>Number of the first picture: picture i of a call draws from noise stream FirstPicture + i, so a list may be cut into calls.</summary>
    public int FirstPicture { get; init; }

    /// <summary>Checks every number.</summary>
    /// <exception cref="I2MException">Names the option.</exception>
    public GenerateOptions Validated()
    {
        if (Steps < 1) { throw new I2MException($"--steps {Steps}: expected at least 1"); }
        if (!double.IsFinite(Guidance) || Guidance < 0 || Guidance > 100) { throw new I2MException($"--cfg {Guidance}: expected 0 to 100"); }
        if (GuidanceRescale is not (>= 0 and <= 1)) { throw new I2MException($"--cfg-rescale {GuidanceRescale}: expected 0 to 1"); }
        if (Eta is not (>= 0 and <= 1)) { throw new I2MException($"--eta {Eta}: expected 0 to 1"); }
        return this;
    }
}

/// <summary>A trained model ready to speak about pictures. One instance is used by one thread at a time.</summary>
/// <example><code>using var model = I2MModel.Load(backend, "run");
/// float[] mel = model.GenerateMels([ImageLoader.Load("cat.jpg")], new GenerateOptions())[0];</code></example>
public sealed class I2MModel : IDisposable
{
    private readonly IBackend _backend;
    private readonly DitModel _model;
    private readonly ParameterArena _arena;
    private readonly NoiseSchedule _schedule;

    /// <summary>Config, mel statistics and classes.</summary>
    public CheckpointInfo Info { get; }

    /// <summary>The checkpoint file.</summary>
    public string Path { get; }

    /// <summary>Number of trainable values.</summary>
    public long ParameterCount => _model.ParameterCount;

    private I2MModel(IBackend backend, string path, CheckpointInfo info, Precision precision)
    {
        (_backend, Path, Info) = (backend, path, info);
        _model = DitModel.Create(info.Config.Model);
        _arena = new ParameterArena(backend, _model, seed: null, trainable: false, precision);
        _schedule = info.Config.Diffusion.CreateSchedule();
    }

    /// <summary>Loads a checkpoint file or the best (else newest) one of a run folder; the averaged weights where there are any.</summary>
    /// <param name="backend">Where to compute.</param>
    /// <param name="path">The file or folder.</param>
    /// <param name="preferAverage">False takes the weights of the last step.</param>
    /// <param name="precision">How exactly to compute, whatever the model was trained with.</param>
    /// <exception cref="I2MException">Missing, damaged or not a checkpoint.</exception>
    public static I2MModel Load(IBackend backend, string path, bool preferAverage = true, Precision precision = Precision.Float32)
    {
        string file = RunFolder.Resolve(path);
        var model = new I2MModel(backend, file, Checkpoint.ReadInfo(file), precision);
        try
        {
            Checkpoint.LoadWeights(file, model._arena, preferAverage);
            model._arena.PackWeights();
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>One log-mel [bands, frames] per picture. Picture i uses noise stream i of the seed, so its mel does not depend on the others.</summary>
    /// <param name="pictures">Any sizes; resized to the model's.</param>
    /// <param name="options">How.</param>
    /// <param name="observer">Called after each step, or null.</param>
    /// <param name="cancel">Stops between two steps.</param>
    public IReadOnlyList<float[]> GenerateMels(IReadOnlyList<RgbImage> pictures, GenerateOptions options, StepObserver? observer = null, CancellationToken cancel = default)
    {
        options.Validated();
        if (pictures.Count == 0) { return []; }
        using var scope = new TensorScope();
        using var noGrad = GradMode.NoGrad();
        DitConfig config = Info.Config.Model;
        int count = pictures.Count, values = config.MelBands * config.MelFrames;
        bool guided = options.Guidance != 1;
        ImageCondition condition = Encode(pictures, guided);
        var x = new double[count * values];
        var streams = new SampleNoise(options.Seed, options.FirstPicture, count, values);
        streams.Initial(x);
        int[] timesteps = Timesteps.Spaced(config.CompatSeed ? TimestepSpacing.Seed : TimestepSpacing.Trailing, _schedule.Steps, options.Steps);
        using var modulations = new SamplingModulations(_model, timesteps, condition, guided ? 2 * count : count);
        ISampler sampler = CreateSampler(options, timesteps);
        sampler.Sample(x, (state, t, prediction) => Predict(state, modulations.At(t), prediction, condition, count, guided, options), streams.Step, observer, cancel);
        var mels = new float[count][];
        for (int i = 0; i < count; i++) { mels[i] = Info.Normalizer.Denormalize(Unpatchify(x.AsSpan(i * values, values))); }
        return mels;
    }

    /// <inheritdoc/>
    public void Dispose() => _arena.Dispose();

    private ISampler CreateSampler(GenerateOptions options, int[] timesteps)
    {
        PredictionKind prediction = Info.Config.Diffusion.Prediction;
        var range = new DataRange(Info.Normalizer.Low, Info.Normalizer.High);
        bool compat = Info.Config.Model.CompatSeed;
        return options.Sampler switch
        {
            SamplerKind.Ddim => new DdimSampler(_schedule, prediction, timesteps, range, options.Eta) { CompatSeed = compat },
            SamplerKind.Ddpm => new DdpmSampler(_schedule, prediction, timesteps, range),
            _ => new DpmSolverSampler(_schedule, prediction, timesteps, range),
        };
    }

    /// <summary>Conditions of the pictures, followed for guidance by as many null conditions.</summary>
    private ImageCondition Encode(IReadOnlyList<RgbImage> pictures, bool guided)
    {
        DitConfig config = Info.Config.Model;
        int size = config.ImageSize, pixels = 3 * size * size, count = pictures.Count, batch = guided ? 2 * count : count;
        var data = new float[batch * pixels];
        var keep = new float[batch];
        for (int i = 0; i < batch; i++)
        {
            ImageTensor.ToChw(ImageResize.Bilinear(pictures[i % count], size, size), data.AsSpan(i * pixels, pixels));
            keep[i] = i < count ? 1 : 0;
        }
        using Tensor tokens = Tensor.From(_backend, data, batch, 3, size, size).Patchify(config.ImagePatches(batch));
        return _model.EncodeImage(tokens, Tensor.From(_backend, keep, batch));
    }

    private void Predict(ReadOnlySpan<double> x, (ModulationTable Table, int Step) modulation, Span<double> prediction, ImageCondition condition, int count, bool guided, GenerateOptions options)
    {
        using var scope = new TensorScope();
        DitConfig config = Info.Config.Model;
        int batch = guided ? 2 * count : count, values = x.Length / count;
        var noisy = new float[batch * values];
        for (int i = 0; i < noisy.Length; i++) { noisy[i] = (float)x[i % x.Length]; }
        Tensor input = Tensor.From(_backend, noisy, batch, config.MelTokens, config.MelTokenLength);
        float[] output = _model.Denoise(input, modulation.Table, modulation.Step, condition).ToArray();
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<float> conditional = output.AsSpan(i * values, values);
            Span<double> result = prediction.Slice(i * values, values);
            if (guided) { Guidance.Combine(conditional, output.AsSpan((count + i) * values, values), options.Guidance, options.GuidanceRescale, result); }
            else { for (int k = 0; k < values; k++) { result[k] = conditional[k]; } }
        }
    }

    /// <summary>Tokens → [bands, frames], on the host, in double.</summary>
    private double[] Unpatchify(ReadOnlySpan<double> tokens)
    {
        PatchShape shape = Info.Config.Model.MelPatches(1);
        var mel = new double[tokens.Length];
        int across = shape.Width / shape.PatchWidth;
        for (int token = 0; token < shape.Tokens; token++)
        {
            for (int i = 0; i < shape.TokenLength; i++)
            {
                int row = token / across * shape.PatchHeight + i / shape.PatchWidth, column = token % across * shape.PatchWidth + i % shape.PatchWidth;
                mel[row * shape.Width + column] = tokens[token * shape.TokenLength + i];
            }
        }
        return mel;
    }

    /// <summary>Normal numbers of each picture's own stream: element e of step s is number (s+1)·values + e, the initial noise comes first.</summary>
    private sealed class SampleNoise(ulong seed, int first, int count, int values)
    {
        public void Initial(Span<double> x) => Fill(0, x);

        public void Step(int step, Span<double> x) => Fill(step + 1, x);

        private void Fill(int block, Span<double> x)
        {
            for (int i = 0; i < count; i++)
            {
                for (int e = 0; e < values; e++)
                {
                    long index = 2 * ((long)block * values + e);
                    ulong stream = RandomStreams.Sampling + (ulong)(first + i);
                    x[i * values + e] = Math.Sqrt(-2 * Math.Log(Philox.Uniform(seed, stream, index))) * Math.Cos(2 * Math.PI * Philox.Uniform(seed, stream, index + 1));
                }
            }
        }
    }
}
