using System.Numerics;
using I2M.Model.Data.Building;

namespace I2M.Model.Data.Auditing;

/// <summary>What is kept of a sound: a few dozen bytes, so that memory does not grow with the sounds' length.</summary>
/// <param name="Path">The file.</param>
/// <param name="Hash">SHA-256 of the file.</param>
/// <param name="Check">The waveform.</param>
/// <param name="Print">The mel's fingerprint.</param>
internal sealed record SoundFacts(string Path, string Hash, SoundCheck Check, SoundPrint Print);

/// <summary>Two files of different parts that are the same or nearly so.</summary>
/// <param name="Train">Learned from.</param>
/// <param name="Eval">Held out.</param>
internal sealed record Leak(string Train, string Eval);

/// <summary>The pairs that can be used, and what was found in their files.</summary>
/// <param name="Manifest">The list.</param>
/// <param name="Pairs">Usable pairs.</param>
/// <param name="Eval">Which of them are held out.</param>
/// <param name="Pictures">By path.</param>
/// <param name="Sounds">By path.</param>
internal sealed record AuditFacts(PairManifest Manifest, IReadOnlyList<Pair> Pairs, IReadOnlyList<bool> Eval, IReadOnlyDictionary<string, Picture> Pictures, IReadOnlyDictionary<string, SoundFacts> Sounds)
{
    private const int InTrain = 1, InEval = 2;

    /// <summary>A file as the list names it.</summary>
    public string Name(string file) => PairManifest.Portable(Manifest.Path, file);

    /// <summary>Pictures that are both learned from and held out.</summary>
    public IEnumerable<Leak> PictureLeaks() => Leaks(p => p.Image, p => Pictures[p.Image].Hash);

    /// <summary>Sounds that are both learned from and held out, silent ones left out.</summary>
    public IEnumerable<Leak> SoundLeaks() => Leaks(p => p.Audio, p => Sounds[p.Audio].Check is { Silent: false } check ? check.Content.ToString("x32", null) : null);

    /// <summary>Different pictures of which one is learned from and a near-duplicate held out.</summary>
    public IEnumerable<Leak> NearPictures()
    {
        var (files, parts) = Distinct(p => Pictures[p.Image].Hash, p => p.Image);
        foreach (var (a, b) in PerceptualHash.NearPairs([.. files.Select(f => Pictures[f].Look)]))
        {
            if (Crosses(parts[a], parts[b])) { yield return new Leak(files[a], files[b]); }
            else if (Crosses(parts[b], parts[a])) { yield return new Leak(files[b], files[a]); }
        }
    }

    /// <summary>
    /// Different sounds of different parts whose fingerprints and lengths are near, the nearest first; whether they are the same recording is to be seen from their
    /// mels. Sounds of equal length are compared all with all: an exclusive-or and a count of bits each.
    /// </summary>
    /// <param name="most">Gives at most so many.</param>
    public IEnumerable<Leak> NearSoundCandidates(int most)
    {
        var (files, parts) = Distinct(p => Sounds[p.Audio].Check.Content.ToString("x32", null), p => p.Audio);
        SoundPrint[] prints = [.. files.Select(f => Sounds[f].Print)];
        int[] order = [.. Enumerable.Range(0, files.Count).Where(i => prints[i].Length > 0).OrderBy(i => prints[i].Length).ThenBy(i => i)];
        List<Leak>[] byBits = [.. Enumerable.Range(0, SoundPrint.NearBits + 1).Select(_ => new List<Leak>())];
        for (int i = 0; i < order.Length; i++)
        {
            for (int j = i + 1; j < order.Length && prints[order[j]].Length - prints[order[i]].Length <= SoundPrint.LengthSlack; j++)
            {
                int bits = BitOperations.PopCount(prints[order[i]].Bits ^ prints[order[j]].Bits);
                if (bits > SoundPrint.NearBits || byBits[bits].Count == most) { continue; }
                if (Crosses(parts[order[i]], parts[order[j]])) { byBits[bits].Add(new Leak(files[order[i]], files[order[j]])); }
                else if (Crosses(parts[order[j]], parts[order[i]])) { byBits[bits].Add(new Leak(files[order[j]], files[order[i]])); }
            }
        }
        return byBits.SelectMany(l => l).Take(most);
    }

    private static bool Crosses(int train, int eval) => (train & InTrain) != 0 && (eval & InEval) != 0;

    private IEnumerable<Leak> Leaks(Func<Pair, string> file, Func<Pair, string?> content)
    {
        Dictionary<string, string> learned = [];
        for (int i = 0; i < Pairs.Count; i++)
        {
            if (!Eval[i] && content(Pairs[i]) is { } key) { learned.TryAdd(key, file(Pairs[i])); }
        }
        HashSet<string> seen = [];
        for (int i = 0; i < Pairs.Count; i++)
        {
            if (Eval[i] && content(Pairs[i]) is { } key && learned.TryGetValue(key, out string? train) && seen.Add(file(Pairs[i]))) { yield return new Leak(train, file(Pairs[i])); }
        }
    }

    /// <summary>One file of each content, and the parts that it occurs in.</summary>
    private (List<string> Files, List<int> Parts) Distinct(Func<Pair, string> content, Func<Pair, string> file)
    {
        var (files, parts) = (new List<string>(), new List<int>());
        Dictionary<string, int> known = [];
        for (int i = 0; i < Pairs.Count; i++)
        {
            if (known.TryAdd(content(Pairs[i]), files.Count))
            {
                files.Add(file(Pairs[i]));
                parts.Add(0);
            }
            parts[known[content(Pairs[i])]] |= Eval[i] ? InEval : InTrain;
        }
        return (files, parts);
    }
}
