using System.Globalization;
using System.Text.Json;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Io;

namespace I2M.Model.Training;

/// <summary>Where a run stands; together with the config it determines every later step.</summary>
/// <param name="Step">Optimiser steps done; the position in the data and in all random streams follows from it.</param>
/// <param name="EmaUpdates">Updates of the average.</param>
/// <param name="DataFingerprint">Hash of the training data.</param>
/// <param name="BestValidation">Lowest validation loss so far; null before the first.</param>
public sealed record TrainState(int Step, long EmaUpdates, string DataFingerprint, double? BestValidation);

/// <summary>Everything a checkpoint says besides its tensors.</summary>
/// <param name="Config">The run's settings.</param>
/// <param name="Normalizer">The mel map.</param>
/// <param name="Classes">Class names by index; may be empty.</param>
/// <param name="State">Where the run stood; null in a file made for inference only.</param>
public sealed record CheckpointInfo(TrainConfig Config, MelNormalizer Normalizer, IReadOnlyList<string> Classes, TrainState? State);

/// <summary>
/// A run in one safetensors file: tensors <c>model.*</c>, <c>ema.*</c>, <c>optimizer.first.*</c>, <c>optimizer.second.*</c>, and config, mel
/// statistics, classes, state and a CRC-32C per tensor as metadata. One file, renamed into place when it is complete, so a checkpoint is whole or absent.
/// </summary>
public static class Checkpoint
{
    /// <summary>Tensor prefix of the weights.</summary>
    public const string ModelPrefix = TensorBlocks.ModelPrefix;
    /// <summary>Tensor prefix of the averaged weights.</summary>
    public const string EmaPrefix = TensorBlocks.EmaPrefix;
    private const string Format = "i2m-checkpoint";
    private const int Version = 1;

    /// <summary>Saves a run.</summary>
    /// <param name="path">The file.</param>
    /// <param name="trainer">Weights, average and optimiser.</param>
    /// <param name="info">The rest.</param>
    public static void Save(string path, DiffusionTrainer trainer, CheckpointInfo info)
    {
        var tensors = new List<(string Name, int[] Shape, float[] Data)>();
        TensorBlocks.Collect(tensors, trainer.Arena, trainer.Ema, trainer.Optimizer);
        Write(path, tensors, info);
    }

    /// <summary>Saves weights alone, for inference.</summary>
    /// <param name="path">The file.</param>
    /// <param name="weights">Names without prefix.</param>
    /// <param name="info">Config, mel statistics and classes.</param>
    public static void SaveWeights(string path, IEnumerable<(string Name, int[] Shape, float[] Data)> weights, CheckpointInfo info) =>
        Write(path, [.. weights.Select(w => (ModelPrefix + w.Name, w.Shape, w.Data))], info);

    /// <summary>What a checkpoint file says, without reading its tensors.</summary>
    /// <exception cref="BadFileException">Not a checkpoint of a known version.</exception>
    public static CheckpointInfo ReadInfo(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return ReadInfo(path, file);
    }

    /// <summary>Restores a run exactly as it was saved.</summary>
    /// <exception cref="BadFileException">A tensor is missing, damaged or of another shape.</exception>
    public static CheckpointInfo Restore(string path, DiffusionTrainer trainer)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        CheckpointInfo info = ReadInfo(path, file);
        if (info.State is not { } state) { throw new BadFileException(path, "holds weights only: expected a checkpoint of a training run"); }
        TensorBlocks.Load(path, file, trainer.Arena, trainer.Ema, trainer.Optimizer);
        trainer.Optimizer.StepCount = state.Step;
        trainer.Ema.UpdateCount = state.EmaUpdates;
        return info;
    }

    /// <summary>Loads weights for inference: the average where there is one and it is wanted.</summary>
    /// <exception cref="BadFileException">A tensor is missing, damaged or of another shape.</exception>
    public static void LoadWeights(string path, ParameterArena arena, bool preferAverage)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        bool average = preferAverage && file.Tensors.ContainsKey(EmaPrefix + arena.Entries[0].Name);
        TensorBlocks.Load(path, file, arena, average ? EmaPrefix : ModelPrefix, arena.Values);
    }

    /// <summary>The weights of a checkpoint as host data in registration order.</summary>
    public static List<(string Name, int[] Shape, float[] Data)> ReadWeights(string path, Module model, bool preferAverage)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        List<(string Name, Parameter Parameter)> parameters = [.. model.NamedParameters()];
        string prefix = preferAverage && file.Tensors.ContainsKey(EmaPrefix + parameters[0].Name) ? EmaPrefix : ModelPrefix;
        Dictionary<string, string> checksums = TensorBlocks.Checksums(path, file);
        return [.. parameters.Select(p => (p.Name, p.Parameter.Shape, TensorBlocks.ReadTensor(path, file, checksums, prefix + p.Name, p.Parameter.Shape)))];
    }

    private static void Write(string path, List<(string Name, int[] Shape, float[] Data)> tensors, CheckpointInfo info)
    {
        var metadata = new Dictionary<string, string>
        {
            ["i2m.format"] = Format,
            ["i2m.version"] = Version.ToString(CultureInfo.InvariantCulture),
            ["i2m.config"] = info.Config.ToJson(),
            ["i2m.normalizer"] = JsonSerializer.Serialize(info.Normalizer, TrainConfig.Json),
            ["i2m.classes"] = JsonSerializer.Serialize(info.Classes, TrainConfig.Json),
        };
        if (info.State is { } state) { metadata["i2m.state"] = JsonSerializer.Serialize(state, TrainConfig.Json); }
        TensorBlocks.Write(path, tensors, metadata);
    }

    private static CheckpointInfo ReadInfo(string path, SafetensorsFile file)
    {
        if (file.Metadata.GetValueOrDefault("i2m.format") != Format)
        {
            throw new BadFileException(path, $"metadata i2m.format: expected \"{Format}\" (other weights: see i2m convert)");
        }
        string version = Field("i2m.version");
        if (version != Version.ToString(CultureInfo.InvariantCulture)) { throw new BadFileException(path, $"metadata i2m.version: {version}: this program knows version {Version}"); }
        var normalizer = Parse<MelNormalizer>("i2m.normalizer");
        if (normalizer.FindProblem() is { } problem) { throw new BadFileException(path, $"metadata i2m.normalizer: {problem}"); }
        return new CheckpointInfo(
            TrainConfig.FromJson(Field("i2m.config"), path),
            normalizer,
            Parse<List<string>>("i2m.classes"),
            file.Metadata.ContainsKey("i2m.state") ? Parse<TrainState>("i2m.state") : null);

        string Field(string name) => TensorBlocks.Field(path, file, name);

        T Parse<T>(string name) => TensorBlocks.ParseField<T>(path, file, name);
    }
}
