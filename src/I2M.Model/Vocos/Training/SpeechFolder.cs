using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Training;

namespace I2M.Model.Vocos.Training;

/// <summary>
/// Sound files of a folder as crops to train on and clips to validate with. Which file, which part of it and how loud are functions of (seed, sample), so a
/// resumed run needs no saved state. Decoded files stay in memory as long as there is room for them.
/// </summary>
public sealed class SpeechFolder
{
    private const long CacheSamples = 256L << 20;
    private const double Duets = 0.15;
    private const double LoudestPeak = -1, QuietestPeak = -6, ValidationPeak = -3;
    private static readonly string[] s_extensions = [".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif"];
    private readonly Dictionary<string, float[]> _cache = [];
    private readonly Lock _gate = new();
    private readonly int _rate;
    private readonly ulong _seed;
    private readonly double _augment;
    private long _cached;
    private (long Epoch, string[] Files) _order = (-1, []);

    /// <summary>Files to train on.</summary>
    public IReadOnlyList<string> Train { get; }

    /// <summary>Files held out.</summary>
    public IReadOnlyList<string> Eval { get; }

    /// <summary>Hash of the files' names and sizes.</summary>
    public string Identity { get; }

    /// <summary>Finds the sound files of a folder and those below it, and splits them by file.</summary>
    /// <param name="folder">WAV, or FLAC, OGG, MP3 or AIFF where libsndfile is installed; any sample rates.</param>
    /// <param name="sampleRate">Rate to resample to, in Hz.</param>
    /// <param name="evalFraction">Share of the files to hold out; at least one file, unless it is 0.</param>
    /// <param name="seed">Seed of the split and of the crops.</param>
    /// <param name="augment">Share of the crops that <see cref="SoundAugmentation"/> changes.</param>
    /// <exception cref="I2MException">No folder, or too few sound files in it.</exception>
    public SpeechFolder(string folder, int sampleRate, double evalFraction, ulong seed, double augment = 0)
    {
        (_rate, _seed, _augment) = (sampleRate, seed, augment);
        List<FileInfo> found = Find(folder);
        int held = evalFraction == 0 ? 0 : Math.Max(1, (int)(evalFraction * found.Count));
        if (found.Count <= held) { throw new I2MException($"{folder}: {found.Count} sound files ({string.Join(' ', s_extensions)}): expected at least {held + 1}"); }
        var shuffled = new List<FileInfo>(found);
        new PhiloxRandom(seed, RandomStreams.Split).Shuffle(shuffled);
        Eval = [.. shuffled.Take(held).Select(f => f.FullName)];
        Train = [.. found.Select(f => f.FullName).Except(Eval)];
        Identity = Fingerprint.OfText(string.Join('\n', found.Select(f => $"{Path.GetRelativePath(folder, f.FullName)} {f.Length}")));
    }

    /// <summary>Sound files of a folder and those below it, in the order of their names.</summary>
    /// <exception cref="I2MException">There is no such folder.</exception>
    public static List<FileInfo> Find(string folder)
    {
        if (!Directory.Exists(folder)) { throw new I2MException($"{folder}: no such folder; expected one with sound files"); }
        return [.. new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(f => s_extensions.Contains(f.Extension, StringComparer.OrdinalIgnoreCase)).OrderBy(f => f.FullName, StringComparer.Ordinal)];
    }

    /// <summary>
    /// Fills a batch [count, length] with samples first, first + 1, …: every file once an epoch in a new order, a random part of it, its peak between −6 and
    /// −1 dB of full scale, or changed by <see cref="SoundAugmentation"/>. A file that is too short is repeated.
    /// </summary>
    public void Fill(long first, int length, Span<float> batch)
    {
        for (int i = 0; i < batch.Length / length; i++)
        {
            long sample = first + i;
            var random = new PhiloxRandom(_seed, RandomStreams.Augmentation + (ulong)sample);
            float[] clip = Load(FileOf(sample));
            Span<float> crop = batch.Slice(i * length, length);
            if (_augment > 0 && random.NextDouble() < _augment)
            {
                float[] source = Part(ref random, clip, SoundAugmentation.SourceLength(length));
                float[] other = random.NextDouble() < Duets ? Part(ref random, Load(Train[random.Next(Train.Count)]), source.Length) : [];
                SoundAugmentation.Apply(ref random, source, other, crop);
                continue;
            }
            int start = clip.Length > length ? random.Next(clip.Length - length + 1) : 0;
            Copy(clip, start, Gain(clip, random.NextDouble(QuietestPeak, LoudestPeak)), crop);
        }
    }

    /// <summary>A random part of a clip with its peak at full scale; a clip that is too short is repeated.</summary>
    private static float[] Part(ref PhiloxRandom random, float[] clip, int length)
    {
        var part = new float[length];
        Copy(clip, random.Next(clip.Length), Gain(clip, 0), part);
        return part;
    }

    /// <summary>The beginning of a held-out file with its peak at −3 dB of full scale, as the paper's code validates.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sampleRate">Rate to resample to, in Hz.</param>
    /// <param name="least">Samples; a shorter file is repeated.</param>
    /// <param name="most">Samples; a longer file is cut.</param>
    public static float[] Clip(string path, int sampleRate, int least, int most)
    {
        float[] clip = AudioLoader.Load(path, sampleRate).Samples;
        var result = new float[Math.Clamp(clip.Length, least, most)];
        Copy(clip, 0, Gain(clip, ValidationPeak), result);
        return result;
    }

    private static void Copy(float[] clip, int start, float gain, Span<float> crop)
    {
        for (int i = 0; i < crop.Length; i++) { crop[i] = gain * clip[(start + i) % clip.Length]; }
    }

    /// <summary>The factor that takes the peak to a level; 1 for silence.</summary>
    private static float Gain(float[] clip, double decibels)
    {
        float peak = 0;
        foreach (float sample in clip) { peak = Math.Max(peak, Math.Abs(sample)); }
        return peak > 0 ? (float)(Math.Pow(10, decibels / 20) / peak) : 1;
    }

    private string FileOf(long sample)
    {
        long epoch = sample / Train.Count;
        lock (_gate)
        {
            if (_order.Epoch != epoch)
            {
                string[] files = [.. Train];
                new PhiloxRandom(_seed, RandomStreams.Order + (ulong)epoch).Shuffle(files);
                _order = (epoch, files);
            }
            return _order.Files[sample % Train.Count];
        }
    }

    private float[] Load(string path)
    {
        lock (_gate)
        {
            if (_cache.TryGetValue(path, out float[]? known)) { return known; }
        }
        float[] clip = AudioLoader.Load(path, _rate).Samples;
        lock (_gate)
        {
            if (_cached + clip.Length <= CacheSamples && _cache.TryAdd(path, clip)) { _cached += clip.Length; }
        }
        return clip;
    }
}
