using System.Diagnostics;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Training;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Training;

/// <summary>Runs whose device fails in the middle of a step: what is said, what is left, and going on from there. And whose data come in time.</summary>
public sealed class RunFaultTests : IDisposable
{
    private static readonly TrainConfig s_config = TinyRun.Config with
    {
        Model = TinyRun.Config.Model with { Hidden = 16, Layers = 1, ClassCount = 2 },
        BatchSize = 2,
        Steps = 9,
        SaveEvery = 3,
        ValidateEvery = 0,
        EvalFraction = 0,
        KeepCheckpoints = 10,
    };

    private readonly TinyPairs _pairs = new();

    public void Dispose() => _pairs.Dispose();

    [Fact]
    public void ALostDeviceLeavesTheLastCheckpointAndTheRunGoesOnToTheBit()
    {
        string whole = _pairs.File("whole"), broken = _pairs.File("broken");
        Train(Backends.Get("opencl"), whole, new RunOptions());
        IBackend lost = FaultyBackend.With(new FaultPlan { LostFromUpload = 8 });
        var failure = Assert.Throws<DeviceLostException>(() => Train(lost, broken, new RunOptions()));
        Assert.Contains("CUDA_ERROR_ILLEGAL_ADDRESS; start again from the last checkpoint", failure.Message, StringComparison.Ordinal);
        Assert.Equal([6, 3], new RunFolder(broken).Checkpoints().Select(c => c.Step));
        Train(Backends.Get("opencl"), broken, new RunOptions(Resume: true));
        Assert.Equal(File.ReadAllBytes(new RunFolder(whole).CheckpointPath(9)), File.ReadAllBytes(new RunFolder(broken).CheckpointPath(9)));
        Assert.Empty(Directory.EnumerateFiles(broken, "*.tmp-*", SearchOption.AllDirectories));
    }

    [Fact]
    public void ADeviceWithoutMemoryIsAskedTwiceAndThenNamed()
    {
        string once = _pairs.File("once"), always = _pairs.File("always");
        Train(FaultyBackend.With(new FaultPlan { RefusedAllocation = 40 }), once, new RunOptions(StopAtStep: 3));
        IBackend full = FaultyBackend.With(new FaultPlan { RefusedAllocation = 40, Refusals = int.MaxValue - 40 });
        var failure = Assert.Throws<OutOfDeviceMemoryException>(() => Train(full, always, new RunOptions()));
        Assert.Contains($"{failure.WantedBytes:N0} bytes wanted, {failure.HeldBytes:N0} held", failure.Message, StringComparison.Ordinal);
        Assert.True(failure.HeldBytes > 0);
        Train(Backends.Get("opencl"), always, new RunOptions(Resume: true, StopAtStep: 3));
        Assert.Equal(File.ReadAllBytes(new RunFolder(once).CheckpointPath(3)), File.ReadAllBytes(new RunFolder(always).CheckpointPath(3)));
    }

    [Fact]
    public void ANaNIsFoundBeforeAnythingIsSavedAndItsStepIsNamed()
    {
        IBackend backend = FaultyBackend.With(new FaultPlan { PoisonedUpload = 5 });
        string run = _pairs.File("run");
        var failure = Assert.Throws<I2MException>(() => Train(backend, run, new RunOptions(ReadEvery: 9)));
        Assert.StartsWith("step 5 (of steps 4 to 6, read together): loss NaN", failure.Message, StringComparison.Ordinal);
        Assert.Equal([3], new RunFolder(run).Checkpoints().Select(c => c.Step));
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void AllStepsAreReportedInOrderHoweverSeldomTheyAreRead(string name)
    {
        List<TrainProgress> seen = [];
        IBackend backend = Backends.Get(name);
        PairDataset data = _pairs.Load(backend, s_config);
        foreach (int every in new[] { 1, 4 })
        {
            seen.Clear();
            var folder = new RunFolder(_pairs.File($"{name}-{every}"));
            new TrainingRun(backend, s_config, data, folder, static _ => { }).Run(new RunOptions(ReadEvery: every), seen.Add, TestContext.Current.CancellationToken);
            Assert.Equal(Enumerable.Range(1, 9), seen.Select(p => p.Step));
            Assert.Equal(9, File.ReadLines(folder.LogPath).Count());
        }
        Assert.Equal(File.ReadAllBytes(_pairs.File($"{name}-1/checkpoints/step-000009.safetensors")), File.ReadAllBytes(_pairs.File($"{name}-4/checkpoints/step-000009.safetensors")));
    }

    /// <summary>The environment variable I2M_NANO_STEPS asks for more steps than 25, for figures.</summary>
    [Fact]
    public void DataAreReadyBeforeTheStepWantsThem()
    {
        int steps = int.TryParse(Environment.GetEnvironmentVariable("I2M_NANO_STEPS"), out int wanted) ? wanted : 25, warm = 5 + steps / 10;
        IBackend backend = Backends.Get("host");
        using var pairs = new TinyPairs(24, size: 128);
        TrainConfig config = TrainPresets.Get("nano") with { EvalFraction = 0 };
        PairDataset data = pairs.Load(backend, config);
        config = config with { Model = config.Model with { ClassCount = data.Classes.Count } };
        using var trainer = new DiffusionTrainer(backend, config);
        using var loader = new BatchLoader(data, config, MelNormalizer.Measure(data.Mels, config.Mel.Bands, config.Diffusion.InputScale), 0);
        for (int i = 0; i < warm; i++) { trainer.TrainStep(loader.Next, loader.Recycle); }
        var (heap, device, allocations) = (StepQueueTests.Heap(), backend.Pool.DeviceBytes, backend.Pool.DeviceAllocations);
        TimeSpan waited = loader.Waited;
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < steps; i++) { trainer.TrainStep(loader.Next, loader.Recycle); }
        double seconds = clock.Elapsed.TotalSeconds, share = (loader.Waited - waited).TotalSeconds / seconds;
        TestContext.Current.TestOutputHelper?.WriteLine($"{steps} nano steps on the host: {steps / seconds:F1} a second, {100 * share:F3} % of the time waited for data, heap {StepQueueTests.Heap() - heap} bytes more, {device} device bytes");
        Assert.Equal((device, allocations), (backend.Pool.DeviceBytes, backend.Pool.DeviceAllocations));
        Assert.True(share < 0.02, $"{share:P1} of the time waited for data");
    }

    private void Train(IBackend backend, string folder, RunOptions options) =>
        new TrainingRun(backend, s_config, _pairs.Load(Backends.Get("host"), s_config), new RunFolder(folder), static _ => { }).Run(options, null, TestContext.Current.CancellationToken);
}
