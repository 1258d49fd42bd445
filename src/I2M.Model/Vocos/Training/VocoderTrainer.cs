using I2M.Autograd;
using I2M.Autograd.Optim;
using I2M.Kernels;

namespace I2M.Model.Vocos.Training;

/// <summary>What one optimiser step did.</summary>
/// <param name="Step">Which step, counted from 1.</param>
/// <param name="Loss">The weighted sum.</param>
/// <param name="Mel">Mean absolute error of the log-mels.</param>
/// <param name="Stft">The multi-resolution STFT loss.</param>
/// <param name="GradientNorm">Global norm of the gradients.</param>
/// <param name="LearningRate">Rate that was used.</param>
public readonly record struct VocoderStep(int Step, double Loss, double Mel, double Stft, double GradientNorm, double LearningRate)
{
    /// <summary>The discriminators' opinion of the vocoder, a part of the loss; 0 before they start.</summary>
    public double Adversarial { get; init; }

    /// <summary>The discriminators' own loss; 0 before they start, 2 · (1 + resolutionWeight) while they see no difference.</summary>
    public double Discriminators { get; init; }

    /// <summary>False once a number is infinite or NaN.</summary>
    public bool IsFinite => double.IsFinite(Loss) && double.IsFinite(GradientNorm) && double.IsFinite(Discriminators);
}

/// <summary>A vocoder with its optimiser and average, and the training step: mels of true crops are decoded and compared with the crops.</summary>
public sealed class VocoderTrainer : IDisposable
{
    private readonly IBackend _backend;
    private readonly LearningRateSchedule _rates;
    private readonly ReconstructionLoss _loss;

    /// <summary>Settings.</summary>
    public VocoderConfig Config { get; }

    /// <summary>The network with its weights.</summary>
    public VocosVocoder Vocoder { get; }

    /// <summary>AdamW's state.</summary>
    public AdamWOptimizer Optimizer { get; }

    /// <summary>The averaged weights.</summary>
    public ExponentialMovingAverage Ema { get; }

    /// <summary>The discriminators; null where there are none.</summary>
    public Adversary? Adversary { get; }

    /// <summary>Optimiser steps done.</summary>
    public int Step => Optimizer.StepCount;

    /// <param name="backend">Where to compute.</param>
    /// <param name="config">Settings.</param>
    public VocoderTrainer(IBackend backend, VocoderConfig config)
    {
        _backend = backend;
        Config = config.Validated();
        Vocoder = new VocosVocoder(backend, config.Model, "Vocos in training", trainable: true, config.Seed);
        Optimizer = new AdamWOptimizer(Vocoder.Arena, Options(config));
        Adversary = config.DiscriminatorStart > 0 ? new Adversary(backend, config) : null;
        Ema = new ExponentialMovingAverage(Vocoder.Arena, config.EmaDecay);
        _rates = new LearningRateSchedule(config.LearningRate, config.WarmupSteps, config.Steps, config.FinalLearningRate);
        _loss = new ReconstructionLoss(backend, config.Model.Mel, config.MelWeight, config.StftWeight);
    }

    /// <summary>One step on crops [batch, <see cref="VocoderConfig.CropSamples"/>]; waits for its result.</summary>
    public VocoderStep TrainStep(ReadOnlySpan<float> crops)
    {
        using var scope = new TensorScope();
        double rate = _rates.At(Step);
        LossTensors losses = Losses(crops, out Tensor wave, out Tensor decoded);
        Tensor total = losses.Total;
        double discriminators = 0, adversarial = 0;
        if (Adversary is not null && Step >= Config.DiscriminatorStart)
        {
            discriminators = Adversary.Learn(wave, decoded, rate).ToScalar();
            Tensor judged = Adversary.Judge(wave, decoded);
            adversarial = judged.ToScalar();
            total = total.Add(judged);
        }
        total.Backward();
        Optimizer.Step(rate, Ema);
        return new VocoderStep(Step, total.ToScalar(), losses.Mel.ToScalar(), losses.Stft.ToScalar(), Optimizer.GradientNorm(), rate)
        {
            Adversarial = adversarial,
            Discriminators = discriminators,
        };
    }

    /// <summary>AdamW as the paper's code sets it, for both sides.</summary>
    internal static AdamWOptions Options(VocoderConfig config) => new(Beta1: 0.8f, Beta2: 0.9f, WeightDecay: config.WeightDecay, ClipNorm: 0);

    /// <summary>The losses of crops without the discriminators', recorded for a backward pass.</summary>
    public LossTensors Losses(ReadOnlySpan<float> crops) => Losses(crops, out _, out _);

    private LossTensors Losses(ReadOnlySpan<float> crops, out Tensor wave, out Tensor decoded)
    {
        wave = Tensor.From(_backend, crops, crops.Length / Config.CropSamples, Config.CropSamples);
        Tensor mel = _loss.Mel(wave);                                              // [batch, bands, frames]
        decoded = Vocoder.Forward(mel);                                            // [batch, samples]
        return _loss.Forward(decoded, wave, mel);
    }

    /// <summary>Runs <paramref name="use"/> while the vocoder decodes with the averaged weights.</summary>
    public T WithAverage<T>(Func<VocosVocoder, T> use)
    {
        Vocoder.Arena.Bind(Ema.Values);
        try { return use(Vocoder); }
        finally { Vocoder.Arena.Bind(Vocoder.Arena.Values); }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loss.Dispose();
        Adversary?.Dispose();
        Ema.Dispose();
        Optimizer.Dispose();
        Vocoder.Dispose();
    }
}
