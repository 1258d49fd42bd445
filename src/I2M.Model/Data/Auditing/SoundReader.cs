using System.Collections.Concurrent;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Training;

namespace I2M.Model.Data.Auditing;

/// <summary>Reads sounds as the model hears them, from several threads: each borrows a mel extractor of its own.</summary>
/// <param name="config">Mel and frames.</param>
internal sealed class SoundReader(TrainConfig config) : IDisposable
{
    /// <summary>Longer files are read one at a time, so that memory stays bounded however many threads there are.</summary>
    private const long LargeBytes = 16 << 20;

    private static readonly Lock OneLarge = new();
    private readonly ConcurrentBag<(IBackend Backend, MelExtractor Extractor)> _idle = [];

    private int ModelSamples => (config.Model.MelFrames - 1) * config.Mel.HopLength + (config.Mel.Padding == FramePadding.Center ? config.Mel.FftSize / 2 : config.Mel.HopLength);

    /// <summary>Mel and facts of a file.</summary>
    /// <exception cref="BadFileException">It cannot be used.</exception>
    public (float[] Mel, SoundFacts Facts) Read(string path)
    {
        bool large = File.Exists(path) && new FileInfo(path).Length > LargeBytes;
        if (large) { OneLarge.Enter(); }
        try
        {
            AudioClip stored = AudioLoader.LoadAsStored(path), clip = Resampler.Resample(stored, config.Mel.SampleRate);
            float[] mel = Extract(clip);
            return (mel, new SoundFacts(path, Fingerprint.OfFile(path), SoundCheck.Of(stored, clip, ModelSamples), SoundPrint.Of(mel, config.Mel.Bands, config.Mel.SilenceLevel)));
        }
        finally
        {
            if (large) { OneLarge.Exit(); }
        }
    }

    /// <summary>Whether two files hold the same recording.</summary>
    public bool SameRecording(string a, string b)
    {
        var (melA, factsA) = Read(a);
        var (melB, factsB) = Read(b);
        return SoundPrint.Likeness(melA, factsA.Print, melB, factsB.Print, config.Mel.Bands) >= SoundPrint.SameRecording;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (backend, extractor) in _idle)
        {
            extractor.Dispose();
            backend.Dispose();
        }
    }

    private float[] Extract(AudioClip clip)
    {
        if (!_idle.TryTake(out var tool))
        {
            IBackend backend = BackendSelector.Open("host", 1, out _);
            tool = (backend, new MelExtractor(backend, config.Mel, config.Model.MelFrames));
        }
        try { return tool.Extractor.FromClip(clip); }
        finally { _idle.Add(tool); }
    }
}
