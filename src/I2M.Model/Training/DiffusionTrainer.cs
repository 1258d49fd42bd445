using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Autograd.Optim;
using I2M.Kernels;
using I2M.Model.Data;
using I2M.Model.Diffusion;
using I2M.Model.Dit;

namespace I2M.Model.Training;

/// <summary>What one optimiser step did.</summary>
/// <param name="Loss">Mean diffusion loss over the step's samples.</param>
/// <param name="GradientNorm">Global norm before clipping.</param>
/// <param name="LearningRate">Rate that was used.</param>
/// <param name="Step">Which step, counted from 1.</param>
public readonly record struct StepResult(double Loss, double GradientNorm, double LearningRate, int Step);

/// <summary>
/// The model with its optimiser and average, and the training step. A step is queued as a whole and waits for nothing; what it reports is brought to the host every few
/// steps. Where the backend can record work, forward and backward, and the update, are recorded after some steps and replayed from then on.
/// </summary>
public sealed class DiffusionTrainer : IDisposable
{
    /// <summary>Steps before the recording: kernels are compiled, and the memory is there.</summary>
    private const int WarmSteps = 2;
    private readonly IBackend _backend;
    private readonly NoiseSchedule _schedule;
    private readonly LearningRateSchedule _rates;
    private readonly StepInputs _inputs;
    private readonly StepLog _log;
    private readonly BufferReserve _memory;
    private readonly BufferView _loss;
    private readonly Action _accumulate, _update;
    private readonly List<StepResult> _results = [];
    private RecordedWork? _recordedAccumulate, _recordedUpdate;
    private int _queued;

    /// <summary>Settings.</summary>
    public TrainConfig Config { get; }

    /// <summary>The network.</summary>
    public DitModel Model { get; }

    /// <summary>Its weights and gradients.</summary>
    public ParameterArena Arena { get; }

    /// <summary>AdamW's state.</summary>
    public AdamWOptimizer Optimizer { get; }

    /// <summary>The averaged weights.</summary>
    public ExponentialMovingAverage Ema { get; }

    /// <summary>Optimiser steps done.</summary>
    public int Step => Optimizer.StepCount;

    /// <summary>False queues every step operation by operation. Set before the first step, or to false by the trainer where a recording fails.</summary>
    public bool RecordsSteps { get; set; } = true;

    /// <summary>Why steps are not recorded on a device that records; null where nothing went wrong.</summary>
    public string? RecordingProblem { get; private set; }

    /// <summary>True once steps are replayed.</summary>
    public bool Replays => _recordedUpdate is not null;

    /// <param name="backend">Where to compute.</param>
    /// <param name="config">Settings.</param>
    /// <param name="readEvery">Steps between two copies of losses and norms to the host.</param>
    /// <param name="initialize">False leaves the weights zero, for plans that compute nothing.</param>
    public DiffusionTrainer(IBackend backend, TrainConfig config, int readEvery = 1, bool initialize = true)
    {
        _backend = backend;
        Config = config.Validated();
        Model = DitModel.Create(config.Model);
        Model.RecomputesBlocks = config.Recompute;
        Arena = new ParameterArena(backend, Model, initialize ? config.Seed : null, precision: config.Precision);
        Optimizer = new AdamWOptimizer(Arena, new AdamWOptions(WeightDecay: config.WeightDecay, ClipNorm: config.ClipNorm, DecayEverything: config.Model.CompatSeed));
        Ema = new ExponentialMovingAverage(Arena, config.EmaDecay);
        _schedule = config.Diffusion.CreateSchedule();
        _rates = new LearningRateSchedule(config.LearningRate, config.WarmupSteps, config.Steps, config.FinalLearningRate);
        _inputs = new StepInputs(backend, Config);
        _log = new StepLog(backend, readEvery, Config.Accumulation);
        _loss = backend.Pool.Rent(1);
        _memory = backend.Pool.CreateReserve();
        (_accumulate, _update) = (AccumulateGradients, () => Optimizer.Queue(_inputs.Scalars, Ema));
    }

    /// <summary>Steps between two copies of losses and norms to the host, where none is waited for.</summary>
    public static int ReadEveryFor(IBackend backend) => backend.Name == "host" ? 1 : 10;

    /// <summary>One optimiser step over <see cref="TrainConfig.Accumulation"/> batches; waits for its result.</summary>
    /// <param name="next">Gives the next batch.</param>
    /// <param name="done">Takes a batch back once it is on its way to the device.</param>
    public StepResult TrainStep(Func<Batch> next, Action<Batch> done)
    {
        QueueStep(next, done);
        return Results(wait: true)[^1];
    }

    /// <summary>Queues a step and returns.</summary>
    /// <param name="next">Gives the next batch.</param>
    /// <param name="done">Takes a batch back once it is on its way to the device.</param>
    public void QueueStep(Func<Batch> next, Action<Batch> done)
    {
        // Warm-up counts from 1, so that the first step moves.
        double rate = _rates.At(Math.Min(Step + 1, Config.Steps));
        long first = (long)Step * Config.Accumulation;
        for (int part = 0; part < Config.Accumulation; part++)
        {
            Batch batch = next();
            Send(batch, first + part, part == Config.Accumulation - 1 ? scalars => Optimizer.NextScalars(rate, Ema, scalars) : null);
            done(batch);
            Run(ref _recordedAccumulate, _accumulate);
            _log.AddPart(_loss, part);
        }
        Run(ref _recordedUpdate, _update);
        _log.EndStep(Step, rate, Optimizer.SumSquares);
        _queued++;
    }

    /// <summary>Results of steps in their order that have reached the host since the last call; valid until the next. With <paramref name="wait"/>, of all steps.</summary>
    public IReadOnlyList<StepResult> Results(bool wait)
    {
        _results.Clear();
        _log.Take(wait, _results);
        return _results;
    }

    /// <summary>Mean loss over given samples with noise and timesteps that depend on the sample's number only.</summary>
    /// <param name="batch">The samples.</param>
    /// <param name="samples">How many, at most <see cref="TrainConfig.BatchSize"/>.</param>
    /// <param name="firstSample">Number of the first.</param>
    public double Validate(Batch batch, int samples, long firstSample)
    {
        using BufferReserve.Use memory = _memory.Begin();
        using var scope = new TensorScope();
        using var noGrad = GradMode.NoGrad();
        DiffusionTargets targets = DiffusionTargets.Draw(Config.Diffusion, _schedule, samples, Config.Seed, RandomStreams.Validation, firstSample);
        var keep = new float[samples];
        keep.AsSpan().Fill(1);
        _inputs.Send(batch, targets, keep, 0, null);
        var (errors, _) = Errors(samples, RandomStreams.Validation + 1, firstSample * Config.Model.MelBands * Config.Model.MelFrames, BufferView.None);
        return errors.ToArray().Average();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _recordedAccumulate?.Dispose();
        _recordedUpdate?.Dispose();
        _log.Dispose();
        _inputs.Dispose();
        _backend.Pool.Return(_loss);
        _memory.Dispose();
        Ema.Dispose();
        Optimizer.Dispose();
        Arena.Dispose();
    }

    private void Send(Batch batch, long part, StepInputs.ScalarWriter? scalars)
    {
        int samples = Config.BatchSize;
        DiffusionTargets targets = DiffusionTargets.Draw(Config.Diffusion, _schedule, samples, Config.Seed, RandomStreams.Timesteps, part * samples);
        _inputs.Send(batch, targets, DrawKeep(samples, part * samples), part, scalars);
    }

    /// <summary>Replays the work, records it when it is time, or queues it.</summary>
    private void Run(ref RecordedWork? recorded, Action work)
    {
        if (recorded is null && _queued >= WarmSteps && RecordsSteps && _backend is IWorkRecorder { CanRecord: true } recorder)
        {
            try
            {
                recorded = recorder.Record(_memory, work);
            }
            catch (RecordingException e)
            {
                (RecordsSteps, RecordingProblem) = (false, e.Message);
            }
        }
        if (recorded is not null)
        {
            recorded.Replay();
            return;
        }
        using BufferReserve.Use memory = _memory.Begin();
        work();
    }

    /// <summary>Forward and backward of one part. Nothing here depends on the step but through <see cref="_inputs"/>.</summary>
    private void AccumulateGradients()
    {
        using var scope = new TensorScope();
        int samples = Config.BatchSize;
        var (errors, condition) = Errors(samples, RandomStreams.Noise, 0, _inputs.Number);
        Tensor mean = Tensor.Full(_backend, 1f / (samples * Config.Accumulation), samples);
        Tensor diffusionLoss = errors.WeightedSum(mean);
        Tensor total = diffusionLoss;
        if (condition.ClassLogits is { } logits && Config.ClassLossWeight > 0)
        {
            Tensor classLoss = logits.CrossEntropyRows(_inputs.Labels(samples)).WeightedSum(mean);
            total = TensorOps.Axpby(1, diffusionLoss, (float)Config.ClassLossWeight, classLoss);
        }
        total.Backward();
        _backend.Copy(diffusionLoss.View, _loss);
    }

    /// <summary>The squared error of each sample's prediction, and the picture's condition. The mels that were sent become the targets.</summary>
    private (Tensor Errors, ImageCondition Condition) Errors(int samples, ulong noiseStream, long firstNoise, BufferView part)
    {
        DitConfig model = Config.Model;
        using Tensor noisy = Tensor.Empty(_backend, samples, model.MelTokens, model.MelTokenLength);
        Tensor target = _inputs.Mels(samples);
        _backend.QSample(target.View, _inputs.Mix(samples), samples, Config.Seed, noiseStream, firstNoise, noisy.View, target.View, part);
        ImageCondition condition = Model.EncodeImage(_inputs.Images(samples), _inputs.Keep(samples));
        using Tensor prediction = Model.Denoise(noisy, _inputs.Features(samples), condition);
        return (prediction.SquaredErrorRows(target, samples), condition);
    }

    /// <summary>1 keeps a sample's picture. The original drew once for the whole batch.</summary>
    private float[] DrawKeep(int samples, long firstSample)
    {
        var keep = new float[samples];
        for (int b = 0; b < samples; b++)
        {
            long position = Config.Model.CompatSeed ? firstSample : firstSample + b;
            keep[b] = Philox.Uniform(Config.Seed, RandomStreams.Dropout, position) < Config.ConditionDropout ? 0 : 1;
        }
        return keep;
    }
}
