using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using I2M.Autograd.Modules;
using I2M.Autograd.Optim;
using I2M.Kernels;
using I2M.Model.Io;

namespace I2M.Model.Training;

/// <summary>
/// Blocks of a parameter arena (values, averages, moments) as named tensors of a checkpoint: a prefix says which block a tensor belongs to, and the metadata
/// hold a CRC-32C of each.
/// </summary>
internal static class TensorBlocks
{
    public const string ModelPrefix = "model.", EmaPrefix = "ema.";
    private const string FirstPrefix = "optimizer.first.", SecondPrefix = "optimizer.second.";
    private const string ChecksumKey = "i2m.crc32c";

    /// <summary>Adds what a network's training consists of: values, average where there is one, and both moments.</summary>
    /// <param name="tensors">Receives them.</param>
    /// <param name="arena">The network.</param>
    /// <param name="average">Its average, or null.</param>
    /// <param name="optimizer">Its moments.</param>
    /// <param name="owner">Begins the names, where a file holds several networks.</param>
    public static void Collect(List<(string Name, int[] Shape, float[] Data)> tensors, ParameterArena arena, ExponentialMovingAverage? average, AdamWOptimizer optimizer, string owner = "")
    {
        foreach (var (prefix, block) in Blocks(arena, average, optimizer)) { Collect(tensors, arena, owner + prefix, block); }
    }

    /// <summary>Reads what was collected so.</summary>
    /// <exception cref="BadFileException">A tensor is missing, damaged or of another shape.</exception>
    public static void Load(string path, SafetensorsFile file, ParameterArena arena, ExponentialMovingAverage? average, AdamWOptimizer optimizer, string owner = "")
    {
        foreach (var (prefix, block) in Blocks(arena, average, optimizer)) { Load(path, file, arena, owner + prefix, block); }
    }

    private static IEnumerable<(string Prefix, BufferView Block)> Blocks(ParameterArena arena, ExponentialMovingAverage? average, AdamWOptimizer optimizer)
    {
        yield return (ModelPrefix, arena.Values);
        if (average is not null) { yield return (EmaPrefix, average.Values); }
        yield return (FirstPrefix, optimizer.FirstMoment);
        yield return (SecondPrefix, optimizer.SecondMoment);
    }

    private static void Collect(List<(string Name, int[] Shape, float[] Data)> tensors, ParameterArena arena, string prefix, BufferView block)
    {
        foreach (ParameterArena.Entry entry in arena.Entries) { tensors.Add((prefix + entry.Name, entry.Parameter.Shape, arena.Read(entry, block))); }
    }

    /// <summary>Writes tensors and metadata as one file that is there whole or not at all.</summary>
    public static void Write(string path, List<(string Name, int[] Shape, float[] Data)> tensors, Dictionary<string, string> metadata)
    {
        AddChecksums(metadata, tensors.Select(t => (t.Name, t.Data)));
        SafetensorsWriter.Write(path, [.. tensors.Select(t => TensorData.Singles(t.Name, [.. t.Shape.Select(s => (long)s)], t.Data))], metadata);
    }

    /// <summary>Notes a checksum of each tensor, of its values as they will be read.</summary>
    public static void AddChecksums(Dictionary<string, string> metadata, IEnumerable<(string Name, float[] Data)> tensors) =>
        metadata[ChecksumKey] = JsonSerializer.Serialize(tensors.ToDictionary(t => t.Name, t => Crc(t.Data)), TrainConfig.Json);

    /// <summary>Reads one block.</summary>
    /// <exception cref="BadFileException">A tensor is missing, damaged or of another shape.</exception>
    public static void Load(string path, SafetensorsFile file, ParameterArena arena, string prefix, BufferView block)
    {
        Dictionary<string, string> checksums = Checksums(path, file);
        foreach (ParameterArena.Entry entry in arena.Entries)
        {
            arena.Write(entry, block, ReadTensor(path, file, checksums, prefix + entry.Name, entry.Parameter.Shape));
        }
    }

    /// <summary>Reads one tensor.</summary>
    /// <exception cref="BadFileException">It is missing, damaged or of another shape.</exception>
    public static float[] ReadTensor(string path, SafetensorsFile file, Dictionary<string, string> checksums, string name, int[] shape)
    {
        if (!file.Tensors.TryGetValue(name, out TensorEntry? tensor)) { throw new BadFileException(path, $"tensor {name}: missing"); }
        if (!tensor.Shape.AsSpan().SequenceEqual([.. shape.Select(s => (long)s)]))
        {
            throw new BadFileException(path, $"tensor {name}: shape [{string.Join(", ", tensor.Shape)}]: expected [{string.Join(", ", shape)}]");
        }
        return Verified(path, checksums, name, file.ReadSingles(name));
    }

    /// <summary>The values, once their checksum was compared, where there is one.</summary>
    /// <exception cref="BadFileException">They are damaged.</exception>
    public static float[] Verified(string path, Dictionary<string, string> checksums, string name, float[] data) =>
        !checksums.TryGetValue(name, out string? expected) || Crc(data) == expected ? data : throw new BadFileException(path, $"tensor {name}: its checksum does not match: the file is damaged");

    /// <summary>The checksums that a file's metadata hold; empty where there are none.</summary>
    public static Dictionary<string, string> Checksums(string path, SafetensorsFile file) =>
        file.Metadata.ContainsKey(ChecksumKey) ? ParseField<Dictionary<string, string>>(path, file, ChecksumKey) : [];

    /// <summary>A metadata field.</summary>
    /// <exception cref="BadFileException">It is missing.</exception>
    public static string Field(string path, SafetensorsFile file, string name) =>
        file.Metadata.GetValueOrDefault(name) ?? throw new BadFileException(path, $"metadata {name}: missing");

    /// <summary>A metadata field that holds JSON.</summary>
    /// <exception cref="BadFileException">It is missing or does not fit.</exception>
    public static T ParseField<T>(string path, SafetensorsFile file, string name)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(Field(path, file, name), TrainConfig.Json) ?? throw new BadFileException(path, $"metadata {name}: null");
        }
        catch (JsonException e)
        {
            throw new BadFileException(path, $"metadata {name}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private static string Crc(float[] data) => Crc32C.Of(MemoryMarshal.AsBytes<float>(data)).ToString("x8", CultureInfo.InvariantCulture);
}
