using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using I2M.Autograd;
using I2M.Kernels;
using I2M.Model.Data;
using I2M.Model.Diffusion;
using I2M.Model.Dit;
using I2M.Model.Training;

namespace I2M.Cli.Commands;

/// <summary><c>i2m train</c>: picture–speech pairs in, a run folder with checkpoints, log and loss curve out.</summary>
internal static class TrainCommand
{
    private static readonly Option<string> Data = new("--data") { Description = "pairs.json: a list of {\"image\", \"audio\"} with optional class, text, speaker, augmentation; its folder; or a folder of shards (i2m data pack).", Required = true, HelpName = "path" };
    private static readonly Option<string> Out = new("--out", "-o") { Description = "Folder of the run.", Required = true, HelpName = "folder" };
    private static readonly Option<string?> Preset = new("--preset") { Description = $"Size of the model: {string.Join(", ", DitPresets.Names)} (default nano).", HelpName = "name" };
    private static readonly Option<string?> Config = new("--config") { Description = "JSON file of settings, as a run's config.json; options override it.", HelpName = "file" };
    private static readonly Option<string?> Compat = new("--compat") { Description = "seed: the original Python program's model, objective and optimiser settings.", HelpName = "mode" };
    private static readonly Option<bool> Resume = new("--resume") { Description = "Continue from the newest whole checkpoint in --out, to the bit as if never stopped." };
    private static readonly Option<bool> AllowDataChange = new("--allow-data-change") { Description = "Resume although the pairs differ from those before." };
    private static readonly Option<int?> Steps = CommonOptions.OptionalInteger("--steps", "Optimiser steps in all.", 1, 100_000_000);
    private static readonly Option<int?> Epochs = CommonOptions.OptionalInteger("--epochs", "Passes over the training pairs, instead of --steps.", 1, 1_000_000);
    private static readonly Option<int?> StopAt = CommonOptions.OptionalInteger("--stop-at", "Save and stop after this step; --resume goes on.", 1, 100_000_000);
    private static readonly Option<double?> Minutes = CommonOptions.OptionalNumber("--minutes", "Save and stop after so many minutes; --resume goes on.", 0.01, 1e6);
    private static readonly Option<int?> Batch = CommonOptions.OptionalInteger("--batch", "Samples per step (and part of an accumulation).", 1, 65_536);
    private static readonly Option<int?> Accumulate = CommonOptions.OptionalInteger("--accumulate", "Batches whose gradients are added before a step.", 1, 65_536);
    private static readonly Option<double?> Rate = CommonOptions.OptionalNumber("--lr", "Learning rate after the warm-up.", 1e-9, 0.999);
    private static readonly Option<int?> Warmup = CommonOptions.OptionalInteger("--warmup", "Steps of linear warm-up.", 0, 100_000_000);
    private static readonly Option<double?> Eval = CommonOptions.OptionalNumber("--eval", "Share of the pairs held out for validation; a list that says its own split (i2m data build) keeps it.", 0, 0.9);
    private static readonly Option<int?> SaveEvery = CommonOptions.OptionalInteger("--save-every", "Steps between two checkpoints.", 1, 100_000_000);
    private static readonly Option<bool> NoAugment = new("--no-augment") { Description = "Do not vary the training pictures." };
    private static readonly Option<double?> MinArea = CommonOptions.OptionalNumber("--augment-area", "Smallest share of a picture's area that a random crop keeps; 1 does not crop (default 0.6).", 0.01, 1);
    private static readonly Option<double?> Aspect = CommonOptions.OptionalNumber("--augment-aspect", "Widest crop, width over height; its inverse is the narrowest (default 1.33).", 1, 10);
    private static readonly Option<double?> Flip = CommonOptions.OptionalNumber("--augment-flip", "Share of pictures mirrored left to right (default 0.5).", 0, 1);
    private static readonly Option<double?> Light = CommonOptions.OptionalNumber("--augment-light", "Brightness and contrast vary by up to this share (default 0.2).", 0, 1);
    private static readonly Option<double?> Colour = CommonOptions.OptionalNumber("--augment-colour", "Colourfulness varies by up to this share (default 0).", 0, 1);
    private static readonly Option<int?> ShuffleBuffer = CommonOptions.OptionalInteger("--shuffle-buffer", "Samples held in memory to mix what is read from shards (default 256).", 1, 1_000_000);
    private static readonly Option<string?> Cache = CommonOptions.CacheFolder();
    private static readonly Option<double> PictureCache = CommonOptions.PictureCache();
    private static readonly Option<bool> Recompute = new("--recompute") { Description = "Save memory: compute each block again in the backward pass; about a third slower, the same numbers." };
    private static readonly Option<string?> Precision = CommonOptions.Precision();
    private static readonly Option<ulong?> Seed = CommonOptions.OptionalSeed("weights, order and noise");
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Tell what the run would take, as i2m estimate does, make one step and save nothing." };
    private static readonly Option<bool> Profile = new("--profile") { Description = "Instead of training, time every operation of some steps: prints a table, writes trace.json (chrome://tracing, ui.perfetto.dev) into --out and saves nothing else. Timing serialises on devices without events." };
    private static readonly Option<string> Device = CommonOptions.Device();
    private static readonly Option<int> Threads = CommonOptions.Threads();
    private static readonly Option<bool> Json = CommonOptions.Json();

    public static Command Create()
    {
        var command = new Command("train", "Train a model on picture–speech pairs.\n\nExamples:\n  i2m train --data pairs.json --out run --preset micro --epochs 50\n  i2m train --data pairs.json --out run --resume")
        {
            Data, Out, Preset, Config, Compat, Resume, AllowDataChange, Steps, Epochs, StopAt, Minutes, Batch, Accumulate, Rate, Warmup, Eval, SaveEvery, NoAugment, MinArea, Aspect, Flip, Light, Colour, ShuffleBuffer, Cache, PictureCache, Recompute, Precision, Seed, DryRun, Profile, Device, Threads, Json,
        };
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        var folder = new RunFolder(parse.GetRequiredValue(Out));
        TrainConfig config = Configure(parse, folder);
        using IBackend backend = CommonOptions.OpenBackend(parse.GetValue(Device)!, parse.GetValue(Threads));
        CommonOptions.NotePrecision(config.Precision, backend);
        using var progress = new ProgressLine();
        using PairDataset data = PairDataset.Open(backend, parse.GetRequiredValue(Data), config, (done, total) => progress.Show("reading pairs", done, total), CommonOptions.DataOptions(parse.GetValue(Cache), parse.GetValue(PictureCache)), cancel);
        config = Complete(config, parse, data);
        // The buffers of mel extraction fit nothing in training.
        backend.Pool.Trim();
        backend.Pool.ResetPeaks();
        Print(config, data, progress);
        if (parse.GetValue(DryRun)) { return Task.FromResult(TrialCommand.DryRun(backend, config, data, parse.GetValue(Json), progress, cancel)); }
        if (parse.GetValue(Profile)) { return Task.FromResult(TrialCommand.Profile(backend, config, data, folder, parse.GetValue(Json), progress, cancel)); }
        double? minutes = parse.GetValue(Minutes);
        var options = new RunOptions(parse.GetValue(Resume), minutes is { } m ? TimeSpan.FromMinutes(m) : null, parse.GetValue(StopAt), parse.GetValue(AllowDataChange));
        RunResult result = new TrainingRun(backend, config, data, folder, progress.Say).Run(options, progress.Show, cancel);
        progress.Dispose();
        Report(parse.GetValue(Json), result, backend);
        return Task.FromResult(cancel.IsCancellationRequested ? CommandRunner.Interrupted : 0);
    }

    private static TrainConfig Configure(ParseResult parse, RunFolder folder)
    {
        bool resuming = parse.GetValue(Resume) && File.Exists(folder.ConfigPath);
        string? compat = parse.GetValue(Compat);
        if (compat is not null and not "seed") { throw new I2MException($"--compat {compat}: expected seed"); }
        string? file = parse.GetValue(Config) ?? (resuming ? folder.ConfigPath : null);
        TrainConfig config = file is not null ? TrainConfig.Load(file) : TrainPresets.Get(parse.GetValue(Preset) ?? "nano", compat is not null);
        if (file is not null && compat is not null && !config.Model.CompatSeed) { throw new I2MException($"--compat seed: {file} holds this program's own settings: expected model.compatSeed true, or no --config"); }
        if (file is not null && parse.GetValue(Preset) is { } preset) { config = config with { Model = DitPresets.Get(preset, compat is not null) }; }
        return (config with
        {
            BatchSize = parse.GetValue(Batch) ?? config.BatchSize,
            Accumulation = parse.GetValue(Accumulate) ?? config.Accumulation,
            Steps = parse.GetValue(Steps) ?? config.Steps,
            LearningRate = parse.GetValue(Rate) ?? config.LearningRate,
            FinalLearningRate = Math.Min(config.FinalLearningRate, parse.GetValue(Rate) ?? config.LearningRate),
            WarmupSteps = parse.GetValue(Warmup) ?? config.WarmupSteps,
            EvalFraction = parse.GetValue(Eval) ?? config.EvalFraction,
            SaveEvery = parse.GetValue(SaveEvery) ?? config.SaveEvery,
            Augment = config.Augment && !parse.GetValue(NoAugment),
            Augmentation = config.Augmentation with
            {
                MinArea = parse.GetValue(MinArea) ?? config.Augmentation.MinArea,
                MaxAspect = parse.GetValue(Aspect) ?? config.Augmentation.MaxAspect,
                FlipProbability = parse.GetValue(Flip) ?? config.Augmentation.FlipProbability,
                Brightness = parse.GetValue(Light) ?? config.Augmentation.Brightness,
                Contrast = parse.GetValue(Light) ?? config.Augmentation.Contrast,
                Saturation = parse.GetValue(Colour) ?? config.Augmentation.Saturation,
            },
            ShuffleBuffer = parse.GetValue(ShuffleBuffer) ?? config.ShuffleBuffer,
            Recompute = config.Recompute || parse.GetValue(Recompute),
            Precision = CommonOptions.PrecisionOf(parse.GetValue(Precision)) ?? config.Precision,
            Seed = parse.GetValue(Seed) ?? config.Seed,
        }).Validated();
    }

    /// <summary>What depends on the data: steps of so many epochs, the number of classes.</summary>
    private static TrainConfig Complete(TrainConfig config, ParseResult parse, PairDataset data)
    {
        if (parse.GetValue(Epochs) is { } epochs)
        {
            long samples = (long)epochs * data.Split.Train.Count;
            config = config with { Steps = (int)Math.Max(1, samples / ((long)config.BatchSize * config.Accumulation)) };
        }
        return config.Model.CompatSeed ? config : config with { Model = config.Model with { ClassCount = data.Classes.Count > 1 ? data.Classes.Count : 0 } };
    }

    private static void Print(TrainConfig config, PairDataset data, ProgressLine progress)
    {
        DitConfig m = config.Model;
        progress.Say($"data: {data.Count} pairs, {data.Split.Train.Count} to train on, {data.Split.Eval.Count} held out, {data.Classes.Count} classes");
        progress.Say($"model: {DitModel.Create(m).ParameterCount:N0} parameters, {m.Layers} blocks of {m.Hidden}, {m.MelTokens} mel tokens, {m.ImageTokens} image tokens ({m.ImageSize} px){(m.CompatSeed ? ", compat seed" : "")}");
        progress.Say(string.Create(CultureInfo.InvariantCulture, $"objective: {config.Diffusion.Prediction}, {config.Diffusion.Schedule}{(config.Diffusion.ZeroTerminalSnr ? " with zero terminal SNR" : "")}, input scale {config.Diffusion.InputScale}; {config.Steps} steps of {config.BatchSize}×{config.Accumulation}, lr {config.LearningRate}, {config.Precision.Name()}"));
    }

    private static void Report(bool json, RunResult result, IBackend backend)
    {
        long rss = MemoryFacts.PeakResidentBytes();
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { checkpoint = result.Checkpoint, firstLoss = CommonOptions.Finite(result.FirstLoss), lastLoss = CommonOptions.Finite(result.LastLoss), finished = result.Finished, peakResidentBytes = rss, peakDeviceBytes = backend.Pool.PeakDeviceBytes }));
            return;
        }
        string loss = double.IsNaN(result.FirstLoss) ? "no step was due" : string.Create(CultureInfo.InvariantCulture, $"loss {result.FirstLoss:F4} at the start, {result.LastLoss:F4} at the end");
        Console.WriteLine(loss);
        Console.WriteLine($"peak memory: {rss >> 20:N0} MiB resident, {backend.Pool.PeakDeviceBytes >> 20:N0} MiB of {backend.Name} buffers");
        Console.WriteLine(result.Finished ? $"saved {result.Checkpoint}" : $"saved {result.Checkpoint}; continue with --resume");
    }
}
