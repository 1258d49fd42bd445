using System.Globalization;
using I2M.Model.Data.Building;
using I2M.Model.Diffusion;
using I2M.Model.Training;

namespace I2M.Model.Data.Auditing;

/// <summary>Makes the report of what was found.</summary>
internal static class AuditSummary
{
    private const int ExampleClasses = 10, ExampleFindings = 6, HistogramBins = 10;

    /// <summary>Counts differ too much when the most exceed the fewest by more than half their mean, and by more than two.</summary>
    private const double MostImbalance = 0.5;

    private const int ImbalanceSlack = 2, LeastExclusive = 4;

    /// <summary>
    /// Classes whose variance is not clearly above that within them are not told apart by sound. The ratio's own scatter is large in small classes: there only
    /// means that lie closer together than chance would have them are a finding.
    /// </summary>
    private const double LeastRatio = 1.5, LeastRatioOfFew = 0.5;

    private const int Many = 100;

    private const double LeastDistinct = 0.9;

    public static AuditReport Of(TrainConfig config, AuditFacts facts, AuditMels mels, IReadOnlyList<Leak> nearSounds, IReadOnlyList<RefusedFile> refused, bool splitFailed)
    {
        Dictionary<string, PartCount> counted = Count(facts, p => p.Class).ToDictionary(c => c.Name);
        List<PartCount> classes = [.. mels.Classes.Select(name => counted.GetValueOrDefault(name) ?? new PartCount(name, 0, 0))], speakers = Count(facts, p => p.Speaker);
        SoundFacts[] sounds = [.. facts.Pairs.Select(p => p.Audio).Distinct().Select(a => facts.Sounds[a])];
        ConditioningReport? conditioning = ConditioningSummary.Of(config, mels.Floored, mels.Raw);
        var histogram = new int[HistogramBins];
        foreach (SoundFacts s in sounds) { histogram[Math.Min(HistogramBins - 1, (int)(s.Check.Silence * HistogramBins))]++; }
        List<AuditFinding> findings =
        [
            .. Refusals(refused), .. Splitting(splitFailed), .. Leaks(facts, nearSounds), .. Changed(facts), .. Waveforms(facts, sounds), .. Repetition(facts, sounds),
            .. Balance(classes, "class"), .. Balance(speakers, "speaker"), .. Exclusive(facts), .. Conditions(conditioning, classes.Count > 0 && classes.Min(c => c.Train) >= Many ? LeastRatio : LeastRatioOfFew),
        ];
        return new AuditReport(facts.Manifest.Path, facts.Manifest.Pairs.Count, facts.Pairs.Count, facts.Pairs.Select(p => facts.Pictures[p.Image].Hash).Distinct().Count(),
            sounds.Select(s => s.Check.Content).Distinct().Count(), classes, speakers, sounds.Average(s => s.Check.Silence), histogram, Mel(mels.Floored), ConditioningSummary.Distances(mels.Raw),
            conditioning, findings, refused, [.. Examples(facts, findings)]);
    }

    private static List<PartCount> Count(AuditFacts facts, Func<Pair, string?> key) =>
        [.. facts.Pairs.Select((p, i) => (Key: key(p), Eval: facts.Eval[i])).Where(p => p.Key is not null).GroupBy(p => p.Key!).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new PartCount(g.Key, g.Count(p => !p.Eval), g.Count(p => p.Eval)))];

    private static MelSummary? Mel(MelStatistics stats) => stats.SpeechFrames == 0 ? null
        : new MelSummary(stats.Mean, stats.Deviation, stats.Floor, stats.Highest, stats.SpeechFrames, [.. Enumerable.Range(0, stats.Bands).Select(stats.Band)]);

    private static IEnumerable<AuditFinding> Refusals(IReadOnlyList<RefusedFile> refused) => Found("unreadable", refused.Select(r => $"{r.Path}: {r.Reason}"), "files cannot be read; their pairs are left out");

    private static IEnumerable<AuditFinding> Splitting(bool failed) => failed
        ? [new AuditFinding("no-split", 1, "no pair can be held out without a leak: the pairs share pictures or sounds; add more of them", [])] : [];

    private static IEnumerable<AuditFinding> Leaks(AuditFacts facts, IReadOnlyList<Leak> nearSounds)
    {
        string Show(Leak leak) => $"{facts.Name(leak.Eval)} (held out) and {facts.Name(leak.Train)}";
        return
        [
            .. Found("duplicate-picture-across-split", facts.PictureLeaks().Select(Show), "held-out pictures are also learned from: the score on them says nothing; move both into one part"),
            .. Found("near-duplicate-picture-across-split", facts.NearPictures().Select(Show), "held-out pictures are near-duplicates of learned ones; move both into one part (i2m data build keeps them together)"),
            .. Found("duplicate-sound-across-split", facts.SoundLeaks().Select(Show), "held-out sounds are also learned from: the score on them says nothing; move both into one part or make every clip unique"),
            .. Found("near-duplicate-sound-across-split", nearSounds.Select(Show), "held-out sounds are copies of learned ones, saved anew or made louder or softer; move both into one part"),
        ];
    }

    private static IEnumerable<AuditFinding> Changed(AuditFacts facts) => Found("changed-since-listed", facts.Pairs.SelectMany(p => new[]
    {
        p.ImageHash is { } image && image != facts.Pictures[p.Image].Hash ? p.Image : null, p.AudioHash is { } audio && audio != facts.Sounds[p.Audio].Hash ? p.Audio : null,
    }).OfType<string>().Distinct().Select(facts.Name), "files are not those that the list was made of");

    private static IEnumerable<AuditFinding> Waveforms(AuditFacts facts, SoundFacts[] sounds)
    {
        IEnumerable<string> Where(Func<SoundCheck, bool> is_) => sounds.Where(s => is_(s.Check)).Select(s => facts.Name(s.Path));
        return
        [
            .. Found("silent-sound", Where(c => c.Silent), "sounds are silent"),
            .. Found("clipped-sound", Where(c => c.Clipped), "sounds are clipped: cut off flat at their largest amplitude; record them more softly"),
            .. Found("truncated-speech", Where(c => c is { Silent: false, End: SpeechEnd.Abrupt }), "sounds end in the middle of speech"),
            .. Found("speech-beyond-model", Where(c => c is { Silent: false, End: SpeechEnd.BeyondModel }), "sounds go on after the last frame that the model sees: what is said then is lost"),
        ];
    }

    private static IEnumerable<AuditFinding> Repetition(AuditFacts facts, SoundFacts[] sounds)
    {
        int distinct = sounds.Select(s => s.Check.Content).Distinct().Count();
        return distinct >= LeastDistinct * facts.Pairs.Count ? [] : [new AuditFinding("repeated-sounds", facts.Pairs.Count - distinct, $"pairs share their sound with another: {distinct} different sounds for {facts.Pairs.Count} pairs are learned by heart; make every clip unique", [])];
    }

    private static IEnumerable<AuditFinding> Balance(List<PartCount> counts, string what)
    {
        if (counts.Count < 2) { return []; }
        PartCount most = counts.MaxBy(c => c.Pairs)!, fewest = counts.MinBy(c => c.Pairs)!;
        int difference = most.Pairs - fewest.Pairs;
        return difference <= ImbalanceSlack || difference <= MostImbalance * counts.Average(c => c.Pairs) ? []
            : [new AuditFinding($"{what}-imbalance", difference, $"pairs more of {what} {most.Name} ({most.Pairs}) than of {fewest.Name} ({fewest.Pairs})", [])];
    }

    private static IEnumerable<AuditFinding> Exclusive(AuditFacts facts)
    {
        var known = facts.Pairs.Where(p => p.Class is not null && p.Speaker is not null).ToList();
        if (known.Select(p => p.Class).Distinct().Count() < 2) { return []; }
        return Found("speaker-of-one-class", known.GroupBy(p => p.Speaker!).Where(g => g.Count() >= LeastExclusive && g.Select(p => p.Class).Distinct().Count() == 1).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => $"{g.Key} speaks of {g.First().Class} alone"), "speakers speak of one class alone: their voice tells the class");
    }

    private static IEnumerable<AuditFinding> Conditions(ConditioningReport? c, double leastRatio)
    {
        if (c is null) { yield break; }
        if (!(c.ClassRatio >= leastRatio))
        {
            yield return new AuditFinding("picture-says-nothing", 1, string.Create(CultureInfo.InvariantCulture, $"the sounds of different classes differ no more than those of one class (variance ratio {c.ClassRatio:F2}): the picture says nothing about the sound"), []);
        }
        if (c.Recommended is { } r)
        {
            yield return new AuditFinding("picture-hardly-needed", 1, string.Create(CultureInfo.InvariantCulture, $"{100 * c.Share:F1} % of the training timesteps need the picture, expected at least {100 * Conditioning.LeastShare:F0} %: elsewhere the noisy mel itself tells the class. Recommended, with {100 * r.Share:F1} %: {Describe(r)}"), []);
        }
    }

    /// <summary>A setting in words.</summary>
    public static string Describe(ConditioningSetting s) => string.Create(CultureInfo.InvariantCulture,
        $"{(s.Normalized ? "unit variance" : "raw log-mel")} × {s.Diffusion.InputScale}, {s.Diffusion.Schedule.ToString().ToLowerInvariant()}{(s.Diffusion.ZeroTerminalSnr ? " with zero terminal SNR" : "")}, prediction {Prediction(s.Diffusion.Prediction)}, timesteps {Density(s.Diffusion.Density)}");

    private static string Prediction(PredictionKind prediction) => prediction switch { PredictionKind.Epsilon => "ε", PredictionKind.V => "v", _ => "x0" };

    private static string Density(TimestepDensity density) => density switch { TimestepDensity.HighNoise => "biased to high noise", TimestepDensity.LogitNormal => "logit-normal", _ => "uniform" };

    private static IEnumerable<AuditFinding> Found(string kind, IEnumerable<string> all, string message)
    {
        string[] found = [.. all];
        return found.Length == 0 ? [] : [new AuditFinding(kind, found.Length, message, [.. found.Take(AuditFinding.MaxExamples)])];
    }

    private static IEnumerable<(Pair, string)> Examples(AuditFacts facts, List<AuditFinding> findings)
    {
        foreach (var c in facts.Pairs.Where(p => p.Class is not null).DistinctBy(p => p.Class).Take(ExampleClasses)) { yield return (c, $"{c.Class}: {c.Text} {(c.Speaker is null ? "" : $"({c.Speaker})")}"); }
        if (facts.Pairs.All(p => p.Class is null)) { yield return (facts.Pairs[0], facts.Pairs[0].Text ?? ""); }
        Dictionary<string, Pair> byName = [];
        foreach (Pair p in facts.Pairs) { byName.TryAdd(facts.Name(p.Audio), p); }
        var flagged = from f in findings where f.Kind is "clipped-sound" or "truncated-speech" or "speech-beyond-model" from e in f.Examples.Take(2) select (byName[e], $"{f.Kind}: {e}");
        foreach (var example in flagged.Take(ExampleFindings)) { yield return example; }
    }
}
