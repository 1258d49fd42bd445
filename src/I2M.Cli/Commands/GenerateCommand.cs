using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using I2M.Autograd;
using I2M.Kernels;
using I2M.Model;
using I2M.Model.Audio;
using I2M.Model.Evaluation.Plots;
using I2M.Model.Images;
using I2M.Model.Training;

namespace I2M.Cli.Commands;

/// <summary><c>i2m generate</c>: pictures in, spoken descriptions out.</summary>
internal static class GenerateCommand
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"];
    private static readonly Option<string> CheckpointOption = new("--checkpoint", "-m") { Description = "A checkpoint file or a run folder (its best checkpoint, else the newest).", Required = true, HelpName = "path" };
    private static readonly Option<string[]> Image = new("--image", "-i") { Description = "Pictures or folders of pictures.", Required = true, AllowMultipleArgumentsPerToken = true, HelpName = "path" };
    private static readonly Option<string> Out = new("--out", "-o") { Description = "A .wav file for one picture, a folder for several.", DefaultValueFactory = _ => "out.wav", HelpName = "path" };
    private static readonly Option<bool> Force = CommonOptions.Force();
    private static readonly Option<bool> Raw = new("--raw-weights") { Description = "Use the weights of the last step instead of their average." };
    private static readonly Option<bool> Plot = new("--plot") { Description = "Also write a mel plot (.png) beside each WAV." };
    private static readonly Option<string> Sampler = new("--sampler") { Description = "ddim, ddpm or dpm (DPM-Solver++ 2M).", DefaultValueFactory = _ => "ddim", HelpName = "name" };
    private static readonly Option<int> Steps = CommonOptions.Integer("--steps", "Denoising steps.", 50, 1, 1000);
    private static readonly Option<double> Cfg = CommonOptions.Number("--cfg", "Guidance scale; 1 is none.", 3, 0, 100);
    private static readonly Option<double> Rescale = CommonOptions.Number("--cfg-rescale", "How far guidance is drawn back to the unguided deviation.", 0.7, 0, 1);
    private static readonly Option<double> Eta = CommonOptions.Number("--eta", "Share of fresh noise in DDIM.", 0, 0, 1);
    private static readonly Option<int?> Batch = CommonOptions.OptionalInteger("--batch", "Pictures generated together (default: what fits the device).", 1, 1024);
    private static readonly Option<string?> PrecisionOption = CommonOptions.Precision();
    private static readonly Option<ulong> Seed = CommonOptions.Seed("the noise");
    private static readonly Option<string?> Vocoder = CommonOptions.Vocoder();
    private static readonly Option<bool> Float = CommonOptions.Float();
    private static readonly Option<string> Device = CommonOptions.Device();
    private static readonly Option<int> Threads = CommonOptions.Threads();
    private static readonly Option<bool> Json = CommonOptions.Json();

    public static Command Create()
    {
        var command = new Command("generate", "Speak about pictures.\n\nExamples:\n  i2m generate --checkpoint run --image cat.jpg --out cat.wav\n  i2m generate --checkpoint run --image pictures/ --out speech/ --cfg 4 --seed 7")
        {
            CheckpointOption, Image, Out, Force, Raw, Plot, Sampler, Steps, Cfg, Rescale, Eta, Batch, PrecisionOption, Seed, Vocoder, Float, Device, Threads, Json,
        };
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        GenerateOptions options = OptionsOf(parse);
        Precision precision = CommonOptions.PrecisionOf(parse.GetValue(PrecisionOption)) ?? Precision.Float32;
        List<(string Image, string Wav)> jobs = Plan(parse.GetRequiredValue(Image), parse.GetValue(Out)!, parse.GetValue(Plot), parse.GetValue(Force));
        List<string> failures = [];
        List<(string Wav, RgbImage Picture)> ready = Read(jobs, failures);
        if (ready.Count > 0)
        {
            using IBackend backend = CommonOptions.OpenBackend(parse.GetValue(Device)!, parse.GetValue(Threads));
            CommonOptions.NotePrecision(precision, backend);
            using I2MModel model = I2MModel.Load(backend, parse.GetRequiredValue(CheckpointOption), !parse.GetValue(Raw), precision);
            using IVocoder vocoder = Vocoders.Open(backend, parse.GetValue(Vocoder), model.Info.Config.Mel);
            Console.Error.WriteLine($"model {model.Path}: {model.ParameterCount:N0} parameters; voice: {vocoder.Name}; seed {options.Seed}");
            Generate(ready, model, vocoder, options, parse.GetValue(Plot), parse.GetValue(Float), parse.GetValue(Batch) ?? 0, cancel);
        }
        if (parse.GetValue(Json)) { Console.WriteLine(JsonSerializer.Serialize(new { written = ready.Select(r => r.Wav), failed = failures })); }
        else { foreach (var (wav, _) in ready) { Console.WriteLine(wav); } }
        return Task.FromResult(failures.Count > 0 ? CommandRunner.Failure : 0);
    }

    private static GenerateOptions OptionsOf(ParseResult parse) => new GenerateOptions
    {
        Sampler = parse.GetValue(Sampler) switch
        {
            "ddim" => SamplerKind.Ddim,
            "ddpm" => SamplerKind.Ddpm,
            "dpm" => SamplerKind.DpmSolver,
            var other => throw new I2MException($"--sampler {other}: expected ddim, ddpm or dpm"),
        },
        Steps = parse.GetValue(Steps),
        Guidance = parse.GetValue(Cfg),
        GuidanceRescale = parse.GetValue(Rescale),
        Eta = parse.GetValue(Eta),
        Seed = parse.GetValue(Seed),
    }.Validated();

    /// <summary>Which picture goes to which file; refuses to overwrite before any work is done.</summary>
    private static List<(string Image, string Wav)> Plan(string[] inputs, string output, bool plot, bool force)
    {
        List<string> images = [];
        foreach (string input in inputs)
        {
            if (!Directory.Exists(input)) { images.Add(input); continue; }
            string[] found = [.. Directory.EnumerateFiles(input).Where(f => Extensions.Contains(Path.GetExtension(f).ToLowerInvariant())).Order(StringComparer.Ordinal)];
            if (found.Length == 0) { throw new I2MException($"--image {input}: no picture in this folder: expected {string.Join(", ", Extensions)}"); }
            images.AddRange(found);
        }
        bool file = output.EndsWith(".wav", StringComparison.OrdinalIgnoreCase);
        if (file && images.Count > 1) { throw new I2MException($"--out {output}: {images.Count} pictures need a folder, not a .wav file"); }
        List<(string Image, string Wav)> jobs = [.. images.Select(i => (i, file ? output : Path.Combine(output, Path.GetFileNameWithoutExtension(i) + ".wav")))];
        foreach (var group in jobs.GroupBy(j => j.Wav))
        {
            if (group.Count() > 1) { throw new I2MException($"--image: {group.First().Image} and {group.Last().Image} would both become {group.Key}"); }
            CommonOptions.RequireFree(group.Key, force);
        }
        if (plot) { RequireFreePlots(jobs, force); }
        return jobs;
    }

    /// <summary>A plot may lie where a picture does: cat.wav beside cat.png. Not even --force replaces what is to be read.</summary>
    private static void RequireFreePlots(List<(string Image, string Wav)> jobs, bool force)
    {
        HashSet<string> pictures = [.. jobs.Select(j => Path.GetFullPath(j.Image))];
        foreach (string path in jobs.Select(j => PlotPath(j.Wav)))
        {
            if (pictures.Contains(Path.GetFullPath(path))) { throw new I2MException($"--plot: would replace the picture {path}: use another --out"); }
            CommonOptions.RequireFree(path, force);
        }
    }

    private static string PlotPath(string wav) => Path.ChangeExtension(wav, ".png");

    /// <summary>Reads every picture; in a batch a bad one is named and the others go on.</summary>
    private static List<(string Wav, RgbImage Picture)> Read(List<(string Image, string Wav)> jobs, List<string> failures)
    {
        List<(string, RgbImage)> ready = [];
        foreach (var (image, wav) in jobs)
        {
            try
            {
                ready.Add((wav, ImageLoader.Load(image)));
            }
            catch (I2MException e) when (jobs.Count > 1)
            {
                Console.Error.WriteLine($"i2m: {e.Message}");
                failures.Add(image);
            }
        }
        return ready;
    }

    private static void Generate(List<(string Wav, RgbImage Picture)> jobs, I2MModel model, IVocoder vocoder, GenerateOptions options, bool plot, bool isFloat, int batch, CancellationToken cancel)
    {
        int together = batch > 0 ? batch : model.PicturesAtOnce();
        TrainConfig config = model.Info.Config;
        using var progress = new ProgressLine();
        string comment = JsonSerializer.Serialize(new { program = "i2m", checkpoint = Path.GetFileName(model.Path), options.Seed, options.Steps, cfg = options.Guidance, sampler = options.Sampler.ToString(), vocoder = vocoder.Name });
        for (int start = 0; start < jobs.Count; start += together)
        {
            var part = jobs.GetRange(start, Math.Min(together, jobs.Count - start));
            string what = string.Create(CultureInfo.InvariantCulture, $"pictures {start + 1}–{start + part.Count} of {jobs.Count}, denoising step");
            IReadOnlyList<GeneratedSpeech> speech = model.Speak([.. part.Select(p => p.Picture)], vocoder, options with { FirstPicture = start }, keepMels: plot, (step, total) => progress.Show(what, step, total), cancel);
            for (int i = 0; i < part.Count; i++)
            {
                progress.Clear();
                CommonOptions.WriteWav(part[i].Wav, new AudioClip(speech[i].Wave, config.Mel.SampleRate), isFloat, comment);
                if (speech[i].Mel is { } mel) { MelPlot.Save(PlotPath(part[i].Wav), mel, config.Model.MelBands, config.Model.MelFrames, Path.GetFileNameWithoutExtension(part[i].Wav)); }
            }
        }
    }
}
