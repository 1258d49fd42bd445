using System.Diagnostics;
using I2M.Kernels;
using I2M.Kernels.Observation;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Training;

namespace I2M.Model.Profiling;

/// <summary>What a trial's steps took.</summary>
/// <param name="StepSeconds">Each step after the warm-up, with its wait for data.</param>
/// <param name="WaitSeconds">The waits for data alone.</param>
/// <param name="Loss">Loss of the last step.</param>
/// <param name="PeakBytes">The most memory that the steps held on the device.</param>
public sealed record TrialResult(IReadOnlyList<double> StepSeconds, IReadOnlyList<double> WaitSeconds, double Loss, long PeakBytes);

/// <summary>A few training steps on real data that leave nothing behind: no checkpoint, no log. For trying a run out and for profiles.</summary>
/// <param name="backend">The device, no decorator.</param>
/// <param name="config">The run's settings.</param>
/// <param name="data">The pairs.</param>
public sealed class TrialRun(IBackend backend, TrainConfig config, PairDataset data)
{
    /// <summary>Makes some steps as a run would.</summary>
    /// <param name="warm">Steps before that are not counted: kernels are compiled and memory is taken.</param>
    /// <param name="steps">Steps that count.</param>
    /// <param name="cancel">Stops between two steps.</param>
    public TrialResult Run(int warm, int steps, CancellationToken cancel)
    {
        // What others left in the pool is not the steps' own.
        backend.Pool.Trim();
        backend.Pool.ResetPeaks();
        using var trainer = new DiffusionTrainer(backend, config);
        return Steps(trainer, warm, steps, static step => step(), cancel);
    }

    /// <summary>The same with every operation of the counted steps timed.</summary>
    public OperationProfiler Profile(int warm, int steps, CancellationToken cancel)
    {
        var profiler = new OperationProfiler(backend);
        using var trainer = new DiffusionTrainer(ObservedBackend.Over(backend, profiler), config);
        Steps(trainer, warm, steps, profiler.Record, cancel);
        return profiler;
    }

    private TrialResult Steps(DiffusionTrainer trainer, int warm, int steps, Action<Action> around, CancellationToken cancel)
    {
        using var loader = new BatchLoader(data, config, TrainingRun.NewNormalizer(config, data), 0);
        var (seconds, waits) = (new double[steps], new double[steps]);
        double wait = 0, loss = double.NaN;
        for (int i = -warm; i < steps; i++)
        {
            cancel.ThrowIfCancellationRequested();
            wait = 0;
            long start = Stopwatch.GetTimestamp();
            if (i < 0) { Step(); }
            else { around(Step); }
            backend.Synchronize();
            if (i >= 0) { (seconds[i], waits[i]) = (Stopwatch.GetElapsedTime(start).TotalSeconds, wait); }
        }
        return new TrialResult(seconds, waits, loss, backend.Pool.PeakDeviceBytes);

        void Step() => loss = trainer.TrainStep(Next, loader.Recycle).Loss;

        Batch Next()
        {
            long start = Stopwatch.GetTimestamp();
            Batch batch = loader.Next();
            wait += Stopwatch.GetElapsedTime(start).TotalSeconds;
            return batch;
        }
    }
}
