using System.Buffers.Binary;
using System.Text;
using I2M.Kernels;
using I2M.Model.Data;
using I2M.Model.Io;

namespace I2M.Model.Audio;

/// <summary>How <see cref="WavFile.Write(string, AudioClip, WavEncoding, string?)"/> stores samples.</summary>
public enum WavEncoding
{
    /// <summary>16-bit integers; amplitudes outside [-1, 1) are clipped.</summary>
    Pcm16,

    /// <summary>32-bit floats, kept as they are.</summary>
    Float32,
}

/// <summary>What the header of a WAV says.</summary>
/// <param name="SampleRate">Samples per second, in Hz.</param>
/// <param name="Channels">Samples per frame.</param>
/// <param name="Encoding">Storage of a sample, such as "Pcm16".</param>
/// <param name="Frames">Complete frames that lie in the file.</param>
/// <param name="Comment">LIST/INFO/ICMT text, null when there is none.</param>
public sealed record WavInfo(int SampleRate, int Channels, string Encoding, long Frames, string? Comment);

/// <summary>
/// Reads and writes WAV. Read: RIFF, RIFX, RF64 and BW64 with PCM 8/16/24/32 or float 32/64 of any channel count,
/// EXTENSIBLE included. Write: mono PCM16 or float32, with an optional comment that says how the sound was made.
/// </summary>
public static class WavFile
{
    private const int BlockFrames = 1 << 14;

    /// <summary>Reads a file and mixes its channels to their mean.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxSeconds">Longer files are refused before their samples are read.</param>
    /// <exception cref="BadFileException">No WAV, an encoding that is not read, no samples, NaN or infinity, too long.</exception>
    public static AudioClip Read(string path, double maxSeconds = AudioLimits.MaxSeconds)
    {
        using var stream = InputStream.Open(path);
        return Read(stream, path, maxSeconds);
    }

    /// <summary>Reads a seekable stream; <paramref name="name"/> stands for the file in messages.</summary>
    /// <inheritdoc cref="Read(string, double)"/>
    public static AudioClip Read(Stream stream, string name, double maxSeconds = AudioLimits.MaxSeconds)
    {
        try
        {
            var header = WavHeader.Read(stream, name);
            if (header.Frames == 0) throw new BadFileException(name, "holds no samples");
            if (header.Frames > maxSeconds * header.SampleRate || header.Frames > Array.MaxLength)
                throw TooLong(name, (double)header.Frames / header.SampleRate, maxSeconds);
            return new AudioClip(ReadSamples(stream, header, name), header.SampleRate);
        }
        catch (IOException e)
        {
            throw InputStream.Unreadable(name, e);
        }
    }

    /// <summary>The LIST/INFO/ICMT comment of a file, null when it has none.</summary>
    /// <exception cref="BadFileException">Not a WAV file this class can read.</exception>
    public static string? ReadComment(string path) => ReadInfo(path).Comment;

    /// <summary>What a file's header says; its samples are not read.</summary>
    /// <exception cref="BadFileException">Not a WAV file this class can read.</exception>
    public static WavInfo ReadInfo(string path)
    {
        using var stream = InputStream.Open(path);
        try
        {
            var header = WavHeader.Read(stream, path);
            return new WavInfo(header.SampleRate, header.Channels, header.Type.ToString(), header.Frames, header.Comment);
        }
        catch (IOException e)
        {
            throw InputStream.Unreadable(path, e);
        }
    }

    /// <summary>Writes a clip; the file appears whole or not at all.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="clip">Finite samples.</param>
    /// <param name="encoding">How samples are stored.</param>
    /// <param name="comment">Text for LIST/INFO/ICMT, UTF-8.</param>
    /// <exception cref="I2MException">A sample is NaN or infinite, the clip is too long for WAV, or the file cannot be written.</exception>
    public static void Write(string path, AudioClip clip, WavEncoding encoding = WavEncoding.Pcm16, string? comment = null)
    {
        var bad = FirstNotFinite(clip.Samples);
        if (bad >= 0) throw new BadFileException(path, $"not written: sample {bad} is {clip.Samples[bad]}, expected finite samples");
        AtomicFile.Write(path, stream => Write(stream, clip, encoding, comment));
    }

    /// <summary>Writes a clip to a stream; see <see cref="Write(string, AudioClip, WavEncoding, string?)"/>.</summary>
    public static void Write(Stream stream, AudioClip clip, WavEncoding encoding = WavEncoding.Pcm16, string? comment = null)
    {
        var sampleBytes = encoding == WavEncoding.Pcm16 ? 2 : 4;
        var dataBytes = (long)clip.Samples.Length * sampleBytes;
        var chunks = BuildHeader(clip, encoding, sampleBytes, comment);
        if (chunks.Length + dataBytes > uint.MaxValue) throw new I2MException($"WAV: {dataBytes:N0} bytes of samples do not fit into 4 GiB");
        BinaryPrimitives.WriteUInt32LittleEndian(chunks.AsSpan(4), (uint)(chunks.Length - 8 + dataBytes));
        stream.Write(chunks);
        WriteSamples(stream, clip.Samples, encoding, sampleBytes);
    }

    /// <summary>The refusal of a clip beyond the limit.</summary>
    internal static BadFileException TooLong(string name, double seconds, double maxSeconds) =>
        new(name, $"is {seconds / 60:F1} minutes long, expected at most {maxSeconds / 60:F1}");

    /// <summary>Index of the first NaN or infinity, -1 when all are finite.</summary>
    internal static int FirstNotFinite(ReadOnlySpan<float> samples)
    {
        for (var i = 0; i < samples.Length; i++)
            if (!float.IsFinite(samples[i])) return i;
        return -1;
    }

    private static float[] ReadSamples(Stream stream, WavHeader header, string name)
    {
        var mono = new float[header.Frames];
        var block = new byte[BlockFrames * header.FrameBytes];
        stream.Position = header.DataOffset;
        for (var done = 0; done < mono.Length; done += BlockFrames)
        {
            var frames = Math.Min(BlockFrames, mono.Length - done);
            var bytes = block.AsSpan(0, frames * header.FrameBytes);
            stream.ReadExactly(bytes);
            WavSamples.Mix(bytes, mono.AsSpan(done, frames), header);
        }
        var bad = FirstNotFinite(mono);
        return bad < 0 ? mono : throw new BadFileException(name, $"frame {bad} is not a finite number");
    }

    private static byte[] BuildHeader(AudioClip clip, WavEncoding encoding, int sampleBytes, string? comment)
    {
        using var memory = new MemoryStream();
        using var w = new BinaryWriter(memory);
        w.Write("RIFF\0\0\0\0WAVEfmt "u8);
        w.Write(encoding == WavEncoding.Pcm16 ? 16 : 18);
        w.Write((short)(encoding == WavEncoding.Pcm16 ? 1 : 3));
        w.Write((short)1);
        w.Write(clip.SampleRate);
        w.Write(clip.SampleRate * sampleBytes);
        w.Write((short)sampleBytes);
        w.Write((short)(8 * sampleBytes));
        if (encoding == WavEncoding.Float32) // formats other than PCM carry an extension size and a fact chunk
        {
            w.Write((short)0);
            w.Write("fact"u8);
            w.Write(4);
            w.Write(clip.Samples.Length);
        }
        if (comment is not null) WriteComment(w, comment);
        w.Write("data"u8);
        w.Write((uint)((long)clip.Samples.Length * sampleBytes));
        return memory.ToArray();
    }

    private static void WriteComment(BinaryWriter w, string comment)
    {
        var text = Encoding.UTF8.GetBytes(comment + '\0');
        var padded = text.Length + (text.Length & 1);
        w.Write("LIST"u8);
        w.Write(4 + 8 + padded);
        w.Write("INFOICMT"u8);
        w.Write(text.Length);
        w.Write(text);
        if (padded > text.Length) w.Write((byte)0);
    }

    /// <summary>PCM16 scales by 32768, so that what was read from PCM16 is written back bit for bit.</summary>
    private static void WriteSamples(Stream stream, ReadOnlySpan<float> samples, WavEncoding encoding, int sampleBytes)
    {
        var block = new byte[BlockFrames * sampleBytes];
        for (; !samples.IsEmpty; samples = samples[Math.Min(BlockFrames, samples.Length)..])
        {
            var part = samples[..Math.Min(BlockFrames, samples.Length)];
            for (var i = 0; i < part.Length; i++)
            {
                if (encoding == WavEncoding.Float32) BinaryPrimitives.WriteSingleLittleEndian(block.AsSpan(4 * i), part[i]);
                else BinaryPrimitives.WriteInt16LittleEndian(block.AsSpan(2 * i), (short)Math.Clamp(MathF.Round(part[i] * 32768f), -32768f, 32767f));
            }
            stream.Write(block, 0, part.Length * sampleBytes);
        }
    }
}
