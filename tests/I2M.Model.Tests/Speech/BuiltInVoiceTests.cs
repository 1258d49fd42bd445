using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data.Drawing;
using I2M.Model.Data.Speech;
using Xunit;

namespace I2M.Model.Tests.Speech;

public class BuiltInVoiceTests
{
    private static readonly BuiltInVoice Voice = new();
    private static readonly SpeechStyle Man = new("man");

    [Fact]
    public void EveryDescriptionSoundsAndIsItsOwn()
    {
        HashSet<string> seen = [];
        foreach (string text in AnimalClass.All.SelectMany(c => c.Descriptions))
        {
            AudioClip clip = Voice.Speak(text, Man);
            Assert.Equal(24_000, clip.SampleRate);
            Assert.InRange(clip.Seconds, 0.6, 2.1);
            Assert.All(clip.Samples, s => Assert.InRange(s, -1f, 1f));
            Assert.InRange(Math.Sqrt(clip.Samples.Average(s => (double)s * s)), 0.05, 0.4);
            Assert.True(seen.Add(string.Join(',', clip.Samples.Take(20_000))), text);
        }
    }

    [Fact]
    public void VoicesDifferAndRepeat()
    {
        float[][] clips = [.. Voice.Voices.Select(v => Voice.Speak("a plump brown hen", new(v)).Samples)];
        Assert.True(clips.Length >= 4);
        for (int i = 0; i < clips.Length; i++)
        {
            Assert.Equal(clips[i], Voice.Speak("a plump brown hen", new(Voice.Voices[i])).Samples);
            for (int j = 0; j < i; j++)
                Assert.NotEqual(clips[i], clips[j]);
        }
    }

    [Fact]
    public void SpeedAndPitchAct()
    {
        double normal = Voice.Speak("a tall ostrich", Man).Seconds;
        Assert.InRange(Voice.Speak("a tall ostrich", Man with { WordsPerMinute = 350 }).Seconds, normal * 0.45, normal * 0.55);
        Assert.InRange(Period(Man with { Pitch = 99 }) / Period(Man with { Pitch = 0 }), 0.45, 0.6);
    }

    [Fact]
    public void VowelsHaveTheirFormantsAndFricativesTheirHiss()
    {
        // "see": the hiss of s lies above 5 kHz, the vowel's first formant near 270 Hz and its second near 2.3 kHz; "caw" has its second near 840 Hz.
        Assert.True(Share("s s s", 5000, 10_000) > 0.5, $"s: {Share("s s s", 5000, 10_000):P0}");
        Assert.True(Share("ee ee", 0, 500) > 0.5);
        Assert.True(Share("ee ee", 1900, 3200) > 4 * Share("oo oo", 1900, 3200), "ee has its second formant where oo has none");
    }

    [Theory]
    [InlineData("Привет")]
    [InlineData("!?")]
    public void UnreadableTextIsRefused(string text) => Assert.Contains("nothing was spoken", Assert.Throws<I2MException>(() => Voice.Speak(text, Man)).Message);

    [Theory]
    [InlineData("x")]
    [InlineData("12 hens, 3 roosters. Queue; psychology! don't hmm")]
    [InlineData("eeeeaaaaoooo bbbb ckckck tchtch")]
    public void AnyLettersAreSpoken(string text) => Assert.True(Voice.Speak(text, Man).Samples.Max(MathF.Abs) > 0.5f);

    [Fact]
    public void BestSaysWhatItIs()
    {
        ISpeechSynthesizer best = SpeechSynthesizer.Best(out string reason);
        Assert.Contains(best.Name, reason);
        Assert.NotEmpty(best.Speak("a hen", new(best.Voices[0])).Samples);
    }

    /// <summary>Pitch period in samples of a long vowel: the lag of the greatest autocorrelation.</summary>
    private static double Period(SpeechStyle style)
    {
        float[] samples = Voice.Speak("aw aw", style).Samples;
        float[] piece = samples[2400..4800];
        return Enumerable.Range(80, 320).MaxBy(lag => Enumerable.Range(0, piece.Length - lag).Sum(i => (double)piece[i] * piece[i + lag]) / (piece.Length - lag));
    }

    /// <summary>Share of the clip's energy between two frequencies, by a plain DFT every 50 Hz of its middle 2,048 samples.</summary>
    private static double Share(string text, double from, double to)
    {
        float[] samples = Voice.Speak(text, Man).Samples;
        float[] piece = samples.AsSpan(1800, 2048).ToArray();
        double[] power = [.. Enumerable.Range(1, 239).Select(k => Power(piece, 50.0 * k))];
        return power.Where((_, k) => 50.0 * (k + 1) >= from && 50.0 * (k + 1) < to).Sum() / power.Sum();
    }

    private static double Power(float[] samples, double hertz)
    {
        double re = 0, im = 0;
        for (int i = 0; i < samples.Length; i++)
        {
            double window = 0.5 - 0.5 * Math.Cos(2 * Math.PI * i / samples.Length);
            (double sin, double cos) = Math.SinCos(2 * Math.PI * hertz * i / 24_000);
            (re, im) = (re + window * samples[i] * cos, im + window * samples[i] * sin);
        }
        return re * re + im * im;
    }
}
