using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Data.Auditing;
using I2M.Model.Data.Building;
using I2M.Model.Diffusion;
using I2M.Model.Dit;
using I2M.Model.Io;
using I2M.Model.Training;

namespace I2M.Cli.Commands;

/// <summary><c>i2m data audit</c>: what is wrong with a data set, before anything is trained on it.</summary>
internal static class DataAuditCommand
{
    private static readonly int[] ShownTimesteps = [0, 100, 300, 500, 800, 900, 950, 999];
    private static readonly Dictionary<string, ScheduleKind> Schedules = new() { ["linear"] = ScheduleKind.Linear, ["cosine"] = ScheduleKind.Cosine };
    private static readonly Dictionary<string, PredictionKind> Predictions = new() { ["epsilon"] = PredictionKind.Epsilon, ["v"] = PredictionKind.V, ["x0"] = PredictionKind.Sample };
    private static readonly Dictionary<string, TimestepDensity> Densities = new() { ["uniform"] = TimestepDensity.Uniform, ["logit-normal"] = TimestepDensity.LogitNormal, ["high-noise"] = TimestepDensity.HighNoise };
    private static readonly Dictionary<string, bool> Switches = new() { ["on"] = true, ["off"] = false };

    private static readonly Argument<string> Data = new("data") { Description = "Folder of a data set (with pairs.json or meta_file.json), or a list: JSON, or CSV with the columns image,audio.", HelpName = "folder" };
    private static readonly Option<string?> Out = new("--out", "-o") { Description = "The page to write (default: audit.html beside the list, replaced when it is there).", HelpName = "file.html" };
    private static readonly Option<string?> Preset = new("--preset") { Description = $"The model that will be trained: {string.Join(", ", DitPresets.Names)} (default nano).", HelpName = "name" };
    private static readonly Option<string?> Config = new("--config") { Description = "JSON file of training settings, as a run's config.json.", HelpName = "file" };
    private static readonly Option<string?> Compat = new("--compat") { Description = "seed: the original Python program's settings.", HelpName = "mode" };
    private static readonly Option<string?> Schedule = Choice("--schedule", "Schedule of the noise", Schedules.Keys);
    private static readonly Option<string?> ZeroTerminalSnr = Choice("--zero-terminal-snr", "Whether the last timestep is pure noise", Switches.Keys);
    private static readonly Option<string?> Prediction = Choice("--prediction", "What the model predicts", Predictions.Keys);
    private static readonly Option<string?> Density = Choice("--density", "Which timesteps training draws", Densities.Keys);
    private static readonly Option<double?> InputScale = CommonOptions.OptionalNumber("--input-scale", "Factor on the normalised mel.", 1e-3, 100);
    private static readonly Option<bool> Strict = new("--strict") { Description = "Exit with 1 when anything is found." };
    private static readonly Option<bool> Force = CommonOptions.Force();
    private static readonly Option<int> Threads = CommonOptions.Threads();
    private static readonly Option<bool> Json = CommonOptions.Json();

    public static Command Create()
    {
        var command = new Command("audit", "Examine a data set: duplicates across the split, damaged, clipped, cut and silent sounds, balance, mel statistics, and whether training will need the picture at all. Writes a page with plots and players.\n\nExamples:\n  i2m data audit data\n  i2m data audit data --preset full --input-scale 0.25 --strict")
        {
            Data, Out, Preset, Config, Compat, Schedule, ZeroTerminalSnr, Prediction, InputScale, Density, Strict, Force, Threads, Json,
        };
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        string data = parse.GetRequiredValue(Data), page = PagePath(parse, data);
        var options = new AuditOptions(data) { Config = Configure(parse), Threads = parse.GetValue(Threads) };
        using var progress = new ProgressLine();
        var clock = Stopwatch.StartNew();
        AuditReport report = DataAuditor.Audit(options, new WorkMeter(progress).Show, cancel);
        AuditPage.Save(page, report);
        progress.Dispose();
        foreach (RefusedFile file in report.Refused) { Console.Error.WriteLine($"refused {file.Path}: {file.Reason}"); }
        if (parse.GetValue(Json)) { Console.WriteLine(AsJson(report, page, clock.Elapsed)); }
        else { Print(report, page, clock.Elapsed); }
        return Task.FromResult(parse.GetValue(Strict) && report.Findings.Count > 0 ? CommandRunner.Failure : 0);
    }

    private static string PagePath(ParseResult parse, string data)
    {
        string? given = parse.GetValue(Out);
        if (given is not null) { CommonOptions.RequireFree(given, parse.GetValue(Force)); }
        string page = given ?? Path.Combine(Directory.Exists(data) ? data : Path.GetDirectoryName(Path.GetFullPath(data))!, "audit.html");
        AtomicFile.RequireWritable(page);
        return page;
    }

    private static TrainConfig Configure(ParseResult parse)
    {
        if (parse.GetValue(Compat) is { } compat and not "seed") { throw new I2MException($"--compat {compat}: expected seed"); }
        TrainConfig config = parse.GetValue(Config) is { } file ? TrainConfig.Load(file) : TrainPresets.Get(parse.GetValue(Preset) ?? "nano", parse.GetValue(Compat) is not null);
        DiffusionConfig d = config.Diffusion;
        return (config with
        {
            Diffusion = d with
            {
                Schedule = Chosen(parse, Schedule, Schedules) ?? d.Schedule,
                ZeroTerminalSnr = Chosen(parse, ZeroTerminalSnr, Switches) ?? d.ZeroTerminalSnr,
                Prediction = Chosen(parse, Prediction, Predictions) ?? d.Prediction,
                Density = Chosen(parse, Density, Densities) ?? d.Density,
                InputScale = parse.GetValue(InputScale) ?? d.InputScale,
            },
        }).Validated();
    }

    private static Option<string?> Choice(string name, string what, IEnumerable<string> values)
    {
        var option = new Option<string?>(name) { Description = $"{what}: {string.Join(", ", values)} (default: as the preset).", HelpName = "name" };
        option.AcceptOnlyFromAmong([.. values]);
        return option;
    }

    private static T? Chosen<T>(ParseResult parse, Option<string?> option, Dictionary<string, T> values) where T : struct => parse.GetValue(option) is { } name ? values[name] : null;

    private static void Print(AuditReport r, string page, TimeSpan elapsed)
    {
        Console.WriteLine($"{r.Usable:N0} of {r.Pairs:N0} pairs usable; {r.Pictures:N0} different pictures, {r.Sounds:N0} different sounds; {r.Classes.Count} classes (balanced within {Units.Percent(r.ClassImbalance)}), {r.Speakers.Count} speakers (within {Units.Percent(r.SpeakerImbalance)})");
        if (r.Mel is { } m) { Console.WriteLine($"log-mel: mean {Units.Number(m.Mean, "F3")}, deviation {Units.Number(m.Deviation, "F3")}; silence {Units.Percent(r.Silence)} of the time"); }
        if (r.Conditioning is { } c)
        {
            Console.WriteLine($"d′(t): {string.Join(", ", ShownTimesteps.Where(t => t < c.Curve.Count).Select(t => $"{Units.Number(c.Curve[t], "G3")} at {t}"))}");
            Console.WriteLine($"{Units.Percent(c.Share)} of the timesteps need the picture; the class explains {Units.Percent(c.ClassShare)} of the distance between clips, {Units.Number(c.ClassRatio, "F1")} times what chance would");
        }
        foreach (AuditFinding f in r.Findings) { Console.WriteLine($"found {f.Kind}: {f.Count:N0} {f.Message}{(f.Examples.Count > 0 ? $"; first: {f.Examples[0]}" : "")}"); }
        if (r.Findings.Count == 0) { Console.WriteLine("nothing found"); }
        Console.WriteLine($"{ProgressLine.Format(elapsed)} in all, peak memory {MemoryFacts.PeakResidentBytes() >> 20:N0} MiB");
        Console.WriteLine(page);
    }

    private static string AsJson(AuditReport r, string page, TimeSpan elapsed) => JsonSerializer.Serialize(new
    {
        list = r.ListPath,
        page,
        pairs = r.Pairs,
        usable = r.Usable,
        pictures = r.Pictures,
        sounds = r.Sounds,
        classes = r.Classes.Select(Part),
        speakers = r.Speakers.Select(Part),
        classImbalance = r.ClassImbalance,
        speakerImbalance = r.SpeakerImbalance,
        silence = r.Silence,
        silenceHistogram = r.SilenceHistogram,
        mel = r.Mel is not { } m ? null : new { mean = m.Mean, deviation = m.Deviation, floor = m.Floor, highest = m.Highest, speechFrames = m.SpeechFrames, bands = m.Bands.Select(b => new[] { b.Mean, b.Deviation }) },
        distances = Enumerable.Range(0, r.Distances.GetLength(0)).Select(a => Enumerable.Range(0, r.Distances.GetLength(1)).Select(b => CommonOptions.Finite(r.Distances[a, b]))),
        conditioning = r.Conditioning is { } c ? Conditions(c) : null,
        findings = r.Findings.Select(f => new { kind = f.Kind, count = f.Count, message = f.Message, examples = f.Examples }),
        refused = r.Refused.Select(f => new { path = f.Path, reason = f.Reason }),
        seconds = elapsed.TotalSeconds,
        peakResidentBytes = MemoryFacts.PeakResidentBytes(),
    });

    private static object Part(PartCount p) => new { name = p.Name, train = p.Train, eval = p.Eval };

    private static object Conditions(ConditioningReport c) => new
    {
        setting = Setting(c.Diffusion, c.Normalized, c.Share),
        distance = c.Distance,
        meanSquaredError = c.MeanSquaredError,
        classDistance = c.ClassDistance,
        classShare = c.ClassShare,
        classRatio = CommonOptions.Finite(c.ClassRatio),
        separability = c.Curve.Select(d => CommonOptions.Finite(d)),
        share = c.Share,
        lossGain = c.LossGain,
        recommended = c.Recommended is { } r ? Setting(r.Diffusion, r.Normalized, r.Share) : null,
        otherSettings = c.Ladder.Select(s => Setting(s.Diffusion, s.Normalized, s.Share)),
    };

    private static object Setting(DiffusionConfig d, bool normalized, double share) => new { schedule = Name(Schedules, d.Schedule), zeroTerminalSnr = d.ZeroTerminalSnr, prediction = Name(Predictions, d.Prediction), inputScale = d.InputScale, density = Name(Densities, d.Density), normalized, share };

    private static string Name<T>(Dictionary<string, T> names, T value) where T : struct => names.First(n => n.Value.Equals(value)).Key;
}
