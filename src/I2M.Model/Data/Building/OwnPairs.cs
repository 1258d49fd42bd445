using I2M.Kernels;
using I2M.Model.Audio;

namespace I2M.Model.Data.Building;

/// <summary>What becomes of a sound that is longer than a clip.</summary>
public enum LongSound
{
    /// <summary>Its beginning is kept, faded out over the last 10 ms.</summary>
    Trim,

    /// <summary>It is refused.</summary>
    Refuse,
}

/// <summary>
/// People's own pictures and sounds: a CSV with the columns image and audio and, where known, class, text and speaker, or a <c>pairs.json</c> or
/// <c>meta_file.json</c>. Sounds of any rate, channel count and length become clips of the data set's rate and length: silence around the sound is
/// removed, its peak set to the loudness of all clips; longer ones are cut or refused, shorter ones padded with silence.
/// </summary>
internal static class OwnPairs
{
    private const double FadeSeconds = 0.01;

    /// <summary>The pairs that a file names; whether their files can be used is not known yet.</summary>
    /// <exception cref="BadFileException">The file is neither such a CSV nor such a list.</exception>
    public static IReadOnlyList<Pair> Read(string path)
    {
        if (Path.GetExtension(path).Equals(".json", StringComparison.OrdinalIgnoreCase)) { return PairManifest.Load(path).Pairs; }
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return [.. CsvFile.Read(path, ["image", "audio"]).Select(row =>
            new Pair(Full(path, folder, row, "image"), Full(path, folder, row, "audio"), row.Optional("class"), row.Optional("text"), row.Optional("speaker")))];
    }

    /// <summary>Makes a clip of a sound and writes it; an existing whole file is kept.</summary>
    /// <exception cref="BadFileException">The sound cannot be read, is silent, or is too long where that is refused.</exception>
    public static void Convert(string sound, string target, BuildOptions options)
    {
        AudioClip clip = AudioLoader.Load(sound, options.SampleRate);
        AudioClip trimmed = SpeechStore.Trim(clip, 0.02, 0.2) ?? throw new BadFileException(sound, "holds nothing but silence");
        float[] samples = trimmed.Samples;
        if (samples.Length > options.ClipSamples && options.LongSounds == LongSound.Refuse)
        {
            throw new BadFileException(sound, FormattableString.Invariant($"is {trimmed.Seconds:F2} s long, expected at most {options.Seconds} s (--long trim cuts it)"));
        }
        bool cut = samples.Length > options.ClipSamples;
        Array.Resize(ref samples, options.ClipSamples);
        int fade = cut ? (int)(FadeSeconds * options.SampleRate) : 0;
        for (int i = 1; i <= fade; i++) { samples[^i] *= (float)i / (fade + 1); }
        WavFile.Write(target, new AudioClip(samples, options.SampleRate));
    }

    private static string Full(string path, string folder, CsvRow row, string column)
    {
        string file = row.Get(column);
        if (file.Length == 0 || file.Any(char.IsControl)) { throw new BadFileException(path, $"line {row.Line}: {column}: empty or with a control character, expected a path"); }
        return Path.GetFullPath(file, folder);
    }
}
