using I2M.Autograd;
using I2M.Kernels;
using I2M.Kernels.Dry;
using I2M.Kernels.Host;
using I2M.Kernels.Observation;
using I2M.Model.Dit;
using I2M.Model.Planning;
using I2M.Model.Tests.Training;
using I2M.Model.Training;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Planning;

/// <summary>What a plan says of memory and work, against steps that were made.</summary>
public sealed class StepPlanTests
{
    private static TrainConfig Nano { get; } = TrainPresets.Get("nano") with { BatchSize = 4, WarmupSteps = 0 };

    public static TheoryData<string, bool, Precision> Rows
    {
        get
        {
            var rows = new TheoryData<string, bool, Precision>();
            foreach (string name in new[] { "tiny", "compat", "nano" })
            {
                foreach (bool recompute in new[] { false, true })
                {
                    foreach (Precision precision in new[] { Precision.Float32, Precision.BFloat16 }) { rows.Add(name, recompute, precision); }
                }
            }
            return rows;
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public void MemoryAndWorkAreThoseOfRealSteps(string name, bool recompute, Precision precision)
    {
        TrainConfig config = Config(name) with { Recompute = recompute, Precision = precision, ValidateEvery = 0 };
        using var host = new HostBackend(2);
        var counter = new FlopCounter();
        using var trainer = new DiffusionTrainer(ObservedBackend.Over(host, counter), config);
        for (int i = 0; i < 2; i++)
        {
            counter.Clear();
            TinyRun.Step(trainer, TinyRun.Batch(config));
        }
        StepPlan plan = StepPlan.Make(() => DryBackend.Of(host), config);
        Assert.Equal(host.Pool.PeakDeviceBytes, plan.Memory.Total);
        Assert.Equal(counter.Flops, plan.ExecutedFlops, 0.5);
        Assert.Equal(counter.Calls, plan.Calls);
        Assert.Equal(trainer.Model.ParameterCount, plan.Parameters);
        Assert.Equal(5 * sizeof(float) * trainer.Arena.Length + plan.Memory.Other, plan.Memory.Persistent);
    }

    /// <summary>The model's formula, written out once more by hand: every product over tokens or samples, forward and twice backward, and both attentions.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WorkIsTheModelsFormula(bool recompute)
    {
        DitConfig m = Nano.Model;
        double h = m.Hidden, batch = Nano.BatchSize, mel = m.MelTokens, image = m.ImageTokens;
        double tokens = mel * m.Layers * 14 * h * h + image * (m.ImageTowerLayers * 12 * h * h + m.Layers * 2 * h * h);
        double ends = mel * 2 * h * m.MelTokenLength + image * h * m.ImageTokenLength;
        double conditions = h * h * (9 * m.Layers + 2 + 1);
        double attention = 2 * h * (m.Layers * (mel * mel + mel * image) + m.ImageTowerLayers * image * image);
        double time = TimeEmbedding(h);
        // The gradients of what enters the network are not wanted: pictures, noisy mels, timesteps.
        double unwanted = mel * h * m.MelTokenLength + image * h * m.ImageTokenLength + TimeInput(h);
        double expected = 2 * batch * (3 * (tokens + ends + conditions + attention + time) - unwanted);
        StepPlan plan = StepPlan.Make(() => DryBackend.Host(2), Nano with { Recompute = recompute });
        Assert.Equal(expected, plan.Flops, 1e-9 * expected);
        Assert.Equal(recompute, plan.ExecutedFlops > 1.2 * plan.Flops);
    }

    [Fact]
    public void APlanOfAFullRunOnAGpuNeedsNeither()
    {
        TrainConfig config = TrainPresets.Get("full") with { BatchSize = 32 };
        GpuCard card = GpuCard.Find("h200")!;
        StepPlan plan = StepPlan.Make(() => DryBackend.Cuda(card), config), less = StepPlan.Make(() => DryBackend.Cuda(card), config with { Recompute = true });
        Assert.InRange(plan.Flops, 28e12, 32e12);
        Assert.InRange(plan.Memory.Total, 30L << 30, 40L << 30);
        Assert.True(less.Memory.Total < plan.Memory.Total / 2);
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void ADryTwinTakesTheSameMemory(string backendName)
    {
        IBackend real = Backends.Get(backendName);
        TrainConfig config = TinyRun.Config with { ValidateEvery = 0 };
        long before = real.Pool.LiveBytes;
        using (var trainer = new DiffusionTrainer(real, config))
        {
            TinyRun.Step(trainer, TinyRun.Batch(config));
            StepPlan plan = StepPlan.Make(() => DryBackend.Of(real), config);
            // Constants such as tables that a device keeps from other tests are not this step's.
            Assert.Equal(plan.Memory.Persistent, real.Pool.LiveBytes - before);
            Assert.True(plan.Memory.Total <= real.Pool.PeakDeviceBytes);
        }
    }

    [Fact]
    public void TheLargestBatchFitsAndTheNextDoesNot()
    {
        var costs = new CostModel(new NominalPeaks(1e12, null, null, 1e11), Arithmetic.Float32);
        long bytes = 600L << 20, usable = (long)(RunEstimate.UsableShare * bytes);
        RunEstimate estimate = RunEstimate.Make(() => DryBackend.Host(2), Nano, costs, bytes);
        long At(int batch) => StepPlan.Make(() => DryBackend.Host(2), Nano with { BatchSize = batch }).Memory.Total;
        Assert.True(estimate.Fits);
        Assert.True(At(estimate.LargestBatch) <= usable);
        Assert.True(At(estimate.LargestBatch + 1) > usable);
        Assert.Equal(0, RunEstimate.Make(() => DryBackend.Host(2), Nano, costs, 1 << 20).LargestBatch);
    }

    [Fact]
    public void AnObserverSeesEveryOperationAndChangesNothing()
    {
        TrainConfig config = TinyRun.Config;
        float[] plain = Train(host => host), observed = Train(host => ObservedBackend.Over(host, new FlopCounter()));
        Assert.Equal(plain, observed);

        float[] Train(Func<HostBackend, IBackend> over)
        {
            using var host = new HostBackend(2);
            using var trainer = new DiffusionTrainer(over(host), config);
            TinyRun.Step(trainer, TinyRun.Batch(config));
            return TinyRun.Weights(trainer);
        }
    }

    [Fact]
    public void WhatIsUpdatedInPlaceIsReadAndWritten()
    {
        const int n = 128;
        using var host = new HostBackend(1);
        var traffic = new FlopCounter();
        IBackend observed = ObservedBackend.Over(host, traffic);
        BufferView[] v = [.. Enumerable.Range(0, 5).Select(_ => host.Pool.Rent(n))];
        foreach (BufferView view in v) { host.Fill(view, 1); }
        var step = new AdamWStep(1e-3f, 0.9f, 0.999f, 1e-8f, 0, 1);
        Assert.Equal(7 * n * sizeof(float), Bytes(() => observed.AdamW(v[0], BufferView.None, step, v[1], v[2], v[3])));
        Assert.Equal(10 * n * sizeof(float), Bytes(() => observed.AdamWEma(BufferView.None, step, 0.9f, v[0], v[1], v[2], v[3], v[4])), (double)(AdamWStep.ScalarWords * sizeof(float)));
        Assert.Equal(3 * n * sizeof(float), Bytes(() => observed.Ema(v[0], 0.9f, v[1])));
        var product = new GemmShape(GemmLayout.NN, 1, n, 1);
        Assert.Equal((1 + 2 * n) * sizeof(float), Bytes(() => observed.Gemm(v[0].Slice(0, 1), v[1], BufferView.None, product, v[2])));
        Assert.Equal((1 + 3 * n) * sizeof(float), Bytes(() => observed.Gemm(v[0].Slice(0, 1), v[1], BufferView.None, product with { Accumulate = true }, v[2])));

        double Bytes(Action work)
        {
            traffic.Clear();
            work();
            return traffic.Bytes;
        }
    }

    private static TrainConfig Config(string name) => name switch
    {
        "tiny" => TinyRun.Config,
        "compat" => TinyRun.CompatConfig,
        _ => Nano,
    };

    private static double TimeInput(double hidden) => TimestepEmbedding.Features * hidden;

    private static double TimeEmbedding(double hidden) => TimeInput(hidden) + hidden * hidden;

    private sealed class FlopCounter : IOperationObserver
    {
        public double Flops { get; private set; }

        public int Calls { get; private set; }

        public double Bytes { get; private set; }

        public void Clear() => (Flops, Calls, Bytes) = (0, 0, 0);

        public void Before(in OperationCall call) => (Flops, Calls, Bytes) = (Flops + call.Flops, Calls + 1, Bytes + call.Bytes);

        public void After(in OperationCall call) { }
    }
}
