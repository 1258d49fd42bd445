using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Io;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Audio;

public class ResamplerTests
{
    [Theory]
    [InlineData(16000)]
    [InlineData(22050)]
    [InlineData(44100)]
    [InlineData(48000)]
    public void EqualsTorchaudio(int rate)
    {
        using var reference = SafetensorsFile.Open(ReferenceData.Path("audio.safetensors"));
        var input = reference.ReadSingles($"resample_{rate}_24000.in");
        var expected = reference.ReadDoubles($"resample_{rate}_24000.out");
        var actual = Resampler.Resample(new AudioClip(input, rate), 24000);
        Assert.Equal(24000, actual.SampleRate);
        Assert.Equal(expected.Length, actual.Samples.Length);
        var error = Math.Sqrt(expected.Zip(actual.Samples, (e, a) => (a - e) * (a - e)).Sum() / expected.Sum(e => e * e));
        TestContext.Current.TestOutputHelper?.WriteLine($"{rate} Hz to 24000 Hz: relative error {error:E2}");
        Assert.True(error < 1e-7, $"relative error {error:E2}");
    }

    [Fact]
    public void TheSameRateGivesTheSameClip()
    {
        var clip = new AudioClip([1, 2, 3], 24000);
        Assert.Same(clip, Resampler.Resample(clip, 24000));
    }

    [Theory]
    [InlineData(1, 44101)]
    [InlineData(5, 8000)]
    [InlineData(24_001, 767_999)]
    [InlineData(3000, 11025)]
    public void LengthIsTheCeilingOfTheRatio(int length, int rate)
    {
        var result = Resampler.Resample(new AudioClip(new float[length], rate), 24000);
        Assert.Equal((length * 24000L + rate - 1) / rate, result.Samples.Length);
        Assert.All(result.Samples, s => Assert.Equal(0, s));
    }

    [Theory]
    [InlineData(8000)]
    [InlineData(44100)]
    [InlineData(44101)]
    [InlineData(192000)]
    public void ASineStaysThatSine(int rate)
    {
        float[] input = [.. Enumerable.Range(0, rate).Select(i => (float)Math.Sin(2 * Math.PI * 440 * i / rate))];
        var output = Resampler.Resample(new AudioClip(input, rate), 24000).Samples;
        for (var j = 1000; j < 23000; j++) // away from the ends, where the filter sees the silence outside
            Assert.Equal(Math.Sin(2 * Math.PI * 440 * j / 24000), output[j], 5e-3);
    }

    [Fact]
    public void RatesMustBePositive() =>
        Assert.Throws<I2MException>(() => Resampler.Resample(new AudioClip([1], 0), 24000));
}
