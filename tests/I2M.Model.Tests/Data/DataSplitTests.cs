using CsCheck;
using I2M.Kernels;
using I2M.Model.Data;
using Xunit;

namespace I2M.Model.Tests.Data;

public class DataSplitTests
{
    private static readonly Gen<Pair[]> Lists = Gen.Int[1, 60].SelectMany(keys =>
        Gen.Select(Gen.Int[0, keys], Gen.Int[0, keys], Gen.Int[0, 3])
            .Select((image, audio, label) => new Pair($"i{image}", $"a{audio}", label == 0 ? null : $"c{label}", Speaker: $"s{audio % 5}"))
            .Array[1, 80]);

    /// <summary>The split, or null where everything hangs together.</summary>
    private static DataSplit? Split(Pair[] pairs, double fraction, ulong seed)
    {
        try
        {
            return DataSplit.Create(pairs, fraction, seed);
        }
        catch (I2MException)
        {
            return null;
        }
    }

    [Fact]
    public void NoPictureAndNoSoundIsInBothParts() =>
        Gen.Select(Lists, Gen.Double[0, 1], Gen.ULong).Sample((pairs, fraction, seed) =>
        {
            if (Split(pairs, fraction, seed) is not { } split) return true;
            var (train, eval) = (split.Train.Select(i => pairs[i]).ToList(), split.Eval.Select(i => pairs[i]).ToList());
            return !train.Select(p => p.Image).Intersect(eval.Select(p => p.Image)).Any()
                && !train.Select(p => p.Audio).Intersect(eval.Select(p => p.Audio)).Any();
        });

    [Fact]
    public void EveryPairIsInExactlyOnePartAndTheSameSeedSplitsTheSame() =>
        Gen.Select(Lists, Gen.Double[0, 1], Gen.ULong).Sample((pairs, fraction, seed) =>
        {
            if (Split(pairs, fraction, seed) is not { } split) return Split(pairs, fraction, seed) is null;
            var again = DataSplit.Create(pairs, fraction, seed);
            return split.Train.Concat(split.Eval).Order().SequenceEqual(Enumerable.Range(0, pairs.Length))
                && split.Train.SequenceEqual(again.Train) && split.Eval.SequenceEqual(again.Eval);
        });

    [Fact]
    public void EachClassGivesItsShare()
    {
        Pair[] pairs = [.. Enumerable.Range(0, 1000).Select(i => new Pair($"i{i}", $"a{i}", $"c{i % 10}"))];
        var split = DataSplit.Create(pairs, 0.1, 42);
        Assert.All(split.Eval.GroupBy(i => pairs[i].Class), c => Assert.Equal(10, c.Count()));
        Assert.Equal(100, split.Eval.Count);
        Assert.NotEqual(split.Eval, DataSplit.Create(pairs, 0.1, 43).Eval);
    }

    [Fact]
    public void SmallClassesAreOnBothSidesAndSingleOnesAreLearned()
    {
        Pair[] pairs = [new("i0", "a0", "two"), new("i1", "a1", "two"), new("i2", "a2", "one")];
        var split = DataSplit.Create(pairs, 0.1, 1);
        Assert.Single(split.Eval);
        Assert.Contains(2, split.Train);
    }

    [Fact]
    public void FractionsZeroAndOneAreEverythingAndOthersAreRefused()
    {
        Pair[] pairs = [new("i0", "a0"), new("i1", "a0")];
        Assert.Empty(DataSplit.Create(pairs, 0, 1).Eval);
        Assert.Empty(DataSplit.Create(pairs, 1, 1).Train);
        foreach (var fraction in new[] { -0.1, 1.1, double.NaN }) Assert.Throws<I2MException>(() => DataSplit.Create(pairs, fraction, 1));
        Assert.Contains("leak", Assert.Throws<I2MException>(() => DataSplit.Create(pairs, 0.5, 1)).Message);
    }

    [Fact]
    public void CopiesUnderOtherNamesAndSpeakersAreKeptTogether()
    {
        Pair[] pairs = [.. Enumerable.Range(0, 40).Select(i => new Pair($"i{i}", $"a{i}", Speaker: $"s{i % 8}"))];
        var split = DataSplit.Create(pairs, 0.25, 3, identity: path => path[0] == 'i' ? $"{int.Parse(path[1..]) / 2}" : path);
        Assert.Empty(split.Train.Select(i => i / 2).Intersect(split.Eval.Select(i => i / 2)));
        var bySpeaker = DataSplit.Create(pairs, 0.25, 3, groupBy: pair => pair.Speaker);
        Assert.Empty(bySpeaker.Train.Select(i => i % 8).Intersect(bySpeaker.Eval.Select(i => i % 8)));
        Assert.Equal(10, bySpeaker.Eval.Count);
    }

    [Fact]
    public void AListThatSaysItsSplitKeepsItUnlessItLeaks()
    {
        Pair[] pairs = [new("i0", "a0", Split: Pair.Train), new("i1", "a1", Split: Pair.Eval), new("i2", "a2", Split: Pair.Train)];
        DataSplit split = DataSplit.FromList(pairs)!;
        Assert.Equal([0, 2], split.Train);
        Assert.Equal([1], split.Eval);
        Assert.Null(DataSplit.FromList([new("i3", "a3")]));
        Assert.Contains("entry 3 (i3) says no part", Assert.Throws<I2MException>(() => DataSplit.FromList([.. pairs, new("i3", "a3")])).Message);
        Assert.Contains("i1 is in both parts", Assert.Throws<I2MException>(() => DataSplit.FromList([.. pairs, new("i1", "a3", Split: Pair.Train)])).Message);
        Assert.Contains("a1 is in both parts", Assert.Throws<I2MException>(() => DataSplit.FromList(pairs, path => path == "a1" ? "a0" : path)).Message);
        Assert.Contains("no pair", Assert.Throws<I2MException>(() => DataSplit.FromList([pairs[1]])).Message);
    }

    [Fact]
    public void AGroupThatTheListNamesStaysTogether()
    {
        Pair[] pairs = [.. Enumerable.Range(0, 40).Select(i => new Pair($"i{i}", $"a{i}", Group: $"g{i / 4}"))];
        DataSplit split = DataSplit.Create(pairs, 0.3, 7);
        Assert.NotEmpty(split.Eval);
        Assert.Empty(split.Eval.Select(i => pairs[i].Group).Intersect(split.Train.Select(i => pairs[i].Group)));
    }
}
