using System.Diagnostics;
using System.Threading.Channels;
using I2M.Model.Audio;
using I2M.Model.Training;

namespace I2M.Model.Data;

/// <summary>One batch on the host.</summary>
/// <param name="Mels">[batch, bands·frames], normalised.</param>
/// <param name="Images">[batch, 3·size·size].</param>
/// <param name="Labels">[batch] class indices; −1 without classes.</param>
public sealed record Batch(float[] Mels, float[] Images, int[] Labels)
{
    /// <summary>[batch] numbers of the pairs in their data set, where a loader filled the batch.</summary>
    public int[] Pairs { get; } = new int[Labels.Length];
}

/// <summary>
/// Prepares batches ahead of the training step on other threads: decoding, augmentation and mels never hold the step up as long as they are faster on average.
/// Sample number n of a run is a function of the seed alone: epoch n / N takes the training pairs in that epoch's own order, and batches run on across epochs,
/// so a run resumes at any step.
/// </summary>
public sealed class BatchLoader : IDisposable
{
    private const int Ahead = 4, MostWorkers = 8;
    private readonly PairDataset _data;
    private readonly TrainConfig _config;
    private readonly MelNormalizer _normalizer;
    private readonly Channel<Batch> _ready = Channel.CreateBounded<Batch>(Ahead);
    private readonly Channel<Batch> _used = Channel.CreateUnbounded<Batch>();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _producer;
    private readonly ParallelOptions _workers;
    private readonly StoredSample[] _samples;
    private readonly long[] _epochs;
    private StoredSample? _single;

    /// <summary>Samples that are prepared at a time where nobody says otherwise.</summary>
    internal static int DefaultWorkers => Math.Clamp(Environment.ProcessorCount / 2, 1, MostWorkers);

    /// <param name="data">The pairs, opened with the same settings.</param>
    /// <param name="config">Batch size, augmentation or not.</param>
    /// <param name="normalizer">Applied to the mels.</param>
    /// <param name="firstBatch">Number of the first batch to prepare.</param>
    /// <param name="workers">Samples that are prepared at a time; 0 takes half the processors, 8 at most.</param>
    public BatchLoader(PairDataset data, TrainConfig config, MelNormalizer normalizer, long firstBatch, int workers = 0)
    {
        (_data, _config, _normalizer) = (data, config, normalizer);
        (_samples, _epochs) = (new StoredSample[config.BatchSize], new long[config.BatchSize]);
        _workers = new ParallelOptions { MaxDegreeOfParallelism = workers > 0 ? workers : DefaultWorkers };
        _producer = Task.Run(() => Produce(firstBatch));
    }

    /// <summary>The next batch in order; waits for it. Hand it back with <see cref="Recycle"/>.</summary>
    public Batch Next()
    {
        if (_ready.Reader.TryRead(out Batch? ready)) { return ready; }
        long start = Stopwatch.GetTimestamp();
        try
        {
            return _ready.Reader.ReadAsync().AsTask().GetAwaiter().GetResult();
        }
        catch (ChannelClosedException e) when (e.InnerException is not null)
        {
            throw e.InnerException;
        }
        finally
        {
            Waited += Stopwatch.GetElapsedTime(start);
        }
    }

    /// <summary>How long <see cref="Next"/> has waited in all: time in which the step had nothing to work on.</summary>
    public TimeSpan Waited { get; private set; }

    /// <summary>Gives a batch's memory back for another one.</summary>
    public void Recycle(Batch batch) => _used.Writer.TryWrite(batch);

    /// <summary>Fills a batch with given pairs.</summary>
    /// <param name="batch">Memory for as many samples as <paramref name="pairs"/>.</param>
    /// <param name="pairs">Indices of pairs.</param>
    /// <param name="epoch">Epoch of each, for the augmentation; null leaves the pictures as they are.</param>
    public void Fill(Batch batch, ReadOnlySpan<int> pairs, ReadOnlySpan<long> epoch)
    {
        if (batch.Labels.Length < pairs.Length) { throw new ArgumentException($"The batch has room for {batch.Labels.Length} samples, {pairs.Length} were asked for."); }
        _single ??= new StoredSample(_config);
        for (int b = 0; b < pairs.Length; b++)
        {
            (_single.Pair, _single.Loaded) = (pairs[b], false);
            Fill(batch, b, _single, epoch.IsEmpty ? null : epoch[b]);
        }
    }

    /// <summary>Memory for a batch of so many samples.</summary>
    public Batch NewBatch(int samples) => new(new float[samples * _config.Model.MelBands * _config.Model.MelFrames],
        new float[samples * 3 * _config.Model.ImageSize * _config.Model.ImageSize], new int[samples]);

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        try { _producer.Wait(); }
        catch (AggregateException) { } // Its failure has reached Next already, or nobody wants the batch any more.
        _stop.Dispose();
    }

    private async Task Produce(long number)
    {
        try
        {
            for (int b = 0; b < _samples.Length; b++) { _samples[b] = new StoredSample(_config); }
            ISampleFeed feed = _data.OpenFeed(_config, number * _samples.Length);
            while (true)
            {
                if (!_used.Reader.TryRead(out Batch? batch)) { batch = NewBatch(_config.BatchSize); }
                FillTraining(batch, feed);
                await _ready.Writer.WriteAsync(batch, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            // One file's failure is the message, not that several samples were prepared at a time.
            _ready.Writer.TryComplete(e is AggregateException { InnerExceptions: [var first, ..] } ? first : e);
        }
    }

    private void FillTraining(Batch batch, ISampleFeed feed)
    {
        for (int b = 0; b < _samples.Length; b++) { _epochs[b] = feed.Next(ref _samples[b]); }
        Parallel.For(0, _samples.Length, _workers, b => Fill(batch, b, _samples[b], _config.Augment ? _epochs[b] : null));
    }

    private void Fill(Batch batch, int b, StoredSample sample, long? epoch)
    {
        int mel = _config.Model.MelBands * _config.Model.MelFrames, image = 3 * _config.Model.ImageSize * _config.Model.ImageSize;
        if (!sample.Loaded) { _data.Load(sample); }
        _normalizer.Normalize(sample.Mel, batch.Mels.AsSpan(b * mel, mel));
        _data.WritePicture(sample, _config, epoch, batch.Images.AsSpan(b * image, image));
        (batch.Labels[b], batch.Pairs[b]) = (_data.ClassOf(sample.Pair), sample.Pair);
    }
}
