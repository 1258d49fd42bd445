using System.Collections;
using I2M.Kernels;
using I2M.Model.Data.Shards;
using I2M.Model.Images;
using I2M.Model.Training;

namespace I2M.Model.Data;

/// <summary>Where computed values are kept.</summary>
/// <param name="CacheFolder">The folder; null takes <c>.i2m-cache</c> beside the data.</param>
/// <param name="PictureBytes">Most bytes of decoded pictures on disk; 0 decodes each every time.</param>
public sealed record DataOptions(string? CacheFolder = null, long PictureBytes = 16L << 30)
{
    /// <summary>The defaults.</summary>
    public static DataOptions Standard { get; } = new();
}

/// <summary>
/// Pairs ready for training, from single files or from shards: mels, pictures at the model's size, a leak-free split, class indices. Both are read when they are
/// wanted, from caches on disk where there are some, so memory does not grow with the number of pairs beyond their list.
/// </summary>
public sealed class PairDataset : IDisposable
{
    /// <summary>Part of the free disk space that decoded pictures leave to others.</summary>
    private const int FreeShare = 4;
    internal const string CacheName = ".i2m-cache";
    private readonly PairStore _store;
    private readonly RecordCache? _pictures;
    private readonly TrainConfig _config;
    private readonly string _pictureSettings;

    /// <summary>Indices to learn from and to hold out.</summary>
    public DataSplit Split => _store.Split;

    /// <summary>Class names in the order of their indices; empty where a pair has no class.</summary>
    public IReadOnlyList<string> Classes => _store.Classes;

    /// <summary>Hash over all files' contents: resuming on other data is noticed.</summary>
    public string Fingerprint { get; }

    /// <summary>Number of pairs.</summary>
    public int Count => _store.Count;

    /// <summary>Mels, [bands, frames] each, by pair; each is read when it is asked for.</summary>
    public IReadOnlyList<float[]> Mels => new MelList(this);

    /// <summary>The pairs of a list; empty for packed ones, whose texts stay in the shards.</summary>
    public IReadOnlyList<Pair> Pairs => _store.Pairs;

    private PairDataset(PairStore store, TrainConfig config, string cachePrefix, long pictureBytes)
    {
        (_store, _config) = (store, config);
        Fingerprint = store.Fingerprint();
        int size = config.Model.ImageSize;
        _pictureSettings = $"picture-v1 bilinear {size}";
        string path = $"{cachePrefix}-picture-{size}.cache";
        long limit = Math.Min(pictureBytes, (File.Exists(path) ? new FileInfo(path).Length : 0) + FreeBytes(path) / FreeShare * (FreeShare - 1));
        _pictures = limit > 0 ? new RecordCache(path, 3 * size * size, limit) : null;
    }

    /// <summary>Opens a list of pairs (<c>pairs.json</c> or its folder) or a folder of shards.</summary>
    /// <param name="backend">Computes the mels.</param>
    /// <param name="path">The list, its folder or the shards' folder.</param>
    /// <param name="config">Sizes, seed and share to hold out.</param>
    /// <param name="progress">Called with (done, total).</param>
    /// <param name="options">Where computed values are kept.</param>
    /// <param name="cancel">Stops between two pairs; what is cached stays.</param>
    /// <exception cref="I2MException">A file is missing or cannot be used; names it.</exception>
    public static PairDataset Open(IBackend backend, string path, TrainConfig config, Action<int, int>? progress = null, DataOptions? options = null, CancellationToken cancel = default)
    {
        if (!ShardIndex.IsPacked(path)) { return Load(backend, PairManifest.Load(ListOf(path)), config, progress, options, cancel); }
        options ??= DataOptions.Standard;
        string prefix = CachePrefix(options, path, path, "shards");
        return new PairDataset(new ShardStore(backend, path, config, prefix, progress, cancel), config, prefix, options.PictureBytes);
    }

    /// <summary>Reads every pair of a list once: sounds to mels, picture headers and contents for their hash.</summary>
    /// <inheritdoc cref="Open"/>
    public static PairDataset Load(IBackend backend, PairManifest manifest, TrainConfig config, Action<int, int>? progress = null, DataOptions? options = null, CancellationToken cancel = default)
    {
        options ??= DataOptions.Standard;
        string list = Path.GetFullPath(manifest.Path), prefix = CachePrefix(options, list, Path.GetDirectoryName(list)!, Path.GetFileNameWithoutExtension(list));
        return new PairDataset(new FileStore(backend, manifest, config, prefix, progress, cancel), config, prefix, options.PictureBytes);
    }

    /// <summary>Beginning of the cache files' names: beside the data, or in a folder that several data sets may share and that therefore tells them apart.</summary>
    private static string CachePrefix(DataOptions options, string data, string folder, string name) =>
        options.CacheFolder is { } shared ? Path.Combine(shared, $"{name}-{Data.Fingerprint.OfText(Path.GetFullPath(data))[..8]}") : Path.Combine(folder, CacheName, name);

    /// <summary>The list in a folder, or the list itself.</summary>
    public static string ListOf(string path) => Directory.Exists(path) ? Path.Combine(path, "pairs.json") : path;

    /// <summary>Class index of a pair; −1 without classes.</summary>
    public int ClassOf(int index) => _store.ClassOf(index);

    /// <summary>Writes a pair's log-mel, [bands, frames].</summary>
    public void ReadMel(int index, Span<float> destination) => _store.ReadMel(index, destination);

    /// <summary>The log-mels of some pairs one after another, all in the same array: for whoever needs each only once.</summary>
    public IEnumerable<float[]> StreamMels(IEnumerable<int> pairs)
    {
        var mel = new float[_config.Model.MelBands * _config.Model.MelFrames];
        foreach (int pair in pairs)
        {
            ReadMel(pair, mel);
            yield return mel;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pictures?.Dispose();
        _store.Dispose();
    }

    /// <summary>Training samples from some number on.</summary>
    internal ISampleFeed OpenFeed(TrainConfig config, long first) => _store.OpenFeed(this, config, first);

    /// <summary>Reads a sample's mel, and its picture as it lies on disk.</summary>
    internal void Load(StoredSample sample)
    {
        _store.ReadMel(sample.Pair, sample.Mel);
        sample.Decoded = _pictures?.TryRead(_store.PictureRecord(sample.Pair), PictureKey(sample.Pair), sample.Picture.Pixels) ?? false;
        if (!sample.Decoded) { _store.ReadPicture(sample.Pair, sample); }
        sample.Loaded = true;
    }

    /// <summary>The sample's picture as [3, size, size] in [−1, 1].</summary>
    /// <param name="sample">Loaded.</param>
    /// <param name="config">Seed and strength of variation.</param>
    /// <param name="epoch">Epoch to vary it for, or null.</param>
    /// <param name="destination">3·size·size values.</param>
    internal void WritePicture(StoredSample sample, TrainConfig config, long? epoch, Span<float> destination)
    {
        if (!sample.Decoded) { Decode(sample); }
        int size = _config.Model.ImageSize;
        ImageTensor.ToChw(epoch is { } e ? ImageAugment.Apply(sample.Picture, size, size, config.Seed, (int)e, sample.Pair, config.Augmentation) : sample.Picture, destination);
    }

    private void Decode(StoredSample sample)
    {
        int size = _config.Model.ImageSize;
        RgbImage picture = ImageResize.Bilinear(ImageLoader.Decode(sample.File, _store.PictureName(sample.Pair)), size, size);
        picture.Pixels.CopyTo(sample.Picture.Pixels, 0);
        sample.Decoded = true;
        _pictures?.TryWrite(_store.PictureRecord(sample.Pair), PictureKey(sample.Pair), picture.Pixels);
    }

    private UInt128 PictureKey(int pair) => RecordCache.Key(_store.PictureHash(pair), _pictureSettings);

    private static long FreeBytes(string path)
    {
        string? folder = Path.GetDirectoryName(Path.GetFullPath(path));
        while (folder is not null && !Directory.Exists(folder)) { folder = Path.GetDirectoryName(folder); }
        try
        {
            return folder is null ? 0 : new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return 0;
        }
    }

    private sealed class MelList(PairDataset data) : IReadOnlyList<float[]>
    {
        public int Count => data.Count;

        public float[] this[int index]
        {
            get
            {
                var mel = new float[data._config.Model.MelBands * data._config.Model.MelFrames];
                data.ReadMel(index, mel);
                return mel;
            }
        }

        public IEnumerator<float[]> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
