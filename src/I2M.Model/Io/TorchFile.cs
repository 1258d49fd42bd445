using System.IO.Compression;
using System.Text;
using I2M.Kernels;
using Microsoft.Win32.SafeHandles;

namespace I2M.Model.Io;

/// <summary>
/// PyTorch's files (.pt, .bin): a zip archive of a pickle and the tensors' bytes. Reading builds tensors and plain containers
/// and refuses everything else by name; no code from the file can run. Writing gives what torch.load reads, weights_only included.
/// </summary>
public static class TorchFile
{
    private const int MaxPickleBytes = 64 << 20;
    private const string Root = "archive/";

    /// <summary>Every file of the format before PyTorch 1.6 begins so: protocol 2, then the integer 0x1950a86a20f9469cfc6c.</summary>
    private static ReadOnlySpan<byte> LegacyMagic => [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19];

    /// <summary>Reads a file's structure; tensors are read from it later, when their values are asked for.</summary>
    /// <exception cref="BadFileException">It is damaged, of another format, or holds anything but tensors and plain containers.</exception>
    public static TorchValue Load(string path)
    {
        using SafeFileHandle handle = InputFile.Open(path);
        long length = RandomAccess.GetLength(handle);
        RefuseLegacy(path, handle, length);
        IReadOnlyDictionary<string, TorchZip.Entry> entries = TorchZip.ReadDirectory(path, handle, length);
        string root = FindRoot(path, entries);
        CheckByteOrder(path, handle, entries, root);
        byte[] pickle = ReadEntry(path, handle, $"{root}data.pkl", entries, MaxPickleBytes);
        return PickleReader.Run(path, pickle, new TorchStorages(path, length, $"{root}data/", entries));
    }

    /// <summary>
    /// Writes a file atomically (see <see cref="AtomicFile"/>): protocol 2, entries stored. A tensor that occurs twice is stored once.
    /// </summary>
    /// <exception cref="I2MException">The file cannot be written.</exception>
    /// <exception cref="ArgumentException">The values are nested more than 64 deep.</exception>
    public static void Save(string path, TorchValue root)
    {
        (byte[] pickle, IReadOnlyList<TorchTensor> tensors) = PickleWriter.Write(root);
        AtomicFile.Write(path, stream =>
        {
            using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
            WriteEntry(zip, "data.pkl", pickle);
            WriteEntry(zip, "byteorder", "little"u8);
            for (int i = 0; i < tensors.Count; i++) WriteEntry(zip, $"data/{i}", tensors[i].ToBytes());
            WriteEntry(zip, "version", "3\n"u8);
        });
    }

    private static void RefuseLegacy(string path, SafeFileHandle handle, long length)
    {
        Span<byte> start = stackalloc byte[14];
        if (length < start.Length) throw new BadFileException(path, $"has {length} bytes; expected a PyTorch zip archive");
        InputFile.ReadExactly(handle, path, 0, start);
        if (start.SequenceEqual(LegacyMagic))
            throw new BadFileException(path, "is in PyTorch's legacy format (before 1.6); load it in PyTorch and torch.save it again to get the zip format");
    }

    /// <summary>All entries lie in one folder, named after the file when it was saved.</summary>
    private static string FindRoot(string path, IReadOnlyDictionary<string, TorchZip.Entry> entries)
    {
        string[] pickles = [.. entries.Keys.Where(name => name.EndsWith("/data.pkl", StringComparison.Ordinal))];
        if (pickles.Length != 1) throw new BadFileException(path, $"data.pkl: expected one in the archive, found {pickles.Length}");
        string root = pickles[0][..^"data.pkl".Length];
        if (entries.Keys.FirstOrDefault(name => !name.StartsWith(root, StringComparison.Ordinal)) is string stray)
            throw new BadFileException(path, $"entry '{InputFile.OneLine(stray)}': expected every entry under {InputFile.OneLine(root)}");
        if (entries.ContainsKey($"{root}constants.pkl"))
            throw new BadFileException(path, "is a TorchScript program; expected tensors saved with torch.save (save model.state_dict())");
        return root;
    }

    private static void CheckByteOrder(string path, SafeFileHandle handle, IReadOnlyDictionary<string, TorchZip.Entry> entries, string root)
    {
        if (!entries.ContainsKey($"{root}byteorder")) return;
        string order = Encoding.Latin1.GetString(ReadEntry(path, handle, $"{root}byteorder", entries, 16));
        if (order != "little") throw new BadFileException(path, $"byteorder '{InputFile.OneLine(order)}': expected little");
    }

    private static byte[] ReadEntry(string path, SafeFileHandle handle, string name, IReadOnlyDictionary<string, TorchZip.Entry> entries, int maxBytes)
    {
        TorchZip.Entry entry = entries[name];
        if (entry.Length > maxBytes) throw new BadFileException(path, $"entry '{InputFile.OneLine(name)}' has {entry.Length} bytes; expected at most {maxBytes}");
        byte[] bytes = new byte[entry.Length];
        InputFile.ReadExactly(handle, path, entry.Offset, bytes);
        return bytes;
    }

    private static void WriteEntry(ZipArchive zip, string name, ReadOnlySpan<byte> content)
    {
        ZipArchiveEntry entry = zip.CreateEntry(Root + name, CompressionLevel.NoCompression);
        entry.LastWriteTime = new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero); // the zip format's first day: equal input gives equal bytes
        using Stream stream = entry.Open();
        stream.Write(content);
    }
}
