using System.Diagnostics;
using System.Globalization;
using I2M.Kernels;
using I2M.Kernels.Dry;
using I2M.Kernels.Observation;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Dit;
using I2M.Model.Images;
using I2M.Model.Profiling;
using I2M.Model.Training;

namespace I2M.Model.Planning;

/// <summary>
/// Measures what the operations of a training step cost: a few real steps of the same model with one or two blocks are timed operation by operation. A
/// model's blocks are alike, so the sizes are those of the whole model; a batch that would take too long or does not fit is cut down. Means are taken, not medians
/// or minima: a run's time is the sum of all its steps, with whatever disturbs them.
/// </summary>
public static class Calibration
{
    private const int FewestSteps = 3, MostSteps = 30;
    /// <summary>Time for the steps, and how much of the device's memory they may take.</summary>
    private const double Seconds = 2.5, MemoryShare = 0.7;
    /// <summary>A step that is longer by this than the time for all is cut down.</summary>
    private const double LongStep = 1.5;

    /// <summary>Measures on an open device.</summary>
    /// <param name="device">The device itself, no decorator.</param>
    /// <param name="config">The run's settings.</param>
    /// <param name="cancel">Stops between two steps.</param>
    public static CostModel Measure(IBackend device, TrainConfig config, CancellationToken cancel)
    {
        TrainConfig small = Fitting(device, Shortened(config));
        for (; ; )
        {
            cancel.ThrowIfCancellationRequested();
            if (TryMeasure(device, small, cancel) is { } model) { return model; }
            small = small with { BatchSize = small.BatchSize / 2 };
        }
    }

    /// <summary>The same shapes with few blocks and no accumulation.</summary>
    private static TrainConfig Shortened(TrainConfig config) => config with
    {
        Accumulation = 1,
        Model = config.Model with { Layers = Math.Min(2, config.Model.Layers), ImageTowerLayers = Math.Min(1, config.Model.ImageTowerLayers) },
    };

    private static TrainConfig Fitting(IBackend device, TrainConfig config)
    {
        while (config.BatchSize > 1 && StepPlan.Make(() => DryBackend.Of(device), config).Memory.Total > MemoryShare * device.Device.MemoryBytes) { config = config with { BatchSize = config.BatchSize / 2 }; }
        return config;
    }

    /// <summary>Null when a step takes too long and a smaller batch is possible.</summary>
    private static CostModel? TryMeasure(IBackend device, TrainConfig config, CancellationToken cancel)
    {
        var profiler = new OperationProfiler(device);
        using var trainer = new DiffusionTrainer(ObservedBackend.Over(device, profiler), config);
        DitConfig model = config.Model;
        var batch = new Batch(Waves(config.BatchSize * model.MelBands * model.MelFrames), Waves(config.BatchSize * 3 * model.ImageSize * model.ImageSize), new int[config.BatchSize]);
        void Step() => trainer.TrainStep(() => batch, static _ => { });
        long start = Stopwatch.GetTimestamp();
        Step();
        // The first step compiles and allocates; a small batch is tried anyway.
        if (Stopwatch.GetElapsedTime(start).TotalSeconds > LongStep * Seconds && config.BatchSize > 1) { return null; }
        List<double> plain = [];
        start = Stopwatch.GetTimestamp();
        for (int i = 0; i < FewestSteps || (i < MostSteps && Stopwatch.GetElapsedTime(start).TotalSeconds < Seconds); i++)
        {
            cancel.ThrowIfCancellationRequested();
            long before = Stopwatch.GetTimestamp();
            Step();
            device.Synchronize();
            plain.Add(Stopwatch.GetElapsedTime(before).TotalSeconds);
            profiler.Record(Step);
        }
        return Model(profiler, plain, config, SharesProcessors(device) ? SampleSeconds(config) / Environment.ProcessorCount : 0);
    }

    private static CostModel Model(OperationProfiler profiler, List<double> plain, TrainConfig config, double perSample)
    {
        (PlannedOperation Operation, double Seconds)[] measured = [.. profiler.Calls.GroupBy(c => c.Key).Select(calls =>
        {
            ProfiledCall first = calls.First();
            return (new PlannedOperation(calls.Key, calls.Count() / profiler.Steps.Count, first.Flops, first.Bytes), calls.Average(c => c.Seconds));
        })];
        // What a step takes beyond its operations; less than nothing where single operations are slower for being timed.
        int callsPerStep = profiler.Calls.Count / profiler.Steps.Count;
        double rest = (plain.Average() - measured.Sum(m => m.Operation.Calls * m.Seconds)) / callsPerStep;
        string source = string.Create(CultureInfo.InvariantCulture,
            $"{profiler.Steps.Count} measured steps of this model with {config.Model.Layers} blocks at batch {config.BatchSize} ({1e3 * plain.Average():F0} ms each)");
        return new CostModel(measured, rest, perSample, source);
    }

    /// <summary>True where the threads that prepare samples take their time from those that compute.</summary>
    private static bool SharesProcessors(IBackend device) => device is IProcessorThreads host ? host.Threads >= Environment.ProcessorCount : device is IDeviceProbe { IsProcessor: true };

    /// <summary>What <see cref="BatchLoader"/> does for a sample whose files are in memory, on one thread: the mean of a few dozen.</summary>
    private static double SampleSeconds(TrainConfig config)
    {
        const int samples = 32;
        DitConfig model = config.Model;
        int size = model.ImageSize;
        var picture = new RgbImage(size, size, new byte[3 * size * size]);
        float[] mel = Waves(model.MelBands * model.MelFrames), normalised = new float[mel.Length], tokens = new float[3 * size * size];
        MelNormalizer normalizer = MelNormalizer.CompatSeed(config.Mel);
        long start = 0;
        for (int i = -1; i < samples; i++)
        {
            if (i == 0) { start = Stopwatch.GetTimestamp(); } // One before is compiled.
            normalizer.Normalize(mel, normalised);
            ImageTensor.ToChw(config.Augment ? ImageAugment.Apply(picture, size, size, config.Seed, 0, i + 1, config.Augmentation) : picture, tokens);
        }
        return Stopwatch.GetElapsedTime(start).TotalSeconds / samples;
    }

    private static float[] Waves(int length)
    {
        var values = new float[length];
        for (int i = 0; i < length; i++) { values[i] = 0.5f * MathF.Sin(0.01f * i); }
        return values;
    }
}
