using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Data.Drawing;
using I2M.Model.Data.Speech;
using I2M.Model.Evaluation;
using I2M.Model.Training;

namespace I2M.Cli.Commands;

/// <summary><c>i2m quickstart</c>: draws, speaks, trains, generates and reports, with nothing downloaded.</summary>
internal static class QuickstartCommand
{
    private const int Voices = 4, PicturesPerClass = 60, TestsPerClass = 4, WarmSteps = 100, TimedSteps = 30;
    private static readonly Option<string> Out = new("--out", "-o") { Description = "Folder for everything.", DefaultValueFactory = _ => "i2m-quickstart", HelpName = "folder" };
    private static readonly Option<double> Minutes = CommonOptions.Number("--minutes", "Minutes to train.", 2.4, 0.05, 600);
    private static readonly Option<string?> Vocoder = CommonOptions.Vocoder();
    private static readonly Option<string> Device = CommonOptions.Device();
    private static readonly Option<int> Threads = CommonOptions.Threads();
    private static readonly Option<ulong> Seed = CommonOptions.Seed("drawings, weights and noise");
    private static readonly Option<bool> Json = CommonOptions.Json();

    public static Command Create()
    {
        var command = new Command("quickstart", "Draw ten animals, speak their names, train, and describe pictures that the model never saw.\n\nExamples:\n  i2m quickstart\n  i2m quickstart --minutes 15 --out demo")
        {
            Out, Minutes, Vocoder, Device, Threads, Seed, Json,
        };
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        string folder = NewFolder(parse.GetValue(Out)!);
        ulong seed = parse.GetValue(Seed);
        using IBackend backend = CommonOptions.OpenBackend(parse.GetValue(Device)!, parse.GetValue(Threads));
        using var progress = new ProgressLine();
        ISpeechSynthesizer synthesizer = SpeechSynthesizer.Best(out string voice);
        progress.Say(voice);
        PairManifest manifest = DrawnDataset.Build(Path.Combine(folder, "data"), synthesizer, Voices, PicturesPerClass, seed, (done, total) => progress.Show("drawing and speaking", done, total), cancel);
        TrainConfig preset = TrainPresets.Get("nano");
        TrainConfig config = preset with { Seed = seed, EvalFraction = 0, ValidateEvery = 0, WarmupSteps = 50, SaveEvery = 1_000_000, Model = preset.Model with { ClassCount = AnimalClass.All.Count } };
        using PairDataset data = PairDataset.Load(backend, manifest, config, (done, total) => progress.Show("reading pairs", done, total), cancel: cancel);
        config = config with { Steps = AffordableSteps(backend, config, data, parse.GetValue(Minutes), cancel) };
        progress.Say($"training {config.Steps} steps of {config.BatchSize} on {data.Count} pairs");
        var run = new RunFolder(Path.Combine(folder, "run"));
        RunResult trained = new TrainingRun(backend, config, data, run, progress.Say).Run(new RunOptions(TimeLimit: TimeSpan.FromMinutes(1.25 * parse.GetValue(Minutes))), progress.Show, cancel);
        if (cancel.IsCancellationRequested)
        {
            progress.Say($"stopped; {trained.Checkpoint} holds the model so far");
            return Task.FromResult(CommandRunner.Interrupted);
        }
        using I2MModel model = I2MModel.Load(backend, trained.Checkpoint);
        using var vocoder = Vocoders.Open(backend, parse.GetValue(Vocoder), config.Mel);
        var demonstration = new QuickstartReport(folder, model, vocoder, data, seed);
        QuickstartScore score = demonstration.Write(TestsPerClass, run, trained, (step, total) => progress.Show("generating speech, step", step, total), cancel);
        Report(parse.GetValue(Json), score, demonstration.ReportPath, clock.Elapsed, backend);
        return Task.FromResult(0);
    }

    /// <summary>A folder that does not exist yet: an earlier run is kept under its own name.</summary>
    private static string NewFolder(string wanted)
    {
        string folder = wanted;
        for (int i = 2; Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any(); i++) { folder = $"{wanted}-{i}"; }
        return folder;
    }

    /// <summary>Steps that fit the time, from a few that are timed and thrown away; the run itself then has a fixed length and schedule.</summary>
    private static int AffordableSteps(IBackend backend, TrainConfig config, PairDataset data, double minutes, CancellationToken cancel)
    {
        using var trainer = new DiffusionTrainer(backend, config);
        using var loader = new BatchLoader(data, config, MelNormalizer.Measure(data.StreamMels(Enumerable.Range(0, data.Count)), config.Mel.Bands, config.Diffusion.InputScale), 0);
        for (int i = 0; i < WarmSteps && !cancel.IsCancellationRequested; i++) { trainer.TrainStep(loader.Next, loader.Recycle); } // The runtime compiles hot code again meanwhile.
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < TimedSteps && !cancel.IsCancellationRequested; i++) { trainer.TrainStep(loader.Next, loader.Recycle); }
        return Math.Clamp((int)(minutes * 60 / clock.Elapsed.TotalSeconds * TimedSteps), 50, 1_000_000);
    }

    private static void Report(bool json, QuickstartScore score, string report, TimeSpan elapsed, IBackend backend)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { report, correct = score.Correct, total = score.Total, ceilingCorrect = score.CeilingCorrect, ceilingTotal = score.CeilingTotal, seconds = elapsed.TotalSeconds }));
            return;
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{score.Correct} of {score.Total} generated clips are closest to the right class ({100.0 * score.Correct / score.Total:F0} %; chance is 10 %, real held-out voices reach {100.0 * score.CeilingCorrect / score.CeilingTotal:F0} %)"));
        Console.WriteLine($"peak memory: {MemoryFacts.PeakResidentBytes() >> 20:N0} MiB resident, {backend.Pool.PeakDeviceBytes >> 20:N0} MiB of {backend.Name} buffers; {ProgressLine.Format(elapsed)} in all");
        Console.WriteLine($"open {report}");
    }
}
