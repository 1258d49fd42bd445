using System.Text.Encodings.Web;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Images;
using I2M.Model.Io;
using I2M.Model.Training;

namespace I2M.Model.Data.Shards;

/// <summary>From what and how to pack.</summary>
/// <param name="Data">A list of pairs, or the folder with its <c>pairs.json</c>.</param>
/// <param name="Out">The folder of shards.</param>
public sealed record PackOptions(string Data, string Out)
{
    /// <summary>A shard ends with the sample that makes it this long.</summary>
    public long ShardBytes { get; init; } = 200L << 20;
    /// <summary>How sounds are held.</summary>
    public SoundForm Sound { get; init; }
    /// <summary>Mel settings and frames, for mels.</summary>
    public TrainConfig Config { get; init; } = new();
    /// <summary>Share to hold out where the list says no split.</summary>
    public double EvalFraction { get; init; } = 0.1;
    /// <summary>Of the order in the shards, and of the split.</summary>
    public ulong Seed { get; init; } = 1;
    /// <summary>Replace shards that lie there.</summary>
    public bool Force { get; init; }
}

/// <summary>What was packed.</summary>
/// <param name="Samples">Pairs.</param>
/// <param name="Held">Of them held out.</param>
/// <param name="Shards">Tar files.</param>
/// <param name="Bytes">Of all of them.</param>
public sealed record PackReport(int Samples, int Held, int Shards, long Bytes);

/// <summary>
/// Packs pairs into shards in the WebDataset manner: tars <c>train-00000.tar</c>, <c>eval-00000.tar</c> in which <c>0000042.jpg</c>, <c>0000042.wav</c> (or <c>.mel</c>)
/// and <c>0000042.json</c> follow each other, and an index. Samples are put into a random order first, so that whoever reads from front to back meets all classes.
/// The folder appears whole or not at all, and the same pairs, settings and seed give the same bytes.
/// </summary>
public sealed class ShardPacker
{
    private static readonly JsonSerializerOptions s_readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };
    private readonly PackOptions _options;
    private readonly IReadOnlyList<Pair> _pairs;
    private readonly string[] _classes;
    private readonly MelExtractor? _extractor;
    private readonly List<Shard> _shards = [];
    private readonly List<PackedSample> _samples = [];
    private readonly Action<int, int>? _progress;
    private readonly CancellationToken _cancel;

    private ShardPacker(PackOptions options, IReadOnlyList<Pair> pairs, MelExtractor? extractor, Action<int, int>? progress, CancellationToken cancel)
    {
        (_options, _pairs, _extractor, _progress, _cancel) = (options, pairs, extractor, progress, cancel);
        _classes = pairs.All(p => p.Class is not null) ? [.. pairs.Select(p => p.Class!).Distinct().Order(StringComparer.Ordinal)] : [];
    }

    /// <summary>Packs; a run that was killed starts anew.</summary>
    /// <param name="options">From what and how.</param>
    /// <param name="backend">Computes mels; not needed for WAV.</param>
    /// <param name="progress">Called with (done, total).</param>
    /// <param name="cancel">Stops; nothing stays.</param>
    /// <exception cref="I2MException">A file is missing, cannot be used or was changed since the list was made; the folder is taken; the disk is full.</exception>
    public static PackReport Pack(PackOptions options, IBackend? backend = null, Action<int, int>? progress = null, CancellationToken cancel = default)
    {
        PairManifest manifest = PairManifest.Load(PairDataset.ListOf(options.Data));
        manifest.CheckFiles();
        RequirePlace(options);
        if (options.Sound == SoundForm.Mel && backend is null) { throw new ArgumentNullException(nameof(backend), "Mels need a backend."); }
        using MelExtractor? extractor = options.Sound == SoundForm.Mel ? new MelExtractor(backend!, options.Config.Mel, options.Config.Model.MelFrames) : null;
        return new ShardPacker(options, manifest.Pairs, extractor, progress, cancel).Run();
    }

    private static void RequirePlace(PackOptions options)
    {
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Out)), data = Path.GetFullPath(PairDataset.ListOf(options.Data));
        if (data.StartsWith(target + Path.DirectorySeparatorChar, StringComparison.Ordinal)) { throw new I2MException($"{options.Out}: holds the data to pack: expected another --out"); }
        if (File.Exists(target)) { throw new I2MException($"{options.Out}: is a file; expected a folder name"); }
        if (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any())
        {
            if (!ShardIndex.IsPacked(target)) { throw new I2MException($"{options.Out}: holds other files: expected a new or empty folder"); }
            string[] others = [.. Directory.EnumerateFileSystemEntries(target).Select(e => Path.GetFileName(e)).Where(name => name != ShardIndex.FileName && name != PairDataset.CacheName && !name.EndsWith(".tar", StringComparison.Ordinal))];
            if (others.Length > 0) { throw new I2MException($"{options.Out}: holds {others[0]} besides shards: expected a folder of shards alone, as it would be replaced whole"); }
            if (!options.Force) { throw new I2MException($"{options.Out}: holds shards already: use --force to replace them, or another --out"); }
        }
        AtomicFile.RequireWritable(target + ".probe");
        AtomicDirectory.RemoveLeftovers(Path.GetDirectoryName(target)!, Path.GetFileName(target));
    }

    private PackReport Run()
    {
        var hashes = new Dictionary<string, string>();
        foreach (Pair p in _pairs)
        {
            _cancel.ThrowIfCancellationRequested();
            if (!hashes.ContainsKey(p.Image)) { hashes[p.Image] = p.ImageHash ?? Fingerprint.OfFile(p.Image); }
            if (!hashes.ContainsKey(p.Audio)) { hashes[p.Audio] = p.AudioHash ?? Fingerprint.OfFile(p.Audio); }
        }
        DataSplit split = DataSplit.FromList(_pairs, path => hashes[path]) ?? DataSplit.Create(_pairs, _options.EvalFraction, _options.Seed, path => hashes[path]);
        if (split.Train.Count == 0) { throw new I2MException("data pack: no pair is left to train on"); }
        AtomicDirectory.Write(_options.Out, folder =>
        {
            WritePart(folder, Pair.Train, split.Train);
            WritePart(folder, Pair.Eval, split.Eval);
            bool mels = _extractor is not null;
            new ShardIndex(_options.Sound, mels ? _options.Config.Mel : null, mels ? _options.Config.Model.MelFrames : 0, _classes, _shards, _samples).Save(folder);
        }, replace: true);
        return new PackReport(_samples.Count, split.Eval.Count, _shards.Count, _shards.Sum(s => s.Bytes));
    }

    private void WritePart(string folder, string part, IReadOnlyList<int> pairs)
    {
        int[] order = [.. pairs];
        new PhiloxRandom(_options.Seed, RandomStreams.Packing + (part == Pair.Train ? 0u : 1u)).Shuffle(order);
        for (int next = 0, number = 0; next < order.Length; number++)
        {
            string name = $"{part}-{number:D5}.tar";
            int first = _samples.Count;
            using var writer = new ShardWriter(Path.Combine(folder, name));
            do
            {
                _cancel.ThrowIfCancellationRequested();
                Write(writer, _pairs[order[next++]], part);
                _progress?.Invoke(_samples.Count, _pairs.Count);
            }
            while (next < order.Length && writer.Bytes < _options.ShardBytes);
            _shards.Add(new Shard(name, part, writer.Close(), first, _samples.Count - first));
        }
    }

    private void Write(ShardWriter writer, Pair pair, string part)
    {
        int number = _samples.Count;
        byte[] picture = Read(pair.Image, pair.ImageHash, "image_sha256");
        string format = ImageLoader.ReadInfo(pair.Image).Format;
        ShardMember image = writer.Add(number, format == "JPEG" ? "jpg" : format.ToLowerInvariant(), picture);
        ShardMember sound = _extractor is null ? writer.Add(number, "wav", Wav(pair)) : writer.Add(number, "mel", Mel(pair));
        byte[] facts = JsonSerializer.SerializeToUtf8Bytes(new
        {
            @class = pair.Class,
            text = pair.Text,
            speaker = pair.Speaker,
            augmentation = pair.Augmentation,
            group = pair.Group,
            split = part,
            image = Path.GetFileName(pair.Image),
            audio = Path.GetFileName(pair.Audio),
            image_sha256 = image.Hash.ToString(),
            audio_sha256 = pair.AudioHash ?? (_extractor is null ? sound.Hash.ToString() : Fingerprint.OfFile(pair.Audio)),
        }, s_readable);
        _samples.Add(new PackedSample(Array.IndexOf(_classes, pair.Class), image, sound, writer.Add(number, "json", facts)));
    }

    /// <summary>A WAV as it is; other formats as 16-bit WAV at their own rate, which every reader of shards understands.</summary>
    private static byte[] Wav(Pair pair)
    {
        byte[] content = Read(pair.Audio, pair.AudioHash, "audio_sha256");
        if (AudioLoader.FormatOf(pair.Audio) == "WAV")
        {
            WavFile.ReadInfo(pair.Audio);
            return content;
        }
        using var wav = new MemoryStream();
        WavFile.Write(wav, AudioLoader.Load(pair.Audio));
        return wav.ToArray();
    }

    private byte[] Mel(Pair pair)
    {
        if (pair.AudioHash is not null) { Read(pair.Audio, pair.AudioHash, "audio_sha256"); }
        return MelRecord.Encode(_extractor!.FromFile(pair.Audio), _options.Config.Mel.Bands, _options.Config.Model.MelFrames);
    }

    private static byte[] Read(string path, string? hash, string field)
    {
        byte[] content = InputStream.ReadAll(path, ImageLoader.MaxFileBytes);
        if (hash is not null && ContentHash.Of(content).ToString() != hash) { throw new BadFileException(path, $"was changed since the list was made: its SHA-256 is not {field}"); }
        return content;
    }
}
