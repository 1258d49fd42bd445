using I2M.Kernels;
using I2M.Model.Data;
using I2M.Model.Diffusion;
using I2M.Model.Dit;
using I2M.Model.Training;

namespace I2M.Model.Tests.Training;

/// <summary>A model and batches small enough for a step to take milliseconds on every backend.</summary>
internal static class TinyRun
{
    public static TrainConfig Config { get; } = new()
    {
        Model = new DitConfig { ImageSize = 16, ImagePatch = 8, MelPatchBands = 20, MelPatchFrames = 40, Hidden = 32, Heads = 2, Layers = 2, ImageTowerLayers = 1, ClassCount = 3 },
        BatchSize = 3,
        Steps = 1000,
        WarmupSteps = 2,
        LearningRate = 2e-3,
        FinalLearningRate = 1e-5,
        EmaDecay = 0.9,
    };

    public static TrainConfig CompatConfig { get; } = Config with
    {
        Model = Config.Model with { CompatSeed = true, ClassCount = 0 },
        Diffusion = DiffusionConfig.CompatSeed,
        ClassLossWeight = 0,
    };

    /// <summary>A batch of smooth mels and flat pictures, one kind a class.</summary>
    public static Batch Batch(TrainConfig config)
    {
        int mel = config.Model.MelBands * config.Model.MelFrames, image = 3 * config.Model.ImageSize * config.Model.ImageSize;
        var batch = new Batch(new float[config.BatchSize * mel], new float[config.BatchSize * image], new int[config.BatchSize]);
        for (int b = 0; b < config.BatchSize; b++)
        {
            batch.Labels[b] = b;
            for (int i = 0; i < mel; i++) { batch.Mels[b * mel + i] = (float)(0.5 * Math.Sin(0.01 * (b + 1) * i)); }
            for (int i = 0; i < image; i++) { batch.Images[b * image + i] = b - 1; }
        }
        return batch;
    }

    public static StepResult Step(DiffusionTrainer trainer, Batch batch) => trainer.TrainStep(() => batch, static _ => { });

    public static float[] Weights(DiffusionTrainer trainer)
    {
        var weights = new float[trainer.Arena.Length];
        trainer.Arena.Backend.CopyToHost(trainer.Arena.Values, weights);
        return weights;
    }
}
