using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Io;
using I2M.Model.Training;

namespace I2M.Model.Audio;

/// <summary>A log-mel in a safetensors file: tensor "mel" [bands, frames] and, as metadata "i2m.mel", the settings that made it.</summary>
/// <param name="Values">[bands, frames] row-major, natural logarithm.</param>
/// <param name="Bands">Mel bands.</param>
/// <param name="Frames">Time frames.</param>
/// <param name="Settings">The analysis; null where the file does not say.</param>
public sealed record MelFile(float[] Values, int Bands, int Frames, MelSettings? Settings)
{
    private const string TensorName = "mel", SettingsKey = "i2m.mel";

    /// <summary>Most frames that are read: two hours at the usual 93.75 a second.</summary>
    public const int MaxFrames = 675_000;

    private static readonly JsonSerializerOptions s_json = new(TrainConfig.Json) { WriteIndented = false, IgnoreReadOnlyProperties = true };

    /// <summary>Reads a file.</summary>
    /// <exception cref="BadFileException">No tensor "mel" of rank 2 with finite values, or settings that contradict it.</exception>
    public static MelFile Read(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        if (!file.Tensors.TryGetValue(TensorName, out TensorEntry? entry)) { throw new BadFileException(path, $"tensor '{TensorName}': expected with shape [bands, frames], but absent"); }
        if (entry.Shape is not [>= 1 and <= 1024, >= 2 and <= MaxFrames])
        {
            throw new BadFileException(path, $"tensor '{TensorName}': shape [{string.Join(", ", entry.Shape)}]: expected 1 to 1024 bands and 2 to {MaxFrames} frames");
        }
        float[] values = file.ReadSingles(TensorName);
        int bad = Array.FindIndex(values, v => !float.IsFinite(v));
        if (bad >= 0) { throw new BadFileException(path, $"tensor '{TensorName}': value {bad} is {values[bad]}: expected finite numbers"); }
        MelSettings? settings = file.Metadata.TryGetValue(SettingsKey, out string? json) ? Parse(path, json) : null;
        if (settings is not null && settings.Bands != entry.Shape[0]) { throw new BadFileException(path, $"metadata {SettingsKey}: {settings.Bands} bands: expected the tensor's {entry.Shape[0]}"); }
        return new MelFile(values, (int)entry.Shape[0], (int)entry.Shape[1], settings);
    }

    /// <summary>Writes the file; it appears whole or not at all.</summary>
    /// <exception cref="I2MException">It cannot be written.</exception>
    public void Write(string path)
    {
        var metadata = new Dictionary<string, string>();
        if (Settings is not null) { metadata[SettingsKey] = JsonSerializer.Serialize(Settings, s_json); }
        SafetensorsWriter.Write(path, [TensorData.Singles(TensorName, [Bands, Frames], Values)], metadata);
    }

    private static MelSettings Parse(string path, string json)
    {
        try
        {
            MelSettings settings = JsonSerializer.Deserialize<MelSettings>(json, s_json) ?? throw new BadFileException(path, $"metadata {SettingsKey}: null");
            return IsUsable(settings) ? settings : throw new BadFileException(path, $"metadata {SettingsKey}: expected fftSize a power of two from 4 to 4096, hopLength 1 to half of it, sampleRate to 1000000, a positive floor");
        }
        catch (JsonException e)
        {
            throw new BadFileException(path, $"metadata {SettingsKey}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private static bool IsUsable(MelSettings s) => int.IsPow2(s.FftSize) && s.FftSize is >= 4 and <= 4096 && s.HopLength > 0 && s.HopLength <= s.FftSize / 2
        && s.SampleRate is > 0 and <= 1_000_000 && s.Floor > 0 && float.IsFinite(s.Floor) && Enum.IsDefined(s.Padding);
}
