using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using I2M.Cli.Speech;
using I2M.Kernels;
using I2M.Model.Data.Building;
using I2M.Model.Data.Speech;

namespace I2M.Cli.Commands;

/// <summary><c>i2m data build</c>: a folder of pictures for each class in, unique spoken clips and a leak-free pairs.json out.</summary>
internal static class DataBuildCommand
{
    private const int DefaultSpeakers = 50;
    private static readonly Option<string?> Images = new("--images") { Description = "Folder with a folder of pictures for each class; ImageNet's folders (n01440764 …) have their names built in.", HelpName = "folder" };
    private static readonly Option<string?> Descriptions = new("--descriptions") { Description = "What is said of each class: JSON {\"class\": [\"text\", …]} or CSV with the columns class,text. Without it twenty ImageNet classes have texts built in, others speak their names.", HelpName = "file" };
    private static readonly Option<string?> Pairs = new("--pairs") { Description = "Own pictures and sounds: CSV with the columns image,audio and, where known, class,text,speaker; or a pairs.json or meta_file.json. Any rate and length.", HelpName = "file" };
    private static readonly Option<string> Long = new("--long") { Description = "Own sounds longer than a clip: trim keeps their beginning, refuse leaves them out.", DefaultValueFactory = _ => "trim", HelpName = "rule" };
    private static readonly Option<string> Out = new("--out", "-o") { Description = "Folder of the data set. A build that was stopped or killed goes on where it was.", Required = true, HelpName = "folder" };
    private static readonly Option<int> PerClass = CommonOptions.Integer("--per-class", "Pairs of each class; pictures repeat when there are fewer. 0: one for each picture.", 0, 0, 10_000_000);
    private static readonly Option<int> Speakers = CommonOptions.Integer("--speakers", "Speakers at most.", DefaultSpeakers, 1, 100_000);
    private static readonly Option<string[]> Piper = new("--piper") { Description = "Piper voice to speak with instead of espeak-ng: VOICE.onnx beside VOICE.onnx.json. May be given several times; each speaker of a voice counts.", HelpName = "voice.onnx" };
    private static readonly Option<string?> VoiceCommand = new("--voice-command") { Description = "Program that speaks instead of espeak-ng and writes a WAV: {text}, {voice} and {output} are filled in; without {text} it reads standard input, without {output} it writes standard output.", HelpName = "command" };
    private static readonly Option<string?> VoiceNames = new("--voice-names") { Description = "Values for {voice}, separated by commas.", HelpName = "names" };
    private static readonly Option<double> Seconds = CommonOptions.Number("--seconds", "Length of every clip.", 3, 0.5, 60);
    private static readonly Option<double> MinSpeed = CommonOptions.Number("--min-speed", "Slowest speech; the pitch is kept.", 0.75, 0.25, 4);
    private static readonly Option<double> MaxSpeed = CommonOptions.Number("--max-speed", "Fastest speech.", 1.35, 0.25, 4);
    private static readonly Option<double> Semitones = CommonOptions.Number("--semitones", "Pitch goes up and down by so many semitones; the length is kept.", 4, 0, 12);
    private static readonly Option<double> Eval = CommonOptions.Number("--eval", "Share of each class to hold out; no picture, near-duplicate or clip comes into both parts.", 0.1, 0, 1);
    private static readonly Option<ulong> Seed = CommonOptions.Seed("every choice");
    private static readonly Option<int> Threads = CommonOptions.Threads();
    private static readonly Option<bool> Force = new("--force") { Description = "Replace a data set in --out that was built otherwise." };
    private static readonly Option<bool> Json = CommonOptions.Json();

    public static Command Create()
    {
        var command = new Command("build", "Build a data set: every picture gets a clip of its own, spoken by many speakers at many speeds and pitches.\n\nExamples:\n  i2m data build --images imagenette/train --out data\n  i2m data build --images pictures --descriptions texts.json --out data --per-class 1300\n  i2m data build --pairs mine.csv --out data")
        {
            Images, Descriptions, Pairs, Long, Out, PerClass, Speakers, Piper, VoiceCommand, VoiceNames, Seconds, MinSpeed, MaxSpeed, Semitones, Eval, Seed, Threads, Force, Json,
        };
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        using var progress = new ProgressLine();
        var clock = Stopwatch.StartNew();
        BuildOptions options = Options(parse, progress);
        var meter = new WorkMeter(progress);
        BuildReport report = DataBuilder.Build(options, meter.Show, cancel);
        progress.Dispose();
        foreach (RefusedFile file in report.Refused) { Console.Error.WriteLine($"refused {file.Path}: {file.Reason}"); }
        foreach (LongText text in report.LongTexts) { Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"left out: '{text.Text}' ({text.Class}) takes {text.Seconds:F2} s at speed {options.MinSpeed}, spoken by {text.Speaker}")); }
        if (report.NameOnly.Count > 0) { Console.Error.WriteLine($"no descriptions of {string.Join(", ", report.NameOnly)}: the names are spoken"); }
        Print(report, clock.Elapsed, parse.GetValue(Json));
        return Task.FromResult(0);
    }

    private static BuildOptions Options(ParseResult parse, ProgressLine progress)
    {
        string? images = parse.GetValue(Images);
        return new BuildOptions(images, parse.GetRequiredValue(Out), images is null ? [] : OpenSpeakers(parse, progress))
        {
            Descriptions = parse.GetValue(Descriptions),
            OwnPairs = parse.GetValue(Pairs),
            LongSounds = parse.GetValue(Long) switch { "trim" => LongSound.Trim, "refuse" => LongSound.Refuse, var other => throw new I2MException($"--long {other}: expected trim or refuse") },
            PerClass = parse.GetValue(PerClass),
            Seconds = parse.GetValue(Seconds),
            MinSpeed = parse.GetValue(MinSpeed),
            MaxSpeed = parse.GetValue(MaxSpeed),
            Semitones = parse.GetValue(Semitones),
            EvalFraction = parse.GetValue(Eval),
            Seed = parse.GetValue(Seed),
            Threads = parse.GetValue(Threads),
            Force = parse.GetValue(Force),
        };
    }

    private static IReadOnlyList<Speaker> OpenSpeakers(ParseResult parse, ProgressLine progress)
    {
        if (parse.GetValue(Piper) is { Length: > 0 } voices) { return Speaker.Of([.. voices.Select(PiperVoice.Open)], parse.GetValue(Speakers)); }
        ISpeechSynthesizer synthesizer;
        if (parse.GetValue(VoiceCommand) is { } command)
        {
            string[] names = (parse.GetValue(VoiceNames) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            synthesizer = new CommandSynthesizer(command, names);
        }
        else
        {
            synthesizer = SpeechSynthesizer.Best(out string reason);
            progress.Say(reason);
        }
        return Speaker.Of([synthesizer], parse.GetValue(Speakers));
    }

    private static void Print(BuildReport r, TimeSpan elapsed, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { pairs = r.PairsPath, count = r.Pairs, held = r.Held, classes = r.Classes, speakers = r.Speakers, pictures = r.Pictures, duplicateClips = r.DuplicateClips, leaks = r.Leaks, classImbalance = r.ClassImbalance, speakerImbalance = r.SpeakerImbalance, refused = r.Refused.Count, longTexts = r.LongTexts.Count, seconds = elapsed.TotalSeconds, peakResidentBytes = MemoryFacts.PeakResidentBytes() }));
            return;
        }
        Console.WriteLine($"{r.Pairs:N0} pairs of {r.Pictures:N0} pictures, {r.Classes} classes (balanced within {Units.Percent(r.ClassImbalance)}) and {r.Speakers} speakers (within {Units.Percent(r.SpeakerImbalance)}); {r.Held:N0} held out");
        Console.WriteLine($"checked: {r.DuplicateClips} duplicate clips, {r.Leaks} leaks into the held-out part; {r.Refused.Count} files refused");
        Console.WriteLine($"{ProgressLine.Format(elapsed)} in all, peak memory {MemoryFacts.PeakResidentBytes() >> 20:N0} MiB");
        Console.WriteLine(r.PairsPath);
    }
}
