using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Evaluation;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Evaluation;

/// <summary>Round trips and what is said of them.</summary>
public sealed class RoundTripTests
{
    private static readonly MelSettings s_settings = new();

    [Fact]
    public void TheSameWaveIsFaithful()
    {
        float[] wave = new RandomData(1).Normal(5000, deviation: 0.1);
        using var analysis = new MelSpectrogram(Host, s_settings);
        float[] mel = analysis.Compute(wave);
        RoundTrip trip = RoundTrip.Measure(Host, s_settings, mel, wave)!;
        Assert.Empty(trip.Failures);
        Assert.Equal("faithful: MAE below 0.2, correlation above 0.99, SNR above 20 dB", trip.Verdict);
        Assert.Equal(0, trip.Metrics.MaxDifference);
    }

    [Fact]
    public void OnlyFramesThatBothHaveAreCompared()
    {
        float[] wave = new RandomData(2).Normal(5000, deviation: 0.1);
        using var analysis = new MelSpectrogram(Host, s_settings);
        RoundTrip trip = RoundTrip.Measure(Host, s_settings, analysis.Compute(wave), wave.AsSpan(0, 2560))!;
        Assert.Equal(11, trip.Frames);
        Assert.Equal(1100, trip.Again.Length);
        // All but the last frames, whose windows see the cut, agree.
        for (int b = 0; b < 100; b++) { Assert.Equal(trip.Mel[b * 11 + 3], trip.Again[b * 11 + 3], 1e-4f); }
    }

    [Fact]
    public void EveryLimitThatIsNotKeptIsNamed()
    {
        float[] first = [0, -4, -8, -4], second = [-8, -4, 0, -4];
        var bad = new RoundTrip(4, first, second, MelMetrics.Compare(first, second));
        Assert.Equal("not faithful: MAE 4.000 is not below 0.2; correlation -1.0000 is not above 0.99; SNR -1.2 dB is not above 20 dB", bad.Verdict);
        float[] silence = [-16, -16];
        var silent = new RoundTrip(2, silence, silence, MelMetrics.Compare(silence, silence));
        Assert.Equal("not faithful: the correlation is undefined, as a mel is the same everywhere", silent.Verdict);
    }

    [Fact]
    public void WhatIsTooShortIsNotMeasured() => Assert.Null(RoundTrip.Measure(Host, s_settings, new float[200], new float[256]));

    private static IBackend Host => Backends.Get("host");
}
