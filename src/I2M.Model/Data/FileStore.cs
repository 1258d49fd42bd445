using System.Runtime.InteropServices;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Images;
using I2M.Model.Training;

namespace I2M.Model.Data;

/// <summary>Pairs of single files that a list names. Mels are computed once and kept in a cache on disk.</summary>
internal sealed class FileStore : PairStore
{
    private readonly PairManifest _manifest;
    private readonly RecordCache _mels;
    private readonly string _melSettings;
    private readonly int[] _sounds, _pictures, _classes;
    private readonly string[] _soundHashes, _pictureHashes;

    /// <inheritdoc/>
    public override int Count => _manifest.Pairs.Count;

    /// <inheritdoc/>
    public override IReadOnlyList<Pair> Pairs => _manifest.Pairs;

    /// <inheritdoc/>
    public override DataSplit Split { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes { get; }

    /// <summary>Reads every file once: sounds become mels, pictures' headers are checked, contents are hashed.</summary>
    public FileStore(IBackend backend, PairManifest manifest, TrainConfig config, string cachePrefix, Action<int, int>? progress, CancellationToken cancel)
    {
        manifest.CheckFiles();
        IReadOnlyList<Pair> pairs = manifest.Pairs;
        _manifest = manifest;
        _melSettings = MelExtractor.Describe(config.Mel, config.Model.MelFrames);
        _mels = new RecordCache($"{cachePrefix}-mel-{Data.Fingerprint.OfText(_melSettings)[..8]}.cache", sizeof(float) * config.Model.MelBands * config.Model.MelFrames);
        (_sounds, _pictures, _classes) = (new int[pairs.Count], new int[pairs.Count], new int[pairs.Count]);
        Dictionary<string, int> sounds = [], pictures = [];
        (_soundHashes, _pictureHashes) = (new string[pairs.Count], new string[pairs.Count]);
        using var extractor = new MelExtractor(backend, config.Mel, config.Model.MelFrames);
        var mel = new float[config.Model.MelBands * config.Model.MelFrames];
        for (int i = 0; i < pairs.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            if (IsNew(sounds, pairs[i].Audio, out _sounds[i])) { KeepMel(_sounds[i], pairs[i].Audio, extractor, mel); }
            if (IsNew(pictures, pairs[i].Image, out _pictures[i]))
            {
                ImageLoader.ReadInfo(pairs[i].Image); // A file that is no picture is refused now, not in the middle of an epoch.
                _pictureHashes[_pictures[i]] = Data.Fingerprint.OfFile(pairs[i].Image);
            }
            progress?.Invoke(i + 1, pairs.Count);
        }
        string Identity(string path) => sounds.TryGetValue(path, out int sound) ? _soundHashes[sound] : _pictureHashes[pictures[path]];
        Split = DataSplit.FromList(pairs, Identity) ?? DataSplit.Create(pairs, config.EvalFraction, config.Seed, Identity);
        Classes = pairs.All(p => p.Class is not null) ? [.. pairs.Select(p => p.Class!).Distinct().Order(StringComparer.Ordinal)] : [];
        Dictionary<string, int> classNumbers = Classes.Index().ToDictionary(c => c.Item, c => c.Index);
        for (int i = 0; i < pairs.Count; i++) { _classes[i] = Classes.Count == 0 ? -1 : classNumbers[pairs[i].Class!]; }
    }

    /// <inheritdoc/>
    public override int ClassOf(int pair) => _classes[pair];

    /// <inheritdoc/>
    public override string PictureHash(int pair) => _pictureHashes[_pictures[pair]];

    /// <inheritdoc/>
    public override string SoundHash(int pair) => _soundHashes[_sounds[pair]];

    /// <inheritdoc/>
    public override int PictureRecord(int pair) => _pictures[pair];

    /// <inheritdoc/>
    public override string PictureName(int pair) => Pairs[pair].Image;

    /// <inheritdoc/>
    public override void ReadMel(int pair, Span<float> values)
    {
        if (!_mels.TryRead(_sounds[pair], RecordCache.Key(SoundHash(pair), _melSettings), MemoryMarshal.AsBytes(values)))
        {
            throw new BadFileException(_mels.Path, $"the mel of {Pairs[pair].Audio} was damaged or changed meanwhile: a new start computes it again");
        }
    }

    /// <inheritdoc/>
    public override void ReadPicture(int pair, StoredSample sample)
    {
        using FileStream file = InputStream.Open(PictureName(pair));
        if (file.Length > ImageLoader.MaxFileBytes) { throw new BadFileException(PictureName(pair), $"is {file.Length:N0} bytes long, expected at most {ImageLoader.MaxFileBytes:N0}"); }
        try
        {
            file.ReadExactly(sample.NewFile((int)file.Length));
        }
        catch (IOException e)
        {
            throw InputStream.Unreadable(PictureName(pair), e);
        }
    }

    /// <inheritdoc/>
    public override ISampleFeed OpenFeed(PairDataset data, TrainConfig config, long first) => new ShuffledFeed(Split.Train, config.Seed, first);

    /// <inheritdoc/>
    public override void Dispose() => _mels.Dispose();

    /// <summary>Numbers files in the order they are met.</summary>
    private static bool IsNew(Dictionary<string, int> numbers, string path, out int number)
    {
        if (numbers.TryGetValue(path, out number)) { return false; }
        numbers[path] = number = numbers.Count;
        return true;
    }

    private void KeepMel(int sound, string path, MelExtractor extractor, float[] scratch)
    {
        _soundHashes[sound] = Data.Fingerprint.OfFile(path);
        UInt128 key = RecordCache.Key(_soundHashes[sound], _melSettings);
        if (!_mels.TryRead(sound, key, MemoryMarshal.AsBytes(scratch.AsSpan()))) { _mels.Write(sound, key, MemoryMarshal.AsBytes(extractor.FromFile(path).AsSpan())); }
    }
}
