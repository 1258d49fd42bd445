using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using I2M.Autograd;
using I2M.Kernels;
using I2M.Kernels.Dry;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Evaluation.Plots;
using I2M.Model.Io;
using I2M.Model.Planning;
using I2M.Model.Profiling;

namespace I2M.Model.Training;

/// <summary>How long and how loudly a run goes.</summary>
/// <param name="Resume">Continue from the newest readable checkpoint.</param>
/// <param name="TimeLimit">Save and stop before this much time has passed; null has no limit.</param>
/// <param name="StopAtStep">Save and stop after this step without changing the learning-rate schedule; null runs to the end.</param>
/// <param name="AllowDataChange">Resume although the data differs.</param>
/// <param name="ReadEvery">Steps between two looks at losses and norms; null takes 1 on the host and 10 on devices, which never wait for a look.</param>
public sealed record RunOptions(bool Resume = false, TimeSpan? TimeLimit = null, int? StopAtStep = null, bool AllowDataChange = false, int? ReadEvery = null);

/// <summary>What the user sees of a step.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Total">Steps in all.</param>
/// <param name="Result">Loss, norm and rate.</param>
/// <param name="Figures">Rates, memory and time left.</param>
public readonly record struct TrainProgress(int Step, int Total, StepResult Result, StepFigures Figures);

/// <summary>How a run ended.</summary>
/// <param name="Checkpoint">The last checkpoint.</param>
/// <param name="FirstLoss">Mean loss over the first steps of this session; NaN when it made none.</param>
/// <param name="LastLoss">Mean loss over the last steps; NaN likewise.</param>
/// <param name="Finished">False when time or the user ended it.</param>
public sealed record RunResult(string Checkpoint, double FirstLoss, double LastLoss, bool Finished);

/// <summary>Trains a model on a data set into a run folder: logs, validates, saves, stops cleanly, resumes to the bit.</summary>
public sealed class TrainingRun
{
    private const int Window = 50;
    /// <summary>Losses that memory is taken for at the start, so that steps leave the heap flat; longer lists grow by doubling.</summary>
    private const int MostReserved = 1 << 20;
    /// <summary>Held-out pairs that a validation takes at the most.</summary>
    internal const int ValidationSamples = 128;
    private readonly IBackend _backend;
    private readonly TrainConfig _config;
    private readonly PairDataset _data;
    private readonly RunFolder _folder;
    private readonly Action<string> _say;
    private readonly List<double> _losses = [];

    /// <param name="backend">Where to compute.</param>
    /// <param name="config">Settings.</param>
    /// <param name="data">The pairs.</param>
    /// <param name="folder">Where everything goes.</param>
    /// <param name="say">Takes one-line messages.</param>
    public TrainingRun(IBackend backend, TrainConfig config, PairDataset data, RunFolder folder, Action<string> say) =>
        (_backend, _config, _data, _folder, _say) = (backend, config, data, folder, say);

    /// <summary>Runs to the last step, the time limit or cancellation; always saves before it returns.</summary>
    /// <exception cref="I2MException">Loss or gradient became infinite or NaN, data or folder do not fit.</exception>
    public RunResult Run(RunOptions options, Action<TrainProgress>? progress, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        using var trainer = new DiffusionTrainer(_backend, _config, options.ReadEvery ?? DiffusionTrainer.ReadEveryFor(_backend));
        (MelNormalizer normalizer, double? best) = Begin(options, trainer);
        using var log = new StreamWriter(new FileStream(_folder.LogPath, FileMode.Append, FileAccess.Write, FileShare.Read));
        using var loader = new BatchLoader(_data, _config, normalizer, (long)trainer.Step * _config.Accumulation);
        int end = Math.Min(_config.Steps, options.StopAtStep ?? int.MaxValue), saved = -1, first = trainer.Step;
        StepMeter meter = NewMeter(first, end);
        string? said = null;
        _losses.Capacity = Math.Clamp(end - first, 0, MostReserved);
        CheckpointInfo Info() => new(_config, normalizer, _data.Classes, new TrainState(trainer.Step, trainer.Ema.UpdateCount, _data.Fingerprint, best));
        while (trainer.Step < end && !cancel.IsCancellationRequested && !(clock.Elapsed >= options.TimeLimit))
        {
            trainer.QueueStep(loader.Next, loader.Recycle);
            if (trainer.RecordingProblem is { } problem && said is null) { _say(said = $"{problem}; every step is queued operation by operation"); }
            bool validates = _config.ValidateEvery > 0 && trainer.Step % _config.ValidateEvery == 0, saves = trainer.Step % _config.SaveEvery == 0;
            // What is saved or called best was seen to be finite.
            Take(trainer.Results(wait: validates || saves));
            if (validates) { best = ValidateAndKeepBest(trainer, loader, Info, best, log); }
            if (saves)
            {
                log.Flush(); // A killed run's log reaches at least as far as its checkpoint.
                Save(trainer, Info());
                saved = trainer.Step;
            }
        }
        Take(trainer.Results(wait: true));
        log.Flush();
        if (saved != trainer.Step) { Save(trainer, Info()); }
        RunLog.Plot(_folder.LossPlotPath, first, _losses);
        int take = Math.Min(Window, Math.Max(1, _losses.Count / 10));
        return new RunResult(_folder.CheckpointPath(trainer.Step), _losses.Take(take).DefaultIfEmpty(double.NaN).Average(),
            _losses.TakeLast(take).DefaultIfEmpty(double.NaN).Average(), trainer.Step >= _config.Steps);

        void Take(IReadOnlyList<StepResult> results)
        {
            if (results.Count == 0) { return; }
            StepFigures figures = meter.Report(results[^1].Step, loader.Waited);
            foreach (StepResult result in results)
            {
                Check(result, results);
                _losses.Add(result.Loss);
                log.WriteLine(LogLine(result.Step, result, clock.Elapsed, figures));
                progress?.Invoke(new TrainProgress(result.Step, end, result, figures));
            }
        }
    }

    private (MelNormalizer Normalizer, double? Best) Begin(RunOptions options, DiffusionTrainer trainer)
    {
        IReadOnlyList<(int Step, string Path)> checkpoints = _folder.Checkpoints();
        if (!options.Resume || checkpoints.Count == 0)
        {
            if (checkpoints.Count > 0) { throw new I2MException($"{_folder.Path}: holds a run already: use --resume to continue it, or another --out"); }
            if (options.Resume) { _say($"{_folder.Path}: nothing to resume: starting a new run"); }
            if (_data.Split.Train.Count == 0) { throw new I2MException("data: no pair is left to train on"); }
            AtomicFile.Write(_folder.ConfigPath, System.Text.Encoding.UTF8.GetBytes(_config.ToJson() + "\n"));
            File.Delete(_folder.LogPath);
            return (NewNormalizer(_config, _data), null);
        }
        foreach (var (step, path) in checkpoints)
        {
            CheckpointInfo info;
            try
            {
                info = Checkpoint.ReadInfo(path);
                RequireSameRun(info, path, options);
                info = Checkpoint.Restore(path, trainer);
            }
            catch (BadFileException e) when (path != checkpoints[^1].Path)
            {
                _say($"{e.Message}: trying the checkpoint before it");
                continue;
            }
            RunLog.Truncate(_folder.LogPath, step);
            _say($"resuming {path} at step {step}");
            return (info.Normalizer, info.State!.BestValidation);
        }
        throw new I2MException($"{_folder.Path}: no readable checkpoint");
    }

    private void RequireSameRun(CheckpointInfo info, string path, RunOptions options)
    {
        // Recomputation changes memory and time but no number, so a run may go on with or without it.
        TrainConfig before = info.Config with { Recompute = _config.Recompute };
        if (before.ToJson() != _config.ToJson())
        {
            throw new I2MException($"{path}: was trained with other settings than {_folder.ConfigPath} and the options say: {RunLog.FirstDifference(before.ToJson(), _config.ToJson())}");
        }
        if (!options.AllowDataChange && info.State is { } state && state.DataFingerprint != _data.Fingerprint)
        {
            throw new I2MException($"{path}: was trained on other data: expected fingerprint {state.DataFingerprint[..12]}, found {_data.Fingerprint[..12]} (--allow-data-change continues all the same)");
        }
    }

    /// <summary>The mel map of a new run.</summary>
    internal static MelNormalizer NewNormalizer(TrainConfig config, PairDataset data) => config.Model.CompatSeed
        ? MelNormalizer.CompatSeed(config.Mel)
        : MelNormalizer.Measure(data.StreamMels(data.Split.Train), config.Mel.Bands, config.Diffusion.InputScale);

    /// <param name="result">The step.</param>
    /// <param name="together">All steps whose results came with it: the device may have gone on to the last of them.</param>
    private static void Check(StepResult result, IReadOnlyList<StepResult> together)
    {
        if (!double.IsFinite(result.Loss) || !double.IsFinite(result.GradientNorm))
        {
            string range = together.Count == 1 ? "" : $" (of steps {together[0].Step} to {together[^1].Step}, read together)";
            throw new I2MException($"step {result.Step}{range}: loss {result.Loss}, gradient norm {result.GradientNorm}: training diverged; the last checkpoint is intact; a new run needs a lower learning rate");
        }
    }

    private void Save(DiffusionTrainer trainer, CheckpointInfo info)
    {
        Checkpoint.Save(_folder.CheckpointPath(trainer.Step), trainer, info);
        _folder.Prune(trainer.Step, _config.KeepCheckpoints);
    }

    private double? ValidateAndKeepBest(DiffusionTrainer trainer, BatchLoader loader, Func<CheckpointInfo> info, double? best, StreamWriter log)
    {
        if (_data.Split.Eval.Count == 0) { return best; }
        trainer.Arena.Bind(trainer.Ema.Values);
        double loss;
        try { loss = ValidationLoss(trainer, loader); }
        finally { trainer.Arena.Bind(trainer.Arena.Values); }
        log.WriteLine(JsonSerializer.Serialize(new { step = trainer.Step, validationLoss = loss }));
        _say(string.Create(CultureInfo.InvariantCulture, $"step {trainer.Step}: validation loss {loss:F4} of the averaged weights"));
        if (loss >= best) { return best; }
        Checkpoint.Save(_folder.BestPath, trainer, info() with { State = info().State! with { BestValidation = loss } });
        return loss;
    }

    private double ValidationLoss(DiffusionTrainer trainer, BatchLoader loader)
    {
        int[] pairs = [.. _data.Split.Eval.Take(ValidationSamples)];
        Batch batch = loader.NewBatch(Math.Min(_config.BatchSize, pairs.Length));
        double sum = 0;
        for (int start = 0; start < pairs.Length; start += batch.Labels.Length)
        {
            int count = Math.Min(batch.Labels.Length, pairs.Length - start);
            loader.Fill(batch, pairs.AsSpan(start, count), []);
            sum += trainer.Validate(batch, count, start) * count;
        }
        return sum / pairs.Length;
    }

    private StepMeter NewMeter(int firstStep, int end)
    {
        StepPlan plan = StepPlan.Make(() => DryBackend.Of(_backend), _config);
        _backend.Pool.PlannedBytes = plan.Memory.Total;
        return new StepMeter(_backend.Pool, plan, DeviceRate.Peak(_backend, _config.Precision.Arithmetic()), firstStep, end);
    }

    private static string LogLine(int step, StepResult result, TimeSpan time, in StepFigures f) => JsonSerializer.Serialize(new
    {
        step,
        loss = result.Loss,
        norm = result.GradientNorm,
        lr = result.LearningRate,
        seconds = time.TotalSeconds,
        samplesPerSecond = f.SamplesPerSecond,
        tokensPerSecond = f.TokensPerSecond,
        flopsPerSecond = f.FlopsPerSecond,
        mfu = f.ShareOfPeak,
        memoryBytes = f.MemoryBytes,
        peakMemoryBytes = f.PeakMemoryBytes,
        plannedMemoryBytes = f.PlannedMemoryBytes,
        dataWait = f.DataWait,
        secondsLeft = f.Remaining.TotalSeconds,
    });
}
