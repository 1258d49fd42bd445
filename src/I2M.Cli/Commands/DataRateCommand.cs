using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Training;

namespace I2M.Cli.Commands;

/// <summary><c>i2m data rate</c>: how many samples a second training can get from a data set here.</summary>
internal static class DataRateCommand
{
    private static readonly Argument<string> Data = new("data") { Description = "A folder of shards, or pairs.json or its folder.", HelpName = "folder" };
    private static readonly Option<int> Size = CommonOptions.Integer("--image-size", "Size of the pictures that the model sees.", 224, 8, 4096);
    private static readonly Option<int> Samples = CommonOptions.Integer("--samples", "Samples to time; 0 takes an epoch.", 0, 0, 100_000_000);
    private static readonly Option<int> Batch = CommonOptions.Integer("--batch", "Samples of a batch.", 32, 1, 65_536);
    private static readonly Option<bool> NoAugment = new("--no-augment") { Description = "Leave the pictures as they are." };
    private static readonly Option<string?> Cache = CommonOptions.CacheFolder();
    private static readonly Option<double> PictureCache = CommonOptions.PictureCache();
    private static readonly Option<int> Threads = CommonOptions.Threads();
    private static readonly Option<bool> Json = CommonOptions.Json();

    public static Command Create()
    {
        var command = new Command("rate", "Time how quickly batches can be read, decoded and varied, as training does it.\n\nExample:\n  i2m data rate shards --threads 2") { Data, Size, Samples, Batch, NoAugment, Cache, PictureCache, Threads, Json };
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        TrainConfig config = TrainPresets.Get("nano");
        config = config with { BatchSize = parse.GetValue(Batch), Augment = !parse.GetValue(NoAugment), Model = config.Model with { ImageSize = parse.GetValue(Size) } };
        using IBackend backend = CommonOptions.OpenBackend("host", parse.GetValue(Threads));
        using var progress = new ProgressLine();
        var clock = Stopwatch.StartNew();
        using PairDataset data = PairDataset.Open(backend, parse.GetRequiredValue(Data), config, (done, total) => progress.Show("reading pairs", done, total), CommonOptions.DataOptions(parse.GetValue(Cache), parse.GetValue(PictureCache)), cancel);
        double opened = clock.Elapsed.TotalSeconds;
        int threads = parse.GetValue(Threads) is > 0 and var n ? n : Environment.ProcessorCount, batches = Math.Max(1, (parse.GetValue(Samples) is > 0 and var wanted ? wanted : data.Split.Train.Count) / config.BatchSize);
        using var loader = new BatchLoader(data, config, MelNormalizer.CompatSeed(config.Mel), 0, threads);
        clock.Restart();
        for (int i = 0; i < batches; i++)
        {
            cancel.ThrowIfCancellationRequested();
            loader.Recycle(loader.Next());
            progress.Show("batches", i + 1, batches);
        }
        double seconds = clock.Elapsed.TotalSeconds, rate = (double)batches * config.BatchSize / seconds;
        progress.Dispose();
        long peak = MemoryFacts.PeakResidentBytes();
        Console.WriteLine(parse.GetValue(Json)
            ? JsonSerializer.Serialize(new { pairs = data.Count, openSeconds = opened, samples = batches * config.BatchSize, seconds, samplesPerSecond = rate, threads, peakResidentBytes = peak })
            : string.Create(CultureInfo.InvariantCulture, $"{rate:F0} samples/s of {config.Model.ImageSize} px with {threads} threads ({batches * config.BatchSize} samples in {Units.Seconds(seconds)}; opened in {Units.Seconds(opened)}); peak memory {peak >> 20} MiB"));
        return Task.FromResult(0);
    }
}
