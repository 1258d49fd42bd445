using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Kernels.Host;
using I2M.Model.Data;
using I2M.Model.Dit;
using I2M.Model.Training;
using I2M.Testing;
using I2M.Testing.Emulation;
using Xunit;

namespace I2M.Model.Tests.Training;

/// <summary>Training in tf32 and bfloat16: it follows float32, repeats and resumes to the bit, and does on CUDA what it does on the host.</summary>
public sealed class PrecisionTests
{
    /// <summary>How far the mean loss of a stretch of training may be from float32's.</summary>
    private const double LossShare = 0.02;

    /// <summary>A model with rows, channels and heads that tensor-core kernels take, small enough for the emulator.</summary>
    private static TrainConfig Smallest { get; } = TinyRun.Config with
    {
        Model = TinyRun.Config.Model with { MelBands = 16, MelFrames = 32, MelPatchBands = 8, MelPatchFrames = 8, Layers = 1 },
        Mel = TinyRun.Config.Mel with { Bands = 16 },
        BatchSize = 2,
        ConditionDropout = 0.6, // With this seed the first of the two samples loses its picture, so that every parameter learns.
    };

    private static TrainConfig SmallestCompat { get; } = Smallest with
    {
        Model = Smallest.Model with { CompatSeed = true, ClassCount = 0 },
        Diffusion = TinyRun.CompatConfig.Diffusion,
        ClassLossWeight = 0,
        ConditionDropout = 0,
    };

    public static TheoryData<Precision, bool> Steps => new()
    {
        { Precision.Float32, false }, { Precision.TensorFloat32, false }, { Precision.BFloat16, false }, { Precision.BFloat16, true },
    };

    [Theory, MemberData(nameof(Steps))]
    public void AStepOnEmulatedCudaMatchesTheHosts(Precision precision, bool compat)
    {
        TrainConfig config = (compat ? SmallestCompat : Smallest) with { Precision = precision };
        using var host = new HostBackend(2);
        using IBackend cuda = EmulatedBackend.Open();
        Numbers expected = Learn(host, config, 1, awake: true), actual = Learn(cuda, config, 1, awake: true);
        Assert.All(expected.GradientNorms, norm => Assert.True(norm > 1e-9, "a parameter takes no part in the step"));
        string name = $"{precision.Name()}{(compat ? ", compat" : "")}";
        Tolerance tolerance = precision switch
        {
            Precision.TensorFloat32 => Tolerance.StepTensorFloat32,
            Precision.BFloat16 => Tolerance.StepBFloat16,
            _ => Tolerance.StepFloat32,
        };
        tolerance.Check($"{name}: loss", actual.Losses, expected.Losses);
        tolerance.Check($"{name}: first moments", actual.FirstMoment, Wide(expected.FirstMoment));
        Tolerance afterAdamW = precision == Precision.Float32 ? Tolerance.TrainStep : tolerance;
        afterAdamW.Check($"{name}: weights", actual.Weights, Wide(expected.Weights));
        afterAdamW.Check($"{name}: average", actual.Average, Wide(expected.Average));
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void BFloat16FollowsFloat32(string backendName)
    {
        const int steps = 150, window = 50;
        IBackend backend = Backends.Get(backendName);
        foreach (TrainConfig config in new[] { TinyRun.Config, TinyRun.CompatConfig })
        {
            double wide = Learn(backend, config, steps).Losses.TakeLast(window).Average();
            double narrow = Learn(backend, config with { Precision = Precision.BFloat16 }, steps).Losses.TakeLast(window).Average();
            TestContext.Current.TestOutputHelper!.WriteLine($"{backendName}: mean loss of the last {window} of {steps} steps {wide:F5} in f32, {narrow:F5} in bf16: {narrow / wide - 1:P2}");
            Assert.NotEqual(wide, narrow);
            Assert.InRange(narrow, (1 - LossShare) * wide, (1 + LossShare) * wide);
        }
    }

    [Fact]
    public void BFloat16RoundsAtTheSamePlacesOnEveryBackend()
    {
        foreach (TrainConfig config in new[] { TinyRun.Config, TinyRun.CompatConfig })
        {
            TrainConfig narrow = config with { Precision = Precision.BFloat16 };
            Numbers host = Learn(Backends.Get("host"), narrow, 1, awake: true), opencl = Learn(Backends.Get("opencl"), narrow, 1, awake: true);
            Tolerance.StepBFloat16.Check("first moments", opencl.FirstMoment, Wide(host.FirstMoment));
        }
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void TensorFloat32IsFloat32WhereNothingIsRounded(string backendName)
    {
        Assert.SkipWhen(backendName == "cuda", "CUDA rounds.");
        IBackend backend = Backends.Get(backendName);
        Assert.Equal(Learn(backend, TinyRun.Config, 3).Weights, Learn(backend, TinyRun.Config with { Precision = Precision.TensorFloat32 }, 3).Weights);
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void BFloat16RepeatsAndRecomputesToTheBit(string backendName)
    {
        IBackend backend = Backends.Get(backendName);
        foreach (TrainConfig config in new[] { TinyRun.Config, TinyRun.CompatConfig, TinyRun.Config with { Accumulation = 2 } })
        {
            TrainConfig narrow = config with { Precision = Precision.BFloat16 };
            float[] weights = Learn(backend, narrow, 4).Weights;
            Assert.Equal(weights, Learn(backend, narrow, 4).Weights);
            Assert.Equal(weights, Learn(backend, narrow with { Recompute = true }, 4).Weights);
        }
    }

    [Fact]
    public void BFloat16IsEqualToTheBitBetweenThreadCounts()
    {
        TrainConfig config = TinyRun.Config with { Precision = Precision.BFloat16 };
        using var one = new HostBackend(1);
        using var three = new HostBackend(3);
        Assert.Equal(Learn(one, config, 4).Weights, Learn(three, config, 4).Weights);
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void BFloat16ResumesToTheBitFromFloat32Weights(string backendName)
    {
        IBackend backend = Backends.Get(backendName);
        TrainConfig config = TinyRun.Config with { Precision = Precision.BFloat16 };
        string path = Path.Combine(Path.GetTempPath(), $"i2m-resume-{Guid.NewGuid():N}.safetensors");
        try
        {
            Batch batch = TinyRun.Batch(config);
            using (var before = new DiffusionTrainer(backend, config))
            {
                for (int i = 0; i < 3; i++) { TinyRun.Step(before, batch); }
                Checkpoint.Save(path, before, new CheckpointInfo(config, new(0, 1, -11.5, 1, -2, 2), [], new TrainState(before.Step, before.Ema.UpdateCount, "data", null)));
            }
            using var after = new DiffusionTrainer(backend, config);
            Assert.Equal(Precision.BFloat16, Checkpoint.Restore(path, after).Config.Precision);
            for (int i = 0; i < 3; i++) { TinyRun.Step(after, batch); }
            Assert.Equal(Learn(backend, config, 6).Weights, TinyRun.Weights(after));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void ValidatingOnTheAverageChangesNoLaterStep(string backendName)
    {
        IBackend backend = Backends.Get(backendName);
        TrainConfig config = TinyRun.Config with { Precision = Precision.BFloat16 };
        Batch batch = TinyRun.Batch(config);
        using var trainer = new DiffusionTrainer(backend, config);
        for (int i = 0; i < 4; i++)
        {
            TinyRun.Step(trainer, batch);
            double own = trainer.Validate(batch, config.BatchSize, 0);
            trainer.Arena.Bind(trainer.Ema.Values);
            Assert.NotEqual(own, trainer.Validate(batch, config.BatchSize, 0));
            trainer.Arena.Bind(trainer.Arena.Values);
            Assert.Equal(own, trainer.Validate(batch, config.BatchSize, 0));
        }
        Assert.Equal(Learn(backend, config, 4).Weights, TinyRun.Weights(trainer));
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void AWarmBFloat16StepAllocatesNothingOnTheDevice(string backendName)
    {
        IBackend backend = Backends.Get(backendName);
        TrainConfig config = TinyRun.Config with { Precision = Precision.BFloat16 };
        using var trainer = new DiffusionTrainer(backend, config);
        Batch batch = TinyRun.Batch(config);
        for (int i = 0; i < 5; i++) { TinyRun.Step(trainer, batch); }
        (long Allocations, long Live) before = (backend.Pool.DeviceAllocations, backend.Pool.LiveBytes);
        for (int i = 0; i < 20; i++) { TinyRun.Step(trainer, batch); }
        Assert.Equal(before, (backend.Pool.DeviceAllocations, backend.Pool.LiveBytes));
    }

    [Fact]
    public void ActivationsOfBFloat16TakeFarLessMemory()
    {
        TrainConfig config = TinyRun.Config with { Model = TinyRun.Config.Model with { ImageSize = 64, ImagePatch = 8, MelPatchBands = 10, MelPatchFrames = 8, Hidden = 64, Layers = 6 }, BatchSize = 2 };
        long wide = ActivationBytes(config), narrow = ActivationBytes(config with { Precision = Precision.BFloat16 });
        TestContext.Current.TestOutputHelper!.WriteLine($"{wide >> 10} KiB of activations in f32, {narrow >> 10} KiB in bf16: {(double)narrow / wide:P0}");
        Assert.InRange(narrow, 0, 0.75 * wide);
    }

    /// <summary>What a forward pass of the preset small with 8 samples keeps for the backward pass.</summary>
    [Fact]
    public void KeptActivationsOfBFloat16AreLittleMoreThanHalf()
    {
        using var backend = new HostBackend(2);
        long wide = KeptBytes(backend, Precision.Float32), narrow = KeptBytes(backend, Precision.BFloat16);
        TestContext.Current.TestOutputHelper!.WriteLine($"small, batch 8: {wide >> 20} MiB kept in f32, {narrow >> 20} MiB in bf16: {(double)narrow / wide:P1}");
        Assert.InRange(narrow, 0, 0.65 * wide);
    }

    private static long KeptBytes(IBackend backend, Precision precision)
    {
        const int batch = 8;
        DitConfig config = DitPresets.Get("small");
        DitModel model = DitModel.Create(config);
        using var arena = new ParameterArena(backend, model, seed: 1, precision: precision);
        using var scope = new TensorScope();
        using Tensor pictures = Tensor.Full(backend, 0.5f, batch, config.ImageTokens, config.ImageTokenLength), keep = Tensor.Full(backend, 1, batch);
        using Tensor noisy = Tensor.Full(backend, 0.5f, batch, config.MelTokens, config.MelTokenLength);
        long before = backend.Pool.LiveBytes;
        using Tensor prediction = model.Denoise(noisy, new int[batch], model.EncodeImage(pictures, keep));
        return backend.Pool.LiveBytes - before;
    }

    /// <summary>The most that was live in a step besides what lives between steps.</summary>
    private static long ActivationBytes(TrainConfig config)
    {
        using var backend = new HostBackend(2);
        using var trainer = new DiffusionTrainer(backend, config);
        long resident = backend.Pool.LiveBytes;
        TinyRun.Step(trainer, TinyRun.Batch(config));
        return backend.Pool.PeakLiveBytes - resident;
    }

    private static double[] Wide(float[] values) => [.. values.Select(v => (double)v)];

    private static Numbers Learn(IBackend backend, TrainConfig config, int steps, bool awake = false)
    {
        using var trainer = new DiffusionTrainer(backend, config);
        if (awake) { Wake(trainer.Arena); }
        Batch batch = TinyRun.Batch(config);
        double[] losses = [.. Enumerable.Range(0, steps).Select(_ => TinyRun.Step(trainer, batch).Loss)];
        double[] norms = [.. trainer.Arena.Entries.Select(e => Math.Sqrt(trainer.Arena.Read(e, trainer.Optimizer.FirstMoment).Sum(g => (double)g * g)))];
        return new Numbers(losses, norms, Read(trainer.Optimizer.FirstMoment), TinyRun.Weights(trainer), Read(trainer.Ema.Values));

        float[] Read(BufferView view)
        {
            var values = new float[view.Length];
            backend.CopyToHost(view, values);
            return values;
        }
    }

    /// <summary>adaLN-Zero starts with gates of zero, through which no gradient flows: noise on every weight opens them.</summary>
    private static void Wake(ParameterArena arena)
    {
        var random = new RandomData(17);
        foreach (ParameterArena.Entry entry in arena.Entries)
        {
            float[] noise = random.Normal(entry.Parameter.Length, 0.1);
            arena.Write(entry, arena.Values, [.. arena.Read(entry, arena.Values).Zip(noise, (w, n) => w + n)]);
        }
    }

    /// <summary>What training left behind. The first moments after one step are the clipped gradients times 1 − β1.</summary>
    private sealed record Numbers(double[] Losses, double[] GradientNorms, float[] FirstMoment, float[] Weights, float[] Average);
}
