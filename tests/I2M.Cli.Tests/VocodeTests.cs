using System.Text.Json;
using I2M.Model.Audio;
using I2M.Model.Io;
using I2M.Testing;
using Xunit;

namespace I2M.Cli.Tests;

/// <summary>vocode on all sorts of sounds, mels and weights.</summary>
public sealed class VocodeTests(TinyData data) : IDisposable
{
    /// <summary>A small Vocos with random weights.</summary>
    private static readonly string s_vocos = ReferenceData.Path("vocos_center");
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    private CliResult Vocode(string input, params string[] more) =>
        CliProcess.Run(["vocode", input, "--out", _scratch.File("out.wav"), "--device", "host", "--vocoder", s_vocos, .. more], timeout: TimeSpan.FromSeconds(120));

    private string Sound(string name, float[] samples, int rate = 24_000)
    {
        WavFile.Write(_scratch.File(name), new AudioClip(samples, rate), WavEncoding.Float32);
        return _scratch.File(name);
    }

    [Fact]
    public void APlotFloatsAndAVerdictAreGiven()
    {
        CliResult result = Vocode(data.Sound, "--plot", "--float", "--json").Succeeded();
        JsonElement report = JsonDocument.Parse(result.Out).RootElement;
        Assert.False(report.GetProperty("faithful").GetBoolean());
        Assert.Contains("MAE", report.GetProperty("failures")[0].GetString());
        Assert.True(report.GetProperty("realTime").GetDouble() > 0);
        Assert.Equal(_scratch.File("out.png"), report.GetProperty("plot").GetString());
        Assert.StartsWith("\u0089PNG", System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(_scratch.File("out.png")).AsSpan(0, 4)));
        Assert.Equal("Float32", WavFile.ReadInfo(_scratch.File("out.wav")).Encoding);
        Vocode(data.Sound, "--plot").Refused("out.wav", "--force");
        File.Delete(_scratch.File("out.wav"));
        Vocode(data.Sound, "--plot").Refused("out.png", "--force");
        Assert.Contains("not faithful: MAE", Vocode(data.Sound, "--plot", "--force").Succeeded().Out);
        Assert.Equal("Pcm16", WavFile.ReadInfo(_scratch.File("out.wav")).Encoding);
    }

    [Fact]
    public void GriffinLimSpeaksWhereItIsAskedFor()
    {
        string mel = _scratch.File("mel.safetensors");
        CliProcess.Run("mel", data.Sound, "--out", mel, "--frames", "40", "--device", "host").Succeeded();
        foreach (string[] words in new string[][]
        {
            ["vocode", data.Sound, "--out", _scratch.File("a.wav")],
            ["vocode", mel, "--out", _scratch.File("b.wav")],
            ["generate", "-m", data.Run, "-i", data.Picture, "-o", _scratch.File("c.wav"), "--steps", "1"],
        })
        {
            CliResult result = CliProcess.Run([.. words, "--device", "host", "--vocoder", "griffin-lim"]).Succeeded();
            Assert.Contains("voice: Griffin-Lim (60 iterations)", result.Error);
        }
        CliResult judged = CliProcess.Run(["vocoder", "test", "--data", data.Root, "--files", "1", "--seconds", "0.3", "--vocoder", "griffin-lim", "--device", "host"]).Succeeded();
        Assert.StartsWith("Griffin-Lim (60 iterations): 1 clips", Assert.Single(judged.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Fact]
    public void OtherRatesSilenceAndClippingAreHandled()
    {
        float[] tone = [.. Enumerable.Range(0, 8000).Select(i => 3 * MathF.Sin(0.1f * i))];
        Vocode(Sound("clipped.wav", tone)).Succeeded();
        foreach (int rate in new[] { 8000, 44_100, 192_000 })
        {
            JsonElement report = JsonDocument.Parse(Vocode(Sound("rate.wav", tone, rate), "--force", "--json").Succeeded().Out).RootElement;
            Assert.Equal(8000.0 / rate, report.GetProperty("seconds").GetDouble(), 0.02);
        }
        JsonElement silent = JsonDocument.Parse(Vocode(Sound("silent.wav", new float[8000]), "--force", "--json").Succeeded().Out).RootElement;
        Assert.Equal(JsonValueKind.Null, silent.GetProperty("correlation").ValueKind);
        Assert.False(silent.GetProperty("faithful").GetBoolean());
    }

    [Fact]
    public void ALoudMelIsScaledWithAWarning()
    {
        string mel = _scratch.File("mel.safetensors");
        new MelFile([.. Enumerable.Repeat(6f, 100 * 40)], 100, 40, new MelSettings()).Write(mel);
        string[] words = ["vocode", mel, "--out", _scratch.File("out.wav"), "--device", "host", "--vocoder", "griffin-lim"];
        Assert.Contains("beyond full scale: scaled by", CliProcess.Run(words).Succeeded().Error);
        Assert.InRange(WavFile.Read(_scratch.File("out.wav")).Samples.Max(MathF.Abs), 0.999f, 1f);
        Assert.Contains("beyond full scale: kept", CliProcess.Run([.. words, "--force", "--float"]).Succeeded().Error);
        Assert.True(WavFile.Read(_scratch.File("out.wav")).Samples.Max(MathF.Abs) > 1);
    }

    [Fact]
    public void SoundsThatCannotBeDecodedAreRefused()
    {
        Vocode(Sound("one.wav", [0.5f])).Refused("one.wav", "1 samples", "expected more than 512");
        byte[] bytes = File.ReadAllBytes(Sound("nan.wav", new float[2000]));
        BitConverter.GetBytes(float.NaN).CopyTo(bytes, bytes.Length - 400);
        Vocode(_scratch.File("nan.wav", bytes)).Refused("nan.wav", "not a finite number");
        Assert.False(File.Exists(_scratch.File("out.wav")));
    }

    [Fact]
    public void TenMinutesAreDecoded()
    {
        var random = new RandomData(4);
        float[] noise = random.Normal(24_000, deviation: 0.05);
        string sound = Sound("long.wav", [.. Enumerable.Repeat(noise, 600).SelectMany(n => n)]);
        JsonElement report = JsonDocument.Parse(Vocode(sound, "--json", "--plot").Succeeded().Out).RootElement;
        Assert.Equal(600, report.GetProperty("seconds").GetDouble(), 0.02);
    }

    [Fact]
    public void MelsOfAnotherKindAreRefused()
    {
        string mel = _scratch.File("mel.safetensors");
        new MelFile(new float[100 * 10], 100, 10, new MelSettings { SampleRate = 22_050 }).Write(mel);
        Vocode(mel).Refused("--vocoder", "sample rate 24000 against 22050");
        // Without a named vocoder Griffin-Lim can decode them.
        Assert.Contains("Griffin-Lim", CliProcess.Run("vocode", mel, "--out", _scratch.File("out.wav"), "--device", "host").Succeeded().Error);
    }

    [Fact]
    public void DamagedWeightsAreRefused()
    {
        string good = _scratch.File("vocos.safetensors"), bad = _scratch.File("bad.safetensors");
        CliProcess.Run("convert", s_vocos, good).Succeeded();
        byte[] bytes = File.ReadAllBytes(good);
        File.WriteAllBytes(bad, bytes[..^100]);
        string[] words = ["vocode", data.Sound, "--out", _scratch.File("out.wav"), "--device", "host", "--vocoder", bad];
        CliProcess.Run(words).Refused("bad.safetensors");
        bytes[^1000] ^= 4;
        File.WriteAllBytes(bad, bytes);
        CliProcess.Run(words).Refused("bad.safetensors", "checksum");
        string folder = Directory.CreateDirectory(_scratch.File("folder")).FullName;
        File.Copy(Path.Combine(s_vocos, "pytorch_model.bin"), Path.Combine(folder, "pytorch_model.bin"));
        words[^1] = folder;
        CliProcess.Run(words).Refused(folder, "expected a Vocos folder");
        File.WriteAllText(Path.Combine(folder, "config.yaml"), File.ReadAllText(Path.Combine(s_vocos, "config.yaml")).Replace("hop_length: 256", "hop_length: 1000"));
        CliProcess.Run(words).Refused("config.yaml", "hopLength 1000");
        File.Copy(Path.Combine(s_vocos, "config.yaml"), Path.Combine(folder, "config.yaml"), overwrite: true);
        File.WriteAllBytes(Path.Combine(folder, "pytorch_model.bin"), File.ReadAllBytes(Path.Combine(s_vocos, "pytorch_model.bin")).AsSpan(0, 50_000));
        CliProcess.Run(words).Refused("pytorch_model.bin");
        Assert.False(File.Exists(_scratch.File("out.wav")));
    }

    /// <summary>Other projects' collections of odd sound files: decoded, or refused in one line.</summary>
    [Theory]
    [InlineData("scipy-wav")]
    [InlineData("pydub")]
    public void OddFilesAreDecodedOrRefused(string collection)
    {
        string[] files = [.. Directory.GetFiles(Path.Combine(SharedData.Require(), "bad_inputs", collection)).Where(f => !f.EndsWith(".txt", StringComparison.Ordinal))];
        int refused = 0;
        foreach (string file in files)
        {
            CliResult result = Vocode(file, "--force");
            if (result.ExitCode == 0) { continue; }
            result.Refused(Path.GetFileName(file));
            refused++;
        }
        Assert.InRange(refused, 1, files.Length);
    }
}
