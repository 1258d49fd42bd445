using System.Buffers.Binary;
using System.Runtime.InteropServices;
using I2M.Kernels;
using I2M.Model.Io;

namespace I2M.Model.Data;

/// <summary>A log-mel as bytes, the <c>.mel</c> members of packed data sets.</summary>
/// <remarks>
/// 24 bytes and the values, all little-endian: "I2MMEL" and two zero bytes, version, bands, frames (int32 each), CRC-32C of everything but itself, then
/// bands·frames float32.
/// </remarks>
internal static class MelRecord
{
    private const int Version = 1, HeaderBytes = 24, CrcOffset = 20;

    /// <summary>Bytes of a mel of this size.</summary>
    public static int Bytes(int bands, int frames) => checked(HeaderBytes + 4 * bands * frames);

    /// <summary>The bytes of a mel, [bands, frames].</summary>
    public static byte[] Encode(ReadOnlySpan<float> mel, int bands, int frames)
    {
        var record = new byte[Bytes(bands, frames)];
        MemoryMarshal.AsBytes(mel).CopyTo(record.AsSpan(HeaderBytes));
        WriteHeader(record.AsSpan(0, HeaderBytes), bands, frames, record.AsSpan(HeaderBytes));
        return record;
    }

    /// <summary>Reads a mel, [bands, frames].</summary>
    /// <param name="record">The bytes.</param>
    /// <param name="bands">Bands it must have.</param>
    /// <param name="frames">Frames it must have.</param>
    /// <param name="values">bands·frames values.</param>
    /// <param name="name">Stands for the file in messages.</param>
    /// <exception cref="BadFileException">Another version or size, or damaged.</exception>
    public static void Decode(ReadOnlySpan<byte> record, int bands, int frames, Span<float> values, string name)
    {
        if (record.Length < HeaderBytes || !record.StartsWith("I2MMEL\0\0"u8)) { throw new BadFileException(name, "is no mel record"); }
        int version = BinaryPrimitives.ReadInt32LittleEndian(record[8..]), b = BinaryPrimitives.ReadInt32LittleEndian(record[12..]), f = BinaryPrimitives.ReadInt32LittleEndian(record[16..]);
        if (version != Version) { throw new BadFileException(name, $"version {version}: expected {Version}"); }
        if ((b, f) != (bands, frames) || record.Length != Bytes(bands, frames)) { throw new BadFileException(name, $"holds a mel of {b} bands and {f} frames in {record.Length} bytes, expected {bands} and {frames}"); }
        Span<byte> header = stackalloc byte[HeaderBytes];
        WriteHeader(header, bands, frames, record[HeaderBytes..]);
        if (!record[..HeaderBytes].SequenceEqual(header)) { throw new BadFileException(name, "is damaged: its checksum does not fit its values"); }
        record[HeaderBytes..].CopyTo(MemoryMarshal.AsBytes(values));
    }

    private static void WriteHeader(Span<byte> header, int bands, int frames, ReadOnlySpan<byte> values)
    {
        header.Clear();
        "I2MMEL"u8.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], bands);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], frames);
        BinaryPrimitives.WriteUInt32LittleEndian(header[CrcOffset..], Crc32C.Of(header[..CrcOffset], values));
    }
}
