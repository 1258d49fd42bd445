using System.Globalization;

namespace I2M.Model.Data.Building;

/// <summary>A pair whose part is not decided yet.</summary>
/// <param name="Pair">With hashes.</param>
/// <param name="Look">Perceptual hash of its picture.</param>
internal sealed record PreparedPair(Pair Pair, ulong Look);

/// <summary>Decides which pairs are held out: no picture, no near-duplicate of one and no clip comes into both parts.</summary>
internal static class PairSplitter
{
    /// <summary>The pairs with group and part.</summary>
    public static IReadOnlyList<Pair> Split(IReadOnlyList<PreparedPair> prepared, BuildOptions options)
    {
        // One entry for each different picture: repeated pictures would only make the comparison longer.
        var looks = prepared.DistinctBy(p => p.Pair.ImageHash).ToList();
        int[] groups = PerceptualHash.Group([.. looks.Select(p => p.Look)]);
        Dictionary<string, string> groupOf = looks.Select((p, i) => (p.Pair.ImageHash!, groups[i].ToString(CultureInfo.InvariantCulture))).ToDictionary();
        Dictionary<string, string> hashes = [];
        foreach (PreparedPair p in prepared) { (hashes[p.Pair.Image], hashes[p.Pair.Audio]) = (p.Pair.ImageHash!, p.Pair.AudioHash!); }
        Pair[] pairs = [.. prepared.Select(p => p.Pair with { Group = groupOf[p.Pair.ImageHash!] })];
        DataSplit split = DataSplit.Create(pairs, options.EvalFraction, options.Seed, path => hashes[path], p => p.Group);
        HashSet<int> eval = [.. split.Eval];
        return [.. pairs.Select((p, i) => p with { Split = eval.Contains(i) ? Pair.Eval : Pair.Train })];
    }
}
