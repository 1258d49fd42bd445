using System.Text.Json;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Data.Drawing;
using I2M.Model.Data.Speech;
using I2M.Model.Images;
using I2M.Testing;
using Xunit;

namespace I2M.Cli.Tests;

/// <summary>i2m data audit as a user runs it.</summary>
public sealed class DataAuditTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("i2m-audit-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string File(string name) => Path.Combine(_root, name);

    [Fact]
    public void FiguresPageAndExitCode()
    {
        string data = Data(12);
        CliResult clean = CliProcess.Run("data", "audit", data, "--input-scale", "0.1", "--strict", "--json").Succeeded();
        JsonElement report = JsonDocument.Parse(clean.Out).RootElement;
        Assert.Equal((12, 12, 0), (report.GetProperty("pairs").GetInt32(), report.GetProperty("sounds").GetInt32(), report.GetProperty("findings").GetArrayLength()));
        Assert.Equal(1000, report.GetProperty("conditioning").GetProperty("separability").GetArrayLength());
        Assert.Equal(100, report.GetProperty("mel").GetProperty("bands").GetArrayLength());
        Assert.True(System.IO.File.Exists(Path.Combine(data, "audit.html")));
        CliResult seed = CliProcess.Run("data", "audit", Path.Combine(data, "pairs.json"), "--compat", "seed", "--out", File("seed.html")).Succeeded();
        Assert.Contains("0.0% of the timesteps need the picture", seed.Out);
        Assert.Contains("found picture-hardly-needed", seed.Out);
        Assert.Contains("zero terminal SNR", seed.Out);
        Assert.Equal(1, CliProcess.Run("data", "audit", data, "--schedule", "cosine", "--zero-terminal-snr", "off", "--input-scale", "1", "--strict").ExitCode);
        CliProcess.Run("data", "audit", data, "--out", File("seed.html")).Refused("seed.html", "--force");
    }

    [Fact]
    public void BadFilesAreNamedAndTheRestIsExamined()
    {
        string[] files = [.. Directory.EnumerateFiles(Path.Combine(SharedData.Require(), "bad_inputs"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        string data = Data(2);
        IReadOnlyList<Pair> good = PairManifest.Load(Path.Combine(data, "pairs.json")).Pairs;
        // Each file once as a picture and once as a sound.
        new PairManifest(File("bad.json"), [.. good, .. files.Select(f => new Pair(f, good[0].Audio)), .. files.Select(f => new Pair(good[0].Image, f))]).Save();
        CliResult result = CliProcess.Run(["data", "audit", File("bad.json"), "--out", File("bad.html"), "--json"], timeout: TimeSpan.FromMinutes(2)).Succeeded();
        JsonElement report = JsonDocument.Parse(result.Out).RootElement;
        Assert.InRange(report.GetProperty("peakResidentBytes").GetInt64(), 0, 1L << 30);
        string[] refused = [.. result.Error.Split('\n').Where(l => l.StartsWith("refused ", StringComparison.Ordinal))];
        Assert.Equal(report.GetProperty("refused").GetArrayLength(), refused.Length);
        Assert.Equal(2 + 2 * files.Length - refused.Length, report.GetProperty("usable").GetInt32());
        Assert.InRange(refused.Length, files.Length, 2 * files.Length - 50);
        Assert.Contains(refused, l => l.Contains("truncated_image.png: ", StringComparison.Ordinal));
        Assert.Contains(refused, l => l.Contains("test-8000Hz-le-2ch-1byteu.wav: is a sound", StringComparison.Ordinal));
    }

    [Fact]
    public void InterruptedItLeavesNothing()
    {
        string data = Data(4);
        Pair pair = PairManifest.Load(Path.Combine(data, "pairs.json")).Pairs[0];
        Pair[] many = [.. Enumerable.Range(0, 3000).Select(i => pair with { Audio = Link(pair.Audio, i), AudioHash = null })];
        new PairManifest(File("many.json"), many).Save();
        using CliProcess process = CliProcess.Start(["data", "audit", File("many.json")], waitFor: "listening ");
        process.WaitForLine();
        process.Send(CliProcess.Interrupt);
        Assert.Equal(130, process.End().ExitCode);
        Assert.Empty(Directory.EnumerateFiles(_root, "audit*"));
    }

    [Fact]
    public void WhatCannotBeIsOneLine()
    {
        CliProcess.Run("data", "audit", File("none")).Refused("none", "no such file");
        CliProcess.Run("data", "audit", _root).Refused("pairs.json", "meta_file.json");
        System.IO.File.WriteAllText(File("x.json"), "[1]");
        CliProcess.Run("data", "audit", File("x.json")).Refused("entry 1");
        System.IO.File.WriteAllText(File("x.csv"), "image,audio\na.png,b.wav\n");
        CliResult none = CliProcess.Run("data", "audit", File("x.csv"));
        Assert.Equal(1, none.ExitCode);
        Assert.Contains("none of 1 pairs can be used", none.Error);
        CliProcess.Run("data", "audit", File("x.csv"), "--prediction", "epsilon").Refused("zeroTerminalSnr needs prediction");
        Assert.Equal(2, CliProcess.Run("data", "audit", _root, "--schedule", "square").ExitCode);
        Assert.Equal(2, CliProcess.Run("data", "audit").ExitCode);
        Assert.Contains("Examples:", CliProcess.Run("data", "audit", "--help").Succeeded().Out);
    }

    /// <summary>A clean data set: two classes in turn, every clip of another voice or drawing.</summary>
    private string Data(int count)
    {
        var voice = new BuiltInVoice();
        List<Pair> pairs = [];
        for (int i = 0; i < count; i++)
        {
            AnimalClass animal = AnimalClass.All[i % 2 == 0 ? 1 : 9];
            string picture = File($"data/{i}.png"), sound = File($"data/{i}.wav");
            PngWriter.Write(picture, AnimalPainter.Paint(animal, (ulong)i, 96));
            AudioClip spoken = Resampler.Resample(voice.Speak(animal.Descriptions[i / 2 % animal.Descriptions.Count], new SpeechStyle(voice.Voices[i / 2 % voice.Voices.Count], 140 + 3 * i)), 24_000);
            WavFile.Write(sound, new AudioClip([.. spoken.Samples, .. new float[2400]], 24_000));
            pairs.Add(new Pair(picture, sound, animal.Name, animal.Name, voice.Voices[i / 2 % voice.Voices.Count], Split: i >= count / 2 + count % 2 && i % 4 > 1 ? Pair.Eval : Pair.Train));
        }
        new PairManifest(File("data/pairs.json"), pairs).Save();
        return File("data");
    }

    private string Link(string target, int number)
    {
        string link = File($"link{number}.wav");
        System.IO.File.CreateSymbolicLink(link, target);
        return link;
    }
}
