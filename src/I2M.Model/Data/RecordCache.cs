using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using I2M.Kernels;
using I2M.Model.Io;
using Microsoft.Win32.SafeHandles;

namespace I2M.Model.Data;

/// <summary>
/// Keeps computed values of one size on disk, so that memory need not hold them and later runs need not compute them: decoded pictures, mels.
/// </summary>
/// <remarks>
/// One file of records, each 24 bytes and the values: 16 bytes that name what it was computed from and how, version (int32), CRC-32C of everything but
/// itself, all little-endian. A record counts only when it is whole and names what is asked for, so nothing need be written in order or at once: what is
/// damaged, missing, half-written or of other settings is computed again. Several threads and processes may share a file.
/// </remarks>
public sealed class RecordCache : IDisposable
{
    private const int Version = 1, HeaderBytes = 24, VersionOffset = 16, CrcOffset = 20;
    private readonly SafeFileHandle _file;
    private readonly int _valueBytes;
    private readonly long _maxBytes;
    private volatile bool _failed;

    /// <param name="path">The file; it and its folder are made when missing.</param>
    /// <param name="valueBytes">Bytes of every record's values.</param>
    /// <param name="maxBytes">Records beyond so many bytes of file are not kept.</param>
    /// <exception cref="I2MException">The file cannot be made or written.</exception>
    public RecordCache(string path, int valueBytes, long maxBytes = long.MaxValue)
    {
        (Path, _valueBytes, _maxBytes) = (path, valueBytes, maxBytes);
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!);
            _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new I2MException($"{path}: cannot keep computed values there: {InputFile.OneLine(e.Message)} (--cache names another folder)", e);
        }
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Names what a record is computed from and how: changes when either does.</summary>
    /// <param name="contentHash">Of the source file.</param>
    /// <param name="settings">All that decides the values besides it.</param>
    public static UInt128 Key(string contentHash, string settings) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(contentHash + '\n' + settings)));

    /// <summary>Reads a record's values; false when it is not there, not whole or of something else, and the destination then holds nothing of use.</summary>
    /// <param name="record">Its place, from 0.</param>
    /// <param name="key">What it must be of.</param>
    /// <param name="values">As many bytes as the cache's records have.</param>
    public bool TryRead(int record, UInt128 key, Span<byte> values)
    {
        if (values.Length != _valueBytes) { throw new ArgumentException($"{values.Length} bytes, expected {_valueBytes}", nameof(values)); }
        long offset = OffsetOf(record);
        Span<byte> header = stackalloc byte[HeaderBytes], expected = stackalloc byte[HeaderBytes];
        try
        {
            if (RandomAccess.Read(_file, header, offset) != HeaderBytes || BinaryPrimitives.ReadUInt128LittleEndian(header) != key) { return false; }
            if (RandomAccess.Read(_file, values, offset + HeaderBytes) != _valueBytes) { return false; }
        }
        catch (IOException)
        {
            return false;
        }
        WriteHeader(expected, key, values);
        return header.SequenceEqual(expected);
    }

    /// <summary>Keeps a record's values.</summary>
    /// <exception cref="I2MException">The disk is full or the file cannot be written.</exception>
    public void Write(int record, UInt128 key, ReadOnlySpan<byte> values)
    {
        if (values.Length != _valueBytes) { throw new ArgumentException($"{values.Length} bytes, expected {_valueBytes}", nameof(values)); }
        long offset = OffsetOf(record);
        if (offset + HeaderBytes + _valueBytes > _maxBytes) { return; }
        Span<byte> header = stackalloc byte[HeaderBytes];
        WriteHeader(header, key, values);
        try
        {
            RandomAccess.Write(_file, values, offset + HeaderBytes);
            RandomAccess.Write(_file, header, offset);
        }
        catch (Exception e) when (DurablePaths.IsIoError(e))
        {
            throw DurablePaths.Explain(Path, e);
        }
    }

    /// <summary>Keeps a record's values if that is possible: after a failure, such as a full disk, no more is tried.</summary>
    public void TryWrite(int record, UInt128 key, ReadOnlySpan<byte> values)
    {
        if (_failed) { return; }
        try
        {
            Write(record, key, values);
        }
        catch (I2MException)
        {
            _failed = true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private long OffsetOf(int record) => record * (long)(HeaderBytes + _valueBytes);

    private static void WriteHeader(Span<byte> header, UInt128 key, ReadOnlySpan<byte> values)
    {
        BinaryPrimitives.WriteUInt128LittleEndian(header, key);
        BinaryPrimitives.WriteInt32LittleEndian(header[VersionOffset..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(header[CrcOffset..], Crc32C.Of(header[..CrcOffset], values));
    }
}
