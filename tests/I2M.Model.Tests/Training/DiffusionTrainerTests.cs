using I2M.Kernels;
using I2M.Model.Data;
using I2M.Model.Training;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Training;

/// <summary>The training step: it learns, repeats to the bit, resumes to the bit, and needs no new memory.</summary>
public class DiffusionTrainerTests
{
    [Theory]
    [MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void LearnsOneBatchByHeart(string backendName)
    {
        using var trainer = new DiffusionTrainer(Backends.Get(backendName), TinyRun.Config);
        Batch batch = TinyRun.Batch(TinyRun.Config);
        double[] losses = [.. Enumerable.Range(0, 150).Select(_ => TinyRun.Step(trainer, batch).Loss)];
        double first = losses.Take(10).Average(), last = losses.TakeLast(10).Average();
        TestContext.Current.TestOutputHelper!.WriteLine($"{backendName}: loss {first:F4} -> {last:F4}");
        Assert.True(last < 0.8 * first, $"loss {first} -> {last}");
    }

    [Theory]
    [MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void TwoRunsAreEqualToTheBit(string backendName)
    {
        Assert.Equal(WeightsAfter(backendName, TinyRun.Config, 6), WeightsAfter(backendName, TinyRun.Config, 6));
    }

    [Theory]
    [MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void ResumingIsEqualToNeverStopping(string backendName)
    {
        IBackend backend = Backends.Get(backendName);
        foreach (TrainConfig config in new[] { TinyRun.Config, TinyRun.CompatConfig, TinyRun.Config with { Accumulation = 2 } })
        {
            string path = Path.Combine(Path.GetTempPath(), $"i2m-resume-{Guid.NewGuid():N}.safetensors");
            try
            {
                Batch batch = TinyRun.Batch(config);
                using (var before = new DiffusionTrainer(backend, config))
                {
                    for (int i = 0; i < 3; i++) { TinyRun.Step(before, batch); }
                    Checkpoint.Save(path, before, new CheckpointInfo(config, new(0, 1, -11.5, 1, -2, 2), ["a", "b", "c"], new TrainState(before.Step, before.Ema.UpdateCount, "data", 0.5)));
                }
                using var after = new DiffusionTrainer(backend, config with { Seed = config.Seed });
                CheckpointInfo info = Checkpoint.Restore(path, after);
                Assert.Equal(config.ToJson(), info.Config.ToJson());
                Assert.Equal(["a", "b", "c"], info.Classes);
                for (int i = 0; i < 3; i++) { TinyRun.Step(after, batch); }
                Assert.Equal(6, after.Step);
                Assert.Equal(WeightsAfter(backendName, config, 6), TinyRun.Weights(after));
            }
            finally
            {
                File.Delete(path);
            }
        }
    }

    [Fact]
    public void AccumulatedPartsEqualOneLargeBatch()
    {
        // Two parts of one sample each see the same samples, noise and timesteps as one batch of two.
        TrainConfig large = TinyRun.Config with { BatchSize = 2, Steps = 100 }, parts = large with { BatchSize = 1, Accumulation = 2 };
        Batch both = TinyRun.Batch(large);
        int mel = both.Mels.Length / 2, image = both.Images.Length / 2;
        Batch[] single = [.. Enumerable.Range(0, 2).Select(b => new Batch(both.Mels[(b * mel)..((b + 1) * mel)], both.Images[(b * image)..((b + 1) * image)], [both.Labels[b]]))];
        using var one = new DiffusionTrainer(Backends.Get("host"), large);
        using var two = new DiffusionTrainer(Backends.Get("host"), parts);
        int next = 0;
        for (int step = 0; step < 3; step++)
        {
            TinyRun.Step(one, both);
            two.TrainStep(() => single[next++ % 2], static _ => { });
        }
        Tolerance.TrainStep.Check("accumulated weights", TinyRun.Weights(two), [.. TinyRun.Weights(one).Select(w => (double)w)]);
    }

    [Theory]
    [MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void AWarmStepAllocatesNothingOnTheDeviceAndLeavesTheHeapFlat(string backendName)
    {
        IBackend backend = Backends.Get(backendName);
        using var trainer = new DiffusionTrainer(backend, TinyRun.Config);
        Batch batch = TinyRun.Batch(TinyRun.Config);
        for (int i = 0; i < 5; i++) { TinyRun.Step(trainer, batch); }
        long allocations = backend.Pool.DeviceAllocations, live = backend.Pool.LiveBytes, device = backend.Pool.DeviceBytes;
        long heap = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < 40; i++) { TinyRun.Step(trainer, batch); }
        long growth = GC.GetTotalMemory(forceFullCollection: true) - heap;
        TestContext.Current.TestOutputHelper!.WriteLine($"{backendName}: {backend.Pool.DeviceAllocations - allocations} device allocations and {growth} bytes of heap growth in 40 steps, {device} device bytes held");
        Assert.Equal(allocations, backend.Pool.DeviceAllocations);
        Assert.Equal(live, backend.Pool.LiveBytes);
        Assert.Equal(device, backend.Pool.DeviceBytes);
        Assert.InRange(growth, -1_000_000, 64 * 1024);
    }

    [Fact]
    public void OneRunOnTwoBackendsAgrees()
    {
        double[] host = [.. WeightsAfter("host", TinyRun.Config, 4).Select(w => (double)w)];
        Tolerance.TrainStep.Check("opencl against host weights", WeightsAfter("opencl", TinyRun.Config, 4), host);
    }

    private static float[] WeightsAfter(string backendName, TrainConfig config, int steps)
    {
        using var trainer = new DiffusionTrainer(Backends.Get(backendName), config);
        Batch batch = TinyRun.Batch(config);
        for (int i = 0; i < steps; i++) { TinyRun.Step(trainer, batch); }
        return TinyRun.Weights(trainer);
    }
}
