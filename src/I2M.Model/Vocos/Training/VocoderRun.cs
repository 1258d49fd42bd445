using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Evaluation.Plots;
using I2M.Model.Io;
using I2M.Model.Training;

namespace I2M.Model.Vocos.Training;

/// <summary>What the user sees of a step.</summary>
/// <param name="Result">Losses, norm and rate.</param>
/// <param name="End">Steps in all.</param>
/// <param name="CropsPerSecond">Crops a second since the session began.</param>
/// <param name="RealTime">Seconds of sound learned from in a second.</param>
/// <param name="Remaining">Estimated time left.</param>
public readonly record struct VocoderProgress(VocoderStep Result, int End, double CropsPerSecond, double RealTime, TimeSpan Remaining);

/// <summary>How a run ended.</summary>
/// <param name="Checkpoint">The last checkpoint.</param>
/// <param name="Vocoder">The vocoder: the averaged weights in bfloat16.</param>
/// <param name="FirstLoss">Mean loss over the first steps of this session; NaN when it made none.</param>
/// <param name="LastLoss">Mean loss over the last steps; NaN likewise.</param>
/// <param name="Finished">False when time or the user ended it.</param>
public sealed record VocoderRunResult(string Checkpoint, string Vocoder, double FirstLoss, double LastLoss, bool Finished);

/// <summary>
/// Trains a vocoder on a folder of sound files: logs, validates with sounds and plots, saves, stops cleanly, resumes to the bit. The run's folder holds besides
/// what <see cref="RunFolder"/> names <c>vocoder.safetensors</c> and <c>samples/step-NNNNNN/</c>.
/// </summary>
public sealed class VocoderRun
{
    private const int Window = 50, ValidationFiles = 16, KeptSamples = 3;
    private const double ValidationSeconds = 4;
    private readonly IBackend _backend;
    private readonly VocoderConfig _config;
    private readonly SpeechFolder _data;
    private readonly RunFolder _folder;
    private readonly Action<string> _say;
    private readonly List<double> _losses = [];

    /// <param name="backend">Where to compute.</param>
    /// <param name="config">Settings.</param>
    /// <param name="data">The sound files.</param>
    /// <param name="folder">Where everything goes.</param>
    /// <param name="say">Takes one-line messages.</param>
    public VocoderRun(IBackend backend, VocoderConfig config, SpeechFolder data, RunFolder folder, Action<string> say) =>
        (_backend, _config, _data, _folder, _say) = (backend, config, data, folder, say);

    /// <summary>The trained vocoder in a run's folder.</summary>
    public static string VocoderPath(RunFolder folder) => Path.Combine(folder.Path, "vocoder.safetensors");

    /// <summary>Runs to the last step, the time limit or cancellation; always saves before it returns.</summary>
    /// <exception cref="I2MException">Loss or gradient became infinite or NaN, or the folder does not fit.</exception>
    public VocoderRunResult Run(RunOptions options, Action<VocoderProgress>? progress, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        using var trainer = new VocoderTrainer(_backend, _config);
        Begin(options, trainer);
        using VocoderJudge? judge = _config.ValidateEvery > 0 && _data.Eval.Count > 0
            ? new VocoderJudge(_backend, _config.Model.Mel, _data.Eval.Take(ValidationFiles), ValidationSeconds) : null;
        using var log = new StreamWriter(new FileStream(_folder.LogPath, FileMode.Append, FileAccess.Write, FileShare.Read));
        int first = trainer.Step, end = Math.Min(_config.Steps, options.StopAtStep ?? int.MaxValue), saved = -1;
        Task<float[]> next = Crops(first);
        var training = new Stopwatch();
        while (trainer.Step < end && !cancel.IsCancellationRequested && !(clock.Elapsed >= options.TimeLimit))
        {
            training.Start();
            float[] crops = next.GetAwaiter().GetResult();
            next = Crops(trainer.Step + 1);
            VocoderStep step = trainer.TrainStep(crops);
            training.Stop();
            Note(step, log, training.Elapsed);
            progress?.Invoke(Progress(step, first, end, training.Elapsed));
            if (judge is not null && step.Step % _config.ValidateEvery == 0) { Validate(trainer, judge, log, cancel); }
            if (step.Step % _config.SaveEvery == 0)
            {
                log.Flush(); // A killed run's log reaches at least as far as its checkpoint.
                Save(trainer);
                saved = step.Step;
            }
        }
        _ = next.ContinueWith(static t => t.Exception, TaskScheduler.Default); // A file that nobody needs any more may be bad.
        log.Flush();
        if (saved != trainer.Step) { Save(trainer); }
        RunLog.Plot(_folder.LossPlotPath, first, _losses);
        int take = Math.Min(Window, Math.Max(1, _losses.Count / 10));
        return new VocoderRunResult(_folder.CheckpointPath(trainer.Step), VocoderPath(_folder), _losses.Take(take).DefaultIfEmpty(double.NaN).Average(),
            _losses.TakeLast(take).DefaultIfEmpty(double.NaN).Average(), trainer.Step >= _config.Steps);
    }

    /// <summary>The crops of a 0-based step, gathered beside the step before it.</summary>
    private Task<float[]> Crops(int step) => Task.Run(() =>
    {
        var crops = new float[_config.BatchSize * _config.CropSamples];
        _data.Fill((long)step * _config.BatchSize, _config.CropSamples, crops);
        return crops;
    });

    private void Begin(RunOptions options, VocoderTrainer trainer)
    {
        IReadOnlyList<(int Step, string Path)> checkpoints = _folder.Checkpoints();
        if (!options.Resume || checkpoints.Count == 0)
        {
            if (checkpoints.Count > 0) { throw new I2MException($"{_folder.Path}: holds a run already: use --resume to continue it, or another --out"); }
            if (options.Resume) { _say($"{_folder.Path}: nothing to resume: starting a new run"); }
            AtomicFile.Write(_folder.ConfigPath, Encoding.UTF8.GetBytes(_config.ToJson() + "\n"));
            File.Delete(_folder.LogPath);
            return;
        }
        foreach (var (step, path) in checkpoints)
        {
            try
            {
                RequireSameRun(path, options);
                VocoderCheckpoint.Restore(path, trainer);
            }
            catch (BadFileException e) when (path != checkpoints[^1].Path)
            {
                _say($"{e.Message}: trying the checkpoint before it");
                continue;
            }
            RunLog.Truncate(_folder.LogPath, step);
            _say($"resuming {path} at step {step}");
            return;
        }
    }

    private void RequireSameRun(string path, RunOptions options)
    {
        (VocoderConfig config, VocoderState state) = VocoderCheckpoint.ReadInfo(path);
        string before = config.ToJson(), now = _config.ToJson();
        if (before != now) { throw new I2MException($"{path}: was trained with other settings than {_folder.ConfigPath} and the options say: {RunLog.FirstDifference(before, now)}"); }
        if (!options.AllowDataChange && state.DataIdentity != _data.Identity)
        {
            throw new I2MException($"{path}: was trained on other sound files (--allow-data-change continues all the same)");
        }
    }

    private void Note(VocoderStep step, StreamWriter log, TimeSpan time)
    {
        if (!step.IsFinite)
        {
            throw new I2MException($"step {step.Step}: loss {step.Loss}, gradient norm {step.GradientNorm}: training diverged; the last checkpoint is intact; a new run needs a lower learning rate");
        }
        _losses.Add(step.Loss);
        log.WriteLine(JsonSerializer.Serialize(new { step = step.Step, loss = step.Loss, mel = step.Mel, stft = step.Stft, adversarial = step.Adversarial, discriminators = step.Discriminators, norm = step.GradientNorm, lr = step.LearningRate, seconds = time.TotalSeconds }));
    }

    private VocoderProgress Progress(VocoderStep step, int first, int end, TimeSpan time)
    {
        double rate = (step.Step - first) / Math.Max(1e-9, time.TotalSeconds), crops = rate * _config.BatchSize;
        return new VocoderProgress(step, end, crops, crops * _config.CropSamples / _config.Model.Mel.SampleRate, TimeSpan.FromSeconds((end - step.Step) / rate));
    }

    private void Save(VocoderTrainer trainer)
    {
        VocoderCheckpoint.Save(_folder.CheckpointPath(trainer.Step), trainer, _data.Identity);
        VocosLoader.Save(VocoderPath(_folder), trainer.Vocoder, trainer.Ema.Values, bfloat16: true);
        _folder.Prune(trainer.Step, _config.KeepCheckpoints);
    }

    private void Validate(VocoderTrainer trainer, VocoderJudge judge, StreamWriter log, CancellationToken cancel)
    {
        string folder = Path.Combine(_folder.Path, "samples", string.Create(CultureInfo.InvariantCulture, $"step-{trainer.Step:D6}"));
        VocoderScore? score = null;
        try
        {
            AtomicDirectory.Write(folder, temporary => score = trainer.WithAverage(vocoder => judge.Score(vocoder, (i, clip) => Keep(temporary, i, clip), cancel)), replace: true);
        }
        catch (OperationCanceledException)
        {
            return; // The run saves and stops.
        }
        log.WriteLine(JsonSerializer.Serialize(new { step = trainer.Step, melMae = score!.MeanAbsoluteError, correlation = score.Correlation, logSpectralDistance = score.LogSpectralDistance }));
        _say(string.Create(CultureInfo.InvariantCulture, $"step {trainer.Step}: {score.Clips} held-out clips: mel MAE {score.MeanAbsoluteError:F3}, correlation {score.Correlation:F4}, log-spectral distance {score.LogSpectralDistance:F2} dB"));
    }

    private void Keep(string folder, int index, DecodedClip clip)
    {
        if (index >= KeptSamples) { return; }
        MelSettings mel = _config.Model.Mel;
        string name = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{index:D2}"));
        WavFile.Write(name + "-true.wav", new AudioClip(clip.Wave, mel.SampleRate));
        WavFile.Write(name + "-decoded.wav", new AudioClip(clip.Decoded, mel.SampleRate));
        MelPlot.SavePair(name + "-mel.png", clip.DecodedMel, clip.Mel, mel.Bands, clip.Mel.Length / mel.Bands, $"{clip.Name}, decoded", "true");
    }
}
