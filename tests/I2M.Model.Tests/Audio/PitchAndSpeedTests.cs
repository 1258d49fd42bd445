using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Audio;

public class PitchAndSpeedTests
{
    private const int Rate = 24_000;
    private const double MaxCents = 10, MaxSeconds = 0.010;

    public static TheoryData<double, double> Settings => new()
    {
        { 0.75, 0 }, { 0.9, 0 }, { 1.1, 0 }, { 1.35, 0 }, { 1, -4 }, { 1, -1.37 }, { 1, 0.5 }, { 1, 4 }, { 0.75, 4 }, { 1.35, -4 }, { 0.75, -4 }, { 1.35, 4 }, { 1.017, 2.71 },
    };

    [Theory]
    [MemberData(nameof(Settings))]
    public void SinesKeepTheirPitchAndGetTheirLength(double speed, double semitones)
    {
        foreach (double frequency in new[] { 90.0, 137.3, 220, 440, 1000.7, 2500 })
        {
            Check(Tone(2, t => 0.5 * Math.Sin(2 * Math.PI * frequency * t)), frequency, speed, semitones);
        }
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void VoicesKeepTheirPitchAndGetTheirLength(double speed, double semitones)
    {
        // Pulses through two resonances: the harmonics of a vowel.
        foreach (double frequency in new[] { 85.0, 121.7, 210, 290 })
        {
            Check(Tone(2, t => Enumerable.Range(1, 12).Sum(h => Formant(h * frequency) * Math.Cos(2 * Math.PI * h * frequency * t + h * h))), frequency, speed, semitones);
        }
    }

    [Fact]
    public void RealSpeechKeepsItsEnergyAndItsPitch()
    {
        AudioClip speech = AudioLoader.Load(Path.Combine(SharedData.Require(), "fixtures", "librispeech_1272_24k_f32.wav"));
        double power = Power(speech);
        foreach (var row in Settings)
        {
            (double speed, double semitones) = row.Data;
            AudioClip changed = PitchShift.Apply(speech, speed, semitones);
            Assert.Equal((int)Math.Round(speech.Samples.Length / speed), changed.Samples.Length);
            Assert.All(changed.Samples, s => Assert.True(float.IsFinite(s)));
            Assert.InRange(10 * Math.Log10(Power(changed) / power), -1, 1);
            Assert.InRange(changed.Samples.Max(MathF.Abs), 0, 1.3f * speech.Samples.Max(MathF.Abs));
        }
    }

    [Fact]
    public void EventsStayWhereTheyBelong()
    {
        // Two bursts of noise one second apart: 0.5 s and 1.5 s.
        var random = new Random(3);
        AudioClip clip = Tone(2, t => Math.Abs(t - 0.5) < 0.01 || Math.Abs(t - 1.5) < 0.01 ? random.NextDouble() - 0.5 : 0);
        foreach (var row in Settings)
        {
            (double speed, double semitones) = row.Data;
            float[] y = PitchShift.Apply(clip, speed, semitones).Samples;
            Assert.InRange(Centre(y, 0, y.Length / 2) - 0.5 / speed, -0.02, 0.02);
            Assert.InRange(Centre(y, y.Length / 2, y.Length) - 1.5 / speed, -0.02, 0.02);
        }
    }

    [Fact]
    public void ReversalsComeBack()
    {
        AudioClip clip = Tone(1, t => Math.Sin(2 * Math.PI * 150 * t) * Math.Exp(-2 * t));
        Assert.Same(clip.Samples, PitchShift.Apply(clip, 1, 0).Samples);
        AudioClip back = PitchShift.Shift(PitchShift.Shift(clip, 3), -3);
        Assert.Equal(clip.Samples.Length, back.Samples.Length);
        Assert.InRange(10 * Math.Log10(Power(back) / Power(clip)), -0.5, 0.5);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(700)]
    public void ShortAndSilentClipsAreFine(int samples)
    {
        var clip = new AudioClip(new float[samples], Rate);
        Assert.All(PitchShift.Apply(clip, 0.8, 2).Samples, s => Assert.Equal(0, s));
    }

    [Theory]
    [InlineData(double.NaN, 0, "speed")]
    [InlineData(0, 0, "speed")]
    [InlineData(9, 0, "speed")]
    [InlineData(1, 25, "pitch")]
    [InlineData(1, double.NaN, "pitch")]
    public void ImpossibleSettingsAreNamed(double speed, double semitones, string field) =>
        Assert.Contains(field, Assert.Throws<I2MException>(() => PitchShift.Apply(Tone(1, t => t), speed, semitones)).Message);

    private static void Check(AudioClip clip, double frequency, double speed, double semitones)
    {
        AudioClip changed = PitchShift.Apply(clip, speed, semitones);
        Assert.InRange(changed.Seconds - clip.Seconds / speed, -MaxSeconds, MaxSeconds);
        Assert.All(changed.Samples, s => Assert.True(float.IsFinite(s)));
        double expected = frequency * Math.Pow(2, semitones / 12), cents = 1200 * Math.Log2(Pitch(changed.Samples, expected) / expected);
        Assert.True(Math.Abs(cents) <= MaxCents, $"{frequency} Hz, speed {speed}, {semitones} semitones: {cents:F1} cents off");
        Assert.InRange(10 * Math.Log10(Power(changed) / Power(clip)), -1, 1);
    }

    /// <summary>The peak of the long-term spectrum within ±40 cents of a frequency, in steps of 2 cents, from a Hann-windowed Fourier sum.</summary>
    private static double Pitch(float[] samples, double near)
    {
        var (best, most) = (0.0, 0.0);
        for (double cents = -40; cents <= 40; cents += 2)
        {
            double f = near * Math.Pow(2, cents / 1200), re = 0, im = 0;
            var step = System.Numerics.Complex.FromPolarCoordinates(1, -2 * Math.PI * f / Rate);
            System.Numerics.Complex turn = 1;
            for (int i = 0; i < samples.Length; i++, turn *= step)
            {
                double s = samples[i] * (0.5 - 0.5 * Math.Cos(2 * Math.PI * i / samples.Length));
                re += s * turn.Real;
                im += s * turn.Imaginary;
            }
            if (re * re + im * im > most) { (best, most) = (f, re * re + im * im); }
        }
        return best;
    }

    private static double Formant(double f) => 0.2 / (1 + Math.Pow((f - 600) / 200, 2)) + 0.1 / (1 + Math.Pow((f - 1700) / 300, 2)) + 0.01;

    private static AudioClip Tone(double seconds, Func<double, double> wave) => new([.. Enumerable.Range(0, (int)(seconds * Rate)).Select(i => (float)wave((double)i / Rate))], Rate);

    private static double Power(AudioClip clip) => clip.Samples.Average(s => (double)s * s);

    private static double Centre(float[] y, int from, int to)
    {
        double weight = 0, sum = 0;
        for (int i = from; i < to; i++) { weight += (double)y[i] * y[i]; sum += (double)y[i] * y[i] * i; }
        return sum / weight / Rate;
    }
}
