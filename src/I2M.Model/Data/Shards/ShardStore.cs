using System.Buffers;
using System.Runtime.InteropServices;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Images;
using I2M.Model.Training;

namespace I2M.Model.Data.Shards;

/// <summary>Pairs in shards. Mels are read from there, or, where sounds are WAV, computed once and kept in a cache on disk.</summary>
internal sealed class ShardStore : PairStore
{
    private readonly ShardIndex _index;
    private readonly ShardFiles _files;
    private readonly RecordCache? _mels;
    private readonly string _melSettings;
    private readonly int _bands, _frames;

    /// <inheritdoc/>
    public override int Count => _index.Samples.Count;

    /// <inheritdoc/>
    public override DataSplit Split { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => _index.Classes;

    /// <summary>Reads the index, and every WAV whose mel is not in the cache.</summary>
    public ShardStore(IBackend backend, string folder, TrainConfig config, string cachePrefix, Action<int, int>? progress, CancellationToken cancel)
    {
        _index = ShardIndex.Load(folder);
        _files = new ShardFiles(folder, _index);
        (_bands, _frames) = (config.Model.MelBands, config.Model.MelFrames);
        _melSettings = MelExtractor.Describe(config.Mel, _frames);
        int train = _index.Shards.Where(s => s.Split == Pair.Train).Sum(s => s.Count);
        Split = new DataSplit([.. Enumerable.Range(0, train)], [.. Enumerable.Range(train, Count - train)]);
        if (_index.Sound == SoundForm.Mel)
        {
            RequireSameMels(folder, config.Mel);
            return;
        }
        _mels = new RecordCache($"{cachePrefix}-mel-{Data.Fingerprint.OfText(_melSettings)[..8]}.cache", sizeof(float) * _bands * _frames);
        ComputeMels(backend, config.Mel, progress, cancel);
    }

    /// <inheritdoc/>
    protected override string Layout => string.Join(';', _index.Shards.Select(s => $"{s.Split} {s.First} {s.Count}"));

    /// <inheritdoc/>
    public override int ClassOf(int pair) => _index.Samples[pair].Class;

    /// <inheritdoc/>
    public override string PictureHash(int pair) => _index.Samples[pair].Picture.Hash.ToString();

    /// <inheritdoc/>
    public override string SoundHash(int pair) => _index.Samples[pair].Sound.Hash.ToString();

    /// <inheritdoc/>
    public override int PictureRecord(int pair) => pair;

    /// <inheritdoc/>
    public override string PictureName(int pair) => _files.NameOf(pair, _index.Samples[pair].Picture);

    /// <inheritdoc/>
    public override void ReadMel(int pair, Span<float> values)
    {
        ShardMember sound = _index.Samples[pair].Sound;
        if (_mels is not null)
        {
            if (_mels.TryRead(pair, RecordCache.Key(SoundHash(pair), _melSettings), MemoryMarshal.AsBytes(values))) { return; }
            throw new BadFileException(_mels.Path, $"the mel of {_files.NameOf(pair, sound)} was damaged or changed meanwhile: a new start computes it again");
        }
        byte[] record = ArrayPool<byte>.Shared.Rent(sound.Bytes);
        try
        {
            _files.Read(pair, sound, record.AsSpan(0, sound.Bytes));
            MelRecord.Decode(record.AsSpan(0, sound.Bytes), _bands, _frames, values, _files.NameOf(pair, sound));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(record);
        }
    }

    /// <inheritdoc/>
    public override void ReadPicture(int pair, StoredSample sample)
    {
        ShardMember picture = _index.Samples[pair].Picture;
        if (picture.Bytes > ImageLoader.MaxFileBytes) { throw new BadFileException(PictureName(pair), $"is {picture.Bytes:N0} bytes long, expected at most {ImageLoader.MaxFileBytes:N0}"); }
        _files.Read(pair, picture, sample.NewFile(picture.Bytes));
    }

    /// <inheritdoc/>
    public override ISampleFeed OpenFeed(PairDataset data, TrainConfig config, long first) =>
        new StreamedFeed(data, [.. _index.Shards.Where(s => s.Split == Pair.Train).Select(s => (s.First, s.Count))], config, first);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _mels?.Dispose();
        _files.Dispose();
    }

    private void RequireSameMels(string folder, MelSettings wanted)
    {
        string? difference = wanted.DifferenceTo(_index.Mel!);
        if (difference is null && _frames != _index.MelFrames) { difference = $"{_frames} frames against {_index.MelFrames}"; }
        if (difference is not null) { throw new BadFileException(Path.Combine(folder, ShardIndex.FileName), $"holds mels of other settings than the model's: {difference}: pack again with --config, or with --sound wav, which fits all settings"); }
    }

    private void ComputeMels(IBackend backend, MelSettings settings, Action<int, int>? progress, CancellationToken cancel)
    {
        using var extractor = new MelExtractor(backend, settings, _frames);
        var mel = new float[_bands * _frames];
        byte[] wav = [];
        for (int i = 0; i < Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            UInt128 key = RecordCache.Key(SoundHash(i), _melSettings);
            if (!_mels!.TryRead(i, key, MemoryMarshal.AsBytes(mel.AsSpan())))
            {
                ShardMember sound = _index.Samples[i].Sound;
                if (wav.Length < sound.Bytes) { wav = new byte[sound.Bytes]; }
                _files.Read(i, sound, wav.AsSpan(0, sound.Bytes));
                using var stream = new MemoryStream(wav, 0, sound.Bytes, writable: false);
                _mels.Write(i, key, MemoryMarshal.AsBytes(extractor.FromWav(stream, _files.NameOf(i, sound)).AsSpan()));
            }
            progress?.Invoke(i + 1, Count);
        }
    }
}
