using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Tests.Training;
using I2M.Model.Training;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Data;

/// <summary>Batches that several threads prepare ahead of the step.</summary>
public sealed class BatchLoaderTests : IDisposable
{
    private static readonly TrainConfig s_config = TinyRun.Config with { Model = TinyRun.Config.Model with { ClassCount = 2 }, BatchSize = 3, EvalFraction = 0, Augment = true };

    private readonly TinyPairs _pairs = new();

    public void Dispose() => _pairs.Dispose();

    /// <summary>Its header was read when the data were loaded; what is behind it is wanted in the middle of an epoch.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void APictureThatBreaksInTheMiddleOfARunIsNamedInOneLine(int workers)
    {
        PairDataset data = _pairs.Load(Backends.Get("host"), s_config);
        for (int i = 0; i < 4; i++) { File.WriteAllBytes(_pairs.File($"{i}.png"), File.ReadAllBytes(_pairs.File($"{i}.png")).AsSpan(0, 60)); }
        using BatchLoader loader = Open(data, 0, workers);
        var failure = Assert.ThrowsAny<I2MException>(() => loader.Next());
        Assert.Contains(".png", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BatchesDoNotDependOnHowManyPrepareThemNorOnWhereARunBegins()
    {
        PairDataset data = _pairs.Load(Backends.Get("host"), s_config);
        using BatchLoader one = Open(data, 0, 1), many = Open(data, 0, 4), late = Open(data, 7, 3);
        for (int step = 0; step < 20; step++)
        {
            Batch expected = one.Next(), actual = many.Next();
            Equal(expected, actual);
            many.Recycle(actual);
            if (step >= 7)
            {
                Batch resumed = late.Next();
                Equal(expected, resumed);
                late.Recycle(resumed);
            }
            one.Recycle(expected);
        }
    }

    private static void Equal(Batch expected, Batch actual)
    {
        Assert.Equal(expected.Mels, actual.Mels);
        Assert.Equal(expected.Images, actual.Images);
        Assert.Equal(expected.Labels, actual.Labels);
    }

    private static BatchLoader Open(PairDataset data, long first, int workers) =>
        new(data, s_config, MelNormalizer.Measure(data.Mels, s_config.Mel.Bands, s_config.Diffusion.InputScale), first, workers);
}
