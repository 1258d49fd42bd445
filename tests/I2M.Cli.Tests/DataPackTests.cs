using System.Text.Json;
using Xunit;

namespace I2M.Cli.Tests;

/// <summary>i2m data pack, verify and rate, and training from what was packed, as a user runs them.</summary>
public sealed class DataPackTests(TinyData data) : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    private string Shards => _scratch.File("shards");

    private CliResult Pack(params string[] more) => CliProcess.Run(["data", "pack", data.Pairs, "--out", Shards, "--shard-size", "1", "--eval", "0.25", .. more]);

    private string[] Train(string run, params string[] more) => ["train", "--data", Shards, "--config", data.Config, "--out", _scratch.File(run), "--steps", "6", "--device", "host", .. more];

    private string FirstShard => Path.Combine(Shards, "train-00000.tar");

    [Fact]
    public void PackedPairsVerifyTrainAndResumeToTheBit()
    {
        JsonElement packed = JsonDocument.Parse(Pack("--json").Succeeded().Out).RootElement;
        Assert.Equal((4, 2), (packed.GetProperty("samples").GetInt32(), packed.GetProperty("held").GetInt32()));
        Assert.Contains("12 contents", CliProcess.Run("data", "verify", Shards).Succeeded().Out);
        Assert.Contains("without a hash", CliProcess.Run("data", "verify", data.Root).Succeeded().Out);
        CliProcess.Run(Train("whole", "--shuffle-buffer", "2", "--augment-colour", "0.3", "--augment-area", "0.5")).Succeeded();
        Assert.Contains("\"saturation\": 0.3", File.ReadAllText(_scratch.File("whole/config.json")));
        CliProcess.Run(Train("pieces", "--shuffle-buffer", "2", "--augment-colour", "0.3", "--augment-area", "0.5", "--stop-at", "4")).Succeeded();
        CliProcess.Run("train", "--data", Shards, "--out", _scratch.File("pieces"), "--device", "host", "--resume").Succeeded();
        const string last = "checkpoints/step-000006.safetensors";
        Assert.Equal(File.ReadAllBytes(_scratch.File("whole/" + last)), File.ReadAllBytes(_scratch.File("pieces/" + last)));
        JsonElement rate = JsonDocument.Parse(CliProcess.Run("data", "rate", Shards, "--image-size", "16", "--samples", "8", "--batch", "4", "--json").Succeeded().Out).RootElement;
        Assert.True(rate.GetProperty("samplesPerSecond").GetDouble() > 0);
    }

    [Fact]
    public void MelsFitTheirOwnSettingsAlone()
    {
        Pack("--sound", "mel", "--device", "host").Succeeded();
        CliProcess.Run(Train("run")).Succeeded();
        string other = _scratch.File("other.json", "{ \"mel\": { \"hopLength\": 300 } }"u8);
        CliProcess.Run("train", "--data", Shards, "--config", other, "--out", _scratch.File("no"), "--device", "host").Refused("index.jsonl", "other settings than the model's", "--sound wav");
    }

    [Fact]
    public void DamageIsNamedAndTheExitCodeSaysSo()
    {
        Pack().Succeeded();
        byte[] whole = File.ReadAllBytes(FirstShard);
        whole[600] ^= 4;
        File.WriteAllBytes(FirstShard, whole);
        CliResult damaged = CliProcess.Run("data", "verify", Shards);
        Assert.Equal(1, damaged.ExitCode);
        Assert.Contains("train-00000.tar/0000000.png: is damaged", Assert.Single(damaged.Complaints));
        Assert.Contains("1 problems", damaged.Out);
        File.WriteAllBytes(FirstShard, whole.AsSpan(0, whole.Length / 2));
        CliProcess.Run(Train("run")).Refused("train-00000.tar", "it is cut");
        Assert.Equal(1, CliProcess.Run("data", "verify", Shards).ExitCode);
        CliProcess.Run("data", "verify", _scratch.File("nowhere")).Refused("nowhere", "no such file");
        CliProcess.Run("data", "pack", data.Pairs, "--out", Shards).Refused("shards", "--force");
    }
}
