using I2M.Kernels;
using I2M.Kernels.Host;
using I2M.Model.Data;
using I2M.Model.Diffusion;
using I2M.Model.Dit;
using I2M.Model.Training;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Training;

/// <summary>What a training step keeps in memory, against what it must keep, and recomputation of the blocks.</summary>
public sealed class StepMemoryTests
{
    /// <summary>
    /// What the bound leaves out and a step may hold besides: packed factors of one matrix product, the statistics of norms and attention, the modulations and
    /// the rounding of the pool.
    /// </summary>
    private const double Allowance = 1.1;

    private static TrainConfig Small { get; } = new()
    {
        Model = new DitConfig { CompatSeed = true, ImageSize = 64, ImagePatch = 8, MelPatchBands = 10, MelPatchFrames = 8, Hidden = 128, Layers = 3, Heads = 4 },
        Diffusion = DiffusionConfig.CompatSeed,
        BatchSize = 4,
        ClassLossWeight = 0,
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PeakIsCloseToWhatMustLive(bool recompute)
    {
        TrainConfig config = Small with { Recompute = recompute };
        using var backend = new HostBackend();
        using var trainer = new DiffusionTrainer(backend, config);
        Batch batch = TinyRun.Batch(config);
        for (int i = 0; i < 2; i++) { TinyRun.Step(trainer, batch); }
        long bound = LowerBound(config, trainer.Arena.Length), peak = backend.Pool.PeakLiveBytes;
        TestContext.Current.TestOutputHelper?.WriteLine($"recompute {recompute}: peak {peak >> 10} KiB live, {backend.Pool.PeakDeviceBytes >> 10} KiB on the device, bound {bound >> 10} KiB: {(double)peak / bound:F3}");
        Assert.True(peak <= Allowance * bound, $"peak {peak} bytes, bound {bound}");
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void RecomputedBlocksLearnTheSameToTheBit(string backendName)
    {
        foreach (TrainConfig config in new[] { TinyRun.Config, TinyRun.CompatConfig })
        {
            Assert.Equal(Learn(backendName, config), Learn(backendName, config with { Recompute = true }));
        }
    }

    /// <summary>First moments after one step, which are the clipped gradients times 1 − β1, then losses and weights after three more.</summary>
    private static float[] Learn(string backendName, TrainConfig config)
    {
        IBackend backend = Backends.Get(backendName);
        using var trainer = new DiffusionTrainer(backend, config);
        Batch batch = TinyRun.Batch(config);
        List<float> numbers = [(float)TinyRun.Step(trainer, batch).Loss];
        var gradients = new float[trainer.Arena.Length];
        backend.CopyToHost(trainer.Optimizer.FirstMoment, gradients);
        numbers.AddRange(gradients);
        for (int i = 0; i < 3; i++) { numbers.Add((float)TinyRun.Step(trainer, batch).Loss); }
        return [.. numbers, .. TinyRun.Weights(trainer)];
    }

    /// <summary>
    /// Bytes that must live when the backward pass enters the last block. With U = batch · tokens · hidden a block keeps 20 U for its backward: the inputs of three
    /// norms (3), their results (3, read by linear layers), q, k and v of the self-attention and its result (4), q and the result of the cross-attention (2),
    /// and the MLP's two hidden arrays (8); keys and values of the pictures come on top. Its gradients then are those of the residual stream, of the branch and of
    /// the MLP's hidden array (6 U). With recomputation each other block keeps its input only.
    /// </summary>
    private static long LowerBound(TrainConfig config, long parameters)
    {
        DitConfig m = config.Model;
        long unit = (long)config.BatchSize * m.MelTokens * m.Hidden, context = (long)config.BatchSize * m.ImageTokens * m.Hidden;
        long mel = (long)config.BatchSize * m.MelTokens * m.MelTokenLength, pictures = (long)config.BatchSize * m.ImageTokens * m.ImageTokenLength;
        long blocks = config.Recompute ? m.Layers - 1 + 20 : 20 * m.Layers;
        long activations = (blocks + 6) * unit + (2 * m.Layers + 1) * context + pictures + mel;
        return sizeof(float) * (5 * parameters + activations);
    }
}
