using System.Formats.Tar;
using System.Security.Cryptography;
using I2M.Kernels;
using I2M.Model.Data.Building;
using I2M.Model.Io;

namespace I2M.Model.Data.Shards;

/// <summary>A file or member that is not as it should be.</summary>
/// <param name="File">Path; of a member, the shard's and its name.</param>
/// <param name="Reason">What is wrong.</param>
public sealed record DataProblem(string File, string Reason);

/// <summary>What a check found.</summary>
/// <param name="Checked">Files or members whose content was hashed.</param>
/// <param name="Bytes">Of them.</param>
/// <param name="WithoutHash">Files of a list that says no hash: they are there, no more is known.</param>
/// <param name="Problems">In the order they were met.</param>
public sealed record VerifyReport(int Checked, long Bytes, int WithoutHash, IReadOnlyList<DataProblem> Problems);

/// <summary>Reads a whole data set and compares every content with the hash that its list or index says.</summary>
public sealed class DataVerifier
{
    private static readonly string[] s_clipFolders = ["audio", "own-audio"];
    private readonly Action<int, int>? _progress;
    private readonly CancellationToken _cancel;
    private readonly List<DataProblem> _problems = [];
    private int _checked, _withoutHash;
    private long _bytes;

    private DataVerifier(Action<int, int>? progress, CancellationToken cancel) => (_progress, _cancel) = (progress, cancel);

    /// <summary>Checks a folder of shards, or a list of pairs (or its folder).</summary>
    /// <param name="path">The folder or list.</param>
    /// <param name="progress">Called with (done, total).</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="BadFileException">The list or index itself cannot be used.</exception>
    public static VerifyReport Verify(string path, Action<int, int>? progress = null, CancellationToken cancel = default)
    {
        var verifier = new DataVerifier(progress, cancel);
        if (ShardIndex.IsPacked(path)) { verifier.VerifyShards(path, ShardIndex.Load(path)); }
        else if (Directory.Exists(path) && !File.Exists(PairDataset.ListOf(path))) { throw new BadFileException(path, $"holds neither a pairs.json nor an {ShardIndex.FileName}"); }
        else { verifier.VerifyList(PairManifest.Load(PairDataset.ListOf(path))); }
        return new VerifyReport(verifier._checked, verifier._bytes, verifier._withoutHash, verifier._problems);
    }

    private void VerifyList(PairManifest manifest)
    {
        var known = new HashSet<string>();
        for (int i = 0; i < manifest.Pairs.Count; i++)
        {
            _cancel.ThrowIfCancellationRequested();
            Pair p = manifest.Pairs[i];
            foreach (var (file, hash) in new[] { (p.Image, p.ImageHash), (p.Audio, p.AudioHash) })
            {
                if (known.Add(file)) { CheckFile(file, hash); }
            }
            _progress?.Invoke(i + 1, manifest.Pairs.Count);
        }
        string folder = Path.GetDirectoryName(Path.GetFullPath(manifest.Path))!;
        if (!File.Exists(Path.Combine(folder, DataFolder.SettingsFile))) { return; } // Elsewhere several lists may share a folder of clips.
        foreach (string clips in s_clipFolders.Select(f => Path.Combine(folder, f)).Where(Directory.Exists))
        {
            foreach (string file in Directory.EnumerateFiles(clips, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Where(f => !known.Contains(f))) { Add(file, "is in no pair of the list"); }
        }
    }

    private void CheckFile(string file, string? hash)
    {
        try
        {
            if (!File.Exists(file))
            {
                Add(file, "is missing");
            }
            else if (hash is null)
            {
                _withoutHash++;
            }
            else
            {
                _bytes += new FileInfo(file).Length;
                _checked++;
                if (!string.Equals(Fingerprint.OfFile(file), hash, StringComparison.OrdinalIgnoreCase)) { Add(file, "is damaged or was changed: its SHA-256 is not the list's"); }
            }
        }
        catch (BadFileException e)
        {
            Add(file, e.Message.StartsWith(file + ": ", StringComparison.Ordinal) ? e.Message[(file.Length + 2)..] : e.Message);
        }
    }

    private void VerifyShards(string folder, ShardIndex index)
    {
        foreach (Shard shard in index.Shards)
        {
            VerifyShard(Path.Combine(folder, shard.Name), shard, index.Samples);
            _progress?.Invoke(shard.First + shard.Count, index.Samples.Count);
        }
        HashSet<string> known = [ShardIndex.FileName, .. index.Shards.Select(s => s.Name)];
        foreach (string file in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Where(f => !known.Contains(Path.GetFileName(f)))) { Add(file, $"is not in {ShardIndex.FileName}"); }
    }

    private void VerifyShard(string path, Shard shard, IReadOnlyList<PackedSample> samples)
    {
        var expected = new Dictionary<string, ShardMember>();
        for (int i = shard.First; i < shard.First + shard.Count; i++)
        {
            foreach (ShardMember member in new[] { samples[i].Picture, samples[i].Sound, samples[i].Facts }) { expected[ShardIndex.MemberName(i, member)] = member; }
        }
        string? broken = ReadShard(path, shard, expected);
        foreach (string name in expected.Keys)
        {
            if (broken is null) { Add($"{path}/{name}", "is missing"); }
        }
        if (broken is not null) { Add(path, $"{broken}; {expected.Count} of its members were not reached"); }
    }

    /// <summary>Takes what is read out of <paramref name="expected"/>; gives what ended the reading too early, or null.</summary>
    private string? ReadShard(string path, Shard shard, Dictionary<string, ShardMember> expected)
    {
        try
        {
            using FileStream file = InputStream.Open(path);
            if (file.Length != shard.Bytes) { Add(path, $"is {file.Length:N0} bytes long, expected {shard.Bytes:N0}"); }
            using var tar = new TarReader(file, leaveOpen: true);
            while (tar.GetNextEntry() is { } entry)
            {
                _cancel.ThrowIfCancellationRequested();
                CheckMember($"{path}/{InputFile.OneLine(entry.Name)}", entry, expected);
            }
            return null;
        }
        catch (BadFileException e)
        {
            return e.Message.StartsWith(path + ": ", StringComparison.Ordinal) ? e.Message[(path.Length + 2)..] : e.Message;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or FormatException or ArgumentException or OverflowException or NotSupportedException)
        {
            return $"is cut or damaged: {InputFile.OneLine(e.Message)}";
        }
    }

    private void CheckMember(string name, TarEntry entry, Dictionary<string, ShardMember> expected)
    {
        if (!expected.Remove(entry.Name, out ShardMember member))
        {
            Add(name, $"is not in {ShardIndex.FileName}, or there twice");
            return;
        }
        _checked++;
        _bytes += entry.Length;
        string hash = entry.DataStream is null ? Convert.ToHexStringLower(SHA256.HashData([])) : Convert.ToHexStringLower(SHA256.HashData(entry.DataStream));
        if (hash != member.Hash.ToString()) { Add(name, "is damaged: its SHA-256 is not the index's"); }
        else if (entry.Length != member.Bytes || entry.DataOffset != member.Offset) { Add(name, $"has {entry.Length} bytes at {entry.DataOffset}, the index says {member.Bytes} at {member.Offset}"); }
    }

    private void Add(string file, string reason) => _problems.Add(new DataProblem(file, reason));
}
