using System.Collections.Concurrent;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data.Building;

namespace I2M.Model.Data.Auditing;

/// <summary>
/// Examines a data set before anything is trained on it. Every file is read once, in parallel, and only hashes and sums are kept; the result does not depend on
/// the number of threads.
/// </summary>
public sealed class DataAuditor
{
    /// <summary>Most pairs of sounds whose mels are compared after their fingerprints were found to be near.</summary>
    private const int MostComparisons = 2_000;

    private readonly AuditOptions _options;
    private readonly Action<BuildProgress>? _progress;
    private readonly CancellationToken _cancel;
    private readonly List<RefusedFile> _refused = [];
    private bool _splitFailed;

    private DataAuditor(AuditOptions options, Action<BuildProgress>? progress, CancellationToken cancel) => (_options, _progress, _cancel) = (options, progress, cancel);

    /// <summary>Reads the whole data set.</summary>
    /// <param name="options">Where it is, and the training run that it is for.</param>
    /// <param name="progress">Called for every file, from several threads.</param>
    /// <param name="cancel">Stops between two files.</param>
    /// <exception cref="I2MException">There is no list, or no pair of it can be used.</exception>
    public static AuditReport Audit(AuditOptions options, Action<BuildProgress>? progress = null, CancellationToken cancel = default) =>
        new DataAuditor(options with { Config = options.Config.Validated() }, progress, cancel).Run();

    private AuditReport Run()
    {
        PairManifest manifest = AuditList.Read(_options.Path);
        Dictionary<string, Picture> pictures = ReadAll("reading pictures", [.. manifest.Pairs.Select(p => p.Image).Distinct()], PictureFolder.ReadPicture);
        using var reader = new SoundReader(_options.Config);
        Pair[] seen = [.. manifest.Pairs.Where(p => pictures.ContainsKey(p.Image))];
        bool[] eval = Split(seen, pictures);
        string[] classes = [.. seen.Select(p => p.Class).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        var (bands, frames) = (_options.Config.Mel.Bands, _options.Config.Model.MelFrames);
        var mels = new AuditMels(new(bands, frames, classes.Length, MelNormalizer.DefaultFloor), new(bands, frames, classes.Length, _options.Config.Mel.SilenceLevel), classes);
        Dictionary<string, SoundFacts> sounds = Listen(reader, manifest, seen, eval, mels);
        int[] usable = [.. Enumerable.Range(0, seen.Length).Where(i => sounds.ContainsKey(seen[i].Audio))];
        if (usable.Length == 0) { throw new BadFileException(manifest.Path, $"none of {manifest.Pairs.Count} pairs can be used: {_refused[0].Path}: {_refused[0].Reason}"); }
        var facts = new AuditFacts(manifest, [.. usable.Select(i => seen[i])], [.. usable.Select(i => eval[i])], pictures, sounds);
        return AuditSummary.Of(_options.Config, facts, mels, NearSounds(reader, facts), _refused, _splitFailed);
    }

    private Dictionary<string, T> ReadAll<T>(string what, string[] files, Func<string, T> read) where T : class
    {
        var results = new T?[files.Length];
        var reasons = new string?[files.Length];
        int done = 0;
        ParallelEach.Run(Enumerable.Range(0, files.Length), _options.Parallel(_cancel), i =>
        {
            try { results[i] = read(files[i]); }
            catch (I2MException e) { reasons[i] = PictureFolder.Reason(e, files[i]); }
            int n = Interlocked.Increment(ref done);
            _progress?.Invoke(new(what, n, files.Length, n));
        });
        _refused.AddRange(files.Zip(reasons).Where(f => f.Second is not null).Select(f => new RefusedFile(f.First, f.Second!)));
        return files.Zip(results).Where(f => f.Second is not null).ToDictionary(f => f.First, f => f.Second!);
    }

    /// <summary>The list's own split, else the one that training would make.</summary>
    private bool[] Split(Pair[] pairs, Dictionary<string, Picture> pictures)
    {
        if (pairs.All(p => p.Split is not null)) { return [.. pairs.Select(p => p.Split == Pair.Eval)]; }
        var eval = new bool[pairs.Length];
        var hashes = new ConcurrentDictionary<string, string>();
        // A sound that cannot be read is its own; it is refused when it is listened to.
        ParallelEach.Run(pairs.Select(p => p.Audio).Distinct(), _options.Parallel(_cancel), path =>
        {
            try { hashes[path] = Fingerprint.OfFile(path); }
            catch (BadFileException) { hashes[path] = path; }
        });
        try
        {
            foreach (int i in DataSplit.Create(pairs, _options.Config.EvalFraction, _options.Config.Seed, path => pictures.TryGetValue(path, out Picture? p) ? p.Hash : hashes[path]).Eval) { eval[i] = true; }
        }
        catch (I2MException)
        {
            _splitFailed = true;
        }
        return eval;
    }

    private Dictionary<string, SoundFacts> Listen(SoundReader reader, PairManifest manifest, Pair[] pairs, bool[] eval, AuditMels mels)
    {
        Dictionary<string, List<(int Class, int Count)>> uses = manifest.Pairs.Select(p => p.Audio).Distinct().ToDictionary(p => p, _ => new List<(int, int)>());
        foreach (var use in pairs.Where((_, i) => !eval[i]).GroupBy(p => (p.Audio, p.Class)))
        {
            uses[use.Key.Audio].Add((use.Key.Class is { } c ? Array.BinarySearch(mels.Classes, c, StringComparer.Ordinal) : -1, use.Count()));
        }
        return ReadAll("listening", [.. uses.Keys], path =>
        {
            var (mel, sound) = reader.Read(path);
            if (uses[path].Count > 0)
            {
                mels.Floored.Add(mel, uses[path]);
                mels.Raw.Add(mel, uses[path]);
            }
            return sound;
        });
    }

    private List<Leak> NearSounds(SoundReader reader, AuditFacts facts)
    {
        Leak[] candidates = [.. facts.NearSoundCandidates(MostComparisons)];
        var found = new bool[candidates.Length];
        int done = 0;
        ParallelEach.Run(Enumerable.Range(0, candidates.Length), _options.Parallel(_cancel), i =>
        {
            found[i] = reader.SameRecording(candidates[i].Train, candidates[i].Eval);
            int n = Interlocked.Increment(ref done);
            _progress?.Invoke(new("comparing sounds", n, candidates.Length, n));
        });
        return [.. candidates.Where((_, i) => found[i])];
    }
}

/// <summary>Statistics of the training part's mels.</summary>
/// <param name="Floored">Raised to the floor of <see cref="MelNormalizer"/>.</param>
/// <param name="Raw">As they are.</param>
/// <param name="Classes">Names in the order of the class indices.</param>
internal sealed record AuditMels(MelStatistics Floored, MelStatistics Raw, string[] Classes);
