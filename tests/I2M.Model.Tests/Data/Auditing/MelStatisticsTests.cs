using I2M.Model.Audio;
using I2M.Model.Data.Auditing;
using I2M.Model.Training;
using Xunit;

namespace I2M.Model.Tests.Data.Auditing;

public class MelStatisticsTests
{
    private const int Bands = 6, Frames = 10, Values = Bands * Frames;

    [Fact]
    public void SumsAreThoseOfAllClipsTogether()
    {
        var random = new Random(1);
        float[][] a = Clips(random, 40, 0, 1.5), b = Clips(random, 25, 0.7, 0.8);
        MelStatistics stats = Add(a, b);
        Assert.Equal((40L, 25L), (stats.Count(0), stats.Count(1)));
        double[] meanA = MeanOf(a), meanB = MeanOf(b);
        Assert.Equal(meanA.Zip(meanB).Sum(p => Square(p.First - p.Second)), stats.MeanDistanceSquared(0, 1), 1e-3);
        Assert.Equal(a.Sum(x => x.Zip(meanA).Sum(p => Square(p.First - p.Second))) / 39, stats.Spread(0), 1e-2);
        MelNormalizer expected = MelNormalizer.Measure([.. a, .. b], Bands, 1);
        Assert.Equal(expected.Mean, stats.Mean, 1e-4);
        Assert.Equal(expected.Deviation, stats.Deviation, 1e-4);
        Assert.Equal((expected.High * expected.Deviation) + expected.Mean, stats.Highest, 1e-4);
        double[] ofBand = [.. a.Concat(b).SelectMany(x => x[Frames..(2 * Frames)]).Select(v => (double)v)];
        Assert.Equal(ofBand.Average(), stats.Band(1).Mean, 1e-4);
        Assert.Equal(Math.Sqrt(ofBand.Average(v => Square(v - ofBand.Average()))), stats.Band(1).Deviation, 1e-4);
    }

    [Fact]
    public void TheOrderOfAddingChangesNoBit()
    {
        float[][] clips = Clips(new Random(2), 60, 1, 2);
        MelStatistics first = Add(clips, []), second = new(Bands, Frames, 2, MelNormalizer.DefaultFloor);
        Parallel.ForEach(clips.Reverse(), clip => second.Add(clip, [(0, 1)]));
        Assert.Equal((first.Mean, first.Deviation, first.Spread(0), first.Band(3), first.Highest), (second.Mean, second.Deviation, second.Spread(0), second.Band(3), second.Highest));
    }

    [Fact]
    public void AClipThatSeveralPairsUseCountsForEach()
    {
        float[][] clips = Clips(new Random(3), 8, 0, 1);
        MelStatistics twice = new(Bands, Frames, 1, MelNormalizer.DefaultFloor);
        foreach (float[] clip in clips) { twice.Add(clip, [(0, 2), (-1, 1)]); }
        MelStatistics each = Add([.. clips, .. clips], []);
        Assert.Equal((16L, each.Spread(0)), (twice.Count(0), twice.Spread(0)));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.3)]
    [InlineData(2.0)]
    public void SeparabilityOfGaussiansFollowsTheClosedForm(double shift)
    {
        // Clips N(μ_c, σ²) in every value: E‖a − b‖² = n·(Δμ² + 2σ²), of the means n·Δμ².
        const double sigma = 1.2;
        const int count = 600;
        var random = new Random(4);
        TrainConfig config = TrainPresets.Get("nano");
        MelStatistics stats = Add(Clips(random, count, 0, sigma), Clips(random, count, shift, sigma));
        ConditioningReport report = ConditioningSummary.Of(config, stats, stats)!;
        double scale = config.Diffusion.InputScale / stats.Deviation, distance = scale * Math.Sqrt(Values * (shift * shift + 2 * sigma * sigma));
        Assert.Equal(stats.Deviation, Math.Sqrt(sigma * sigma + shift * shift / 4), 0.02);
        Assert.InRange(report.Distance / distance, 0.99, 1.01);
        Assert.InRange(report.ClassDistance - scale * Math.Sqrt(Values) * shift, -0.12, 0.12);
        Assert.InRange(report.ClassShare - shift * shift / (shift * shift + 2 * sigma * sigma), -0.01, 0.01);
        IReadOnlyList<double> bars = config.Diffusion.CreateSchedule().AlphaBars;
        foreach (int t in new[] { 100, 500, 900 }) { Assert.InRange(report.Curve[t] / (Math.Sqrt(bars[t] / (1 - bars[t])) * distance), 0.99, 1.01); }
        // Without a difference of the classes the ratio is 1 give or take √(2/60); with one it is 1 + n·Δμ²/(2σ²).
        if (shift == 0) { Assert.InRange(report.ClassRatio, 0.4, 1.6); }
        else { Assert.InRange(report.ClassRatio / (1 + count * shift * shift / (2 * sigma * sigma)), 0.85, 1.15); }
    }

    private static MelStatistics Add(float[][] a, float[][] b)
    {
        var stats = new MelStatistics(Bands, Frames, 2, MelNormalizer.DefaultFloor);
        foreach (float[] clip in a) { stats.Add(clip, [(0, 1)]); }
        foreach (float[] clip in b) { stats.Add(clip, [(1, 1)]); }
        return stats;
    }

    private static float[][] Clips(Random random, int count, double mean, double deviation) =>
        [.. Enumerable.Range(0, count).Select(_ => ConditioningTests.Normals(random, Values).Select(z => (float)(mean + deviation * z)).ToArray())];

    private static double[] MeanOf(float[][] clips) => [.. Enumerable.Range(0, Values).Select(i => clips.Average(c => (double)c[i]))];

    private static double Square(double x) => x * x;
}
