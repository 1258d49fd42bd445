using System.Buffers.Binary;
using System.Numerics;

namespace I2M.Model.Io;

/// <summary>CRC-32C (Castagnoli), the checksum that processors compute in hardware.</summary>
internal static class Crc32C
{
    /// <summary>The checksum of <paramref name="head"/> and <paramref name="tail"/> in a row.</summary>
    public static uint Of(ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail = default) => ~Append(Append(uint.MaxValue, head), tail);

    private static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= 8; bytes = bytes[8..]) { crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes)); }
        foreach (byte b in bytes) { crc = BitOperations.Crc32C(crc, b); }
        return crc;
    }
}
