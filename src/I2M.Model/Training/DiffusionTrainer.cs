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
public readonly record struct StepResult(double Loss, double GradientNorm, double LearningRate);

/// <summary>The model with its optimiser and average, and the training step.</summary>
public sealed class DiffusionTrainer : IDisposable
{
    private readonly IBackend _backend;
    private readonly NoiseSchedule _schedule;
    private readonly LearningRateSchedule _rates;

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

    /// <param name="backend">Where to compute.</param>
    /// <param name="config">Settings.</param>
    /// <param name="initialize">False leaves the weights undefined, for plans that compute nothing.</param>
    public DiffusionTrainer(IBackend backend, TrainConfig config, bool initialize = true)
    {
        _backend = backend;
        Config = config.Validated();
        Model = DitModel.Create(config.Model);
        Model.RecomputesBlocks = config.Recompute;
        Arena = new ParameterArena(backend, Model, initialize ? config.Seed : null);
        Optimizer = new AdamWOptimizer(Arena, new AdamWOptions(WeightDecay: config.WeightDecay, ClipNorm: config.ClipNorm, DecayEverything: config.Model.CompatSeed));
        Ema = new ExponentialMovingAverage(Arena, config.EmaDecay);
        _schedule = config.Diffusion.CreateSchedule();
        _rates = new LearningRateSchedule(config.LearningRate, config.WarmupSteps, config.Steps, config.FinalLearningRate);
    }

    /// <summary>One optimiser step over <see cref="TrainConfig.Accumulation"/> batches.</summary>
    /// <param name="next">Gives the next batch.</param>
    /// <param name="done">Takes a batch back once it is on the device.</param>
    public StepResult TrainStep(Func<Batch> next, Action<Batch> done)
    {
        // Warm-up counts from 1, so that the first step moves.
        double rate = _rates.At(Math.Min(Step + 1, Config.Steps));
        double loss = 0;
        for (int part = 0; part < Config.Accumulation; part++)
        {
            Batch batch = next();
            loss += AccumulateGradients(batch, (long)Step * Config.Accumulation + part) / Config.Accumulation;
            done(batch);
        }
        Optimizer.Step(rate, Ema);
        return new StepResult(loss, Optimizer.GradientNorm(), rate);
    }

    /// <summary>Mean loss over given samples with noise and timesteps that depend on the sample's number only.</summary>
    public double Validate(Batch batch, int samples, long firstSample)
    {
        using var scope = new TensorScope();
        using var noGrad = GradMode.NoGrad();
        DiffusionTargets targets = DiffusionTargets.Draw(Config.Diffusion, _schedule, samples, Config.Seed, RandomStreams.Validation, firstSample);
        Tensor keep = Tensor.Full(_backend, 1, samples);
        var (errors, _) = Errors(batch, samples, targets, keep, RandomStreams.Validation + 1, firstSample);
        return errors.ToArray().Average();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Ema.Dispose();
        Optimizer.Dispose();
        Arena.Dispose();
    }

    private double AccumulateGradients(Batch batch, long part)
    {
        using var scope = new TensorScope();
        int samples = Config.BatchSize;
        long firstSample = part * samples;
        DiffusionTargets targets = DiffusionTargets.Draw(Config.Diffusion, _schedule, samples, Config.Seed, RandomStreams.Timesteps, firstSample);
        Tensor keep = Tensor.From(_backend, DrawKeep(samples, firstSample), samples);
        var (errors, condition) = Errors(batch, samples, targets, keep, RandomStreams.Noise, firstSample);
        Tensor mean = Tensor.Full(_backend, 1f / (samples * Config.Accumulation), samples);
        Tensor diffusionLoss = errors.WeightedSum(mean);
        Tensor total = diffusionLoss;
        if (condition.ClassLogits is { } logits && Config.ClassLossWeight > 0)
        {
            Tensor classLoss = logits.CrossEntropyRows(Tensor.Indices(_backend, batch.Labels.AsSpan(0, samples))).WeightedSum(mean);
            total = TensorOps.Axpby(1, diffusionLoss, (float)Config.ClassLossWeight, classLoss);
        }
        total.Backward();
        return diffusionLoss.ToScalar() * Config.Accumulation;
    }

    /// <summary>The squared error of each sample's prediction, and the picture's condition.</summary>
    private (Tensor Errors, ImageCondition Condition) Errors(Batch batch, int samples, DiffusionTargets targets, Tensor keep, ulong noiseStream, long firstSample)
    {
        DitConfig model = Config.Model;
        int mel = model.MelBands * model.MelFrames, image = 3 * model.ImageSize * model.ImageSize;
        Tensor noisy = Tensor.Empty(_backend, samples, model.MelTokens, model.MelTokenLength), target = Tensor.Empty(_backend, samples, model.MelTokens, model.MelTokenLength);
        using (Tensor mels = Tensor.From(_backend, batch.Mels.AsSpan(0, samples * mel), samples, 1, model.MelBands, model.MelFrames))
        using (Tensor x0 = mels.Patchify(model.MelPatches(samples)))               // [batch, melTokens, melTokenLength]
        using (Tensor mix = Tensor.From(_backend, targets.Mix(), 4, samples))
        {
            _backend.QSample(x0.View, mix.View, samples, Config.Seed, noiseStream, firstSample * mel, noisy.View, target.View);
        }
        ImageCondition condition;
        using (Tensor raw = Tensor.From(_backend, batch.Images.AsSpan(0, samples * image), samples, 3, model.ImageSize, model.ImageSize))
        using (Tensor pictures = raw.Patchify(model.ImagePatches(samples)))        // [batch, imageTokens, imageTokenLength]
        {
            condition = Model.EncodeImage(pictures, keep);
        }
        using Tensor prediction = Model.Denoise(noisy, targets.Timesteps, condition);
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
