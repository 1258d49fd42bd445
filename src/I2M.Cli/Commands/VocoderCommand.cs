using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Io;
using I2M.Model.Training;
using I2M.Model.Vocos;
using I2M.Model.Vocos.Training;

namespace I2M.Cli.Commands;

/// <summary><c>i2m vocoder</c>: trains a vocoder on a folder of sounds, and judges vocoders.</summary>
internal static class VocoderCommand
{
    private static readonly Option<string> Data = new("--data") { Description = "Folder of sound files (WAV, FLAC, OGG, MP3, AIFF; any rates), searched with those below it.", Required = true, HelpName = "folder" };
    private static readonly Option<string> Out = new("--out", "-o") { Description = "Run folder: config, log, checkpoints, samples, vocoder.safetensors.", Required = true, HelpName = "folder" };
    private static readonly Option<bool> Resume = new("--resume") { Description = "Continue the run in --out from its newest readable checkpoint." };
    private static readonly Option<bool> AllowDataChange = new("--allow-data-change") { Description = "Resume although the sound files differ." };
    private static readonly Option<int?> Steps = CommonOptions.OptionalInteger("--steps", "Optimiser steps in all; also the end of the cosine.", 1, 100_000_000);
    private static readonly Option<int?> StopAt = CommonOptions.OptionalInteger("--stop-at", "Save and stop after this step, without changing the schedule.", 1, 100_000_000);
    private static readonly Option<double?> Minutes = CommonOptions.OptionalNumber("--minutes", "Save and stop after so many minutes; --resume continues.", 0.01, 1e6);
    private static readonly Option<int?> Batch = CommonOptions.OptionalInteger("--batch", "Crops per step.", 1, 65_536);
    private static readonly Option<double?> Crop = CommonOptions.OptionalNumber("--crop", "Seconds of a crop, rounded to hops.", 0.2, 60);
    private static readonly Option<int?> Dim = CommonOptions.OptionalInteger("--dim", "Channels of the backbone.", 1, 16_384);
    private static readonly Option<int?> Layers = CommonOptions.OptionalInteger("--layers", "Blocks of the backbone; three times --dim channels within each.", 1, 256);
    private static readonly Option<double?> Rate = CommonOptions.OptionalNumber("--lr", "Learning rate after the warm-up.", 1e-9, 0.999);
    private static readonly Option<double?> MelWeight = CommonOptions.OptionalNumber("--mel-weight", "Weight of the mel loss.", 0, 1e6);
    private static readonly Option<double?> StftWeight = CommonOptions.OptionalNumber("--stft-weight", "Weight of the multi-resolution STFT loss.", 0, 1e6);
    private static readonly Option<int?> Discriminate = CommonOptions.OptionalInteger("--discriminators", "Step from which multi-period and multi-resolution discriminators judge the speech; 0 (default) leaves them out.", 0, 100_000_000);
    private static readonly Option<double?> DiscriminatorWidth = CommonOptions.OptionalNumber("--discriminator-width", "Width of the discriminators; 1 is the paper's, 0.25 the default.", 0.03125, 4);
    private static readonly Option<double?> Augment = CommonOptions.OptionalNumber("--augment", "Share of the crops changed as other rooms, microphones and throats would: rate, echoes, frequency response, noise, level, a second voice.", 0, 1);
    private static readonly Option<double?> Eval = CommonOptions.OptionalNumber("--eval", "Share of the files held out for validation.", 0, 0.9);
    private static readonly Option<int?> SaveEvery = CommonOptions.OptionalInteger("--save-every", "Steps between two checkpoints.", 1, 100_000_000);
    private static readonly Option<int?> ValidateEvery = CommonOptions.OptionalInteger("--validate-every", "Steps between two validations with sounds and plots; 0 leaves them out.", 0, 100_000_000);
    private static readonly Option<ulong?> Seed = CommonOptions.OptionalSeed("weights, split and crops");
    private static readonly Option<string?> Vocoder = CommonOptions.Vocoder();
    private static readonly Option<int> Files = CommonOptions.Integer("--files", "Most files to judge, evenly spread; 0 takes all.", 0, 0, 1_000_000);
    private static readonly Option<double> Seconds = CommonOptions.Number("--seconds", "Most seconds of each file.", 10, 0.2, 7200);
    private static readonly Option<string> Device = CommonOptions.Device();
    private static readonly Option<int> Threads = CommonOptions.Threads();
    private static readonly Option<bool> Json = CommonOptions.Json();

    public static Command Create()
    {
        var train = new Command("train", "Train a Vocos on a folder of sounds.\n\nExamples:\n  i2m data speech --out speech --minutes 60\n  i2m vocoder train --data speech --out voice --minutes 30\n  i2m vocoder train --data speech --out voice --resume")
        {
            Data, Out, Resume, AllowDataChange, Steps, StopAt, Minutes, Batch, Crop, Dim, Layers, Rate, MelWeight, StftWeight, Discriminate, DiscriminatorWidth, Augment, Eval, SaveEvery, ValidateEvery, Seed, Device, Threads, Json,
        };
        train.SetAction(Train);
        var test = new Command("test", "Send sounds through their mels and a vocoder, and measure what comes back beside Griffin-Lim.\n\nExample:\n  i2m vocoder test --data speech --vocoder voice/vocoder.safetensors")
        {
            Data, Vocoder, Files, Seconds, Device, Threads, Json,
        };
        test.SetAction(Test);
        return new Command("vocoder", "Train and judge vocoders, which turn log-mels into sound.") { train, test, VocoderExportCommand.Create() };
    }

    private static Task<int> Train(ParseResult parse, CancellationToken cancel)
    {
        var folder = new RunFolder(parse.GetRequiredValue(Out));
        VocoderConfig config = Configure(parse, folder);
        var data = new SpeechFolder(parse.GetRequiredValue(Data), config.Model.Mel.SampleRate, config.EvalFraction, config.Seed, config.Augment);
        using IBackend backend = CommonOptions.OpenBackend(parse.GetValue(Device)!, parse.GetValue(Threads));
        using var progress = new ProgressLine();
        progress.Say($"data: {data.Train.Count} files to train on, {data.Eval.Count} held out");
        progress.Say(string.Create(CultureInfo.InvariantCulture, $"vocoder: {new VocosModel(config.Model).ParameterCount:N0} parameters, {config.Model.Layers} blocks of {config.Model.Dim}; {config.Steps} steps of {config.BatchSize} crops of {(double)config.CropSamples / config.Model.Mel.SampleRate:F2} s, lr {config.LearningRate}"));
        double? minutes = parse.GetValue(Minutes);
        var options = new RunOptions(parse.GetValue(Resume), minutes is { } m ? TimeSpan.FromMinutes(m) : null, parse.GetValue(StopAt), parse.GetValue(AllowDataChange));
        VocoderRunResult result = new VocoderRun(backend, config, data, folder, progress.Say).Run(options, progress.Show, cancel);
        progress.Dispose();
        ReportTraining(parse.GetValue(Json), result);
        return Task.FromResult(cancel.IsCancellationRequested ? CommandRunner.Interrupted : 0);
    }

    private static VocoderConfig Configure(ParseResult parse, RunFolder folder)
    {
        bool resuming = parse.GetValue(Resume) && File.Exists(folder.ConfigPath);
        VocoderConfig config = resuming ? VocoderConfig.FromJson(InputFile.ReadText(folder.ConfigPath), folder.ConfigPath) : new VocoderConfig();
        double rate = parse.GetValue(Rate) ?? config.LearningRate;
        int dim = parse.GetValue(Dim) ?? config.Model.Dim;
        return (config with
        {
            Model = config.Model with { Dim = dim, IntermediateDim = parse.GetValue(Dim) is null ? config.Model.IntermediateDim : 3 * dim, Layers = parse.GetValue(Layers) ?? config.Model.Layers },
            BatchSize = parse.GetValue(Batch) ?? config.BatchSize,
            CropHops = parse.GetValue(Crop) is { } seconds ? (int)Math.Round(seconds * config.Model.Mel.SampleRate / config.Model.Mel.HopLength) : config.CropHops,
            Steps = parse.GetValue(Steps) ?? config.Steps,
            LearningRate = rate,
            FinalLearningRate = Math.Min(config.FinalLearningRate, rate),
            MelWeight = parse.GetValue(MelWeight) ?? config.MelWeight,
            StftWeight = parse.GetValue(StftWeight) ?? config.StftWeight,
            DiscriminatorStart = parse.GetValue(Discriminate) ?? config.DiscriminatorStart,
            DiscriminatorWidth = parse.GetValue(DiscriminatorWidth) ?? config.DiscriminatorWidth,
            Augment = parse.GetValue(Augment) ?? config.Augment,
            EvalFraction = parse.GetValue(Eval) ?? config.EvalFraction,
            SaveEvery = parse.GetValue(SaveEvery) ?? config.SaveEvery,
            ValidateEvery = parse.GetValue(ValidateEvery) ?? config.ValidateEvery,
            Seed = parse.GetValue(Seed) ?? config.Seed,
        }).Validated();
    }

    private static void ReportTraining(bool json, VocoderRunResult result)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { vocoder = result.Vocoder, checkpoint = result.Checkpoint, firstLoss = CommonOptions.Finite(result.FirstLoss), lastLoss = CommonOptions.Finite(result.LastLoss), finished = result.Finished }));
            return;
        }
        Console.WriteLine(double.IsNaN(result.FirstLoss) ? "no step was due" : string.Create(CultureInfo.InvariantCulture, $"loss {result.FirstLoss:F3} at the start, {result.LastLoss:F3} at the end"));
        Console.WriteLine($"saved {result.Vocoder}{(result.Finished ? "" : "; continue with --resume")}");
    }

    /// <summary>So many sound files of a folder, evenly spread; 0 takes all.</summary>
    /// <exception cref="I2MException">There are none.</exception>
    public static IEnumerable<string> Clips(string folder, int most)
    {
        string[] all = [.. SpeechFolder.Find(folder).Select(f => f.FullName)];
        if (all.Length == 0) { throw new I2MException($"{folder}: no sound files in it"); }
        int wanted = most > 0 ? Math.Min(most, all.Length) : all.Length;
        return Enumerable.Range(0, wanted).Select(i => all[(long)i * all.Length / wanted]);
    }

    private static Task<int> Test(ParseResult parse, CancellationToken cancel)
    {
        IEnumerable<string> clips = Clips(parse.GetRequiredValue(Data), parse.GetValue(Files));
        using IBackend backend = CommonOptions.OpenBackend(parse.GetValue(Device)!, parse.GetValue(Threads));
        using var progress = new ProgressLine();
        using IVocoder vocoder = Vocoders.Open(backend, parse.GetValue(Vocoder), mel: null);
        using var judge = new VocoderJudge(backend, vocoder.Settings, clips, parse.GetValue(Seconds));
        using var griffinLim = new GriffinLim(backend, vocoder.Settings);
        IVocoder[] judged = vocoder is GriffinLim ? [griffinLim] : [vocoder, griffinLim];
        foreach (IVocoder one in judged)
        {
            VocoderScore score = judge.Score(one, (i, _) => progress.Show(one is GriffinLim ? "Griffin-Lim" : "vocoder", i + 1, judge.Clips), cancel);
            progress.Clear();
            Console.WriteLine(parse.GetValue(Json)
                ? JsonSerializer.Serialize(new { voice = one.Name, score.Clips, score.MeanAbsoluteError, score.MeanSquaredError, score.MaxDifference, score.SignalToNoise, score.Correlation, score.LogSpectralDistance, score.RealTime }, s_json)
                : string.Create(CultureInfo.InvariantCulture, $"{one.Name}: {score.Clips} clips: mel MAE {score.MeanAbsoluteError:F4}, MSE {score.MeanSquaredError:F4}, largest {score.MaxDifference:F2}, SNR {score.SignalToNoise:F2} dB, correlation {score.Correlation:F4}; log-spectral distance {score.LogSpectralDistance:F2} dB; {score.RealTime:F0} times real time"));
        }
        return Task.FromResult(0);
    }

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };
}
