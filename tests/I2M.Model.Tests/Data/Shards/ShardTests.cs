using System.Formats.Tar;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Data.Shards;
using I2M.Model.Tests.Training;
using I2M.Model.Training;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Data.Shards;

/// <summary>Pairs packed into tars: the bytes, the check, and what is wrong with damaged ones.</summary>
public sealed class ShardTests : IDisposable
{
    private static readonly TrainConfig s_config = TinyRun.Config with { Model = TinyRun.Config.Model with { ClassCount = 2 } };
    private readonly TinyPairs _pairs = new(12);

    public void Dispose() => _pairs.Dispose();

    private string Shards => _pairs.File("shards");

    private PackReport Pack(string name = "shards", SoundForm sound = SoundForm.Wav, ulong seed = 1, bool force = false) =>
        ShardPacker.Pack(new PackOptions(_pairs.Root, _pairs.File(name)) { ShardBytes = 100_000, EvalFraction = 0.25, Sound = sound, Seed = seed, Force = force }, Backends.Get("host"), cancel: TestContext.Current.CancellationToken);

    private PairDataset Open(TrainConfig? config = null) => PairDataset.Open(Backends.Get("host"), Shards, config ?? s_config, cancel: TestContext.Current.CancellationToken);

    private string Refused(TrainConfig? config = null)
    {
        string message = Assert.ThrowsAny<I2MException>(() => { using PairDataset _ = Open(config); }).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private static VerifyReport Verify(string path) => DataVerifier.Verify(path, cancel: TestContext.Current.CancellationToken);

    private DataProblem[] Problems() => [.. Verify(Shards).Problems];

    private string Tar(int number = 0) => Path.Combine(Shards, $"train-{number:D5}.tar");

    private static Dictionary<string, string> Contents(string folder) =>
        Directory.EnumerateFiles(folder).ToDictionary(f => Path.GetFileName(f), Fingerprint.OfFile);

    private static void Edit(string path, Action<byte[]> edit)
    {
        byte[] bytes = File.ReadAllBytes(path);
        edit(bytes);
        File.WriteAllBytes(path, bytes);
    }

    [Theory]
    [InlineData(SoundForm.Wav)]
    [InlineData(SoundForm.Mel)]
    public void EqualPairsGiveEqualBytesAndAllVerify(SoundForm sound)
    {
        PackReport report = Pack(sound: sound);
        Assert.Equal((12, 4), (report.Samples, report.Held));
        Assert.InRange(report.Shards, 3, 12);
        Pack("again", sound);
        Pack("other", sound, seed: 2);
        Assert.Equal(Contents(Shards), Contents(_pairs.File("again")));
        Assert.NotEqual(Contents(Shards), Contents(_pairs.File("other")));
        VerifyReport verified = Verify(Shards);
        Assert.Empty(verified.Problems);
        Assert.Equal(36, verified.Checked);
        Assert.Empty(Verify(_pairs.Root).Problems);
    }

    [Fact]
    public void MembersOfASampleFollowEachOtherAndTheirContentsAreTheFiles()
    {
        Pack();
        using FileStream file = File.OpenRead(Tar());
        using var tar = new TarReader(file);
        List<string> names = [];
        List<string> hashes = [];
        while (tar.GetNextEntry(copyData: true) is { } entry)
        {
            names.Add(entry.Name);
            using var content = new MemoryStream();
            entry.DataStream!.CopyTo(content);
            hashes.Add(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content.ToArray())));
        }
        Assert.Equal(["0000000.png", "0000000.wav", "0000000.json", "0000001.png"], names.Take(4));
        string[] pictures = [.. Enumerable.Range(0, 12).Select(i => Fingerprint.OfFile(_pairs.File($"{i}.png")))];
        Assert.Contains(hashes[0], pictures);
        Assert.Equal(hashes[1], Fingerprint.OfFile(_pairs.File($"{Array.IndexOf(pictures, hashes[0])}.wav")));
    }

    [Theory]
    [InlineData(SoundForm.Wav)]
    [InlineData(SoundForm.Mel)]
    public void ShardsHoldTheNumbersOfTheFiles(SoundForm sound)
    {
        Pack(sound: sound);
        using PairDataset packed = Open(), files = PairDataset.Open(Backends.Get("host"), _pairs.Root, s_config, cancel: TestContext.Current.CancellationToken);
        Assert.Equal(files.Classes, packed.Classes);
        Assert.Equal(files.Count, packed.Count);
        string Key(float[] mel) => string.Join(' ', mel.Take(400));
        Assert.Equal(files.Mels.Select(Key).Order(), packed.Mels.Select(Key).Order());
        Assert.Empty(packed.Split.Train.Intersect(packed.Split.Eval));
    }

    [Fact]
    public void WhatIsWrongIsNamed()
    {
        Pack();
        Edit(Tar(1), b => b[512 + 40] ^= 1);
        DataProblem damaged = Assert.Single(Problems());
        Assert.Matches(@"train-00001\.tar/\d{7}\.png$", damaged.File);
        Assert.Contains("SHA-256", damaged.Reason);
        Edit(Tar(1), b => b[512 + 40] ^= 1);
        File.WriteAllText(Path.Combine(Shards, "stray.tar"), "x");
        Assert.Contains(Problems(), p => p.File.EndsWith("stray.tar", StringComparison.Ordinal) && p.Reason.Contains("not in index"));
        File.Delete(Path.Combine(Shards, "stray.tar"));
        Edit(Tar(1), b => b[0] = (byte)'x'); // Another name: one member too much, one missing; the header's own checksum may notice first.
        Assert.Contains(Problems(), p => p.File.Contains("train-00001.tar", StringComparison.Ordinal));
    }

    [Fact]
    public void AMissingMemberIsNamed()
    {
        Pack();
        string path = Tar();
        List<(string Name, byte[] Content)> members = [];
        using (FileStream file = File.OpenRead(path))
        using (var tar = new TarReader(file))
        {
            while (tar.GetNextEntry() is { } entry)
            {
                using var content = new MemoryStream();
                entry.DataStream?.CopyTo(content);
                members.Add((entry.Name, content.ToArray()));
            }
        }
        using (FileStream file = File.Create(path))
        using (var tar = new TarWriter(file, TarEntryFormat.Ustar))
        {
            foreach (var (name, content) in members.Where((_, i) => i != 1)) { tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) }); }
        }
        DataProblem[] problems = Problems();
        Assert.Contains(problems, p => p.File.EndsWith("0000000.wav", StringComparison.Ordinal) && p.Reason == "is missing");
        Assert.Contains(problems, p => p.File.EndsWith("0000000.json", StringComparison.Ordinal) && p.Reason.Contains("the index says"));
        Assert.Contains("cut", Refused());
    }

    [Fact]
    public void ATruncatedTarIsRefusedAndNamed()
    {
        Pack();
        byte[] whole = File.ReadAllBytes(Tar());
        foreach (double part in new[] { 0.9, 0.5, 0.001 })
        {
            File.WriteAllBytes(Tar(), whole.AsSpan(0, (int)(whole.Length * part)));
            Assert.Contains("train-00000.tar: is ", Refused());
            Assert.Contains(Problems(), p => p.File.Contains("train-00000.tar", StringComparison.Ordinal) && p.Reason.Contains("not reached"));
        }
        File.Delete(Tar());
        Assert.Contains("no such file", Refused());
        Assert.Contains(Problems(), p => p.Reason.Contains("no such file"));
    }

    [Fact]
    public void AnIndexThatIsDamagedOrOfOtherShardsIsRefused()
    {
        Pack();
        string path = Path.Combine(Shards, "index.jsonl");
        string[] lines = File.ReadAllLines(path);
        foreach (string[] bad in new string[][] { lines[..^1], lines[1..], [.. lines, "{}"], [lines[0].Replace("\"version\":1", "\"version\":9"), .. lines[1..]], [lines[0], lines[1].Replace("train-00000.tar", "../x.tar"), .. lines[2..]], [lines[0], lines[1], lines[2].Replace("\"offset\":512", "\"offset\":-1"), .. lines[3..]], [lines[0], lines[1], lines[2].Replace("\"offset\":512", "\"offset\":1024"), .. lines[3..]] })
        {
            File.WriteAllLines(path, bad);
            Assert.Contains("index.jsonl", Refused());
        }
        File.WriteAllLines(path, lines);
        Pack("other", seed: 9);
        File.Copy(Path.Combine(_pairs.File("other"), "index.jsonl"), path, overwrite: true);
        string message = Assert.ThrowsAny<I2MException>(() => { using PairDataset data = Open(); _ = data.Mels[0]; }).Message;
        Assert.True(message.Contains("train-0000", StringComparison.Ordinal) && message.Contains("index.jsonl"), message);
    }

    [Fact]
    public void MelsOfOtherSettingsAreRefused()
    {
        Pack(sound: SoundForm.Mel);
        using (Open()) { }
        Assert.Contains("other settings than the model's", Refused(s_config with { Mel = s_config.Mel with { HopLength = 200 } }));
        Assert.Contains("240 frames against 280", Refused(s_config with { Model = s_config.Model with { MelFrames = 240 } }));
    }

    [Fact]
    public void ADamagedMelAndAnUnreadablePictureAreNamedInOneLine()
    {
        Pack(sound: SoundForm.Mel);
        using PairDataset data = Open();
        int shift = 0;
        Edit(Tar(), b => { shift = b.AsSpan().IndexOf("I2MMEL"u8); b[shift + 100] ^= 1; });
        Assert.Contains("train-00000.tar/0000000.mel: is damaged", Assert.Throws<BadFileException>(() => data.Mels[0]).Message);
        Edit(Tar(), b => { b[shift + 100] ^= 1; b.AsSpan(512, 200).Clear(); });
        using var loader = new BatchLoader(data, s_config with { BatchSize = data.Split.Train.Count }, MelNormalizer.CompatSeed(s_config.Mel), 0);
        Assert.Contains("train-00000.tar/0000000.png: is of an unknown format", Assert.Throws<BadFileException>(loader.Next).Message);
    }

    [Fact]
    public void FilesThatChangedAndTakenPlacesAreRefused()
    {
        Pack();
        Assert.Contains("--force", Assert.Throws<I2MException>(() => Pack()).Message);
        string shards = Path.GetDirectoryName(Tar())!;
        File.WriteAllText(Path.Combine(shards, "notes.txt"), "mine");
        Assert.Contains("holds notes.txt besides shards", Assert.Throws<I2MException>(() => Pack(force: true)).Message);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(shards, "notes.txt")));
        File.Delete(Path.Combine(shards, "notes.txt"));
        Pack(force: true);
        Directory.CreateDirectory(_pairs.File("full"));
        File.WriteAllText(_pairs.File("full/x"), "x");
        Assert.Contains("other files", Assert.Throws<I2MException>(() => Pack("full", force: true)).Message);
        Assert.Contains("holds the data", Assert.Throws<I2MException>(() => ShardPacker.Pack(new PackOptions(_pairs.Root, _pairs.Root) { Force = true }, cancel: TestContext.Current.CancellationToken)).Message);
        var manifest = PairManifest.Load(_pairs.File("pairs.json"));
        new PairManifest(manifest.Path, [.. manifest.Pairs.Select(p => p with { AudioHash = Fingerprint.OfFile(p.Audio), ImageHash = Fingerprint.OfFile(p.Image) })]).Save();
        Edit(_pairs.File("3.wav"), b => b[^1] ^= 1);
        Assert.Contains("3.wav: was changed since", Assert.Throws<BadFileException>(() => Pack("late")).Message);
        Assert.False(Directory.Exists(_pairs.File("late")));
        File.Delete(_pairs.File("4.png"));
        DataProblem[] problems = [.. Verify(_pairs.Root).Problems];
        Assert.Equal(["3.wav", "4.png"], problems.Select(p => Path.GetFileName(p.File)));
        Assert.Equal("is missing", problems[1].Reason);
    }
}
