using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Data.Shards;
using I2M.Model.Training;

namespace I2M.Cli.Commands;

/// <summary><c>i2m data pack</c>: a list of pairs becomes a few tars that are read from front to back.</summary>
internal static class DataPackCommand
{
    private static readonly Argument<string> Data = new("data") { Description = "pairs.json or its folder.", HelpName = "folder" };
    private static readonly Option<string> Out = new("--out", "-o") { Description = "New folder for the shards.", Required = true, HelpName = "folder" };
    private static readonly Option<int> ShardSize = CommonOptions.Integer("--shard-size", "MiB after which a shard ends.", 200, 1, 1_000_000);
    private static readonly Option<string> Sound = new("--sound") { Description = "wav (default) keeps the sounds; training computes the mels once and keeps them. mel keeps the mels instead: nothing to compute, but they fit one setting.", DefaultValueFactory = _ => "wav", HelpName = "form" };
    private static readonly Option<string?> Config = new("--config") { Description = "Settings whose mels to keep, as a run's config.json; without it the standard ones.", HelpName = "file" };
    private static readonly Option<double> Eval = CommonOptions.Number("--eval", "Share held out of a list that says no split of its own.", 0.1, 0, 0.9);
    private static readonly Option<ulong> Seed = CommonOptions.Seed("the order in the shards");
    private static readonly Option<bool> Force = new("--force") { Description = "Replace shards that lie in --out." };
    private static readonly Option<string> Device = CommonOptions.Device();
    private static readonly Option<int> Threads = CommonOptions.Threads();
    private static readonly Option<bool> Json = CommonOptions.Json();

    public static Command Create()
    {
        var command = new Command("pack", "Pack picture–speech pairs into tar shards (WebDataset naming) with an index, for training straight from them.\n\nExamples:\n  i2m data pack data --out shards\n  i2m train --data shards --out run") { Data, Out, ShardSize, Sound, Config, Eval, Seed, Force, Device, Threads, Json };
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        SoundForm sound = parse.GetValue(Sound) switch { "wav" => SoundForm.Wav, "mel" => SoundForm.Mel, var other => throw new I2MException($"--sound {other}: expected wav or mel") };
        var options = new PackOptions(parse.GetRequiredValue(Data), parse.GetRequiredValue(Out))
        {
            ShardBytes = (long)parse.GetValue(ShardSize) << 20,
            Sound = sound,
            Config = parse.GetValue(Config) is { } file ? TrainConfig.Load(file) : new TrainConfig(),
            EvalFraction = parse.GetValue(Eval),
            Seed = parse.GetValue(Seed),
            Force = parse.GetValue(Force),
        };
        using IBackend? backend = sound == SoundForm.Mel ? CommonOptions.OpenBackend(parse.GetValue(Device)!, parse.GetValue(Threads)) : null;
        using var progress = new ProgressLine();
        var clock = Stopwatch.StartNew();
        PackReport report = ShardPacker.Pack(options, backend, (done, total) => progress.Show($"packing {done}/{total} | {ProgressLine.Format(clock.Elapsed / done * (total - done))} left", done == total), cancel);
        progress.Dispose();
        double seconds = clock.Elapsed.TotalSeconds;
        Console.WriteLine(parse.GetValue(Json)
            ? JsonSerializer.Serialize(new { samples = report.Samples, held = report.Held, shards = report.Shards, bytes = report.Bytes, seconds, samplesPerSecond = report.Samples / seconds, peakResidentBytes = MemoryFacts.PeakResidentBytes() })
            : $"{report.Samples:N0} pairs ({report.Held:N0} held out) in {report.Shards} shards of {Units.Bytes(report.Bytes)} together; {Units.Seconds(seconds)}, {Units.Number(report.Samples / seconds, "F0")} pairs/s, peak memory {MemoryFacts.PeakResidentBytes() >> 20:N0} MiB\n{options.Out}");
        return Task.FromResult(0);
    }
}
