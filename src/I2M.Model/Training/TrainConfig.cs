using System.Text.Json;
using System.Text.Json.Serialization;
using I2M.Autograd;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Diffusion;
using I2M.Model.Dit;
using I2M.Model.Images;
using I2M.Model.Io;

namespace I2M.Model.Training;

/// <summary>Everything that determines a training run besides the data; saved with the run and in every checkpoint.</summary>
public sealed record TrainConfig
{
    /// <summary>The network.</summary>
    public DitConfig Model { get; init; } = new();
    /// <summary>The diffusion process.</summary>
    public DiffusionConfig Diffusion { get; init; } = new();
    /// <summary>The mel features.</summary>
    public MelSettings Mel { get; init; } = new();
    /// <summary>Samples per optimiser step and accumulation part.</summary>
    public int BatchSize { get; init; } = 32;
    /// <summary>Parts whose gradients are added before a step.</summary>
    public int Accumulation { get; init; } = 1;
    /// <summary>Optimiser steps in all; also the end of the cosine.</summary>
    public int Steps { get; init; } = 10_000;
    /// <summary>Rate after the warm-up.</summary>
    public double LearningRate { get; init; } = 1e-4;
    /// <summary>Rate at the end of the cosine.</summary>
    public double FinalLearningRate { get; init; } = 1e-6;
    /// <summary>Steps of linear warm-up.</summary>
    public int WarmupSteps { get; init; } = 1000;
    /// <summary>Decoupled weight decay.</summary>
    public float WeightDecay { get; init; } = 0.01f;
    /// <summary>Largest global gradient norm; 0 does not clip.</summary>
    public float ClipNorm { get; init; } = 1;
    /// <summary>Decay of the weights' moving average.</summary>
    public double EmaDecay { get; init; } = 0.9999;
    /// <summary>Share of samples (or, in compat mode, of batches) trained without their picture.</summary>
    public double ConditionDropout { get; init; } = 0.1;
    /// <summary>Weight of the auxiliary classification loss, where the model has a class head and the data has classes.</summary>
    public double ClassLossWeight { get; init; } = 0.3;
    /// <summary>Compute the transformer blocks again in the backward pass instead of keeping what they compute: less memory, a third more time, the same numbers.</summary>
    public bool Recompute { get; init; }
    /// <summary>How exactly to compute: f32, tf32 or bf16. The weights that are trained and saved are float32 in each.</summary>
    public Precision Precision { get; init; }
    /// <summary>Vary the training pictures (crop, mirror, light).</summary>
    public bool Augment { get; init; } = true;
    /// <summary>How strongly, where <see cref="Augment"/>.</summary>
    public AugmentOptions Augmentation { get; init; } = new();
    /// <summary>Samples that are held to be mixed when shards are read; single files are mixed over the whole epoch.</summary>
    public int ShuffleBuffer { get; init; } = 256;
    /// <summary>Share of the data held out.</summary>
    public double EvalFraction { get; init; } = 0.1;
    /// <summary>Seed of everything random.</summary>
    public ulong Seed { get; init; } = 1;
    /// <summary>Steps between two checkpoints.</summary>
    public int SaveEvery { get; init; } = 500;
    /// <summary>Checkpoints kept besides the best.</summary>
    public int KeepCheckpoints { get; init; } = 2;
    /// <summary>Steps between two validations on held-out pairs; 0 leaves them out.</summary>
    public int ValidateEvery { get; init; } = 500;

    internal static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        IgnoreReadOnlyProperties = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>As JSON text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>From JSON text; fields that are left out keep their defaults, unknown ones are refused.</summary>
    /// <param name="json">The text.</param>
    /// <param name="path">File that it came from, for the error.</param>
    /// <exception cref="BadFileException">Not valid, with the field's path.</exception>
    public static TrainConfig FromJson(string json, string path)
    {
        try
        {
            return JsonSerializer.Deserialize<TrainConfig>(json, Json)?.Validated() ?? throw new BadFileException(path, "expected a JSON object, found null");
        }
        catch (JsonException e)
        {
            throw new BadFileException(path, e.Message.ReplaceLineEndings(" "), e);
        }
        catch (I2MException e) when (e is not BadFileException)
        {
            throw new BadFileException(path, e.Message, e);
        }
    }

    /// <summary>Reads a config file.</summary>
    public static TrainConfig Load(string path) => FromJson(InputFile.ReadText(path), path);

    /// <summary>Checks every number.</summary>
    /// <exception cref="I2MException">Names the field, its value and what was expected.</exception>
    public TrainConfig Validated()
    {
        Model.Validated();
        if (Mel.FindProblem() is { } problem) { throw new I2MException($"config: mel: {problem}"); }
        Require(Diffusion.Steps <= 100_000, "diffusion", $"{Diffusion.Steps} steps", "at most 100000");
        Require(Diffusion.InputScale is > 0 and <= 100, "diffusion", $"inputScale {Diffusion.InputScale}", "above 0 to 100");
        Diffusion.CreateSchedule();
        Require(Mel.Bands == Model.MelBands, nameof(Mel), $"{Mel.Bands} bands", $"the model's {Model.MelBands}");
        Require(BatchSize is > 0 and <= 65_536, nameof(BatchSize), BatchSize, "1 to 65536");
        Require(Accumulation is > 0 and <= 65_536, nameof(Accumulation), Accumulation, "1 to 65536");
        Require(Steps > 0, nameof(Steps), Steps, "at least 1");
        Require(LearningRate is > 0 and < 1, nameof(LearningRate), LearningRate, "between 0 and 1");
        Require(FinalLearningRate >= 0 && FinalLearningRate <= LearningRate, nameof(FinalLearningRate), FinalLearningRate, "0 to learningRate");
        Require(WarmupSteps >= 0, nameof(WarmupSteps), WarmupSteps, "at least 0");
        Require(WeightDecay is >= 0 and < 1, nameof(WeightDecay), WeightDecay, "0 to 1");
        Require(ClipNorm >= 0, nameof(ClipNorm), ClipNorm, "at least 0");
        Require(EmaDecay is >= 0 and < 1, nameof(EmaDecay), EmaDecay, "0 to below 1");
        Require(ConditionDropout is >= 0 and <= 1, nameof(ConditionDropout), ConditionDropout, "0 to 1");
        Require(Enum.IsDefined(Precision), nameof(Precision), (int)Precision, string.Join(", ", PrecisionPolicy.Names));
        Require(ClassLossWeight >= 0, nameof(ClassLossWeight), ClassLossWeight, "at least 0");
        if (Augmentation.FindProblem() is { } strength) { throw new I2MException($"config: augmentation: {strength}"); }
        Require(ShuffleBuffer is > 0 and <= 1_000_000, nameof(ShuffleBuffer), ShuffleBuffer, "1 to 1000000");
        Require(EvalFraction is >= 0 and < 1, nameof(EvalFraction), EvalFraction, "0 to below 1");
        Require(SaveEvery > 0, nameof(SaveEvery), SaveEvery, "at least 1");
        Require(KeepCheckpoints > 0, nameof(KeepCheckpoints), KeepCheckpoints, "at least 1");
        Require(ValidateEvery >= 0, nameof(ValidateEvery), ValidateEvery, "at least 0");
        return this;
    }

    private static void Require(bool condition, string field, object value, string expected)
    {
        if (!condition) { throw new I2MException($"config: {JsonNamingPolicy.CamelCase.ConvertName(field)}: {value}: expected {expected}"); }
    }
}
