using I2M.Kernels;
using I2M.Model.Training;

namespace I2M.Model.Data;

/// <summary>Which pairs are learned from and which are held out.</summary>
/// <param name="Train">Indices into the manifest, ascending.</param>
/// <param name="Eval">Indices into the manifest, ascending; no picture and no sound of theirs occurs in <paramref name="Train"/>.</param>
public sealed record DataSplit(IReadOnlyList<int> Train, IReadOnlyList<int> Eval)
{
    /// <summary>
    /// Splits without leaks: pairs that share a picture or a sound, directly or through other pairs, form one group, and
    /// a group goes to one part as a whole. Each class is split on its own, and a class of at least two groups gives at
    /// least one of them to either part (unless the fraction is 0 or 1).
    /// </summary>
    /// <param name="pairs">The examples.</param>
    /// <param name="evalFraction">Share of each class to hold out, in [0, 1]; groups are never cut to meet it.</param>
    /// <param name="seed">The same seed and list give the same split on every machine.</param>
    /// <param name="identity">
    /// Tells files apart: paths that map to equal texts are the same file. The path itself when null;
    /// <see cref="Fingerprint.OfFile"/> finds copies under other names.
    /// </param>
    /// <param name="groupBy">A further property whose equal values belong together, such as the speaker; <see cref="Pair.Group"/> when null. Null values group nothing.</param>
    /// <exception cref="I2MException">The fraction is outside [0, 1], or everything hangs together so that a part stays empty.</exception>
    public static DataSplit Create(
        IReadOnlyList<Pair> pairs, double evalFraction, ulong seed, Func<string, string>? identity = null, Func<Pair, string?>? groupBy = null)
    {
        if (!(evalFraction >= 0 && evalFraction <= 1)) throw new I2MException($"split: fraction {evalFraction}, expected 0 to 1");
        var groups = Group(pairs, identity ?? (path => path), groupBy ?? (p => p.Group));
        var random = new PhiloxRandom(seed, RandomStreams.Split);
        var eval = new bool[pairs.Count];
        foreach (var ofClass in groups.GroupBy(group => MainClass(group, pairs)).OrderBy(c => c.Key, StringComparer.Ordinal))
            foreach (var index in Choose([.. ofClass], evalFraction, ref random)) eval[index] = true;
        var held = eval.Count(e => e);
        if (pairs.Count > 0 && evalFraction is > 0 and < 1 && (held == 0 || held == pairs.Count))
            throw new I2MException($"split: the {pairs.Count} pairs share pictures or sounds, so none can be held out without a leak: expected more pictures or a share of 0 (--eval 0)");
        var all = Enumerable.Range(0, pairs.Count);
        return new DataSplit([.. all.Where(i => !eval[i])], [.. all.Where(i => eval[i])]);
    }

    /// <summary>The split that a list itself says; null when it says none.</summary>
    /// <param name="pairs">The examples.</param>
    /// <param name="identity">As for <see cref="Create"/>.</param>
    /// <exception cref="I2MException">Some pairs say their part and others do not, a picture or a sound is in both parts, or nothing is to be learned from: names the first.</exception>
    public static DataSplit? FromList(IReadOnlyList<Pair> pairs, Func<string, string>? identity = null)
    {
        var silent = Enumerable.Range(0, pairs.Count).FirstOrDefault(i => pairs[i].Split is null, -1);
        if (pairs.All(p => p.Split is null)) return null;
        if (silent >= 0) throw new I2MException($"split: entry {silent} ({pairs[silent].Image}) says no part, while others do: expected \"split\": \"train\" or \"eval\" for every pair or for none");
        var split = new DataSplit([.. Part(pairs, Pair.Train)], [.. Part(pairs, Pair.Eval)]);
        if (split.Train.Count == 0) throw new I2MException("split: no pair is of the part train");
        if (split.FirstLeak(pairs, identity ?? (path => path)) is { } leak) throw new I2MException($"split: {leak} is in both parts, train and eval");
        return split;
    }

    /// <summary>A held-out picture or sound that is also learned from; null when there is none.</summary>
    /// <param name="pairs">The examples that the indices mean.</param>
    /// <param name="identity">Tells files apart, as for <see cref="Create"/>.</param>
    public string? FirstLeak(IReadOnlyList<Pair> pairs, Func<string, string> identity)
    {
        var learned = Train.SelectMany(i => Files(pairs[i])).Select(identity).ToHashSet();
        return Eval.SelectMany(i => Files(pairs[i])).FirstOrDefault(file => learned.Contains(identity(file)));
    }

    private static IEnumerable<int> Part(IReadOnlyList<Pair> pairs, string name) => Enumerable.Range(0, pairs.Count).Where(i => pairs[i].Split == name);

    private static string[] Files(Pair pair) => [pair.Image, pair.Audio];

    /// <summary>Connected components of "shares a key", each in ascending order, ordered by their first member.</summary>
    private static List<List<int>> Group(IReadOnlyList<Pair> pairs, Func<string, string> identity, Func<Pair, string?>? groupBy)
    {
        var sets = new DisjointSets(pairs.Count);
        var identities = new Dictionary<string, string>();
        var owners = new Dictionary<(char Kind, string Key), int>();
        string Identity(string path) => identities.TryGetValue(path, out var id) ? id : identities[path] = identity(path);
        void Join(int index, char kind, string key)
        {
            if (!owners.TryAdd((kind, key), index)) sets.Union(owners[(kind, key)], index);
        }
        for (var i = 0; i < pairs.Count; i++)
        {
            Join(i, 'i', Identity(pairs[i].Image));
            Join(i, 'a', Identity(pairs[i].Audio));
            if (groupBy?.Invoke(pairs[i]) is { } key) Join(i, 'g', key);
        }
        return [.. Enumerable.Range(0, pairs.Count).GroupBy(sets.Find).Select(g => g.ToList())];
    }

    private static string MainClass(List<int> group, IReadOnlyList<Pair> pairs) =>
        group.GroupBy(i => pairs[i].Class ?? "").OrderByDescending(c => c.Count()).ThenBy(c => c.Key, StringComparer.Ordinal).First().Key;

    /// <summary>
    /// Takes groups in random order while they fit into the wanted number of pairs; when none fits, the smallest.
    /// </summary>
    private static IEnumerable<int> Choose(List<List<int>> groups, double fraction, ref PhiloxRandom random)
    {
        if (fraction == 0) return [];
        if (fraction == 1) return groups.SelectMany(g => g);
        if (groups.Count < 2) return [];
        random.Shuffle(groups);
        var wanted = (int)Math.Round(fraction * groups.Sum(g => g.Count));
        var chosen = new List<List<int>>();
        foreach (var group in groups)
        {
            if (group.Count > wanted || chosen.Count == groups.Count - 1) continue;
            chosen.Add(group);
            wanted -= group.Count;
        }
        if (chosen.Count == 0) chosen.Add(groups.MinBy(g => g.Count)!);
        return chosen.SelectMany(g => g);
    }

    /// <summary>Union–find with path halving; the smaller index stays the representative.</summary>
    private sealed class DisjointSets(int count)
    {
        private readonly int[] _parent = [.. Enumerable.Range(0, count)];

        public int Find(int item)
        {
            while (_parent[item] != item) item = _parent[item] = _parent[_parent[item]];
            return item;
        }

        public void Union(int a, int b)
        {
            (a, b) = (Find(a), Find(b));
            _parent[Math.Max(a, b)] = Math.Min(a, b);
        }
    }
}
