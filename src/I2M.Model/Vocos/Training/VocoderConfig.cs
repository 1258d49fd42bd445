using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Training;

namespace I2M.Model.Vocos.Training;

/// <summary>Everything that determines a vocoder's training besides the sound files; saved with the run and in every checkpoint.</summary>
public sealed record VocoderConfig
{
    /// <summary>The network and its mels.</summary>
    public VocosConfig Model { get; init; } = Small;
    /// <summary>Crops of a step.</summary>
    public int BatchSize { get; init; } = 16;
    /// <summary>Length of a crop in hops; 94 of 256 samples are a second at 24 kHz.</summary>
    public int CropHops { get; init; } = 94;
    /// <summary>Optimiser steps in all; also the end of the cosine.</summary>
    public int Steps { get; init; } = 20_000;
    /// <summary>Rate after the warm-up.</summary>
    public double LearningRate { get; init; } = 5e-4;
    /// <summary>Rate at the end of the cosine.</summary>
    public double FinalLearningRate { get; init; } = 1e-6;
    /// <summary>Steps of linear warm-up.</summary>
    public int WarmupSteps { get; init; } = 100;
    /// <summary>Decoupled weight decay.</summary>
    public float WeightDecay { get; init; } = 0.01f;
    /// <summary>Decay of the weights' moving average, which is what is validated and written as the vocoder.</summary>
    public double EmaDecay { get; init; } = 0.999;
    /// <summary>Weight of the mel's L1 loss, the paper's 45.</summary>
    public double MelWeight { get; init; } = 45;
    /// <summary>Weight of the multi-resolution STFT loss.</summary>
    public double StftWeight { get; init; } = 15;
    /// <summary>Step from which discriminators judge the speech; 0 leaves them out.</summary>
    public int DiscriminatorStart { get; init; }
    /// <summary>Width of the discriminators; 1 is the paper's, a quarter of it a sixteenth of the work.</summary>
    public double DiscriminatorWidth { get; init; } = 0.25;
    /// <summary>Weight of the multi-resolution discriminators beside the multi-period ones, the paper's 0.1.</summary>
    public double ResolutionWeight { get; init; } = 0.1;
    /// <summary>Share of the crops that are changed as other rooms, microphones and throats would; see <see cref="SoundAugmentation"/>.</summary>
    public double Augment { get; init; }
    /// <summary>Share of the files held out.</summary>
    public double EvalFraction { get; init; } = 0.05;
    /// <summary>Seed of everything random.</summary>
    public ulong Seed { get; init; } = 1;
    /// <summary>Steps between two checkpoints.</summary>
    public int SaveEvery { get; init; } = 500;
    /// <summary>Checkpoints kept.</summary>
    public int KeepCheckpoints { get; init; } = 2;
    /// <summary>Steps between two validations on held-out files; 0 leaves them out.</summary>
    public int ValidateEvery { get; init; } = 1000;

    /// <summary>The network that is small enough to be shipped: 2.8 million weights.</summary>
    public static VocosConfig Small { get; } = new() { Dim = 256, IntermediateDim = 768, Layers = 6 };

    /// <summary>Samples of a batch: 4 GiB of them.</summary>
    private const long MostSamples = 1L << 30;

    /// <summary>Samples of a crop.</summary>
    public int CropSamples => CropHops * Model.Mel.HopLength;

    /// <summary>As JSON text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, TrainConfig.Json);

    /// <summary>From JSON text; fields that are left out keep their defaults, unknown ones are refused.</summary>
    /// <param name="json">The text.</param>
    /// <param name="path">File that it came from, for the error.</param>
    /// <exception cref="BadFileException">Not valid, with the field's path.</exception>
    public static VocoderConfig FromJson(string json, string path)
    {
        try
        {
            VocoderConfig config = JsonSerializer.Deserialize<VocoderConfig>(json, TrainConfig.Json) ?? throw new BadFileException(path, "expected a JSON object, found null");
            VocosConfigFile.Validated(path, config.Model);
            return config.Validated();
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

    /// <summary>Checks every number.</summary>
    /// <exception cref="I2MException">Names the field, its value and what was expected.</exception>
    public VocoderConfig Validated()
    {
        if (Model.Mel.FindProblem() is { } problem) { throw new I2MException($"config: model.mel: {problem}"); }
        Require(BatchSize is > 0 and <= 65_536, nameof(BatchSize), BatchSize, "1 to 65536");
        Require(CropHops is > 0 and <= 65_536 && CropSamples >= 4096, nameof(CropHops), CropHops, $"4096 samples or more, which are {(4096 + Model.Mel.HopLength - 1) / Model.Mel.HopLength} hops of {Model.Mel.HopLength}");
        Require((long)BatchSize * CropSamples <= MostSamples, nameof(BatchSize), BatchSize, $"at most {MostSamples / CropSamples} crops of {CropHops} hops");
        Require(Steps > 0, nameof(Steps), Steps, "at least 1");
        Require(LearningRate is > 0 and < 1, nameof(LearningRate), LearningRate, "between 0 and 1");
        Require(FinalLearningRate >= 0 && FinalLearningRate <= LearningRate, nameof(FinalLearningRate), FinalLearningRate, "0 to learningRate");
        Require(WarmupSteps >= 0, nameof(WarmupSteps), WarmupSteps, "at least 0");
        Require(WeightDecay is >= 0 and < 1, nameof(WeightDecay), WeightDecay, "0 to 1");
        Require(EmaDecay is >= 0 and < 1, nameof(EmaDecay), EmaDecay, "0 to below 1");
        Require(MelWeight is >= 0 and <= 1e6, nameof(MelWeight), MelWeight, "0 to 1000000");
        Require(StftWeight is >= 0 and <= 1e6 && MelWeight + StftWeight > 0, nameof(StftWeight), StftWeight, "0 to 1000000, and one weight above 0");
        Require(DiscriminatorStart >= 0, nameof(DiscriminatorStart), DiscriminatorStart, "at least 0");
        Require(DiscriminatorWidth is >= 0.03125 and <= 4, nameof(DiscriminatorWidth), DiscriminatorWidth, "0.03125 to 4");
        Require(ResolutionWeight is >= 0 and <= 1000, nameof(ResolutionWeight), ResolutionWeight, "0 to 1000");
        Require(Augment is >= 0 and <= 1, nameof(Augment), Augment, "0 to 1");
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
