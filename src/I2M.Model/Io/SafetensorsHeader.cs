using System.Text.Json;
using System.Text.Unicode;
using I2M.Kernels;

namespace I2M.Model.Io;

/// <summary>
/// The JSON header of a safetensors file, checked by the rules of the reference implementation: every tensor names its type,
/// shape and bytes; the bytes of all tensors together tile the data section without hole or overlap; nothing occurs twice.
/// Only what the header itself takes is allocated, however large the numbers in it claim to be.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The longest header the format allows, in bytes.</summary>
    public const long MaxBytes = 100_000_000;

    private const int MaxTensors = 20_000, MaxNameLength = 4096, MaxRank = 64;
    private const string MetadataName = "__metadata__";

    private static readonly Dictionary<string, DType> KnownTypes = Enum.GetValues<DType>().ToDictionary(type => type.ToString());

    private readonly string _path;
    private readonly Dictionary<string, string> _metadata = [];
    private readonly Dictionary<string, TensorEntry> _tensors = [];
    private bool _metadataSeen;

    private SafetensorsHeader(string path) => _path = path;

    /// <summary>The strings under __metadata__.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>The tensors by name, in the header's order.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => _tensors;

    /// <summary>Reads and checks a header.</summary>
    /// <param name="path">The file's name for messages.</param>
    /// <param name="json">The header's bytes, padding included.</param>
    /// <param name="dataLength">Bytes that follow the header.</param>
    /// <exception cref="BadFileException">Any rule is broken.</exception>
    public static SafetensorsHeader Parse(string path, ReadOnlySpan<byte> json, long dataLength)
    {
        var header = new SafetensorsHeader(path);
        if (json.IsEmpty || json[0] != (byte)'{') throw header.Bad("header", "expected JSON that begins with '{'");
        json = json.TrimEnd((byte)' ');
        if (json[^1] != (byte)'}') throw header.Bad("header", "expected JSON that ends with '}', with only spaces after it");
        if (!Utf8.IsValid(json)) throw header.Bad("header", "expected UTF-8");
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
            header.ReadRoot(ref reader);
            reader.Read(); // throws when anything follows the object
        }
        catch (JsonException e)
        {
            throw new BadFileException(path, $"header: expected valid JSON, found an error at line {e.LineNumber + 1}, byte {e.BytePositionInLine}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new BadFileException(path, "header: expected strings of valid Unicode", e);
        }
        header.CheckTiling(dataLength);
        return header;
    }

    private void ReadRoot(ref Utf8JsonReader reader)
    {
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (name == MetadataName) ReadMetadata(ref reader);
            else ReadTensor(ref reader, name);
        }
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (_metadataSeen) throw Bad(MetadataName, "occurs twice");
        _metadataSeen = true;
        if (reader.TokenType != JsonTokenType.StartObject) throw Bad(MetadataName, "expected an object of strings");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String) throw Bad($"{MetadataName}.{InputFile.OneLine(key)}", "expected a string");
            if (!_metadata.TryAdd(key, reader.GetString()!)) throw Bad($"{MetadataName}.{InputFile.OneLine(key)}", "occurs twice");
        }
    }

    private void ReadTensor(ref Utf8JsonReader reader, string name)
    {
        if (_tensors.Count == MaxTensors) throw Bad("header", $"expected at most {MaxTensors} tensors");
        if (name.Length > MaxNameLength) throw Bad(Label(name), $"expected a name of at most {MaxNameLength} characters");
        if (reader.TokenType != JsonTokenType.StartObject) throw Bad(Label(name), "expected an object with dtype, shape and data_offsets");
        string? type = null;
        long[]? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string field = reader.GetString()!;
            reader.Read();
            switch (field)
            {
                case "dtype" when type is null: type = ReadString(ref reader, name); break;
                case "shape" when shape is null: shape = ReadIntegers(ref reader, name, field, MaxRank); break;
                case "data_offsets" when offsets is null: offsets = ReadIntegers(ref reader, name, field, 2); break;
                case "dtype" or "shape" or "data_offsets": throw Bad(Label(name), $"{field} occurs twice");
                default: throw Bad(Label(name), $"unknown field '{InputFile.OneLine(field)}'; expected dtype, shape and data_offsets");
            }
        }
        TensorEntry entry = CheckEntry(name, type, shape, offsets);
        if (!_tensors.TryAdd(name, entry)) throw Bad(Label(name), "occurs twice");
    }

    private string ReadString(ref Utf8JsonReader reader, string name) =>
        reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw Bad(Label(name), "dtype: expected a string");

    private long[] ReadIntegers(ref Utf8JsonReader reader, string name, string field, int maxCount)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Bad(Label(name), $"{field}: expected a list of integers");
        var values = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            // A leading minus is refused by itself, as -0 would parse; 1e2 and 1.0 do not parse as integers.
            if (reader.TokenType != JsonTokenType.Number || reader.ValueSpan.ContainsAnyExceptInRange((byte)'0', (byte)'9') || !reader.TryGetInt64(out long value))
                throw Bad(Label(name), $"{field}: expected integers from 0 to 2^63 - 1");
            if (values.Count == maxCount) throw Bad(Label(name), $"{field}: expected at most {maxCount} numbers");
            values.Add(value);
        }
        return [.. values];
    }

    private TensorEntry CheckEntry(string name, string? type, long[]? shape, long[]? offsets)
    {
        if (type is null || shape is null || offsets is null) throw Bad(Label(name), "expected dtype, shape and data_offsets");
        if (offsets.Length != 2) throw Bad(Label(name), "data_offsets: expected two numbers");
        if (!KnownTypes.TryGetValue(type, out DType dtype))
            throw Bad(Label(name), $"dtype '{InputFile.OneLine(type)}': expected one of {string.Join(", ", KnownTypes.Keys)}");
        if (offsets[1] < offsets[0]) throw Bad(Label(name), $"data_offsets: the end {offsets[1]} lies before the beginning {offsets[0]}");
        long bytes = ByteCount(name, shape, dtype);
        if (bytes != offsets[1] - offsets[0])
            throw Bad(Label(name), $"data_offsets: shape [{string.Join(", ", shape)}] of {dtype} takes {bytes} bytes, the offsets span {offsets[1] - offsets[0]}");
        return new TensorEntry(dtype, shape, offsets[0], offsets[1]);
    }

    private long ByteCount(string name, long[] shape, DType type)
    {
        try
        {
            long count = 1;
            foreach (long dimension in shape) count = checked(count * dimension);
            return checked(count * type.SizeInBytes());
        }
        catch (OverflowException e)
        {
            throw new BadFileException(_path, $"{Label(name)}: shape: the number of bytes overflows 64 bits", e);
        }
    }

    private void CheckTiling(long dataLength)
    {
        long position = 0;
        foreach ((string name, TensorEntry entry) in _tensors.OrderBy(pair => pair.Value.Begin).ThenBy(pair => pair.Value.End))
        {
            if (entry.Begin != position)
                throw Bad(Label(name), $"data_offsets: begins at {entry.Begin}, expected {position} (tensors must follow each other without hole or overlap)");
            position = entry.End;
        }
        if (position != dataLength) throw Bad("data", $"the tensors take {position} bytes, the file holds {dataLength} after its header");
    }

    private static string Label(string name) => $"tensor '{InputFile.OneLine(name)}'";

    private BadFileException Bad(string field, string problem) => new(_path, $"{field}: {problem}");
}
