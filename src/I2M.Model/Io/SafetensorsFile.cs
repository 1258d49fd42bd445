using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using I2M.Kernels;
using Microsoft.Win32.SafeHandles;

namespace I2M.Model.Io;

/// <summary>
/// A safetensors file open for reading: eight bytes of header length (little-endian), a JSON header, the tensors' bytes.
/// Opening reads and checks the header alone; tensors are read straight into the caller's memory when asked for.
/// Reading is safe from several threads at once.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    private const int LengthBytes = 8;
    private const int StagingBytes = 1 << 20;

    /// <summary>Fills the span with the bytes at an offset.</summary>
    private delegate void Source(long offset, Span<byte> destination);

    private readonly string _path;
    private readonly Source _source;
    private readonly SafeFileHandle? _handle;
    private readonly SafetensorsHeader _header;
    private readonly long _dataStart;

    private SafetensorsFile(string path, long length, Source source, SafeFileHandle? handle)
    {
        (_path, _source, _handle) = (path, source, handle);
        if (length < LengthBytes) throw new BadFileException(path, $"header length: expected a safetensors file of at least 8 bytes, found {length}");
        Span<byte> prefix = stackalloc byte[LengthBytes];
        source(0, prefix);
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > SafetensorsHeader.MaxBytes)
            throw new BadFileException(path, $"header length: {headerLength}; expected at most {SafetensorsHeader.MaxBytes} (is this a safetensors file?)");
        _dataStart = LengthBytes + (long)headerLength;
        if (_dataStart > length) throw new BadFileException(path, $"header length: {headerLength}, but the file has only {length} bytes");
        byte[] json = new byte[headerLength];
        source(LengthBytes, json);
        _header = SafetensorsHeader.Parse(path, json, length - _dataStart);
    }

    /// <summary>Free text the writer stored: string keys, string values.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Type, shape and place of every tensor by name.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => _header.Tensors;

    /// <summary>Opens a file and checks its header completely.</summary>
    /// <exception cref="BadFileException">It cannot be read or breaks a rule of the format; the message names tensor and field.</exception>
    public static SafetensorsFile Open(string path)
    {
        SafeFileHandle handle = InputFile.Open(path);
        SafetensorsFile? file = null;
        try
        {
            return file = new SafetensorsFile(path, RandomAccess.GetLength(handle), (offset, bytes) => InputFile.ReadExactly(handle, path, offset, bytes), handle);
        }
        finally
        {
            if (file is null) handle.Dispose();
        }
    }

    /// <summary>Opens what lies in memory; <paramref name="name"/> stands for the file in messages.</summary>
    /// <inheritdoc cref="Open"/>
    public static SafetensorsFile FromBytes(string name, ReadOnlyMemory<byte> content) =>
        new(name, content.Length, (offset, bytes) => content.Span.Slice((int)offset, bytes.Length).CopyTo(bytes), handle: null);

    /// <summary>Reads a tensor of any type as singles (F64 rounds to nearest), row-major.</summary>
    /// <exception cref="BadFileException">There is no such tensor, or the file became shorter.</exception>
    public float[] ReadSingles(string name) => ReadArray<float>(name);

    /// <summary>Reads a tensor of any type into memory of exactly its element count.</summary>
    /// <exception cref="BadFileException">There is no such tensor, its count differs, or the file became shorter.</exception>
    public void ReadSingles(string name, Span<float> destination)
    {
        TensorEntry entry = Find(name);
        if (entry.Count != destination.Length) throw Bad(name, $"has {entry.Count} elements, expected {destination.Length}");
        Read(entry, destination);
    }

    /// <summary>Reads a tensor of any type as doubles, row-major.</summary>
    /// <exception cref="BadFileException">There is no such tensor, or the file became shorter.</exception>
    public double[] ReadDoubles(string name) => ReadArray<double>(name);

    /// <summary>Reads a tensor of integers or booleans, row-major.</summary>
    /// <exception cref="BadFileException">There is no such tensor, it holds fractions, or the file became shorter.</exception>
    public long[] ReadInt64s(string name)
    {
        TensorEntry entry = Find(name);
        if (entry.DType.IsFloating()) throw Bad(name, $"dtype {entry.DType}: expected integers");
        return ReadArray<long>(name);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _handle?.Dispose();

    private TensorEntry Find(string name) =>
        Tensors.TryGetValue(name, out TensorEntry? entry) ? entry : throw Bad(name, "expected in the file, but absent");

    private T[] ReadArray<T>(string name) where T : unmanaged, INumberBase<T>
    {
        TensorEntry entry = Find(name);
        if (entry.Count > Array.MaxLength) throw Bad(name, $"{entry.Count} elements: expected at most {Array.MaxLength}");
        T[] values = new T[entry.Count];
        Read(entry, values.AsSpan());
        return values;
    }

    private void Read<T>(TensorEntry entry, Span<T> destination) where T : unmanaged, INumberBase<T>
    {
        int size = entry.DType.SizeInBytes();
        bool direct = DTypes.NativeOf<T>() == entry.DType;
        // Pieces keep a span of bytes below 2 GB where elements are read in place, and the staging buffer small where they are converted.
        int piece = direct ? 1 << 26 : StagingBytes / size;
        byte[] staging = direct ? [] : new byte[Math.Min((long)piece, destination.Length) * size];
        for (long offset = _dataStart + entry.Begin; !destination.IsEmpty;)
        {
            Span<T> part = destination[..Math.Min(piece, destination.Length)];
            Span<byte> bytes = direct ? MemoryMarshal.AsBytes(part) : staging.AsSpan(0, part.Length * size);
            _source(offset, bytes);
            if (!direct) DTypes.Convert(entry.DType, bytes, part);
            offset += bytes.Length;
            destination = destination[part.Length..];
        }
    }

    private BadFileException Bad(string name, string problem) => new(_path, $"tensor '{InputFile.OneLine(name)}': {problem}");
}
