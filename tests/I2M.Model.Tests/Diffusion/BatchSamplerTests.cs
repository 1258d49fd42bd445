using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Diffusion;
using I2M.Model.Dit;
using I2M.Model.Images;
using I2M.Model.Tests.Plots;
using I2M.Model.Tests.Training;
using I2M.Model.Training;
using I2M.Model.Vocos;
using I2M.Testing;
using I2M.Testing.Emulation;
using Xunit;

namespace I2M.Model.Tests.Diffusion;

/// <summary>Pictures computed together on the device: one wait, the samples of each alone, and those of the double-precision samplers.</summary>
public sealed class BatchSamplerTests : IDisposable
{
    /// <summary>Roundings of some float32 steps over those of double, as a share of the largest value; products with other row counts may add in another order.</summary>
    private const double Limit = 2e-5;
    private static readonly Lazy<IBackend> s_emulated = new(() => EmulatedBackend.Open());
    private static readonly TrainConfig s_config = TinyRun.Config with
    {
        Model = TinyRun.Config.Model with { Hidden = 16, Layers = 1, MelFrames = 40, ClassCount = 2 },
        BatchSize = 2,
    };
    private static readonly MelNormalizer s_normalizer = new(-5, 2, -11.5, 0.5, -2, 2);
    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Every backend and the emulated one.</summary>
    public static TheoryData<string> Rows => [.. Backends.Names, Backends.Emulated];

    [Theory, MemberData(nameof(Rows))]
    public void PicturesTogetherCostOneWaitAndAreThoseOfEachAlone(string name)
    {
        IBackend backend = Open(name);
        using I2MModel model = I2MModel.Load(backend, Save());
        using IVocoder vocoder = new TinyVocoder(backend);
        var options = new GenerateOptions { Steps = 4, Guidance = 2, Eta = 0.5 };
        RgbImage[] pictures = [Picture(0), Picture(1), Picture(2)];
        // Kernels are compiled and tables kept from the first use on.
        GeneratedSpeech[] alone = [.. pictures.Select((p, i) => model.Speak([p], vocoder, options with { FirstPicture = i }, keepMels: true, cancel: TestContext.Current.CancellationToken)[0])];
        List<(int, int)> progress = [];
        HostWaits before = backend.Waits;
        IReadOnlyList<GeneratedSpeech> together = model.Speak(pictures, vocoder, options, keepMels: true, (step, total) => progress.Add((step, total)), TestContext.Current.CancellationToken);
        HostWaits withMels = backend.Waits.Since(before);
        IReadOnlyList<GeneratedSpeech> waves = model.Speak(pictures, vocoder, options, cancel: TestContext.Current.CancellationToken);
        HostWaits without = backend.Waits.Since(before);
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {withMels} for 3 pictures and 4 steps, {without} for another 3");
        Assert.Equal([(1, 4), (2, 4), (3, 4), (4, 4)], progress);
        Assert.Equal(new HostWaits(1, 0), withMels);
        Assert.Equal(new HostWaits(2, 0), without);
        for (int i = 0; i < pictures.Length; i++)
        {
            Assert.Null(waves[i].Mel);
            Assert.Equal(together[i].Wave, waves[i].Wave);
            Close($"{name}, mel {i}", together[i].Mel!, [.. alone[i].Mel!.Select(v => (double)v)]);
            Close($"{name}, wave {i}", together[i].Wave, [.. alone[i].Wave.Select(v => (double)v)]);
        }
        Assert.NotEqual(together[0].Mel, together[1].Mel);
    }

    public static TheoryData<string, SamplerKind, double, double> Samplers
    {
        get
        {
            var rows = new TheoryData<string, SamplerKind, double, double>();
            foreach (string name in Backends.Names)
            {
                rows.Add(name, SamplerKind.Ddim, 0, 3);
                rows.Add(name, SamplerKind.Ddim, 0.5, 1);
                rows.Add(name, SamplerKind.Ddpm, 0, 2);
                rows.Add(name, SamplerKind.DpmSolver, 0, 2);
            }
            return rows;
        }
    }

    /// <summary>The device's steps against the samplers, guidance and normalisation in double around the same network.</summary>
    [Theory, MemberData(nameof(Samplers))]
    public void TheMelsAreThoseOfTheSamplersInDouble(string name, SamplerKind kind, double eta, double guidance)
    {
        IBackend backend = Backends.Get(name);
        string path = Save();
        var options = new GenerateOptions { Sampler = kind, Steps = 5, Guidance = guidance, Eta = eta, Seed = 7, FirstPicture = 3 };
        using I2MModel model = I2MModel.Load(backend, path);
        float[] mel = model.GenerateMels([Picture(1)], options, cancel: TestContext.Current.CancellationToken)[0];
        Close($"{kind} on {name}", mel, Reference(backend, path, options));
    }

    [Fact]
    public void NothingIsLeftBehindWhenItIsCancelled()
    {
        IBackend backend = Backends.Get("host");
        using I2MModel model = I2MModel.Load(backend, Save());
        using var source = new CancellationTokenSource();
        var options = new GenerateOptions { Steps = 50 };
        // Layers pack their weights at the first use.
        model.GenerateMels([Picture(0)], options, cancel: TestContext.Current.CancellationToken);
        long before = backend.Pool.LiveBytes;
        Assert.Throws<OperationCanceledException>(() => model.GenerateMels([Picture(0)], options, (step, _) => { if (step == 3) { source.Cancel(); } }, source.Token));
        Assert.Equal(before, backend.Pool.LiveBytes);
        Assert.InRange(model.PicturesAtOnce(), 1, I2MModel.MostTogether);
    }

    private static double[] Reference(IBackend backend, string path, GenerateOptions options)
    {
        const ulong samplingStream = 6UL << 32;
        DitConfig config = s_config.Model;
        DitModel model = DitModel.Create(config);
        using var scope = new TensorScope();
        using var noGrad = GradMode.NoGrad();
        using var arena = new ParameterArena(backend, model, seed: null, trainable: false);
        Checkpoint.LoadWeights(path, arena, preferAverage: true);
        int size = config.ImageSize, values = config.MelTokens * config.MelTokenLength;
        var image = new float[3 * size * size];
        ImageTensor.ToChw(ImageResize.Bilinear(Picture(1), size, size), image);
        Tensor tokens = Tensor.From(backend, [.. image, .. image], 2, 3, size, size).Patchify(config.ImagePatches(2));
        ImageCondition condition = model.EncodeImage(tokens, Tensor.From(backend, [1, 0], 2));
        NoiseSchedule schedule = s_config.Diffusion.CreateSchedule();
        int[] timesteps = Timesteps.Spaced(TimestepSpacing.Trailing, schedule.Steps, options.Steps);
        var range = new DataRange(s_normalizer.Low, s_normalizer.High);
        ISampler sampler = options.Sampler switch
        {
            SamplerKind.Ddim => new DdimSampler(schedule, s_config.Diffusion.Prediction, timesteps, range, options.Eta),
            SamplerKind.Ddpm => new DdpmSampler(schedule, s_config.Diffusion.Prediction, timesteps, range),
            _ => new DpmSolverSampler(schedule, s_config.Diffusion.Prediction, timesteps, range),
        };
        var x = new double[values];
        Noise(0, x);
        sampler.Sample(x, Predict, (step, fresh) => Noise(step + 1, fresh), cancel: TestContext.Current.CancellationToken);
        Tensor mel = Tensor.From(backend, [.. x.Select(v => (float)v)], 1, config.MelTokens, config.MelTokenLength).Unpatchify(config.MelPatches(1));
        return [.. s_normalizer.Denormalize([.. mel.ToArray().Select(v => (double)v)]).Select(v => (double)v)];

        void Noise(int block, Span<double> destination)
        {
            Tensor noise = Tensor.Empty(backend, values);
            backend.RandomNormal(options.Seed, samplingStream + (ulong)options.FirstPicture, (long)block * values, noise.View);
            float[] numbers = noise.ToArray();
            for (int i = 0; i < values; i++) { destination[i] = numbers[i]; }
        }

        void Predict(ReadOnlySpan<double> state, int t, Span<double> prediction)
        {
            var both = new float[2 * values];
            for (int i = 0; i < both.Length; i++) { both[i] = (float)state[i % values]; }
            float[] output = model.Denoise(Tensor.From(backend, both, 2, config.MelTokens, config.MelTokenLength), [t, t], condition).ToArray();
            Guidance.Combine(output.AsSpan(0, values), output.AsSpan(values), options.Guidance, options.Guidance == 1 ? 0 : options.GuidanceRescale, prediction);
        }
    }

    private static void Close(string what, float[] actual, double[] expected)
    {
        double scale = expected.Max(Math.Abs), error = actual.Zip(expected, (a, e) => Math.Abs(a - e)).Max() / scale;
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: error {error:E1} of the largest value");
        Assert.Equal(expected.Length, actual.Length);
        Assert.True(scale > 0 && error <= Limit, $"{what}: error {error:E1} of the largest value, allowed {Limit:E1}");
    }

    /// <summary>Weights that no training step has moved say nothing yet: some noise on all of them lets the picture and the timestep matter.</summary>
    private string Save()
    {
        string path = _folder["model.safetensors"];
        using var trainer = new DiffusionTrainer(Backends.Get("host"), s_config);
        for (int i = 0; i < 3; i++) { TinyRun.Step(trainer, TinyRun.Batch(s_config)); }
        Checkpoint.Save(path, trainer, new CheckpointInfo(s_config, s_normalizer, ["a", "b"], new TrainState(trainer.Step, trainer.Ema.UpdateCount, "data", 0.5)));
        return path;
    }

    private static RgbImage Picture(int number)
    {
        var pixels = new byte[3 * 16 * 16];
        for (int i = 0; i < pixels.Length; i++) { pixels[i] = (byte)(i * (number + 1)); }
        return new RgbImage(16, 16, pixels);
    }

    private static IBackend Open(string name) => name == Backends.Emulated ? s_emulated.Value : Backends.Get(name);

    /// <summary>Vocos of the smallest sizes with the seed's weights.</summary>
    private sealed class TinyVocoder : IVocoder
    {
        private readonly VocosModel _model = new(new VocosConfig { Dim = 16, IntermediateDim = 16, Layers = 1 });
        private readonly ParameterArena _arena;
        private readonly Tensor _window;

        public TinyVocoder(IBackend backend)
        {
            _arena = new ParameterArena(backend, _model, seed: 1, trainable: false);
            _window = Tensor.Persistent(backend, MelSpectrogram.HannWindow(Settings.FftSize), Settings.FftSize);
        }

        public string Name => "tiny";

        public MelSettings Settings => _model.Config.Mel;

        public float[] Decode(ReadOnlySpan<float> mel, int frames) => throw new NotSupportedException();

        public Tensor Decode(Tensor mels) => _model.Forward(mels, _window);

        public void Dispose()
        {
            _window.Dispose();
            _arena.Dispose();
        }
    }
}
