using System.Text.Json;
using I2M.Model.Audio;
using I2M.Model.Io;
using I2M.Testing;
using Xunit;

namespace I2M.Cli.Tests;

/// <summary>convert, info, mel, vocode and devices on good files.</summary>
public sealed class FilesTests(TinyData data) : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    private static JsonElement Info(string path)
    {
        CliResult result = CliProcess.Run("info", path, "--json").Succeeded();
        Assert.Empty(result.Error);
        return JsonDocument.Parse(result.Out).RootElement;
    }

    private static JsonElement Fact(JsonElement info, string name) => info.GetProperty("facts").GetProperty(name);

    [Fact]
    public void TheOriginalsWeightsSurviveBothWays()
    {
        string original = ReferenceData.Path("simpledit.pt"), ours = _scratch.File("ours.safetensors"), again = _scratch.File("again.pt");
        Assert.Equal(ours, CliProcess.Run("convert", original, ours).Succeeded().Out.TrimEnd());
        CliProcess.Run("convert", ours, again).Succeeded();
        Dictionary<string, TorchTensor> expected = State(original), actual = State(again);
        Assert.Equal(expected.Keys, actual.Keys);
        foreach (var (name, tensor) in expected)
        {
            Assert.Equal(tensor.Shape, actual[name].Shape);
            Assert.Equal(tensor.ToSingles(), actual[name].ToSingles());
        }
        CliProcess.Run("convert", original, ours).Refused(ours, "--force");
        CliProcess.Run("convert", original, ours, "--force").Succeeded();
        string[] generate = ["generate", "-m", ours, "-i", data.Picture, "-o", _scratch.File("x.wav"), "--steps", "2", "--device", "host"];
        CliProcess.Run([.. generate, "--vocoder", ReferenceData.Path("vocos_center")]).Refused("--vocoder", "100 mel bands against 20");
        CliProcess.Run(generate).Succeeded();
    }

    private static Dictionary<string, TorchTensor> State(string path)
    {
        Assert.True(((TorchDict)TorchFile.Load(path)).TryGet("model_state_dict", out TorchDict? state));
        return state.ToDictionary(e => ((TorchString)e.Key).Value, e => (TorchTensor)e.Value);
    }

    [Fact]
    public void AVocosBecomesOneFileThatSpeaksAlike()
    {
        string folder = ReferenceData.Path("vocos_center"), file = _scratch.File("vocos.safetensors"), mel = _scratch.File("mel.safetensors");
        CliProcess.Run("convert", Path.Combine(folder, "pytorch_model.bin"), file).Succeeded();
        CliProcess.Run("mel", data.Sound, "--out", mel, "--frames", "40", "--device", "host").Succeeded();
        string[] waves = [_scratch.File("a.wav"), _scratch.File("b.wav")];
        CliResult first = CliProcess.Run("vocode", mel, "--out", waves[0], "--vocoder", folder, "--device", "host").Succeeded();
        CliProcess.Run("vocode", mel, "--out", waves[1], "--vocoder", file, "--device", "host").Succeeded();
        Assert.Contains("voice: Vocos", first.Error);
        Assert.Equal(WavFile.Read(waves[0]).Samples, WavFile.Read(waves[1]).Samples);
        Assert.Equal("Vocos in one file", Info(file).GetProperty("kind").GetString());
    }

    [Fact]
    public void TheMelOfASoundIsWrittenAndPlotted()
    {
        string mel = _scratch.File("mel.safetensors"), png = _scratch.File("mel.png");
        CliProcess.Run("mel", data.Sound, "--out", mel, "--out-png", png, "--frames", "50", "--device", "host").Succeeded();
        MelFile file = MelFile.Read(mel);
        Assert.Equal((100, 50), (file.Bands, file.Frames));
        Assert.Equal(new MelSettings(), file.Settings);
        Assert.Equal("PNG picture", Info(png).GetProperty("kind").GetString());
    }

    [Fact]
    public void ARoundTripIsMeasured()
    {
        CliResult result = CliProcess.Run("vocode", data.Sound, "--out", _scratch.File("again.wav"), "--json", "--device", "host", "--vocoder", "griffin-lim").Succeeded();
        JsonElement report = JsonDocument.Parse(result.Out).RootElement;
        Assert.Contains("Griffin-Lim", report.GetProperty("voice").GetString());
        // The built-in voice pauses in digital silence, which Griffin–Lim fills with faint noise: far in logarithms.
        Assert.InRange(report.GetProperty("mae").GetDouble(), 1e-4, 1.5);
        Assert.InRange(report.GetProperty("correlation").GetDouble(), 0.9, 1);
        Assert.InRange(report.GetProperty("snr").GetDouble(), 8, 60);
    }

    [Fact]
    public void InfoKnowsARunAndACheckpoint()
    {
        foreach (string path in new[] { data.Run, data.Checkpoint })
        {
            JsonElement info = Info(path);
            Assert.Equal("ostrich", Fact(info, "classes")[1].GetString());
            Assert.Contains("of 6", Fact(info, "step").GetString());
            Assert.True(Fact(info, "parameters").GetInt64() > 1000);
        }
        Assert.Equal("I2M checkpoint", Info(data.Checkpoint).GetProperty("kind").GetString());
        Assert.Equal("training settings", Info(Path.Combine(data.Run, "config.json")).GetProperty("kind").GetString());
    }

    [Fact]
    public void InfoKnowsForeignWeights()
    {
        JsonElement torch = Info(ReferenceData.Path("simpledit.pt"));
        Assert.Contains(torch.GetProperty("entries").EnumerateArray(), e => e.GetProperty("name").GetString() == "config.num_heads" && e.GetProperty("value").GetString() == "4");
        Assert.Equal("safetensors file", Info(ReferenceData.Path("ops.safetensors")).GetProperty("kind").GetString());
        JsonElement vocos = Info(ReferenceData.Path("vocos_same"));
        Assert.Equal("Vocos folder", vocos.GetProperty("kind").GetString());
        Assert.Contains("Same padding", Fact(vocos, "mel").GetString());
    }

    [Fact]
    public void InfoKnowsPairsSoundsAndPictures()
    {
        JsonElement pairs = Info(data.Pairs);
        Assert.Equal((4, 0), (Fact(pairs, "pairs").GetInt32(), Fact(pairs, "missing files").GetInt32()));
        Assert.Equal(24000 + " Hz", Fact(Info(data.Sound), "sample rate").GetString());
        Assert.Equal("32 × 32 pixels", Fact(Info(data.Picture), "size").GetString());
    }

    [Fact]
    public void InfoPrintsAtMostFortyLines()
    {
        string path = ReferenceData.Path("simpledit.pt");
        Assert.Equal(40, CliProcess.Run("info", path).Succeeded().Out.TrimEnd().Split('\n').Length);
        Assert.True(CliProcess.Run("info", path, "--all").Succeeded().Out.Split('\n').Length > 200);
    }

    [Fact]
    public void InfoRefusesWhatItDoesNotKnow()
    {
        CliProcess.Run("info", _scratch.File("x", "hello"u8)).Refused("x", "unknown format");
        CliProcess.Run("info", _scratch.Root).Refused(_scratch.Root, "run folder");
    }

    [Fact]
    public void DevicesNamesTheHostAndTheChoiceOfAuto()
    {
        JsonElement report = JsonDocument.Parse(CliProcess.Run("devices", "--json").Succeeded().Out).RootElement;
        string?[] options = [.. report.GetProperty("devices").EnumerateArray().Select(d => d.GetProperty("option").GetString())];
        Assert.Contains("host", options);
        Assert.Contains(report.GetProperty("auto").GetString(), options);
    }
}
