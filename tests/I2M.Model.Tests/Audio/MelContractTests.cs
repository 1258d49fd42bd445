using I2M.Model.Audio;
using Xunit;

namespace I2M.Model.Tests.Audio;

/// <summary>The mel contract, filters of other scales, and loudness.</summary>
public sealed class MelContractTests
{
    public static TheoryData<MelSettings, string> Others => new()
    {
        { new MelSettings { SampleRate = 22_050 }, "sample rate 24000 against 22050" },
        { new MelSettings { FftSize = 2048 }, "FFT size 1024 against 2048" },
        { new MelSettings { HopLength = 300 }, "hop length 256 against 300" },
        { new MelSettings { Bands = 80 }, "100 mel bands against 80" },
        { new MelSettings { Scale = MelScale.Slaney }, "mel scale Htk against Slaney" },
        { new MelSettings { AreaNormalized = true }, "area normalisation of the mel filters False against True" },
        { new MelSettings { LowFrequency = 20 }, "lowest mel frequency 0 Hz against 20 Hz" },
        { new MelSettings { HighFrequency = 8000 }, "highest mel frequency 12000 Hz against 8000 Hz" },
        { new MelSettings { Floor = 1e-5f }, "mel floor 1E-07 against 1E-05" },
    };

    [Theory, MemberData(nameof(Others))]
    public void EveryDifferenceIsNamedWithBothValues(MelSettings other, string difference)
    {
        Assert.Equal(difference, new MelSettings().DifferenceTo(other));
        Assert.Null(other.DifferenceTo(other with { }));
    }

    [Fact]
    public void PaddingAndANamedTopAreNoDifference() =>
        Assert.Null(new MelSettings().DifferenceTo(new MelSettings { Padding = FramePadding.Same, HighFrequency = 12_000 }));

    [Theory]
    [InlineData(-1, 8000.0, "lowFrequency -1")]
    [InlineData(8000, 8000.0, "lowFrequency 8000")]
    [InlineData(0, 12_001.0, "highFrequency 12001")]
    [InlineData(0, double.NaN, "highFrequency NaN")]
    public void FrequenciesAreChecked(double low, double high, string problem) =>
        Assert.StartsWith(problem, new MelSettings { LowFrequency = low, HighFrequency = high }.FindProblem());

    /// <summary>librosa.hz_to_mel's documented values, and its knee: 6.4 kHz is 27 mels above 1 kHz, which is 15.</summary>
    [Fact]
    public void SlaneysScaleMatchesLibrosa()
    {
        foreach (var (hz, mel) in new[] { (60, 0.9), (110, 1.65), (220, 3.3), (440, 6.6), (1000, 15.0), (6400, 42.0) })
        {
            Assert.Equal(mel, MelFilterBank.HzToMel(hz, MelScale.Slaney), 1e-9);
            Assert.Equal(hz, MelFilterBank.MelToHz(mel, MelScale.Slaney), 1e-9);
        }
    }

    [Fact]
    public void NormalisedFiltersHaveEqualArea()
    {
        var settings = new MelSettings { SampleRate = 22_050, FftSize = 4096, Bands = 40, Scale = MelScale.Slaney, AreaNormalized = true, LowFrequency = 60, HighFrequency = 8000 };
        float[] filters = MelFilterBank.Create(settings);
        double width = 22_050.0 / 4096;
        for (int band = 0; band < 40; band++)
        {
            double area = Enumerable.Range(0, settings.Bins).Sum(bin => filters[bin * 40 + band] * width);
            Assert.Equal(1, area, 0.01);
        }
        // Nothing below the lowest edge and above the highest.
        Assert.All(Enumerable.Range(0, (int)(60 / width)), bin => Assert.All(Enumerable.Range(0, 40), band => Assert.Equal(0, filters[bin * 40 + band])));
        Assert.All(Enumerable.Range((int)(8000 / width) + 1, 100), bin => Assert.All(Enumerable.Range(0, 40), band => Assert.Equal(0, filters[bin * 40 + band])));
    }

    [Fact]
    public void PeaksBeyondFullScaleAreScaledForIntegersAndKeptForFloats()
    {
        var loud = new AudioClip([0.5f, -2f, 1f], 24_000);
        AudioClip fitted = Loudness.Fit(loud, WavEncoding.Pcm16, out string? warning);
        Assert.Equal(-32767f / 32768, fitted.Samples[1], 1e-6f);
        Assert.Equal(0.25f, fitted.Samples[0], 1e-4f);
        Assert.Equal("peak 2.000 is beyond full scale: scaled by 0.500 to fit 16 bits (--float keeps it)", warning);
        Assert.Same(loud, Loudness.Fit(loud, WavEncoding.Float32, out warning));
        Assert.Contains("kept", warning);
        var usual = new AudioClip([0.5f, -1f], 24_000);
        Assert.Same(usual, Loudness.Fit(usual, WavEncoding.Pcm16, out warning));
        Assert.Null(warning);
        Loudness.Fit(new AudioClip(new float[100], 24_000), WavEncoding.Pcm16, out warning);
        Assert.Contains("is silent", warning);
        Assert.True(float.IsNaN(Loudness.Peak([1f, float.NaN, 0.5f])));
    }
}
