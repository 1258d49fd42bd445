using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Vocos;
using I2M.Model.Vocos.Training;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Vocos;

/// <summary>The vocoder's losses and training step on a network small enough for every backend.</summary>
public sealed class VocoderTrainerTests
{
    internal static VocoderConfig Tiny { get; } = new()
    {
        Model = new VocosConfig { Mel = new MelSettings { FftSize = 256, HopLength = 64, Bands = 20 }, Dim = 16, IntermediateDim = 32, Layers = 2 },
        BatchSize = 2,
        CropHops = 64,
        Steps = 200,
        WarmupSteps = 2,
        LearningRate = 2e-3,
        EmaDecay = 0.9,
        SaveEvery = 1000,
        ValidateEvery = 0,
    };

    /// <summary>Half as loud, every audible logarithm falls by ln 2 and the spectra differ by half of themselves.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void LossesOfASofterWaveAreThoseOfTheFormula(string backendName)
    {
        IBackend backend = Backends.Get(backendName);
        float[] samples = new RandomData(3).Normal(2 * 4096, deviation: 0.2);
        using var loss = new ReconstructionLoss(backend, Tiny.Model.Mel, 45, 15);
        using var scope = new TensorScope();
        Tensor wave = Tensor.From(backend, samples, 2, 4096), mel = loss.Mel(wave);
        LossTensors same = loss.Forward(wave, wave, mel), half = loss.Forward(wave.Scale(0.5f), wave, mel);
        double ln2 = Math.Log(2);
        Assert.Equal(0, same.Total.ToScalar(), ModelTolerance.SpectralLoss);
        Assert.Equal(ln2, half.Mel.ToScalar(), ModelTolerance.SpectralLoss);
        Assert.Equal(0.5 + ln2, half.Stft.ToScalar(), ModelTolerance.SpectralLoss);
        Assert.Equal(45 * ln2 + 15 * (0.5 + ln2), half.Total.ToScalar(), 60 * ModelTolerance.SpectralLoss);
    }

    /// <summary>Along a parameter's gradient the loss climbs by the gradient's length: (L(θ + h·g/‖g‖) − L(θ − h·g/‖g‖)) / 2h = ‖g‖.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void EveryGradientIsTheSlopeOfTheLoss(string backendName)
    {
        IBackend backend = Backends.Get(backendName);
        using var trainer = new VocoderTrainer(backend, Tiny);
        float[] crops = Speechlike(Tiny, 7);
        for (int i = 0; i < 3; i++) { trainer.TrainStep(crops); } // Biases and scales leave their initial values.
        ParameterArena arena = trainer.Vocoder.Arena;
        using (var scope = new TensorScope()) { trainer.Losses(crops).Total.Backward(); }
        var error = new WorstError($"vocoder's gradients on {backendName}", ModelTolerance.VocoderSlope);
        foreach (ParameterArena.Entry entry in arena.Entries)
        {
            float[] values = arena.Read(entry, arena.Values), gradient = arena.Read(entry, arena.Gradients);
            double length = Math.Sqrt(gradient.Sum(g => (double)g * g));
            double Loss(double along)
            {
                arena.Write(entry, arena.Values, [.. values.Select((v, i) => (float)(v + along * gradient[i] / length))]);
                using var scope = new TensorScope();
                using var noGrad = GradMode.NoGrad();
                return trainer.Losses(crops).Total.ToScalar();
            }
            // Short steps drown in float32's roundings, long ones bend: where the gradient is right, one between them shows it.
            double[] errors = [.. new[] { 1e-3, 4e-3, 1.6e-2, 6.4e-2 }.Select(step => Math.Abs((Loss(step) - Loss(-step)) / (2 * step) - length) / length)];
            arena.Write(entry, arena.Values, values);
            error.Add(entry.Name, errors.Min());
        }
        error.Check();
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void StepsLowerTheLossAndAllocateNothingOnceWarm(string backendName)
    {
        IBackend backend = Backends.Get(backendName);
        using var trainer = new VocoderTrainer(backend, Tiny);
        float[] crops = Speechlike(Tiny, 7);
        VocoderStep first = trainer.TrainStep(crops), last = trainer.TrainStep(crops);
        long memory = backend.Pool.DeviceBytes;
        for (int i = 0; i < 30; i++) { last = trainer.TrainStep(crops); }
        Assert.Equal(memory, backend.Pool.DeviceBytes);
        Assert.True(last.IsFinite && last.Loss < 0.5 * first.Loss, $"loss {first.Loss} at first, {last.Loss} after 32 steps");
        Assert.Equal(trainer.WithAverage(v => v.Decode(new float[20 * 9], 9)), trainer.WithAverage(v => v.Decode(new float[20 * 9], 9)));
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void DiscriminatorsStartWhenTheyAreDueAndLearn(string backendName)
    {
        IBackend backend = Backends.Get(backendName);
        using var trainer = new VocoderTrainer(backend, Tiny with { DiscriminatorStart = 2, DiscriminatorWidth = 0.03125 });
        float[] crops = Speechlike(Tiny, 7);
        Assert.Equal(0, trainer.TrainStep(crops).Discriminators);
        Assert.Equal(0, trainer.TrainStep(crops).Adversarial);
        VocoderStep first = trainer.TrainStep(crops), last = first;
        for (int i = 0; i < 8; i++) { last = trainer.TrainStep(crops); }
        Assert.True(last.IsFinite && first.Adversarial > 0 && last.Discriminators < first.Discriminators, $"discriminators' loss {first.Discriminators} at first, {last.Discriminators} after 9 steps");
    }

    [Fact]
    public void TheSmallNetworkFitsSixMegabytes()
    {
        var model = new VocosModel(VocoderConfig.Small);
        Assert.InRange(2 * model.ParameterCount, 0, 6_000_000 - 10_000); // and the names in the header
    }

    /// <summary>A gliding tone with overtones and some noise.</summary>
    internal static float[] Speechlike(VocoderConfig config, ulong seed)
    {
        float[] noise = new RandomData(seed).Normal(config.BatchSize * config.CropSamples, deviation: 0.02);
        for (int i = 0; i < noise.Length; i++)
        {
            double t = i % config.CropSamples / 24000.0, phase = 2 * Math.PI * (150 * t + 200 * t * t);
            for (int k = 1; k < 12; k++) { noise[i] += (float)(0.3 / k * Math.Sin(k * phase)); }
        }
        return noise;
    }
}
