using System.CommandLine;
using I2M.Autograd;
using I2M.Kernels;
using I2M.Kernels.Dry;
using I2M.Model.Dit;
using I2M.Model.Planning;
using I2M.Model.Training;

namespace I2M.Cli.Commands;

/// <summary><c>i2m estimate</c>: what a training run takes, before it.</summary>
internal static class EstimateCommand
{
    private static readonly Option<string?> Preset = new("--preset") { Description = $"Size of the model: {string.Join(", ", DitPresets.Names)} (default nano).", HelpName = "name" };
    private static readonly Option<string?> Config = new("--config") { Description = "JSON file of settings, as a run's config.json; options override it.", HelpName = "file" };
    private static readonly Option<string?> Compat = new("--compat") { Description = "seed: the original Python program's model.", HelpName = "mode" };
    private static readonly Option<int?> Batch = CommonOptions.OptionalInteger("--batch", "Samples per step (and part of an accumulation).", 1, 65_536);
    private static readonly Option<int?> Accumulate = CommonOptions.OptionalInteger("--accumulate", "Batches whose gradients are added before a step.", 1, 65_536);
    private static readonly Option<int?> Steps = CommonOptions.OptionalInteger("--steps", "Optimiser steps in all.", 1, 100_000_000);
    private static readonly Option<bool> Recompute = new("--recompute") { Description = "Each block is computed again in the backward pass." };
    private static readonly Option<string?> Precision = CommonOptions.Precision();
    private static readonly Option<string> Device = new("--device", "-d")
    {
        Description = $"Where to train: auto, host, opencl or cuda, which are measured for a few seconds, or {string.Join(", ", GpuCard.Known.Select(c => c.Option))} by its data sheet.",
        DefaultValueFactory = _ => "auto",
        HelpName = "device",
    };
    private static readonly Option<int> Threads = CommonOptions.Threads();
    private static readonly Option<bool> Json = CommonOptions.Json();

    public static Command Create()
    {
        var command = new Command("estimate", "Tell what a training run will take: memory, floating-point operations, time, disk, and the largest batch that fits. Memory and operations come from a rehearsal of the step that computes nothing, time from a few measured steps of a shortened model.\n\nExamples:\n  i2m estimate --preset small --batch 32\n  i2m estimate --preset full --batch 32 --device h200")
        {
            Preset, Config, Compat, Batch, Accumulate, Steps, Recompute, Precision, Device, Threads, Json,
        };
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        TrainConfig config = Configure(parse);
        string name = parse.GetValue(Device)!;
        IEnumerable<string> names = BackendSelector.Names.Concat(GpuCard.Known.Select(c => c.Option));
        if (!names.Contains(name, StringComparer.OrdinalIgnoreCase)) { throw new I2MException($"--device {name}: expected one of {string.Join(", ", names)}"); }
        RunEstimate estimate = GpuCard.Find(name) is { } card ? BySheet(card, config) : Measured(name, parse.GetValue(Threads), config, cancel, out name);
        string device = GpuCard.Find(name) is { } known ? $"{known.Name}, not here" : name;
        if (parse.GetValue(Json)) { Console.WriteLine(EstimateReport.Json(estimate, device)); }
        else { EstimateReport.Print(estimate, device); }
        return Task.FromResult(0);
    }

    /// <summary>The estimate on a device that is here.</summary>
    public static RunEstimate Measure(IBackend device, TrainConfig config, CancellationToken cancel)
    {
        CostModel costs = Calibration.Measure(device, config, cancel);
        device.Pool.Trim();
        return RunEstimate.Make(() => DryBackend.Of(device), config, costs, device.Device.MemoryBytes);
    }

    private static RunEstimate Measured(string name, int threads, TrainConfig config, CancellationToken cancel, out string device)
    {
        using IBackend backend = CommonOptions.OpenBackend(name, threads);
        device = $"{backend.Name}: {backend.Device.Name} ({backend.Device.Detail})";
        return Measure(backend, config, cancel);
    }

    private static RunEstimate BySheet(GpuCard card, TrainConfig config) =>
        RunEstimate.Make(() => DryBackend.Cuda(card), config, new CostModel(card.Nominal, config.Precision.Arithmetic()), card.MemoryBytes);

    private static TrainConfig Configure(ParseResult parse)
    {
        if (parse.GetValue(Compat) is { } compat and not "seed") { throw new I2MException($"--compat {compat}: expected seed"); }
        bool seed = parse.GetValue(Compat) is not null;
        TrainConfig config = parse.GetValue(Config) is { } file ? TrainConfig.Load(file) : TrainPresets.Get(parse.GetValue(Preset) ?? "nano", seed);
        if (parse.GetValue(Config) is not null && parse.GetValue(Preset) is { } preset) { config = config with { Model = DitPresets.Get(preset, seed) }; }
        return (config with
        {
            BatchSize = parse.GetValue(Batch) ?? config.BatchSize,
            Accumulation = parse.GetValue(Accumulate) ?? config.Accumulation,
            Steps = parse.GetValue(Steps) ?? config.Steps,
            Recompute = config.Recompute || parse.GetValue(Recompute),
            Precision = CommonOptions.PrecisionOf(parse.GetValue(Precision)) ?? config.Precision,
        }).Validated();
    }
}
