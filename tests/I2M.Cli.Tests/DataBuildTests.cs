using System.Text;
using System.Text.Json;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Data.Drawing;
using I2M.Model.Data.Speech;
using I2M.Model.Images;
using I2M.Testing;
using Xunit;

namespace I2M.Cli.Tests;

/// <summary>i2m data build as a user runs it.</summary>
public sealed class DataBuildTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("i2m-data-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string File(string name) => Path.Combine(_root, name);

    private string Text(string name, string content)
    {
        System.IO.File.WriteAllText(File(name), content);
        return File(name);
    }

    private static JsonElement Build(params string[] args) => JsonDocument.Parse(CliProcess.Run(["data", "build", .. args, "--json"], timeout: TimeSpan.FromMinutes(3)).Succeeded().Out).RootElement;

    [Fact]
    public void KilledTenTimesItEndsWithTheSameBytes()
    {
        // Slow enough that a kill comes in the middle of the work.
        string voice = Text("voice.sh", $"sleep 0.2\ncp \"{Speech()}\" \"$1\"\n"), pictures = Pictures(("hen", 40), ("tench", 40));
        // The same sound whatever the text: only speed and pitch make the clips differ.
        string[] args = ["data", "build", "--images", pictures, "--voice-command", $"sh '{voice}' {{output}} {{voice}} {{text}}", "--voice-names", "a,b,c,d", "--threads", "2"];
        CliProcess.Run([.. args, "--out", File("whole")], timeout: TimeSpan.FromMinutes(2)).Succeeded();
        var random = new Random(7);
        int unfinished = 0;
        for (int i = 0; i < 10; i++)
        {
            using CliProcess process = CliProcess.Start([.. args, "--out", File("killed")]);
            Thread.Sleep(random.Next(100, 900));
            process.TrySend(CliProcess.Kill);
            process.End();
            if (!System.IO.File.Exists(File("killed/pairs.json"))) { unfinished++; }
        }
        Assert.InRange(unfinished, 3, 10);
        CliProcess.Run([.. args, "--out", File("killed")], timeout: TimeSpan.FromMinutes(2)).Succeeded();
        Assert.Equal(Contents(File("whole")), Contents(File("killed")));
    }

    [Fact]
    public void BadFilesAreNamedAndTheRestIsBuilt()
    {
        string bad = Path.Combine(SharedData.Require(), "bad_inputs");
        string mixed = File("mixed");
        foreach (string file in Directory.EnumerateFiles(bad, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(mixed, Path.GetRelativePath(bad, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            System.IO.File.Copy(file, copy);
        }
        string voice = Text("voice.sh", $"cp \"{Speech()}\" \"$1\"\n");
        CliResult result = CliProcess.Run(["data", "build", "--images", mixed, "--out", File("out"), "--voice-command", $"sh {voice} {{output}}", "--json"], timeout: TimeSpan.FromMinutes(2)).Succeeded();
        JsonElement report = JsonDocument.Parse(result.Out).RootElement;
        Assert.True(report.GetProperty("count").GetInt32() > 50);
        Assert.InRange(report.GetProperty("peakResidentBytes").GetInt64(), 0, 1L << 30);
        string[] refused = [.. result.Error.Split('\n').Where(l => l.StartsWith("refused ", StringComparison.Ordinal))];
        Assert.Equal(report.GetProperty("refused").GetInt32(), refused.Length);
        Assert.Contains(refused, l => l.Contains("truncated_image.png", StringComparison.Ordinal));
        Assert.Contains(refused, l => l.Contains("test-8000Hz-le-2ch-1byteu.wav: is a sound", StringComparison.Ordinal));
        Assert.Contains("no descriptions of", result.Error);
    }

    [Fact]
    public void OwnPairsOfAnyRateAndLengthBecomeClips()
    {
        string pictures = Pictures(("hen", 6));
        Write("long.wav", 44_100, 5);
        Write("short.wav", 8_000, 0.4);
        Write("silent.wav", 16_000, 1, 0);
        string csv = Text("mine.csv", $"\uFEFFimage,audio,class,text\r\n{pictures}/hen/0.png,long.wav,hen,\"a hen, \"\"brown\"\"\"\r\n{pictures}/hen/1.png,short.wav,hen,\r\n{pictures}/hen/2.png,silent.wav,hen,x\r\n{pictures}/hen/3.png,none.wav,hen,x\r\n{Speech()},short.wav,hen,x\r\n{pictures}/hen/4.png,short.wav,hen,\r\n");
        CliResult result = CliProcess.Run("data", "build", "--pairs", csv, "--out", File("out"), "--eval", "0.3").Succeeded();
        Assert.Equal(3, result.Error.Split('\n').Count(l => l.StartsWith("refused ", StringComparison.Ordinal)));
        Assert.Contains("silent.wav: holds nothing but silence", result.Error);
        IReadOnlyList<Pair> pairs = PairManifest.Load(File("out/pairs.json")).Pairs;
        Assert.Equal(3, pairs.Count);
        Assert.Equal(("hen", "a hen, \"brown\""), (pairs[0].Class, pairs[0].Text));
        Assert.All(pairs, p => Assert.Equal((24_000, 72_000L), (WavFile.ReadInfo(p.Audio).SampleRate, WavFile.ReadInfo(p.Audio).Frames)));
        Assert.Equal(pairs[1].Split, pairs[2].Split);
        Assert.NotEqual(pairs[0].Split, pairs[1].Split);
        CliResult strict = CliProcess.Run("data", "build", "--pairs", csv, "--out", File("out2"), "--long", "refuse", "--eval", "0").Succeeded();
        Assert.Contains("long.wav: is 5.00 s long, expected at most 3 s", strict.Error);
        // The list that was written is a list that can be read, in either form.
        JsonElement meta = JsonDocument.Parse(System.IO.File.ReadAllText(File("out/meta_file.json"))).RootElement;
        Assert.Equal(["image", "audio", "class", "text"], meta[0].EnumerateObject().Select(p => p.Name));
        Assert.Equal(("own-audio/00000.wav", "a hen, \"brown\""), (meta[0].GetProperty("audio").GetString(), meta[0].GetProperty("text").GetString()));
        Text("out/meta_sequence.json", string.Join("\n", meta.EnumerateArray().Select(e => e.GetRawText())));
        foreach (string list in new[] { "pairs.json", "meta_file.json", "meta_sequence.json" })
        {
            Assert.Equal(3, Build("--pairs", File($"out/{list}"), "--out", File($"again-{list}"), "--eval", "0").GetProperty("count").GetInt32());
        }
    }

    [Fact]
    public void AfterAListOfDeadFilesACorrectedOneNeedsNoForce()
    {
        string csv = Text("mine.csv", "image,audio\nnone.png,none.wav\n");
        Assert.Contains("no pair can be used", CliProcess.Run("data", "build", "--pairs", csv, "--out", File("out")).Error);
        string pictures = Pictures(("hen", 2));
        Text("mine.csv", $"image,audio\n{pictures}/hen/0.png,{Speech()}\n");
        CliProcess.Run("data", "build", "--pairs", csv, "--out", File("out"), "--eval", "0").Succeeded();
        Text("mine.csv", $"image,audio\n{pictures}/hen/1.png,{Speech()}\n");
        CliProcess.Run("data", "build", "--pairs", csv, "--out", File("out"), "--eval", "0").Refused("--force");
    }

    [Fact]
    public void PiperVoicesSpeak()
    {
        Assert.SkipUnless(EspeakSynthesizer.TryFind() is not null, "espeak-ng is not installed");
        System.IO.File.WriteAllBytes(File("two.onnx"), TinyOnnx.Voice(speakers: true));
        Text("two.onnx.json", TinyOnnx.Config("ann", "ben"));
        System.IO.File.WriteAllBytes(File("one.onnx"), TinyOnnx.Voice(speakers: false));
        Text("one.onnx.json", TinyOnnx.Config());
        string texts = Text("texts.json", """{"hen": ["hen", "a hen"]}""");
        string[] args = ["--images", Pictures(("hen", 12)), "--descriptions", texts, "--piper", File("two.onnx"), "--piper", File("one.onnx")];
        JsonElement report = Build([.. args, "--out", File("a")]);
        Assert.Equal((12, 3, 0), (report.GetProperty("count").GetInt32(), report.GetProperty("speakers").GetInt32(), report.GetProperty("duplicateClips").GetInt32()));
        IReadOnlyList<Pair> pairs = PairManifest.Load(File("a/pairs.json")).Pairs;
        Assert.Equal(["one", "two#ann", "two#ben"], pairs.Select(p => p.Speaker!).Distinct().Order(StringComparer.Ordinal));
        Build([.. args, "--out", File("b")]);
        Assert.Equal(Contents(File("a")), Contents(File("b")));
    }

    [Theory]
    [InlineData("{}", "phoneme", "audio: is missing")]
    [InlineData("""{"audio": {"sample_rate": 1}, "phoneme_id_map": {}}""", "x", "audio.sample_rate: 1")]
    [InlineData("""{"audio": {"sample_rate": 22050}, "phoneme_id_map": {"_": [0]}}""", "x", "phoneme_id_map: no ^")]
    [InlineData("[", "x", "no description of a Piper voice")]
    [InlineData(null, "not an onnx file", "no ONNX model")]
    [InlineData(null, "", "no ONNX model")]
    [InlineData(null, null, "no input sid")]
    public void BadPiperVoicesAreRefused(string? config, string? model, string words)
    {
        Assert.SkipUnless(EspeakSynthesizer.TryFind() is not null, "espeak-ng is not installed");
        Text("v.onnx.json", config ?? TinyOnnx.Config("ann", "ben"));
        System.IO.File.WriteAllBytes(File("v.onnx"), model is null ? TinyOnnx.Voice(speakers: false) : Encoding.UTF8.GetBytes(model));
        CliProcess.Run("data", "build", "--images", _root, "--out", File("out"), "--piper", File("v.onnx")).Refused("v.onnx", words);
        Assert.False(Directory.Exists(File("out")));
    }

    [Theory]
    [InlineData("--voice-command", "")]
    [InlineData("--voice-command", "say 'x")]
    [InlineData("--voice-command", "/nonexistent/say {text}")]
    [InlineData("--voice-command", "false {text}")]
    [InlineData("--voice-command", "cat")]
    [InlineData("--long", "maybe")]
    [InlineData("--descriptions", "/nonexistent.json")]
    [InlineData("--images", "/nonexistent")]
    [InlineData("--out", "/proc/x")]
    public void WhatCannotBeIsOneLine(string option, string value)
    {
        string[] given = option is "--images" or "--out" ? [] : [option, value];
        string voice = option == "--voice-command" ? value : $"cp '{Speech()}' {{output}}";
        CliResult result = CliProcess.Run(["data", "build", "--images", option == "--images" ? value : Pictures(("hen", 3)), "--out", option == "--out" ? value : File("out"), .. option == "--voice-command" ? [] : new[] { "--voice-command", voice }, .. given]);
        Assert.Equal(1, result.ExitCode);
        string[] lines = [.. result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => !l.StartsWith("reading ", StringComparison.Ordinal) && !l.StartsWith("speaking ", StringComparison.Ordinal))];
        Assert.StartsWith("i2m: ", Assert.Single(lines));
        Assert.DoesNotContain("unexpected ", lines[0]);
    }

    [Fact]
    public void HelpAndWrongNumbersAreThoseOfEveryVerb()
    {
        Assert.Contains("Examples:", CliProcess.Run("data", "build", "--help").Succeeded().Out);
        Assert.Contains("build", CliProcess.Run("data", "--help").Succeeded().Out);
        CliResult wrong = CliProcess.Run("data", "build", "--images", _root, "--out", File("out"), "--per-class", "-1", "--eval", "1,5", "--semitones", "13");
        Assert.Equal(2, wrong.ExitCode);
        Assert.Equal(3, wrong.Error.Split('\n').Count(l => l.Contains(": expected a ", StringComparison.Ordinal)));
        CliProcess.Run("data", "build", "--out", File("out")).Refused("--images", "--pairs");
        CliProcess.Run("data", "build", "--images", _root, "--out", File("out"), "--voice-command", "say {text}", "--min-speed", "2", "--max-speed", "1").Refused("speed 2 to 1");
    }

    [Fact]
    public void TheListTrains()
    {
        Build("--images", Pictures(("hen", 10), ("tench", 10)), "--out", File("out"), "--voice-command", $"cp '{Speech()}' {{output}}", "--eval", "0.2");
        string config = Text("tiny.json", """{"model": { "imageSize": 16, "imagePatch": 8, "melPatchBands": 20, "melPatchFrames": 40, "hidden": 16, "heads": 2, "layers": 1, "imageTowerLayers": 1 }, "batchSize": 2, "warmupSteps": 1, "validateEvery": 0}""");
        CliResult result = CliProcess.Run("train", "--data", File("out/pairs.json"), "--out", File("run"), "--config", config, "--steps", "2", "--device", "host").Succeeded();
        Assert.Contains("20 pairs, 16 to train on, 4 held out, 2 classes", result.Error);
    }

    private string Speech()
    {
        string path = File("speech.wav");
        if (!System.IO.File.Exists(path)) { WavFile.Write(path, new BuiltInVoice().Speak("a hen", new("man"))); }
        return path;
    }

    private void Write(string name, int rate, double seconds, float amplitude = 0.3f) =>
        WavFile.Write(File(name), new AudioClip([.. Enumerable.Range(0, (int)(rate * seconds)).Select(i => amplitude * MathF.Sin(2 * MathF.PI * 200 * i / rate))], rate));

    private string Pictures(params ReadOnlySpan<(string Class, int Count)> classes)
    {
        foreach (var (name, count) in classes)
        {
            for (int i = 0; i < count; i++)
            {
                string path = Path.Combine(_root, "pictures", name, $"{i}.png");
                if (!System.IO.File.Exists(path)) { PngWriter.Write(path, AnimalPainter.Paint(AnimalClass.All[i % 10], (ulong)(name[0] * 1000 + i), 64)); }
            }
        }
        return Path.Combine(_root, "pictures");
    }

    private static Dictionary<string, string> Contents(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).ToDictionary(f => Path.GetRelativePath(folder, f), Fingerprint.OfFile);
}
