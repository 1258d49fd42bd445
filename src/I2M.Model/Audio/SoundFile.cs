using System.Runtime.InteropServices;
using System.Text;
using I2M.Kernels;

namespace I2M.Model.Audio;

/// <summary>
/// Reads FLAC, OGG, MP3 and AIFF through libsndfile where that library is installed; nothing else needs it.
/// Interface: https://libsndfile.github.io/libsndfile/api.html
/// </summary>
public static unsafe class SoundFile
{
    private const int ReadMode = 0x10, BlockFrames = 1 << 14, MaxChannels = 1024;

    private static readonly Lazy<Library?> Loaded = new(Library.TryLoad);

    /// <summary>True when libsndfile is installed.</summary>
    public static bool IsAvailable => Loaded.Value is not null;

    /// <summary>Reads a file and mixes its channels to their mean.</summary>
    /// <param name="path">The file.</param>
    /// <param name="format">The format's name, for messages.</param>
    /// <param name="maxSeconds">Longer files are refused.</param>
    /// <exception cref="BadFileException">libsndfile is missing or cannot decode the file, or the clip is empty, too long or not finite.</exception>
    public static AudioClip Read(string path, string format, double maxSeconds = AudioLimits.MaxSeconds)
    {
        var library = Loaded.Value ?? throw new BadFileException(path,
            $"{format} needs libsndfile, which is not installed: install the Debian package libsndfile1, or convert the file to WAV");
        var info = new Info();
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            var file = library.Open(name, ReadMode, &info);
            if (file == 0) throw new BadFileException(path, $"not a readable {format} file: {library.Message(0)}");
            try
            {
                return Decode(library, file, info, path, maxSeconds);
            }
            finally
            {
                _ = library.Close(file);
            }
        }
    }

    private static AudioClip Decode(Library library, nint file, in Info info, string path, double maxSeconds)
    {
        if (info.SampleRate is < AudioLimits.MinSampleRate or > AudioLimits.MaxSampleRate)
            throw new BadFileException(path, $"sample rate: {info.SampleRate} Hz, expected {AudioLimits.MinSampleRate} to {AudioLimits.MaxSampleRate}");
        if (info.Channels is < 1 or > MaxChannels)
            throw new BadFileException(path, $"channels: {info.Channels}, expected 1 to {MaxChannels}");
        var samples = ReadFrames(library, file, info, path, (long)Math.Min(maxSeconds * info.SampleRate, Array.MaxLength));
        if (library.Error(file) != 0) throw new BadFileException(path, $"damaged after {samples.Length} frames: {library.Message(file)}");
        if (samples.Length == 0) throw new BadFileException(path, "holds no samples");
        var bad = WavFile.FirstNotFinite(samples);
        return bad < 0 ? new AudioClip(samples, info.SampleRate) : throw new BadFileException(path, $"frame {bad} is not a finite number");
    }

    /// <summary>Reads to the end: compressed formats only estimate their frame count, so it is no bound and no buffer size.</summary>
    private static float[] ReadFrames(Library library, nint file, in Info info, string path, long maxFrames)
    {
        var mono = new List<float>();
        var block = new float[BlockFrames * info.Channels];
        fixed (float* buffer = block)
        {
            for (long frames; (frames = library.Read(file, buffer, BlockFrames)) > 0;)
            {
                if (mono.Count + frames > maxFrames)
                    throw WavFile.TooLong(path, (double)Math.Max(info.Frames, mono.Count + frames) / info.SampleRate, (double)maxFrames / info.SampleRate);
                for (var i = 0; i < frames; i++)
                {
                    var sum = 0.0;
                    foreach (var sample in block.AsSpan(i * info.Channels, info.Channels)) sum += sample;
                    mono.Add((float)(sum / info.Channels));
                }
            }
        }
        return [.. mono];
    }

    /// <summary>SF_INFO of sndfile.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Info
    {
        public long Frames;
        public int SampleRate, Channels, Format, Sections, Seekable;
    }

    /// <summary>The entry points used, found at run time so that the program starts without the library.</summary>
    private sealed class Library
    {
        public required delegate* unmanaged[Cdecl]<byte*, int, Info*, nint> Open { get; init; }

        public required delegate* unmanaged[Cdecl]<nint, float*, long, long> Read { get; init; }

        public required delegate* unmanaged[Cdecl]<nint, int> Error { get; init; }

        public required delegate* unmanaged[Cdecl]<nint, int> Close { get; init; }

        public required delegate* unmanaged[Cdecl]<nint, byte*> ErrorText { get; init; }

        public string Message(nint file) => Marshal.PtrToStringUTF8((nint)ErrorText(file))?.ReplaceLineEndings(" ").Trim() ?? "unknown error";

        public static Library? TryLoad()
        {
            string[] names = OperatingSystem.IsWindows() ? ["sndfile.dll", "libsndfile-1.dll"]
                : OperatingSystem.IsMacOS() ? ["libsndfile.1.dylib", "libsndfile.dylib"] : ["libsndfile.so.1"];
            foreach (var name in names)
                if (NativeLibrary.TryLoad(name, out var handle)) return Bind(handle);
            return null;
        }

        private static Library Bind(nint handle) => new()
        {
            Open = (delegate* unmanaged[Cdecl]<byte*, int, Info*, nint>)NativeLibrary.GetExport(handle, "sf_open"),
            Read = (delegate* unmanaged[Cdecl]<nint, float*, long, long>)NativeLibrary.GetExport(handle, "sf_readf_float"),
            Error = (delegate* unmanaged[Cdecl]<nint, int>)NativeLibrary.GetExport(handle, "sf_error"),
            Close = (delegate* unmanaged[Cdecl]<nint, int>)NativeLibrary.GetExport(handle, "sf_close"),
            ErrorText = (delegate* unmanaged[Cdecl]<nint, byte*>)NativeLibrary.GetExport(handle, "sf_strerror"),
        };
    }
}
