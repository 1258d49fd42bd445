using I2M.Kernels;
using I2M.Model.Data;

namespace I2M.Model.Audio;

/// <summary>Loads any supported sound file as mono at the model's sample rate.</summary>
public static class AudioLoader
{
    /// <summary>Reads, mixes to mono and resamples. The format is found from the content, not from the name.</summary>
    /// <param name="path">WAV, or FLAC, OGG, MP3 or AIFF where libsndfile is installed.</param>
    /// <param name="targetRate">Samples per second of the result, in Hz.</param>
    /// <exception cref="BadFileException">Missing, not a supported sound file, damaged, empty, or longer than <see cref="AudioLimits.MaxSeconds"/>.</exception>
    public static AudioClip Load(string path, int targetRate = 24_000) => Resampler.Resample(LoadAsStored(path), targetRate);

    /// <summary>Reads and mixes to mono at the file's own sample rate.</summary>
    /// <inheritdoc cref="Load"/>
    public static AudioClip LoadAsStored(string path) => FormatOf(path) switch
    {
        "WAV" => WavFile.Read(path),
        var format => SoundFile.Read(path, format),
    };

    /// <summary>"WAV", "FLAC" and so on, from the first bytes.</summary>
    internal static string FormatOf(string path)
    {
        Span<byte> head = stackalloc byte[16];
        head.Clear();
        try
        {
            using var stream = InputStream.Open(path);
            _ = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        }
        catch (IOException e)
        {
            throw InputStream.Unreadable(path, e);
        }
        return Recognise(head) ?? throw new BadFileException(path, $"is {Describe(head)}, expected a WAV, FLAC, OGG, MP3 or AIFF file");
    }

    private static string? Recognise(ReadOnlySpan<byte> head)
    {
        var form = head[8..12];
        if (head.StartsWith("RIFF"u8) || head.StartsWith("RIFX"u8) || head.StartsWith("RF64"u8) || head.StartsWith("BW64"u8))
            return form.SequenceEqual("WAVE"u8) ? "WAV" : null;
        if (head.StartsWith("FORM"u8)) return form.StartsWith("AIF"u8) ? "AIFF" : null;
        if (head.StartsWith("fLaC"u8)) return "FLAC";
        if (head.StartsWith("OggS"u8)) return "OGG";
        // An MPEG frame starts with eleven set bits; layer 0 among them is AAC, not MP3.
        return head.StartsWith("ID3"u8) || (head[0] == 0xFF && (head[1] & 0xE0) == 0xE0 && (head[1] & 0x06) != 0) ? "MP3" : null;
    }

    private static string Describe(ReadOnlySpan<byte> head)
    {
        if (head[4..8].SequenceEqual("ftyp"u8)) return "an MP4/M4A file";
        if (head.StartsWith((ReadOnlySpan<byte>)[0x1A, 0x45, 0xDF, 0xA3])) return "a Matroska/WebM file";
        if (head.StartsWith("RIFF"u8)) return "a RIFF file that holds no WAVE";
        if (head.StartsWith("#!AMR"u8)) return "an AMR file";
        if (head[0] == 0xFF && (head[1] & 0xF6) == 0xF0) return "an AAC file";
        if (head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8]) || head.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50])) return "a picture";
        return head[0] is (byte)'<' or (byte)'{' or (byte)'[' ? "a text file" : "of an unknown format";
    }
}
