using I2M.Kernels;
using I2M.Model.Audio;

namespace I2M.Model.Data;

/// <summary>
/// Log-mels of sound files at the model's length: loaded, mixed to mono, resampled, padded with silence or cut, analysed.
/// </summary>
public sealed class MelExtractor : IDisposable
{
    private readonly MelSpectrogram _analysis;
    private readonly int _frames;

    /// <param name="backend">Computes the features, one call at a time.</param>
    /// <param name="settings">Analysis settings.</param>
    /// <param name="frames">Frames of every mel.</param>
    public MelExtractor(IBackend backend, MelSettings settings, int frames)
    {
        _analysis = new MelSpectrogram(backend, settings);
        _frames = frames;
    }

    /// <summary>All that decides a sound's mel besides the sound, as text.</summary>
    public static string Describe(MelSettings settings, int frames) => $"mel-v1 {settings} frames={frames}";

    /// <summary>The mel of a file, [bands, frames].</summary>
    public float[] FromFile(string path) => FromClip(AudioLoader.Load(path, _analysis.Settings.SampleRate));

    /// <summary>The mel of a WAV in memory, [bands, frames].</summary>
    /// <param name="wav">A stream that can seek.</param>
    /// <param name="name">Stands for the file in messages.</param>
    public float[] FromWav(Stream wav, string name) => FromClip(Resampler.Resample(WavFile.Read(wav, name), _analysis.Settings.SampleRate));

    /// <summary>The mel of a clip at the settings' rate, [bands, frames].</summary>
    public float[] FromClip(AudioClip clip)
    {
        MelSettings settings = _analysis.Settings;
        int samples = settings.Padding == FramePadding.Center ? (_frames - 1) * settings.HopLength + settings.FftSize / 2 : _frames * settings.HopLength;
        // Analysing a little more than is kept lets the last frame see real samples where there are some, as cropping 282 frames to 280 does.
        int wanted = Math.Max(samples, settings.Pad + 1);
        var wave = new float[wanted];
        clip.Samples.AsSpan(0, Math.Min(clip.Samples.Length, wanted)).CopyTo(wave);
        float[] mel = _analysis.Compute(wave);
        return Crop(mel, settings.Bands, settings.FrameCount(wanted), _frames);
    }

    /// <inheritdoc/>
    public void Dispose() => _analysis.Dispose();

    private static float[] Crop(float[] mel, int bands, int from, int to)
    {
        if (from == to) { return mel; }
        var result = new float[bands * to];
        for (int b = 0; b < bands; b++) { mel.AsSpan(b * from, to).CopyTo(result.AsSpan(b * to)); }
        return result;
    }
}
