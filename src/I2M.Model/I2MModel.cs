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

    /// <summary>The most pictures that <see cref="PicturesAtOnce"/> puts together.</summary>
    public const int MostTogether = 16;

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

    /// <summary>
    /// One log-mel [bands, frames] per picture, computed together with one wait for the device. Picture i uses noise stream i of the seed, so its mel does not depend
    /// on the others.
    /// </summary>
    /// <param name="pictures">Any sizes; resized to the model's.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Called with the steps queued and their number, or null.</param>
    /// <param name="cancel">Stops between two steps.</param>
    public IReadOnlyList<float[]> GenerateMels(IReadOnlyList<RgbImage> pictures, GenerateOptions options, Action<int, int>? progress = null, CancellationToken cancel = default)
    {
        options.Validated();
        if (pictures.Count == 0) { return []; }
        using var scope = new TensorScope();
        using var noGrad = GradMode.NoGrad();
        using BatchSampler sampler = CreateSampler(options, pictures.Count);
        return Cut(MelsOf(sampler.Run(pictures, progress, cancel)).ToArray(), pictures.Count);
    }

    /// <summary>Speech about each picture, as <see cref="GenerateMels"/> with the vocoder: the mels stay on the device, and the waveforms come back in one copy.</summary>
    /// <param name="pictures">Any sizes; resized to the model's.</param>
    /// <param name="vocoder">On the model's backend.</param>
    /// <param name="options">How.</param>
    /// <param name="keepMels">True brings the mels along, in the same copy.</param>
    /// <param name="progress">Called with the steps queued and their number, or null.</param>
    /// <param name="cancel">Stops between two steps.</param>
    public IReadOnlyList<GeneratedSpeech> Speak(IReadOnlyList<RgbImage> pictures, IVocoder vocoder, GenerateOptions options, bool keepMels = false, Action<int, int>? progress = null, CancellationToken cancel = default)
    {
        options.Validated();
        int count = pictures.Count;
        if (count == 0) { return []; }
        using var scope = new TensorScope();
        using var noGrad = GradMode.NoGrad();
        using BatchSampler sampler = CreateSampler(options, count);
        Tensor mels = MelsOf(sampler.Run(pictures, progress, cancel)), waves = vocoder.Decode(mels);
        if (!keepMels) { return [.. Cut(waves.ToArray(), count).Select(w => new GeneratedSpeech(w, null))]; }
        Tensor both = Tensor.Empty(_backend, checked((int)(waves.Length + mels.Length)));
        _backend.Copy(waves.View, both.View.Slice(0, waves.Length));
        _backend.Copy(mels.View, both.View.From(waves.Length));
        float[] data = both.ToArray();
        int split = (int)waves.Length;
        return [.. Cut(data[..split], count).Zip(Cut(data[split..], count), (w, m) => new GeneratedSpeech(w, m))];
    }

    /// <summary>
    /// How many pictures to generate together: as many as the batch's activations, and the keys and values of the pictures, fit into half of the memory that is left, at
    /// most <see cref="MostTogether"/>, which fill any device.
    /// </summary>
    public int PicturesAtOnce()
    {
        DitConfig c = Info.Config.Model;
        // A block holds at most its input and output, packed projections (3) and the MLP's two of 4·hidden a token at a time; twice for guidance.
        long block = 16L * c.MelTokens * c.Hidden, keys = 2L * c.Layers * c.ImageTokens * c.Hidden, tower = 16L * c.ImageTokens * c.Hidden;
        long bytes = 2 * sizeof(float) * (Math.Max(block, tower) + keys), free = _backend.Device.MemoryBytes - _backend.Pool.DeviceBytes;
        return (int)Math.Clamp(free / 2 / bytes, 1, MostTogether);
    }

    /// <inheritdoc/>
    public void Dispose() => _arena.Dispose();

    private BatchSampler CreateSampler(GenerateOptions options, int count)
    {
        PredictionKind prediction = Info.Config.Diffusion.Prediction;
        var range = new DataRange(Info.Normalizer.Low, Info.Normalizer.High);
        bool compat = Info.Config.Model.CompatSeed;
        int[] timesteps = Timesteps.Spaced(compat ? TimestepSpacing.Seed : TimestepSpacing.Trailing, _schedule.Steps, options.Steps);
        ISampler sampler = options.Sampler switch
        {
            SamplerKind.Ddim => new DdimSampler(_schedule, prediction, timesteps, range, options.Eta) { CompatSeed = compat },
            SamplerKind.Ddpm => new DdpmSampler(_schedule, prediction, timesteps, range),
            _ => new DpmSolverSampler(_schedule, prediction, timesteps, range),
        };
        return new BatchSampler(_backend, _model, sampler, options, count);
    }

    /// <summary>Tokens [count, melTokens, melTokenLength] → log-mels [count, bands, frames], as <see cref="MelNormalizer.Denormalize"/>.</summary>
    private Tensor MelsOf(Tensor tokens)
    {
        DitConfig config = Info.Config.Model;
        MelNormalizer normalizer = Info.Normalizer;
        int count = tokens.Shape[0];
        Tensor mels = Tensor.Empty(_backend, count, config.MelBands, config.MelFrames);
        using Tensor mean = Tensor.Full(_backend, (float)normalizer.Mean, mels.Shape.ToArray());
        _backend.Unpatchify(tokens.View, config.MelPatches(count), mels.View);
        _backend.Axpby((float)(normalizer.Deviation / normalizer.Scale), mels.View, 1, mean.View, mels.View);
        _backend.Clamp(mels.View, (float)normalizer.Floor, float.PositiveInfinity, mels.View);
        return mels;
    }

    private static float[][] Cut(float[] data, int count)
    {
        int each = data.Length / count;
        return [.. Enumerable.Range(0, count).Select(i => data.AsSpan(i * each, each).ToArray())];
    }
}

/// <summary>Speech about one picture.</summary>
/// <param name="Wave">The waveform at the model's sample rate.</param>
/// <param name="Mel">The log-mel [bands, frames] it was made of, where it was asked for.</param>
public sealed record GeneratedSpeech(float[] Wave, float[]? Mel);
