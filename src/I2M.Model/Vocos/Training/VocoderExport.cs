using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Io;
using I2M.Model.Training;

namespace I2M.Model.Vocos.Training;

/// <summary>What a set of clips says about a vocoder.</summary>
/// <param name="Set">The folder's name.</param>
/// <param name="Voice">The vocoder.</param>
/// <param name="Score">The figures.</param>
public sealed record VocoderFigures(string Set, string Voice, VocoderScore Score);

/// <summary>How a vocoder's file was made, and how well it does: written beside it.</summary>
public sealed record VocoderCard
{
    /// <summary>The weights' file.</summary>
    public required string File { get; init; }
    /// <summary>Its size.</summary>
    public required long Bytes { get; init; }
    /// <summary>Its hash.</summary>
    public required string Sha256 { get; init; }
    /// <summary>Weights.</summary>
    public required long Parameters { get; init; }
    /// <summary>The command that trains it again.</summary>
    public required string Command { get; init; }
    /// <summary>Steps trained.</summary>
    public required int Step { get; init; }
    /// <summary>Hash of the names and sizes of the sound files that it was trained on.</summary>
    public required string DataIdentity { get; init; }
    /// <summary>All settings, the seed among them.</summary>
    public required VocoderConfig Config { get; init; }
    /// <summary>What else is to be known, such as how the sound files were made.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
    /// <summary>Figures on clips that it was not trained on.</summary>
    public IReadOnlyList<VocoderFigures> Figures { get; init; } = [];

    /// <summary>As JSON text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, TrainConfig.Json);
}

/// <summary>Makes a run's newest checkpoint a vocoder's file that can be handed on: the averaged weights in bfloat16, with checksums, and a card beside it.</summary>
public static class VocoderExport
{
    /// <summary>Writes the weights.</summary>
    /// <param name="run">The run's folder.</param>
    /// <param name="output">The file to write.</param>
    /// <returns>The card, with neither command, notes nor figures.</returns>
    /// <exception cref="I2MException">The folder holds no checkpoint, or a damaged one.</exception>
    public static VocoderCard Weights(RunFolder run, string output)
    {
        IReadOnlyList<(int Step, string Path)> checkpoints = run.Checkpoints();
        if (checkpoints.Count == 0) { throw new I2MException($"{run.Path}: no checkpoints in it: expected the folder of a run of i2m vocoder train"); }
        (VocoderConfig config, VocoderState state, NamedWeight[] weights) = Newest(checkpoints);
        VocosLoader.Save(output, config.Model, weights, bfloat16: true);
        byte[] bytes = System.IO.File.ReadAllBytes(output);
        return new VocoderCard
        {
            File = Path.GetFileName(output),
            Bytes = bytes.Length,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)),
            Parameters = weights.Sum(w => (long)w.Values.Length),
            Command = "",
            Step = state.Step,
            DataIdentity = state.DataIdentity,
            Config = config,
        };
    }

    /// <summary>The newest checkpoint that can be read, as resuming takes it.</summary>
    private static (VocoderConfig, VocoderState, NamedWeight[]) Newest(IReadOnlyList<(int Step, string Path)> checkpoints)
    {
        foreach (var (_, path) in checkpoints)
        {
            try
            {
                (VocoderConfig config, VocoderState state) = VocoderCheckpoint.ReadInfo(path);
                return (config, state, VocoderCheckpoint.ReadAverage(path, new VocosModel(config.Model)));
            }
            catch (BadFileException) when (path != checkpoints[^1].Path)
            {
            }
        }
        throw new UnreachableException();
    }

    /// <summary>The card's file beside a vocoder's.</summary>
    public static string CardPath(string output) => Path.ChangeExtension(output, ".json");

    /// <summary>Writes the card beside the weights.</summary>
    public static void WriteCard(string output, VocoderCard card) => AtomicFile.Write(CardPath(output), Encoding.UTF8.GetBytes(card.ToJson() + "\n"));
}
