namespace I2M.Model.Data.Building;

/// <summary>What a data set is like, counted from its list.</summary>
/// <param name="PairsPath">The list.</param>
/// <param name="Pairs">Number of pairs.</param>
/// <param name="Held">Of them held out.</param>
/// <param name="Classes">Number of classes.</param>
/// <param name="Speakers">Number of speakers.</param>
/// <param name="Pictures">Number of different pictures.</param>
/// <param name="DuplicateClips">Clips whose content another pair has too.</param>
/// <param name="Leaks">Held-out pairs that share a picture, a near-duplicate of one, or a clip with one that is learned from.</param>
/// <param name="ClassImbalance">Most minus fewest pairs of a class, over their mean.</param>
/// <param name="SpeakerImbalance">The same of speakers.</param>
/// <param name="Refused">Files that were left out.</param>
/// <param name="LongTexts">Texts that were left out.</param>
/// <param name="NameOnly">Classes that nobody described: their names are spoken.</param>
public sealed record BuildReport(string PairsPath, int Pairs, int Held, int Classes, int Speakers, int Pictures, int DuplicateClips, int Leaks, double ClassImbalance,
    double SpeakerImbalance, IReadOnlyList<RefusedFile> Refused, IReadOnlyList<LongText> LongTexts, IReadOnlyList<string> NameOnly)
{
    internal static BuildReport Of(string path, IReadOnlyList<Pair> pairs, IReadOnlyList<RefusedFile> refused, IReadOnlyList<LongText> tooLong, IReadOnlyList<string> nameOnly)
    {
        ILookup<string, Pair> parts = pairs.ToLookup(p => p.Split!);
        HashSet<string> learned = [.. parts[Pair.Train].SelectMany(Keys)];
        int[] classes = Counts(pairs, p => p.Class), speakers = Counts(pairs, p => p.Speaker);
        return new BuildReport(path, pairs.Count, parts[Pair.Eval].Count(), classes.Length, speakers.Length, pairs.Select(p => p.ImageHash).Distinct().Count(),
            pairs.Count - pairs.Select(p => p.AudioHash).Distinct().Count(), parts[Pair.Eval].Count(p => Keys(p).Any(learned.Contains)), Imbalance(classes), Imbalance(speakers),
            refused, tooLong, nameOnly);
    }

    private static string[] Keys(Pair p) => ["image " + p.ImageHash, "audio " + p.AudioHash, "group " + p.Group];

    private static int[] Counts(IReadOnlyList<Pair> pairs, Func<Pair, string?> key) => [.. pairs.GroupBy(key).Where(g => g.Key is not null).Select(g => g.Count())];

    private static double Imbalance(int[] counts) => counts.Length == 0 ? 0 : (counts.Max() - counts.Min()) / counts.Average();
}
