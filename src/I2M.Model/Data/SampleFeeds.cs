using I2M.Model.Training;

namespace I2M.Model.Data;

/// <summary>Every epoch in a random order of its own over all pairs: for stores that are read at any place alike.</summary>
/// <param name="pairs">Pairs to learn from.</param>
/// <param name="seed">The order is a function of seed and epoch alone.</param>
/// <param name="first">Number of the first sample in the run.</param>
internal sealed class ShuffledFeed(IReadOnlyList<int> pairs, ulong seed, long first) : ISampleFeed
{
    private long _number = first, _epoch = -1;
    private int[] _order = [];

    /// <inheritdoc/>
    public long Next(ref StoredSample sample)
    {
        long epoch = _number / pairs.Count;
        if (epoch != _epoch)
        {
            _order = [.. pairs];
            new PhiloxRandom(seed, RandomStreams.Order + (ulong)epoch).Shuffle(_order);
            _epoch = epoch;
        }
        (sample.Pair, sample.Loaded) = (_order[_number++ % pairs.Count], false);
        return epoch;
    }
}

/// <summary>
/// Reads shards from front to back and mixes by a buffer: each epoch takes the shards in a random order, and each sample is drawn at random from the
/// buffer, whose place the next one read takes. Memory is that of the buffer, however many pairs there are. The order is a function of seed, epoch and the
/// buffer's size, so a run that is resumed draws through what is behind it without reading and then reads what the buffer holds.
/// </summary>
internal sealed class StreamedFeed : ISampleFeed
{
    private readonly PairDataset _data;
    private readonly (int First, int Count)[] _shards;
    private readonly int _count;
    private readonly ulong _seed;
    private readonly StoredSample[] _buffer;
    private StoredSample _spare;
    private PhiloxRandom _random;
    private (int First, int Count)[] _order = [];
    private long _epoch;
    private int _held, _shard, _inShard;

    /// <param name="data">Reads samples.</param>
    /// <param name="shards">First pair and number of pairs of each shard to learn from.</param>
    /// <param name="config">Seed, size of the buffer, sizes of samples.</param>
    /// <param name="first">Number of the first sample in the run.</param>
    public StreamedFeed(PairDataset data, (int First, int Count)[] shards, TrainConfig config, long first)
    {
        (_data, _shards, _count, _seed, _spare) = (data, shards, shards.Sum(s => s.Count), config.Seed, new StoredSample(config));
        _buffer = new StoredSample[Math.Min(config.ShuffleBuffer, _count)];
        for (int i = 0; i < _buffer.Length; i++) { _buffer[i] = new StoredSample(config); }
        Begin(first / _count, first % _count);
    }

    /// <inheritdoc/>
    public long Next(ref StoredSample sample)
    {
        if (_held == 0) { Begin(_epoch + 1, 0); }
        int slot = Draw(ref sample);
        if (slot < _held) { _data.Load(_buffer[slot]); }
        return _epoch;
    }

    private void Begin(long epoch, long skip)
    {
        _epoch = epoch;
        _random = new PhiloxRandom(_seed, RandomStreams.Order + (ulong)epoch);
        _order = [.. _shards];
        _random.Shuffle(_order);
        (_held, _shard, _inShard) = (0, 0, 0);
        while (_held < _buffer.Length) { Read(_buffer[_held++]); }
        for (; skip > 0; skip--) { Draw(ref _spare); }
        foreach (StoredSample sample in _buffer.Take(_held).OrderBy(s => s.Pair)) { _data.Load(sample); }
    }

    /// <summary>Draws a sample for <paramref name="sample"/>; gives the slot that the next pair took, at or after the last one held when there is none.</summary>
    private int Draw(ref StoredSample sample)
    {
        int slot = _random.Next(_held);
        (sample, _buffer[slot]) = (_buffer[slot], sample);
        if (Read(_buffer[slot])) { return slot; }
        _held--;
        (_buffer[slot], _buffer[_held]) = (_buffer[_held], _buffer[slot]);
        return _held;
    }

    /// <summary>The next pair of the stream; false at its end.</summary>
    private bool Read(StoredSample into)
    {
        if (_shard == _order.Length) { return false; }
        (into.Pair, into.Loaded) = (_order[_shard].First + _inShard, false);
        if (++_inShard == _order[_shard].Count) { (_shard, _inShard) = (_shard + 1, 0); }
        return true;
    }
}
