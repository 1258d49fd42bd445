using System.Text.Json;
using I2M.Model.Data.Speech;
using Xunit;

namespace I2M.Cli.Tests;

/// <summary>Speech is made, a vocoder trained on sounds, judged and used.</summary>
public sealed class VocoderTests(TinyData data) : IDisposable
{
    private static readonly string[] s_tiny = ["--batch", "1", "--crop", "0.2", "--dim", "16", "--layers", "1", "--validate-every", "2", "--device", "host"];
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void AVocoderIsTrainedStoppedResumedJudgedAndUsed()
    {
        string run = _scratch.File("voice"), voice = Path.Combine(run, "vocoder.safetensors");
        CliResult first = CliProcess.Run(["vocoder", "train", "--data", data.Root, "--out", run, "--steps", "4", "--stop-at", "2", .. s_tiny]).Succeeded();
        Assert.Contains("--resume", first.Out);
        CliResult second = CliProcess.Run(["vocoder", "train", "--data", data.Root, "--out", run, "--resume", "--device", "host"]).Succeeded();
        Assert.DoesNotContain("--resume", second.Out);
        Assert.Contains("held-out clips: mel MAE", second.Error);
        CliResult judged = CliProcess.Run(["vocoder", "test", "--data", data.Root, "--vocoder", voice, "--files", "1", "--seconds", "0.4", "--device", "host", "--json"]).Succeeded();
        string[] lines = judged.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.All(lines, line => Assert.True(JsonDocument.Parse(line).RootElement.GetProperty("logSpectralDistance").GetDouble() > 0));
        CliProcess.Run(["vocode", data.Sound, "--out", _scratch.File("again.wav"), "--vocoder", voice, "--device", "host"]).Succeeded();
        Assert.True(File.Exists(_scratch.File("again.wav")));
        string[] export = ["vocoder", "export", "--run", run, "--out", _scratch.File("handed.safetensors"), "--test", data.Root, "--files", "1", "--seconds", "0.4", "--note", "made by a test", "--device", "host"];
        CliProcess.Run(export).Succeeded();
        JsonElement card = JsonDocument.Parse(File.ReadAllText(_scratch.File("handed.json"))).RootElement;
        Assert.StartsWith("i2m vocoder train --data speech --out voice --steps 4 --batch 1", card.GetProperty("command").GetString());
        Assert.Equal(2, card.GetProperty("figures").GetArrayLength());
        Assert.Equal("made by a test", card.GetProperty("notes")[0].GetString());
        CliProcess.Run(export).Refused("handed.safetensors", "--force");
        CliProcess.Run("vocoder", "export", "--run", _scratch.Root, "--out", _scratch.File("x.safetensors")).Refused("no checkpoints");
    }

    [Fact]
    public void WhatCannotBeTrainedOnIsRefused()
    {
        CliProcess.Run(["vocoder", "train", "--data", _scratch.File("none"), "--out", _scratch.File("voice"), "--device", "host"]).Refused("none", "no such folder");
        CliProcess.Run(["vocoder", "test", "--data", _scratch.Root, "--device", "host"]).Refused("no sound files");
    }

    [Fact]
    public void SpeechIsMade()
    {
        Assert.SkipUnless(EspeakSynthesizer.TryFind() is not null, "espeak-ng is not installed");
        CliResult result = CliProcess.Run(["data", "speech", "--out", _scratch.File("speech"), "--minutes", "0.05", "--json"]).Succeeded();
        Assert.True(JsonDocument.Parse(result.Out).RootElement.GetProperty("seconds").GetDouble() >= 3);
        CliProcess.Run(["data", "speech", "--out", _scratch.File("speech"), "--minutes", "0.05"]).Refused("exists already");
    }
}
