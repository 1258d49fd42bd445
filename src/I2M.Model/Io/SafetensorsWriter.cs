using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using I2M.Kernels;

namespace I2M.Model.Io;

/// <summary>
/// Writes safetensors files as the reference implementation does: tensors ordered by element size (widest first, which keeps
/// each aligned) and then by name, the header padded with spaces to a multiple of eight bytes. Equal input gives equal bytes.
/// </summary>
public static class SafetensorsWriter
{
    private const int PieceBytes = 1 << 20;

    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a file atomically (see <see cref="AtomicFile"/>), at most one MiB of tensor data in memory at a time.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="tensors">The tensors, in any order; names must be unique.</param>
    /// <param name="metadata">Free text for the header, written in the order of its keys.</param>
    /// <exception cref="I2MException">The file cannot be written.</exception>
    /// <exception cref="ArgumentException">A name occurs twice, or the header would exceed the format's limit.</exception>
    public static void Write(string path, IReadOnlyList<TensorData> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        TensorData[] ordered = [.. tensors.OrderByDescending(t => t.DType.SizeInBytes()).ThenBy(t => t.Name, StringComparer.Ordinal)];
        byte[] header = Header(ordered, metadata);
        long total = checked(header.Length + ordered.Sum(t => t.ByteCount));
        AtomicFile.Write(path, stream =>
        {
            stream.Write(header);
            byte[] piece = new byte[Math.Min(PieceBytes, ordered.Length == 0 ? 0 : ordered.Max(t => t.ByteCount))];
            foreach (TensorData tensor in ordered) WriteTensor(stream, tensor, piece);
        }, total);
    }

    private static void WriteTensor(Stream stream, TensorData tensor, byte[] piece)
    {
        int size = tensor.DType.SizeInBytes();
        long perPiece = piece.Length / size;
        for (long first = 0; first < tensor.Count; first += perPiece)
        {
            Span<byte> bytes = piece.AsSpan(0, (int)Math.Min(perPiece, tensor.Count - first) * size);
            tensor.Fill(first, bytes);
            stream.Write(bytes);
        }
    }

    /// <summary>The length prefix and the padded JSON.</summary>
    private static byte[] Header(TensorData[] ordered, IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, JsonOptions))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 }) WriteMetadata(json, metadata);
            WriteEntries(json, ordered);
            json.WriteEndObject();
        }
        int padded = (buffer.WrittenCount + 7) / 8 * 8;
        if (padded > SafetensorsHeader.MaxBytes) throw new ArgumentException($"the header takes {padded} bytes; the format allows {SafetensorsHeader.MaxBytes}");
        byte[] header = new byte[8 + padded];
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)padded);
        buffer.WrittenSpan.CopyTo(header.AsSpan(8));
        header.AsSpan(8 + buffer.WrittenCount).Fill((byte)' ');
        return header;
    }

    private static void WriteMetadata(Utf8JsonWriter json, IReadOnlyDictionary<string, string> metadata)
    {
        json.WriteStartObject("__metadata__");
        foreach ((string key, string value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static void WriteEntries(Utf8JsonWriter json, TensorData[] ordered)
    {
        var names = new HashSet<string>();
        long position = 0;
        foreach (TensorData tensor in ordered)
        {
            if (!names.Add(tensor.Name)) throw new ArgumentException($"tensor '{tensor.Name}' occurs twice");
            json.WriteStartObject(tensor.Name);
            json.WriteString("dtype", tensor.DType.ToString());
            json.WriteStartArray("shape");
            foreach (long dimension in tensor.Shape) json.WriteNumberValue(dimension);
            json.WriteEndArray();
            json.WriteStartArray("data_offsets");
            json.WriteNumberValue(position);
            json.WriteNumberValue(position += tensor.ByteCount);
            json.WriteEndArray();
            json.WriteEndObject();
        }
    }
}
