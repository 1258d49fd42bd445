using System.Diagnostics;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data.Drawing;
using I2M.Model.Data.Speech;
using I2M.Model.Tests.Plots;
using Xunit;

namespace I2M.Model.Tests.Speech;

public class EspeakSynthesizerTests
{
    private static readonly SpeechStyle Plain = new("en-us");

    [Fact]
    public void EveryDescriptionIsShort()
    {
        EspeakSynthesizer espeak = Require();
        foreach (string text in AnimalClass.All.SelectMany(c => c.Descriptions))
        {
            AudioClip clip = espeak.Speak(text, Plain);
            Assert.Equal(22_050, clip.SampleRate);
            Assert.InRange(clip.Seconds, 0.6, 2.0);
            Assert.InRange(clip.Samples.Max(MathF.Abs), 0.1f, 1f);
        }
    }

    [Fact]
    public void EveryVoiceIsItsOwn()
    {
        EspeakSynthesizer espeak = Require();
        Assert.InRange(espeak.Voices.Count, 20, 100);
        HashSet<double> energies = [];
        foreach (string voice in espeak.Voices)
            Assert.True(energies.Add(espeak.Speak("a hammerhead shark", new(voice)).Samples.Sum(s => (double)s * s)), $"{voice} sounds like another voice");
    }

    [Fact]
    public void StyleChangesTheClip()
    {
        EspeakSynthesizer espeak = Require();
        AudioClip normal = espeak.Speak("a tall ostrich", Plain);
        Assert.Equal(normal.Samples, espeak.Speak("a tall ostrich", Plain).Samples);
        Assert.True(espeak.Speak("a tall ostrich", Plain with { WordsPerMinute = 300 }).Seconds < normal.Seconds * 0.8);
        Assert.NotEqual(normal.Samples, espeak.Speak("a tall ostrich", Plain with { Pitch = 90 }).Samples);
    }

    [Theory]
    [InlineData("\"quotes\" and 'more' $(touch /tmp/i2m-injected); `true`")]
    [InlineData("-leading dash")]
    [InlineData("--version")]
    [InlineData("<speak><voice name='x'>ssml</voice></speak>")]
    [InlineData("Привет, мир")]
    [InlineData("null \0 and [[hhehlp]] phonemes")]
    public void HostileTextIsOnlySpoken(string text)
    {
        Assert.True(Require().Speak(text, Plain).Seconds > 0.2);
        Assert.False(File.Exists("/tmp/i2m-injected"));
    }

    [Fact]
    public void LongTextDoesNotStall() =>
        Assert.True(Require().Speak(string.Concat(Enumerable.Repeat("a hen. ", 1400)), Plain with { WordsPerMinute = 450 }).Seconds > 100);

    [Theory]
    [InlineData("", 175, 50, "en-us", "text")]
    [InlineData(" \n", 175, 50, "en-us", "text")]
    [InlineData("hen", 0, 50, "en-us", "words per minute")]
    [InlineData("hen", 175, 999, "en-us", "pitch")]
    [InlineData("hen", 175, 50, "en-us+zzz", "voice")]
    public void ImpossibleRequestsAreNamed(string text, int speed, int pitch, string voice, string field)
    {
        EspeakSynthesizer never = new("/nonexistent/espeak-ng");
        Assert.Contains(field, Assert.Throws<I2MException>(() => never.Speak(text, new(voice, speed, pitch))).Message);
        Assert.Contains(field, Assert.Throws<I2MException>(() => new BuiltInVoice().Speak(text, new(voice == "en-us" ? "man" : voice, speed, pitch))).Message);
    }

    [Fact]
    public void TooLongTextIsRefused() =>
        Assert.Contains("10001 characters", Assert.Throws<I2MException>(() => new EspeakSynthesizer("/nonexistent").Speak(new string('a', 10_001), Plain)).Message);

    [Fact]
    public void AbsentProgramIsNamed()
    {
        string message = Assert.Throws<I2MException>(() => new EspeakSynthesizer("/nonexistent/espeak-ng").Speak("hen", Plain)).Message;
        Assert.Contains("/nonexistent/espeak-ng", message);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("echo 'first line' >&2; echo second >&2; exit 3", "exit code 3: first line")]
    [InlineData("exec cat", "broken WAV")]
    [InlineData("exit 0", "broken WAV")]
    [InlineData("head -c 100 /dev/zero", "broken WAV")]
    [InlineData("printf 'RIFF$\\360\\377\\177WAVEfmt \\020\\000\\000\\000\\001\\000\\002\\000\"V\\000\\000D\\254\\000\\000\\002\\000\\020\\000data\\000\\360\\377\\177ab'", "2 channels")]
    [InlineData("printf 'RIFF$\\360\\377\\177WAVEfmt \\020\\000\\000\\000\\001\\000\\001\\000\"V\\000\\000D\\254\\000\\000\\002\\000\\020\\000data\\000\\360\\377\\177'", "nothing was spoken")]
    public void FailingProgramsAreReported(string script, string expected)
    {
        using ScratchFolder folder = new();
        Assert.Contains(expected, Assert.Throws<I2MException>(() => Fake(folder, script, 20).Speak("hen", Plain)).Message);
    }

    [Fact]
    public void ProgramThatNeverReadsIsReportedByItsExitCode()
    {
        using ScratchFolder folder = new();
        string text = string.Concat(Enumerable.Repeat("ящур ", 2000));
        Assert.Contains("exit code 4", Assert.Throws<I2MException>(() => Fake(folder, "exec 0<&-; sleep 0.2; exit 4", 20).Speak(text, Plain)).Message);
    }

    [Fact]
    public void HangingProgramIsKilled()
    {
        using ScratchFolder folder = new();
        EspeakSynthesizer hangs = Fake(folder, "echo $$ > \"$(dirname \"$0\")/pid\"; exec sleep 60", 1);
        Stopwatch watch = Stopwatch.StartNew();
        Assert.Contains("within 1 s", Assert.Throws<I2MException>(() => hangs.Speak("hen", Plain)).Message);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0.9, 15);
        int id = int.Parse(File.ReadAllText(folder["pid"]));
        Assert.True(SpinWait.SpinUntil(() => !Directory.Exists($"/proc/{id}") || File.ReadAllText($"/proc/{id}/stat").Contains(") Z"), 5000), "the child lives on");
    }

    private static EspeakSynthesizer Fake(ScratchFolder folder, string script, int seconds)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the fake programs are shell scripts");
        File.WriteAllText(folder["espeak-ng"], $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder["espeak-ng"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return new(folder["espeak-ng"], TimeSpan.FromSeconds(seconds));
    }

    /// <summary>espeak-ng, or a skip; where CI=true its absence is a failure.</summary>
    private static EspeakSynthesizer Require()
    {
        EspeakSynthesizer? found = EspeakSynthesizer.TryFind();
        if (Environment.GetEnvironmentVariable("CI") == "true")
            Assert.True(found is not null, "espeak-ng is missing on CI: install the package espeak-ng");
        Assert.SkipUnless(found is not null, "espeak-ng is not installed");
        return found!;
    }
}
