using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Io;

namespace I2M.Model.Data.Building;

/// <summary>The folder of a data set that is being built.</summary>
internal sealed class DataFolder
{
    /// <summary>Says what a data set is built from; other folders have none.</summary>
    public const string SettingsFile = "build.json";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly string _path;

    /// <param name="path">The folder; need not exist.</param>
    public DataFolder(string path) => _path = Path.GetFullPath(path);

    /// <summary>The list of pairs, written last.</summary>
    public string PairsPath => Path.Combine(_path, "pairs.json");

    /// <summary>Where utterances lie while clips are made of them.</summary>
    public string SpeechPath => Path.Combine(_path, ".speech");

    private string[] SoundFolders => [SpeechPath, Path.Combine(_path, "audio"), Path.Combine(_path, "own-audio")];

    /// <summary>False after a run that failed before it made anything: nothing is lost by another one.</summary>
    private bool HoldsSounds => SoundFolders.Any(f => Directory.Exists(f) && Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories).Any());

    private string SettingsPath => Path.Combine(_path, SettingsFile);

    /// <summary>The clip of an own pair.</summary>
    public string OwnClip(int number) => Path.Combine(_path, "own-audio", number.ToString("D5", CultureInfo.InvariantCulture) + ".wav");

    /// <summary>Makes sure that what lies here was made from the same inputs.</summary>
    /// <param name="settings">All that decides what comes out.</param>
    /// <param name="force">Delete what was made from other inputs.</param>
    /// <exception cref="I2MException">Something else lies here.</exception>
    public void Claim(string settings, bool force)
    {
        AtomicFile.RequireWritable(SettingsPath);
        AtomicDirectory.RemoveLeftovers(_path, "*");
        if (File.Exists(SettingsPath))
        {
            if (File.ReadAllText(SettingsPath) == settings) { return; }
            if (!force && HoldsSounds) { throw new I2MException($"{SettingsPath}: the data set there is built from other pictures, texts, speakers or settings: expected the same ones, another --out, or --force"); }
            Clear();
        }
        else if (Directory.Exists(_path) && Directory.EnumerateFileSystemEntries(_path).Any())
        {
            throw new I2MException($"{_path}: holds other files: expected a new or empty folder");
        }
        AtomicFile.Write(SettingsPath, System.Text.Encoding.UTF8.GetBytes(settings));
    }

    /// <summary>Writes the lists and removes what is no longer needed.</summary>
    public void Finish(IReadOnlyList<Pair> pairs, IReadOnlyList<RefusedFile> refused, IReadOnlyList<LongText> tooLong)
    {
        MetaFile.Write(Path.Combine(_path, "meta_file.json"), pairs);
        AtomicFile.Write(Path.Combine(_path, "refused.json"), JsonSerializer.SerializeToUtf8Bytes(new { files = refused, texts = tooLong }, Readable));
        new PairManifest(PairsPath, pairs).Save();
        if (Directory.Exists(SpeechPath)) { Directory.Delete(SpeechPath, recursive: true); }
    }

    private void Clear()
    {
        File.Delete(PairsPath);
        foreach (string folder in SoundFolders)
        {
            if (Directory.Exists(folder)) { Directory.Delete(folder, recursive: true); }
        }
    }
}

/// <summary>What decides the bytes of a data set, as text: equal texts give equal data sets.</summary>
internal static class BuildSettings
{
    private const int Version = 1;
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Settings, speakers, texts and the contents of all pictures; of own pairs the paths.</summary>
    public static string Describe(BuildOptions o, IReadOnlyList<PictureClass> classes, IReadOnlyList<string[]> texts, IReadOnlyList<Pair> own) => JsonSerializer.Serialize(new
    {
        version = Version,
        seed = o.Seed,
        seconds = o.Seconds,
        sampleRate = o.SampleRate,
        speed = new[] { o.MinSpeed, o.MaxSpeed },
        semitones = o.Semitones,
        perClass = o.PerClass,
        evalFraction = o.EvalFraction,
        speakers = o.Speakers.Select(s => new { name = s.Name, synthesizer = s.Synthesizer.Name, voice = s.Voice }),
        classes = classes.Select((c, i) => new { name = c.Name, folder = c.Folder, pictures = c.Pictures.Count, contents = Fingerprint.OfText(string.Join('\n', c.Pictures.Select(p => Path.GetFileName(p.Path) + " " + p.Hash))), texts = texts[i] }),
        ownPairs = own.Count == 0 ? null : Fingerprint.OfText(o.LongSounds + "\n" + string.Join('\n', own)),
    }, Readable);
}
