using System.CommandLine;
using System.Globalization;
using System.Text;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Training;
using I2M.Model.Vocos;
using I2M.Model.Vocos.Training;

namespace I2M.Cli.Commands;

/// <summary><c>i2m vocoder export</c>: a run's vocoder as a file to hand on, with a card that says how it was made and how well it does.</summary>
internal static class VocoderExportCommand
{
    private static readonly Option<string> Run = new("--run") { Description = "Folder of a run of i2m vocoder train; its newest checkpoint is taken.", Required = true, HelpName = "folder" };
    private static readonly Option<string> Out = new("--out", "-o") { Description = "Weights to write: averaged, bfloat16. The card lies beside it (.json).", Required = true, HelpName = "file.safetensors" };
    private static readonly Option<string[]> Sets = new("--test") { Description = "Folders of sounds that it was not trained on: their figures go onto the card, beside Griffin-Lim's.", AllowMultipleArgumentsPerToken = true, HelpName = "folder" };
    private static readonly Option<string[]> Notes = new("--note") { Description = "Lines for the card, such as the command that made the sounds.", HelpName = "text" };
    private static readonly Option<int> Files = CommonOptions.Integer("--files", "Most files to judge of each folder, evenly spread; 0 takes all.", 0, 0, 1_000_000);
    private static readonly Option<double> MostSeconds = CommonOptions.Number("--seconds", "Most seconds of each file.", 10, 0.2, 7200);
    private static readonly Option<bool> Force = CommonOptions.Force();
    private static readonly Option<string> Device = CommonOptions.Device();
    private static readonly Option<int> Threads = CommonOptions.Threads();

    public static Command Create()
    {
        var command = new Command("export", "Write a run's vocoder as one file, with a card beside it: the command that trains it, seed, data, figures.\n\nExample:\n  i2m vocoder export --run voice --out vocos-espeak.safetensors --test heldout --note \"sounds: i2m data speech --out speech --minutes 60\"")
        {
            Run, Out, Sets, Notes, Files, MostSeconds, Force, Device, Threads,
        };
        command.SetAction(Export);
        return command;
    }

    private static Task<int> Export(ParseResult parse, CancellationToken cancel)
    {
        string output = parse.GetRequiredValue(Out);
        if (!output.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)) { throw new I2MException($"--out {output}: expected a name that ends in .safetensors"); }
        CommonOptions.RequireFree(output, parse.GetValue(Force));
        CommonOptions.RequireFree(VocoderExport.CardPath(output), parse.GetValue(Force));
        string[] sets = parse.GetValue(Sets) ?? [];
        foreach (string set in sets) { VocoderCommand.Clips(set, 0); }
        string unjudged = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(output))!, $".{Path.GetFileNameWithoutExtension(output)}-{Environment.ProcessId}.safetensors");
        VocoderCard card;
        try
        {
            card = VocoderExport.Weights(new RunFolder(parse.GetRequiredValue(Run)), unjudged);
            card = card with { File = Path.GetFileName(output), Command = CommandOf(card.Config, card.Step), Notes = parse.GetValue(Notes) ?? [], Figures = sets.Length == 0 ? [] : Judge(parse, unjudged, sets, cancel) };
            File.Move(unjudged, output, overwrite: true);
        }
        finally
        {
            File.Delete(unjudged);
        }
        VocoderExport.WriteCard(output, card);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{card.Parameters:N0} parameters after {card.Step} steps, {card.Bytes:N0} bytes"));
        foreach (VocoderFigures f in card.Figures)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{f.Set}, {f.Voice}: {f.Score.Clips} clips: mel MAE {f.Score.MeanAbsoluteError:F4}, correlation {f.Score.Correlation:F4}, log-spectral distance {f.Score.LogSpectralDistance:F2} dB"));
        }
        Console.WriteLine(output);
        return Task.FromResult(0);
    }

    private static List<VocoderFigures> Judge(ParseResult parse, string weights, string[] sets, CancellationToken cancel)
    {
        using IBackend backend = CommonOptions.OpenBackend(parse.GetValue(Device)!, parse.GetValue(Threads));
        using var progress = new ProgressLine();
        using VocosVocoder vocos = VocosLoader.Load(backend, weights);
        using var griffinLim = new GriffinLim(backend, vocos.Settings);
        List<VocoderFigures> figures = [];
        foreach (string set in sets)
        {
            using var judge = new VocoderJudge(backend, vocos.Settings, VocoderCommand.Clips(set, parse.GetValue(Files)), parse.GetValue(MostSeconds));
            string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(set)));
            foreach (var (voice, vocoder) in new (string, IVocoder)[] { ("this vocoder", vocos), (griffinLim.Name, griffinLim) })
            {
                VocoderScore score = judge.Score(vocoder, (i, _) => progress.Show($"{name}, {voice}", i + 1, judge.Clips), cancel);
                progress.Clear();
                figures.Add(new VocoderFigures(name, voice, score));
            }
        }
        return figures;
    }

    /// <summary>The command line of a run: what differs from the defaults.</summary>
    private static string CommandOf(VocoderConfig config, int step)
    {
        var standard = new VocoderConfig();
        var line = new StringBuilder("i2m vocoder train --data speech --out voice");
        Add("--steps", config.Steps, standard.Steps);
        Add("--batch", config.BatchSize, standard.BatchSize);
        Add("--crop", Seconds(config), Seconds(standard));
        Add("--dim", config.Model.Dim, standard.Model.Dim);
        Add("--layers", config.Model.Layers, standard.Model.Layers);
        Add("--lr", config.LearningRate, standard.LearningRate);
        Add("--mel-weight", config.MelWeight, standard.MelWeight);
        Add("--stft-weight", config.StftWeight, standard.StftWeight);
        Add("--discriminators", config.DiscriminatorStart, standard.DiscriminatorStart);
        Add("--discriminator-width", config.DiscriminatorWidth, standard.DiscriminatorWidth);
        Add("--augment", config.Augment, standard.Augment);
        Add("--eval", config.EvalFraction, standard.EvalFraction);
        Add("--save-every", config.SaveEvery, standard.SaveEvery);
        Add("--validate-every", config.ValidateEvery, standard.ValidateEvery);
        if (step < config.Steps) { Add("--stop-at", step, 0); }
        return line.Append(CultureInfo.InvariantCulture, $" --seed {config.Seed}").ToString();

        static double Seconds(VocoderConfig c) => Math.Round(c.CropSamples / (double)c.Model.Mel.SampleRate, 4);

        void Add<T>(string option, T value, T usual) where T : IEquatable<T>
        {
            if (!value.Equals(usual)) { line.Append(CultureInfo.InvariantCulture, $" {option} {value}"); }
        }
    }
}
