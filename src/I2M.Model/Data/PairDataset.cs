using System.Collections.Concurrent;
using I2M.Kernels;
using I2M.Model.Images;
using I2M.Model.Training;

namespace I2M.Model.Data;

/// <summary>
/// Pairs ready for training: mels from the cache, pictures decoded at the model's size and kept in memory up to a budget, a leak-free split,
/// class indices.
/// </summary>
public sealed class PairDataset
{
    private const long PictureBudgetBytes = 2L << 30;
    private readonly IReadOnlyList<Pair> _pairs;
    private readonly float[][] _mels;
    private readonly ConcurrentDictionary<string, RgbImage> _pictures = new();
    private readonly int _imageSize;
    private long _pictureBytes;

    /// <summary>Indices to learn from and to hold out.</summary>
    public DataSplit Split { get; }

    /// <summary>Class names in the order of their indices; empty where a pair has no class.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Hash over all files' contents: resuming on other data is noticed.</summary>
    public string Fingerprint { get; }

    /// <summary>Number of pairs.</summary>
    public int Count => _pairs.Count;

    /// <summary>Mels, [bands, frames] each, by pair.</summary>
    public IReadOnlyList<float[]> Mels => _mels;

    /// <summary>The pairs.</summary>
    public IReadOnlyList<Pair> Pairs => _pairs;

    private PairDataset(IReadOnlyList<Pair> pairs, float[][] mels, DataSplit split, string fingerprint, int imageSize)
    {
        (_pairs, _mels, Split, Fingerprint, _imageSize) = (pairs, mels, split, fingerprint, imageSize);
        Classes = pairs.All(p => p.Class is not null) ? [.. pairs.Select(p => p.Class!).Distinct().Order(StringComparer.Ordinal)] : [];
    }

    /// <summary>Reads every pair once: sounds to mels (cached beside the list in <c>.i2m-cache</c>), picture headers and contents for their hash.</summary>
    /// <param name="backend">Computes the mels.</param>
    /// <param name="manifest">The list.</param>
    /// <param name="config">Sizes, seed and share to hold out.</param>
    /// <param name="progress">Called with (done, total).</param>
    /// <param name="cancel">Stops between two pairs; what is cached stays.</param>
    /// <exception cref="I2MException">A file is missing or cannot be used; names it.</exception>
    public static PairDataset Load(IBackend backend, PairManifest manifest, TrainConfig config, Action<int, int>? progress = null, CancellationToken cancel = default)
    {
        manifest.CheckFiles();
        string cache = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(manifest.Path))!, ".i2m-cache");
        using var extractor = new MelExtractor(backend, config.Mel, config.Model.MelFrames, cache);
        IReadOnlyList<Pair> pairs = manifest.Pairs;
        var mels = new float[pairs.Count][];
        var hashes = new Dictionary<string, string>();
        var known = new Dictionary<string, float[]>();
        for (int i = 0; i < pairs.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            if (!known.TryGetValue(pairs[i].Audio, out float[]? mel))
            {
                known[pairs[i].Audio] = mel = extractor.FromFile(pairs[i].Audio);
                hashes[pairs[i].Audio] = Data.Fingerprint.OfFile(pairs[i].Audio);
            }
            mels[i] = mel;
            if (!hashes.ContainsKey(pairs[i].Image))
            {
                ImageLoader.ReadInfo(pairs[i].Image); // A file that is no picture is refused now, not in the middle of an epoch.
                hashes.Add(pairs[i].Image, Data.Fingerprint.OfFile(pairs[i].Image));
            }
            progress?.Invoke(i + 1, pairs.Count);
        }
        DataSplit split = DataSplit.FromList(pairs, path => hashes[path]) ?? DataSplit.Create(pairs, config.EvalFraction, config.Seed, path => hashes[path]);
        string fingerprint = Data.Fingerprint.OfText(string.Join('\n', pairs.Select(p => hashes[p.Image] + hashes[p.Audio] + p.Class)));
        return new PairDataset(pairs, mels, split, fingerprint, config.Model.ImageSize);
    }

    /// <summary>Class index of a pair; −1 without classes.</summary>
    public int ClassOf(int index)
    {
        for (int i = 0; i < Classes.Count; i++)
        {
            if (Classes[i] == _pairs[index].Class) { return i; }
        }
        return -1;
    }

    /// <summary>Writes a pair's picture as [3, size, size] in [−1, 1].</summary>
    /// <param name="index">The pair.</param>
    /// <param name="augmentation">(seed, epoch) to vary it, or null.</param>
    /// <param name="destination">3·size·size values.</param>
    public void ReadPicture(int index, (ulong Seed, int Epoch)? augmentation, Span<float> destination)
    {
        RgbImage picture = Picture(_pairs[index].Image);
        if (augmentation is { } a) { picture = ImageAugment.Apply(picture, _imageSize, _imageSize, a.Seed, a.Epoch, index); }
        ImageTensor.ToChw(picture, destination);
    }

    private RgbImage Picture(string path)
    {
        if (_pictures.TryGetValue(path, out RgbImage? known)) { return known; }
        RgbImage picture = ImageResize.Bilinear(ImageLoader.Load(path), _imageSize, _imageSize);
        if (Interlocked.Read(ref _pictureBytes) < PictureBudgetBytes && _pictures.TryAdd(path, picture)) { Interlocked.Add(ref _pictureBytes, picture.Pixels.Length); }
        return picture;
    }
}
