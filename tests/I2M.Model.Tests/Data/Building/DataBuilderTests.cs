using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Data.Building;
using I2M.Model.Data.Drawing;
using I2M.Model.Data.Speech;
using I2M.Model.Images;
using I2M.Model.Tests.Io;
using Xunit;

namespace I2M.Model.Tests.Data.Building;

public sealed class DataBuilderTests : IDisposable
{
    private const int Speakers = 6;
    private readonly TemporaryFolder _scratch = new();
    private readonly BuiltInVoice _voice = new();

    public void Dispose() => _scratch.Dispose();

    private string Out => _scratch.File("out");

    private BuildOptions Options => new(Pictures(("n01443537", 12), ("n01518878_ostrich", 12)), Out, Speaker.Of([_voice], Speakers)) { EvalFraction = 0.25, Threads = 2 };

    [Fact]
    public void EveryPairIsUniqueBalancedAndWithoutLeaks()
    {
        BuildReport report = Build(Options with { PerClass = 36 });
        Assert.Equal((72, 18, 2, Speakers, 0, 0), (report.Pairs, report.Held, report.Classes, report.Speakers, report.DuplicateClips, report.Leaks));
        Assert.Equal((0.0, 0.0), (report.ClassImbalance, report.SpeakerImbalance));
        IReadOnlyList<Pair> pairs = PairManifest.Load(report.PairsPath).Pairs;
        Assert.Equal(72, pairs.Select(p => Convert.ToHexString(File.ReadAllBytes(p.Audio))).Distinct().Count());
        foreach (Pair p in pairs)
        {
            Assert.Equal((Fingerprint.OfFile(p.Image), Fingerprint.OfFile(p.Audio)), (p.ImageHash, p.AudioHash));
            Assert.Equal(new WavInfo(24_000, 1, "Pcm16", 72_000, null), WavFile.ReadInfo(p.Audio));
        }
        Assert.Empty(Part(pairs, Pair.Train, p => p.ImageHash!).Intersect(Part(pairs, Pair.Eval, p => p.ImageHash!)));
        Assert.All(pairs.GroupBy(p => p.Class), c => Assert.Equal(9, c.Count(p => p.Split == Pair.Eval)));
        Assert.All(pairs.GroupBy(p => (p.Class, p.Speaker)), g => Assert.Equal(6, g.Count()));
        Assert.All(pairs.GroupBy(p => (p.Class, p.Text)), g => Assert.InRange(g.Count(), 6, 9));
    }

    [Fact]
    public void SpeedAndPitchFillThePlaneForEverySpeaker()
    {
        IReadOnlyList<Pair> pairs = PairManifest.Load(Build(Options with { PerClass = 48 }).PairsPath).Pairs;
        Variation[] all = [.. pairs.Select(p => Variation.Parse(p.Augmentation)!)];
        Assert.InRange(all.Min(v => v.Speed), 0.75, 0.78);
        Assert.InRange(all.Max(v => v.Speed), 1.32, 1.35);
        Assert.InRange(all.Min(v => v.Semitones), -4, -3.6);
        Assert.InRange(all.Max(v => v.Semitones), 3.6, 4);
        foreach (var speaker in pairs.GroupBy(p => p.Speaker))
        {
            // 16 clips of a speaker: both halves of either range, and all four quarters of the plane.
            Assert.Equal(4, speaker.Select(p => Variation.Parse(p.Augmentation)!).Select(v => (v.Speed < 1.05, v.Semitones < 0)).Distinct().Count());
        }
        for (int quarter = 0; quarter < 4; quarter++)
        {
            Assert.InRange(all.Count(v => (int)((v.Speed - 0.75) / 0.15001) == quarter), 20, 28);
        }
    }

    [Fact]
    public void SpeechIsPaddedAndNeverCut()
    {
        IReadOnlyList<Pair> pairs = PairManifest.Load(Build(Options).PairsPath).Pairs;
        foreach (Pair p in pairs)
        {
            float[] samples = WavFile.Read(p.Audio).Samples;
            Assert.InRange(Array.FindIndex(samples, s => MathF.Abs(s) > 0.02f), 0, 24_000 / 10);
            Assert.All(samples[^1200..], s => Assert.Equal(0, s));
            Assert.InRange(samples.Max(MathF.Abs), 0.3f, 1f);
            AudioClip plain = Resampler.Resample(_voice.Speak(p.Text!, new(p.Speaker!)), 24_000);
            int first = Array.FindIndex(plain.Samples, s => MathF.Abs(s) > 0.01f), last = Array.FindLastIndex(plain.Samples, s => MathF.Abs(s) > 0.01f);
            double expected = (last - first) / 24_000.0 / Variation.Parse(p.Augmentation)!.Speed, found = (Array.FindLastIndex(samples, s => MathF.Abs(s) > 0.01f) - Array.FindIndex(samples, s => MathF.Abs(s) > 0.01f)) / 24_000.0;
            Assert.InRange(found - expected, -0.06, 0.06);
        }
    }

    [Fact]
    public void AStoppedBuildGoesOnToTheSameBytes()
    {
        Build(Options);
        Dictionary<string, string> whole = Contents(Out);
        string other = _scratch.File("other");
        var random = new Random(1);
        for (int stop = 0; ; stop++)
        {
            using var cancel = new CancellationTokenSource();
            int left = random.Next(20, 80);
            try
            {
                DataBuilder.Build(Options with { Out = other, Threads = 1 + stop % 3 }, _ => { if (Interlocked.Decrement(ref left) == 0) { cancel.Cancel(); } }, cancel.Token);
                break;
            }
            catch (OperationCanceledException)
            {
                Assert.InRange(stop, 0, 50);
                Assert.False(File.Exists(Path.Combine(other, "pairs.json")));
                Directory.CreateDirectory(other);
                File.WriteAllBytes(Path.Combine(other, "audio.tmp-0123abcd"), [1]);
            }
        }
        Assert.Equal(whole, Contents(other));
    }

    [Fact]
    public void OtherSettingsAreRefusedUnlessForced()
    {
        Build(Options);
        Assert.Contains("--force", Assert.Throws<I2MException>(() => Build(Options with { Seed = 2 })).Message);
        DateTime before = File.GetLastWriteTimeUtc(Path.Combine(Out, "audio", "goldfish", "00000.wav"));
        Build(Options);
        Assert.Equal(before, File.GetLastWriteTimeUtc(Path.Combine(Out, "audio", "goldfish", "00000.wav")));
        Assert.Equal(0, Build(Options with { Seed = 2, Force = true }).Leaks);
        Directory.CreateDirectory(_scratch.File("full"));
        _scratch.File("full/x", [1]);
        Assert.Contains("holds other files", Assert.Throws<I2MException>(() => Build(Options with { Out = _scratch.File("full") })).Message);
    }

    [Fact]
    public void TextsThatDoNotFitAreReportedNotCut()
    {
        string file = _scratch.File("texts.json", """{"goldfish": ["a goldfish", "a goldfish that swims around and around in a bowl all the day long and never stops"], "ostrich": "an ostrich"}"""u8);
        BuildReport report = Build(Options with { Descriptions = file });
        LongText left = Assert.Single(report.LongTexts);
        Assert.Equal("goldfish", left.Class);
        Assert.True(left.Seconds > 3);
        Assert.DoesNotContain(PairManifest.Load(report.PairsPath).Pairs, p => p.Text == left.Text);
        string none = _scratch.File("none.json", """{"goldfish": "a goldfish that swims around and around in a bowl all the day long and never stops", "ostrich": "an ostrich"}"""u8);
        Assert.Contains("class goldfish: no text fits", Assert.Throws<I2MException>(() => Build(Options with { Descriptions = none, Out = _scratch.File("o2") })).Message);
    }

    [Fact]
    public void VoicesThatSoundAlikeStillGiveUniqueClips()
    {
        // Two speakers of one voice, one speed, and pitches of which about eleven can be told apart: equal clips are made again.
        var twins = new Speaker[] { new("one", new Echo("one", _voice), "man"), new("two", new Echo("two", _voice), "man") };
        BuildReport report = Build(Options with { Speakers = twins, MinSpeed = 1, MaxSpeed = 1, Semitones = 0.05, PerClass = 24 });
        Assert.NotEmpty(Directory.EnumerateFiles(Path.Combine(Out, "audio"), "*-1.wav", SearchOption.AllDirectories));
        Assert.Equal(0, report.DuplicateClips);
        Assert.Contains("expected speakers and texts that differ", Assert.Throws<I2MException>(() =>
            Build(Options with { Speakers = twins, MinSpeed = 1, MaxSpeed = 1, Semitones = 0, PerClass = 12, Out = _scratch.File("o2") })).Message);
    }

    [Fact]
    public void NearDuplicatesStayTogether()
    {
        string images = Pictures(("cat", 10), ("dog", 10));
        for (int i = 0; i < 10; i++)
        {
            RgbImage picture = ImageLoader.Load(Path.Combine(images, "cat", $"{i}.png"));
            byte[] brighter = [.. picture.Pixels.Select(p => (byte)Math.Min(255, p + 3))];
            PngWriter.Write(Path.Combine(images, "cat", $"copy{i}.png"), ImageResize.Bilinear(picture with { Pixels = brighter }, 80, 80));
        }
        BuildReport report = Build(Options with { Images = images });
        IReadOnlyList<Pair> pairs = PairManifest.Load(report.PairsPath).Pairs;
        Assert.Equal(["cat", "dog"], report.NameOnly);
        for (int i = 0; i < 10; i++)
        {
            Pair[] both = [.. pairs.Where(p => Path.GetFileName(p.Image) == $"{i}.png" && p.Class == "cat" || Path.GetFileName(p.Image) == $"copy{i}.png")];
            Assert.Equal(2, both.Length);
            Assert.Equal(both[0].Group, both[1].Group);
            Assert.Equal(both[0].Split, both[1].Split);
        }
        Assert.True(pairs.Select(p => p.Group).Distinct().Count() > 10, "different pictures are taken for near-duplicates");
    }

    private static BuildReport Build(BuildOptions options) => DataBuilder.Build(options, null, TestContext.Current.CancellationToken);

    private string Pictures(params ReadOnlySpan<(string Class, int Count)> classes)
    {
        string root = _scratch.File("pictures");
        foreach (var (name, count) in classes)
        {
            for (int i = 0; i < count; i++)
            {
                string path = Path.Combine(root, name, $"{i}.png");
                if (!File.Exists(path)) { PngWriter.Write(path, AnimalPainter.Paint(AnimalClass.All[(name.Length + i) % 10], (ulong)(name[^1] * 100 + i), 64)); }
            }
        }
        return root;
    }

    private static IEnumerable<string> Part(IReadOnlyList<Pair> pairs, string part, Func<Pair, string> key) => pairs.Where(p => p.Split == part).Select(key);

    private static Dictionary<string, string> Contents(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).ToDictionary(f => Path.GetRelativePath(folder, f), Fingerprint.OfFile);

    /// <summary>A voice under another name.</summary>
    private sealed class Echo(string name, BuiltInVoice voice) : ISpeechSynthesizer
    {
        public string Name => name;

        public IReadOnlyList<string> Voices => voice.Voices;

        public AudioClip Speak(string text, SpeechStyle style) => voice.Speak(text, style);
    }
}
