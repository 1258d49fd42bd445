using System.Buffers.Binary;
using System.Text;
using I2M.Kernels;
using Microsoft.Win32.SafeHandles;

namespace I2M.Model.Io;

/// <summary>
/// The directory of a zip archive whose entries are all stored as they are: what torch.save writes. Every entry is a range of
/// bytes of the file, so nothing is ever inflated. Encrypted, compressed, duplicate or out-of-range entries are refused.
/// CRC-32 is not checked: PyTorch may be told not to compute it.
/// </summary>
internal sealed class TorchZip
{
    /// <summary>A range of the file's bytes.</summary>
    public readonly record struct Entry(long Offset, long Length);

    private const uint EndSignature = 0x06054b50, End64Signature = 0x06064b50, Locator64Signature = 0x07064b50;
    private const uint DirectorySignature = 0x02014b50, LocalSignature = 0x04034b50;
    private const int EndBytes = 22, End64Bytes = 56, Locator64Bytes = 20, DirectoryBytes = 46, LocalBytes = 30;
    private const int MaxComment = 0xFFFF, MaxEntries = 200_000, MaxDirectoryBytes = 64 << 20;
    private const ushort Encrypted = 1, Zip64Field = 1;
    private const uint Elsewhere = 0xFFFFFFFF; // the value stands in the zip64 field

    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private readonly long _length;
    private readonly Dictionary<string, Entry> _entries = [];

    private TorchZip(string path, SafeFileHandle handle, long length) => (_path, _handle, _length) = (path, handle, length);

    /// <summary>Reads and checks the directory of an open file.</summary>
    /// <returns>The entries by name.</returns>
    /// <exception cref="BadFileException">It is no zip archive, or one that torch.save does not write.</exception>
    public static IReadOnlyDictionary<string, Entry> ReadDirectory(string path, SafeFileHandle handle, long length)
    {
        var zip = new TorchZip(path, handle, length);
        (long start, long size, long count) = zip.FindDirectory();
        if (count > MaxEntries || size > MaxDirectoryBytes) throw zip.Bad($"directory of {count} entries and {size} bytes: too large");
        byte[] directory = new byte[size];
        InputFile.ReadExactly(handle, path, start, directory);
        zip.ReadEntries(directory, count, start);
        return zip._entries;
    }

    private (long Start, long Size, long Count) FindDirectory()
    {
        byte[] tail = new byte[Math.Min(_length, EndBytes + MaxComment)];
        InputFile.ReadExactly(_handle, _path, _length - tail.Length, tail);
        for (int at = tail.Length - EndBytes; at >= 0; at--)
        {
            ReadOnlySpan<byte> end = tail.AsSpan(at);
            // The comment must reach exactly to the end of the file: a signature inside a comment does not count.
            if (U32(end, 0) != EndSignature || U16(end, 20) != end.Length - EndBytes) continue;
            (long start, long size, long count) = (U32(end, 16), U32(end, 12), U16(end, 10));
            long endOffset = _length - tail.Length + at;
            if (start == Elsewhere || size == Elsewhere || count == 0xFFFF) (start, size, count, endOffset) = ReadEnd64(endOffset);
            if (start < 0 || size < 0 || start > endOffset || size > endOffset - start) throw Bad("directory: lies outside the file");
            return (start, size, count);
        }
        throw Bad("expected a zip archive as torch.save writes it (its end is missing: truncated or another format)");
    }

    private (long Start, long Size, long Count, long EndOffset) ReadEnd64(long endOffset)
    {
        byte[] locator = ReadAt(endOffset - Locator64Bytes, Locator64Bytes, "zip64 locator");
        if (U32(locator, 0) != Locator64Signature) throw Bad("zip64 locator: missing");
        long offset = I64(locator, 8);
        byte[] end = ReadAt(offset, End64Bytes, "zip64 end of directory");
        if (U32(end, 0) != End64Signature) throw Bad("zip64 end of directory: missing");
        return (I64(end, 48), I64(end, 40), I64(end, 32), offset);
    }

    private void ReadEntries(ReadOnlySpan<byte> directory, long count, long directoryStart)
    {
        for (long i = 0; i < count; i++)
        {
            if (directory.Length < DirectoryBytes || U32(directory, 0) != DirectorySignature) throw Bad($"directory: entry {i} of {count} is damaged");
            int nameLength = U16(directory, 28), extraLength = U16(directory, 30);
            int total = DirectoryBytes + nameLength + extraLength + U16(directory, 32);
            if (total > directory.Length) throw Bad($"directory: entry {i} of {count} is damaged");
            ReadOnlySpan<byte> rawName = directory.Slice(DirectoryBytes, nameLength);
            string name = Encoding.UTF8.GetString(rawName);
            string label = $"entry '{InputFile.OneLine(name)}'";
            if ((U16(directory, 8) & Encrypted) != 0) throw Bad($"{label}: is encrypted");
            if (U16(directory, 10) != 0) throw Bad($"{label}: is compressed; expected stored entries as torch.save writes them");
            (long packed, long length, long local) = Sizes(directory, directory.Slice(DirectoryBytes + nameLength, extraLength), label);
            if (packed != length) throw Bad($"{label}: is stored, but its two sizes differ ({packed} and {length})");
            Entry entry = Locate(local, length, rawName, directoryStart, label);
            if (!_entries.TryAdd(name, entry)) throw Bad($"{label}: occurs twice");
            directory = directory[total..];
        }
    }

    /// <summary>Stored size, true size and place of the local header; values that do not fit 32 bits stand in the zip64 field.</summary>
    private (long Packed, long Length, long Local) Sizes(ReadOnlySpan<byte> record, ReadOnlySpan<byte> extra, string label)
    {
        (long packed, long length, long local) = (U32(record, 20), U32(record, 24), U32(record, 42));
        if (packed != Elsewhere && length != Elsewhere && local != Elsewhere) return (packed, length, local);
        ReadOnlySpan<byte> wide = FindExtra(extra, Zip64Field);
        length = Widen(length, ref wide, label);
        packed = Widen(packed, ref wide, label);
        local = Widen(local, ref wide, label);
        return (packed, length, local);
    }

    private long Widen(long value, ref ReadOnlySpan<byte> wide, string label)
    {
        if (value != Elsewhere) return value;
        if (wide.Length < 8) throw Bad($"{label}: its zip64 field is damaged");
        value = I64(wide, 0);
        wide = wide[8..];
        return value;
    }

    private static ReadOnlySpan<byte> FindExtra(ReadOnlySpan<byte> extra, ushort id)
    {
        while (extra.Length >= 4)
        {
            int length = U16(extra, 2);
            if (length > extra.Length - 4) break;
            if (U16(extra, 0) == id) return extra.Slice(4, length);
            extra = extra[(4 + length)..];
        }
        return default;
    }

    private Entry Locate(long local, long length, ReadOnlySpan<byte> name, long directoryStart, string label)
    {
        byte[] header = ReadAt(local, LocalBytes + name.Length, label);
        if (U32(header, 0) != LocalSignature || !header.AsSpan(LocalBytes).SequenceEqual(name) || U16(header, 26) != name.Length)
            throw Bad($"{label}: its local header is damaged");
        if (U16(header, 8) != 0 || (U16(header, 6) & Encrypted) != 0) throw Bad($"{label}: its local header says compressed or encrypted");
        long offset = local + LocalBytes + name.Length + U16(header, 28);
        if (length < 0 || offset > directoryStart || length > directoryStart - offset) throw Bad($"{label}: lies outside the file");
        return new Entry(offset, length);
    }

    private byte[] ReadAt(long offset, int count, string label)
    {
        if (offset < 0 || offset > _length - count) throw Bad($"{label}: lies outside the file");
        byte[] bytes = new byte[count];
        InputFile.ReadExactly(_handle, _path, offset, bytes);
        return bytes;
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long I64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

    private BadFileException Bad(string problem) => new(_path, problem);
}
