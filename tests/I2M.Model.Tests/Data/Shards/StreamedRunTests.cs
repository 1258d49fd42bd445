using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Data.Shards;
using I2M.Model.Tests.Training;
using I2M.Model.Training;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Data.Shards;

/// <summary>Training straight from shards: the order, and that nothing depends on where a run was stopped.</summary>
public sealed class StreamedRunTests : IDisposable
{
    private readonly TinyPairs _pairs = new(24);

    public void Dispose() => _pairs.Dispose();

    private static TrainConfig Config(int buffer, int batch = 2) => TinyRun.Config with
    {
        Model = TinyRun.Config.Model with { Hidden = 16, Layers = 1, ClassCount = 2 }, BatchSize = batch, Accumulation = 2, Steps = 9, SaveEvery = 3, ValidateEvery = 2, KeepCheckpoints = 10, ShuffleBuffer = buffer, EvalFraction = 0,
    };

    private PairDataset Open(TrainConfig config, SoundForm sound = SoundForm.Wav)
    {
        string folder = _pairs.File("shards-" + sound);
        if (!Directory.Exists(folder)) { ShardPacker.Pack(new PackOptions(_pairs.Root, folder) { ShardBytes = 100_000, EvalFraction = 0.1, Sound = sound }, Backends.Get("host"), cancel: TestContext.Current.CancellationToken); }
        return PairDataset.Open(Backends.Get("host"), folder, config, cancel: TestContext.Current.CancellationToken);
    }

    /// <summary>Pairs in the order of training.</summary>
    private static int[] Order(PairDataset data, TrainConfig config, long first, int count)
    {
        using BatchLoader loader = Load(data, config with { BatchSize = 1 }, first, 1);
        var order = new int[count];
        for (int i = 0; i < count; i++)
        {
            Batch batch = loader.Next();
            order[i] = batch.Pairs[0];
            loader.Recycle(batch);
        }
        return order;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(1000)]
    public void EveryEpochHasEveryPairOnceInAnOrderOfItsOwn(int buffer)
    {
        TrainConfig config = Config(buffer);
        using PairDataset data = Open(config);
        int n = data.Split.Train.Count;
        int[] order = Order(data, config, 0, 3 * n);
        for (int epoch = 0; epoch < 3; epoch++) { Assert.Equal(data.Split.Train, order.Skip(epoch * n).Take(n).Order()); }
        Assert.NotEqual(order.Take(n), order.Skip(n).Take(n));
        Assert.Equal(order, Order(data, config, 0, 3 * n));
        Assert.NotEqual(order, Order(data, config with { Seed = 2 }, 0, 3 * n));
        for (int first = 1; first < 2 * n; first++) { Assert.Equal(order.Skip(first).Take(n), Order(data, config, first, n)); }
    }

    [Fact]
    public void TheBufferMixesAsFarAsItReachesAndNoFurther()
    {
        TrainConfig config = Config(3);
        using PairDataset data = Open(config);
        int[] one = Order(data, config with { ShuffleBuffer = 1 }, 0, data.Split.Train.Count), three = Order(data, config, 0, data.Split.Train.Count);
        for (int i = 0; i < three.Length; i++) { Assert.True(Array.IndexOf(one, three[i]) < i + 3, "drawn before it was read"); }
        Assert.NotEqual(one, three);
    }

    [Fact]
    public void BatchesAreTheSameWithAndWithoutTheCacheAndWhoeverPreparesThem()
    {
        TrainConfig config = Config(6, batch: 5);
        using PairDataset plain = PairDataset.Open(Backends.Get("host"), PathOfShards(config), config, options: new DataOptions(PictureBytes: 0), cancel: TestContext.Current.CancellationToken), cached = Open(config);
        using BatchLoader one = Load(plain, config, 0, 1), many = Load(cached, config, 0, 4);
        for (int i = 0; i < 20; i++)
        {
            Batch expected = one.Next(), actual = many.Next(); // The second epoch reads what the first one cached.
            Assert.Equal(expected.Images, actual.Images);
            Assert.Equal(expected.Mels, actual.Mels);
            Assert.Equal(expected.Labels, actual.Labels);
            one.Recycle(expected);
            many.Recycle(actual);
        }
    }

    private string PathOfShards(TrainConfig config)
    {
        using PairDataset _ = Open(config);
        return _pairs.File("shards-" + SoundForm.Wav);
    }

    private static BatchLoader Load(PairDataset data, TrainConfig config, long first, int workers) => new(data, config, MelNormalizer.CompatSeed(config.Mel), first, workers);

    [Theory]
    [InlineData(SoundForm.Wav)]
    [InlineData(SoundForm.Mel)]
    public void ARunInPiecesIsEqualToTheBitToOneWithoutABreak(SoundForm sound)
    {
        TrainConfig config = Config(7);
        string whole = _pairs.File("whole"), pieces = _pairs.File("pieces");
        Train(whole, new RunOptions());
        Train(pieces, new RunOptions(StopAtStep: 4));
        Train(pieces, new RunOptions(Resume: true, StopAtStep: 7));
        Train(pieces, new RunOptions(Resume: true));
        Assert.Equal(File.ReadAllBytes(new RunFolder(whole).CheckpointPath(9)), File.ReadAllBytes(new RunFolder(pieces).CheckpointPath(9)));

        void Train(string folder, RunOptions options)
        {
            using PairDataset data = Open(config, sound);
            new TrainingRun(Backends.Get("host"), config, data, new RunFolder(folder), static _ => { }).Run(options, null, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public void OtherShardsAreNoticedAtResumption()
    {
        TrainConfig config = Config(7);
        using (PairDataset data = Open(config)) { new TrainingRun(Backends.Get("host"), config, data, new RunFolder(_pairs.File("run")), static _ => { }).Run(new RunOptions(StopAtStep: 2), null, TestContext.Current.CancellationToken); }
        ShardPacker.Pack(new PackOptions(_pairs.Root, _pairs.File("others")) { Seed = 5 }, cancel: TestContext.Current.CancellationToken);
        using PairDataset others = PairDataset.Open(Backends.Get("host"), _pairs.File("others"), config, cancel: TestContext.Current.CancellationToken);
        Assert.Contains("other data", Assert.ThrowsAny<I2MException>(() => new TrainingRun(Backends.Get("host"), config, others, new RunFolder(_pairs.File("run")), static _ => { }).Run(new RunOptions(Resume: true), null, TestContext.Current.CancellationToken)).Message);
    }
}
