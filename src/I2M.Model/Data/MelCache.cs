using System.Buffers.Binary;
using System.Runtime.InteropServices;
using I2M.Kernels;
using I2M.Model.Io;

namespace I2M.Model.Data;

/// <summary>
/// Keeps computed mel spectrograms on disk, one file a key, so that later runs need not read the sound again.
/// </summary>
/// <remarks>
/// A file is 24 bytes and the values, all little-endian: "I2MMEL" and two zero bytes, version, bands, frames (int32
/// each), CRC-32C of everything but itself, then bands·frames float32. An entry that is damaged, of another version or
/// of another size is computed again. Files appear whole, so several processes may share a folder.
/// </remarks>
public sealed class MelCache
{
    private const int Version = 1, HeaderBytes = 24, CrcOffset = 20;

    private readonly string _folder;

    /// <param name="folder">Where the files lie; made when it is missing.</param>
    /// <exception cref="I2MException">The folder cannot be made.</exception>
    public MelCache(string folder)
    {
        try
        {
            _folder = Directory.CreateDirectory(folder).FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new I2MException($"{folder}: cannot make the cache folder: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>The cached values of a key, or those of <paramref name="compute"/>, which are then kept.</summary>
    /// <param name="key">Names content and settings, see <see cref="Fingerprint.CacheKey"/>.</param>
    /// <param name="compute">Gives bands·frames values when there is no sound entry.</param>
    /// <param name="bands">Mel bands.</param>
    /// <param name="frames">Time frames.</param>
    /// <exception cref="ArgumentException"><paramref name="compute"/> gave another number of values.</exception>
    /// <exception cref="I2MException">The entry cannot be written.</exception>
    public float[] GetOrAdd(string key, Func<float[]> compute, int bands, int frames)
    {
        var path = PathOf(key);
        if (TryRead(path, bands, frames) is { } cached) return cached;
        var values = compute();
        if (values.Length != bands * frames)
            throw new ArgumentException($"computed {values.Length} values, expected {bands}·{frames}", nameof(compute));
        Write(path, values, bands, frames);
        return values;
    }

    /// <summary>The file that holds a key's values.</summary>
    public string PathOf(string key) => Path.Combine(_folder, Fingerprint.OfText(key) + ".mel");

    /// <summary>The values of a whole entry of this size, null for anything else: a cache may always be thrown away.</summary>
    private static float[]? TryRead(string path, int bands, int frames)
    {
        try
        {
            if (!File.Exists(path) || new FileInfo(path).Length != HeaderBytes + 4L * bands * frames) return null;
            var bytes = File.ReadAllBytes(path);
            var expected = Header(bands, frames, bytes.AsSpan(HeaderBytes));
            return bytes.AsSpan(0, HeaderBytes).SequenceEqual(expected) ? MemoryMarshal.Cast<byte, float>(bytes.AsSpan(HeaderBytes)).ToArray() : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void Write(string path, float[] values, int bands, int frames) => AtomicFile.Write(path, stream =>
    {
        var payload = MemoryMarshal.AsBytes(values.AsSpan());
        stream.Write(Header(bands, frames, payload));
        stream.Write(payload);
    });

    private static byte[] Header(int bands, int frames, ReadOnlySpan<byte> payload)
    {
        var header = new byte[HeaderBytes];
        "I2MMEL"u8.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(12), bands);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(16), frames);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(CrcOffset), Crc32C.Of(header.AsSpan(0, CrcOffset), payload));
        return header;
    }
}
