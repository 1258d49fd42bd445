using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Io;
using I2M.Model.Training;

namespace I2M.Model.Vocos.Training;

/// <summary>Where a vocoder's run stands; together with its settings and files it determines every later step.</summary>
/// <param name="Step">Optimiser steps done.</param>
/// <param name="EmaUpdates">Updates of the average.</param>
/// <param name="DataIdentity">Hash of the sound files' names and sizes.</param>
public sealed record VocoderState(int Step, long EmaUpdates, string DataIdentity);

/// <summary>A vocoder's run in one safetensors file: weights, average, moments, settings and state, with a checksum per tensor.</summary>
public static class VocoderCheckpoint
{
    private const string FormatKey = "i2m.format", Format = "vocoder-checkpoint", ConfigKey = "i2m.config", StateKey = "i2m.state", AdversaryPrefix = "discriminator.";

    /// <summary>Saves a run.</summary>
    public static void Save(string path, VocoderTrainer trainer, string dataIdentity)
    {
        var tensors = new List<(string Name, int[] Shape, float[] Data)>();
        TensorBlocks.Collect(tensors, trainer.Vocoder.Arena, trainer.Ema, trainer.Optimizer);
        if (trainer.Adversary is { } adversary) { TensorBlocks.Collect(tensors, adversary.Arena, null, adversary.Optimizer, AdversaryPrefix); }
        TensorBlocks.Write(path, tensors, new Dictionary<string, string>
        {
            [FormatKey] = Format,
            [ConfigKey] = trainer.Config.ToJson(),
            [StateKey] = JsonSerializer.Serialize(new VocoderState(trainer.Step, trainer.Ema.UpdateCount, dataIdentity), TrainConfig.Json),
        });
    }

    /// <summary>The settings of the run and where it stood.</summary>
    /// <exception cref="BadFileException">Not a vocoder's checkpoint.</exception>
    public static (VocoderConfig Config, VocoderState State) ReadInfo(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return ReadInfo(path, file);
    }

    /// <summary>Restores a run exactly as it was saved.</summary>
    /// <exception cref="BadFileException">A tensor is missing, damaged or of another shape.</exception>
    public static VocoderState Restore(string path, VocoderTrainer trainer)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        VocoderState state = ReadInfo(path, file).State;
        TensorBlocks.Load(path, file, trainer.Vocoder.Arena, trainer.Ema, trainer.Optimizer);
        if (trainer.Adversary is { } adversary)
        {
            TensorBlocks.Load(path, file, adversary.Arena, null, adversary.Optimizer, AdversaryPrefix);
            adversary.Optimizer.StepCount = Math.Max(0, state.Step - trainer.Config.DiscriminatorStart);
        }
        trainer.Optimizer.StepCount = state.Step;
        trainer.Ema.UpdateCount = state.EmaUpdates;
        return state;
    }

    /// <summary>The averaged weights of a vocoder, in the order of its parameters.</summary>
    /// <exception cref="BadFileException">A tensor is missing, damaged or of another shape.</exception>
    internal static NamedWeight[] ReadAverage(string path, VocosModel model)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Dictionary<string, string> checksums = TensorBlocks.Checksums(path, file);
        return [.. model.NamedParameters().Select(p => new NamedWeight(p.Name, p.Parameter.Shape, TensorBlocks.ReadTensor(path, file, checksums, TensorBlocks.EmaPrefix + p.Name, p.Parameter.Shape)))];
    }

    private static (VocoderConfig Config, VocoderState State) ReadInfo(string path, SafetensorsFile file)
    {
        if (file.Metadata.GetValueOrDefault(FormatKey) != Format) { throw new BadFileException(path, $"metadata {FormatKey}: expected \"{Format}\""); }
        return (VocoderConfig.FromJson(TensorBlocks.Field(path, file, ConfigKey), path), TensorBlocks.ParseField<VocoderState>(path, file, StateKey));
    }
}
