using I2M.Model.Evaluation;
using Xunit;

namespace I2M.Model.Tests.Evaluation;

/// <summary>Mel metrics against numbers worked out by hand.</summary>
public sealed class MelMetricsTests
{
    [Fact]
    public void KnownNumbers()
    {
        MelMetrics m = MelMetrics.Compare([1, 2, 3, 4], [1, 2, 3, 2]);
        Assert.Equal(0.5, m.MeanAbsoluteError, 12);
        Assert.Equal(1.0, m.MeanSquaredError, 12);
        Assert.Equal(2.0, m.MaxDifference, 12);
        Assert.Equal(10 * Math.Log10(30.0 / 4), m.SignalToNoise, 12);
        // Around the means 2.5 and 2: Σxy = 2, Σx² = 5, Σy² = 2.
        Assert.Equal(2 / Math.Sqrt(10), m.Correlation, 12);
    }

    [Fact]
    public void EqualMels()
    {
        MelMetrics m = MelMetrics.Compare([-11.5f, 2, 3], [-11.5f, 2, 3]);
        Assert.Equal((0, 0, 0, double.PositiveInfinity), (m.MeanAbsoluteError, m.MeanSquaredError, m.MaxDifference, m.SignalToNoise));
        Assert.Equal(1, m.Correlation, 12);
    }

    [Fact]
    public void AnAffineMapKeepsTheCorrelationAlsoFarFromZero()
    {
        float[] a = [1000, 1001, 1003, 1002], b = [.. a.Select(v => 2 * v - 500)];
        Assert.Equal(1, MelMetrics.Compare(a, b).Correlation, 12);
        Assert.Equal(-1, MelMetrics.Compare(a, [.. a.Select(v => -v)]).Correlation, 12);
    }

    [Fact]
    public void AConstantHasNoCorrelation() => Assert.True(double.IsNaN(MelMetrics.Compare([1, 2], [3, 3]).Correlation));

    [Fact]
    public void OtherLengthsAreRefused()
    {
        Assert.Throws<ArgumentException>(() => MelMetrics.Compare([1, 2], [1]));
        Assert.Throws<ArgumentException>(() => MelMetrics.Compare([], []));
    }
}
