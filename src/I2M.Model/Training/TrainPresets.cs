using I2M.Model.Diffusion;
using I2M.Model.Dit;

namespace I2M.Model.Training;

/// <summary>Settings that train each model preset well on the machine it is meant for.</summary>
public static class TrainPresets
{
    /// <summary>The settings of a preset; in compat mode those of the original, scaled to the batch as it did.</summary>
    public static TrainConfig Get(string preset, bool compatSeed = false)
    {
        DitConfig model = DitPresets.Get(preset, compatSeed);
        (int batch, double rate, int warmup, int steps, double ema) = preset switch
        {
            "nano" => (16, 2e-3, 100, 4000, 0.995),
            "micro" => (16, 5e-4, 200, 10_000, 0.999),
            "small" => (32, 2e-4, 500, 50_000, 0.9995),
            _ => (32, 1e-4, 1000, 180_000, 0.9999),
        };
        // A mel token of nano holds 800 values and its channels are 128: noise cannot pass through, so v and ε cannot be predicted, but speech can.
        var diffusion = new DiffusionConfig { Prediction = model.MelTokenLength > model.Hidden / 2 ? PredictionKind.Sample : PredictionKind.V };
        var config = new TrainConfig { Model = model, Diffusion = diffusion, BatchSize = batch, LearningRate = rate, FinalLearningRate = rate / 100, WarmupSteps = warmup, Steps = steps, EmaDecay = ema, ClassLossWeight = 0.3 };
        return compatSeed ? config with { Diffusion = DiffusionConfig.CompatSeed, LearningRate = 1e-4 * batch / 32, FinalLearningRate = 1e-6, WarmupSteps = 0, ClassLossWeight = 0 } : config;
    }
}
