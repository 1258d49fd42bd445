using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Data.Auditing;
using I2M.Model.Data.Building;
using I2M.Model.Data.Drawing;
using I2M.Model.Data.Speech;
using I2M.Model.Images;
using I2M.Model.Tests.Io;
using I2M.Model.Training;
using SkiaSharp;
using Xunit;

namespace I2M.Model.Tests.Data.Auditing;

/// <summary>A clean data set of two classes and six speakers, to plant faults into.</summary>
public sealed class CleanSet : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public CleanSet()
    {
        foreach (var (name, c) in new[] { ("n01443537", 1), ("n01518878", 9) })
        {
            for (int i = 0; i < 24; i++) { PngWriter.Write(_folder.File($"pictures/{name}/{i}.png"), AnimalPainter.Paint(AnimalClass.All[(c + i) % 10], (ulong)(c * 100 + i), 96)); }
        }
        BuildReport built = DataBuilder.Build(new BuildOptions(_folder.File("pictures"), _folder.File("data"), Speaker.Of([new BuiltInVoice()], 6)) { EvalFraction = 0.25, Threads = 2 });
        Pairs = PairManifest.Load(built.PairsPath).Pairs;
    }

    public string Folder => _folder.File("data");

    public IReadOnlyList<Pair> Pairs { get; }

    public void Dispose() => _folder.Dispose();
}

public sealed class DataAuditorTests(CleanSet clean) : IClassFixture<CleanSet>, IDisposable
{
    private static readonly TrainConfig Config = TrainPresets.Get("nano") with { Diffusion = new() { InputScale = 0.1 } };
    private readonly TemporaryFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void CleanDataGivesNoFinding()
    {
        AuditReport report = DataAuditor.Audit(new AuditOptions(clean.Folder) { Config = Config }, null, TestContext.Current.CancellationToken);
        Assert.Empty(report.Findings.Select(f => f.Kind + ": " + f.Message));
        Assert.Equal((48, 48, 48, 48, 2, 6), (report.Pairs, report.Usable, report.Pictures, report.Sounds, report.Classes.Count, report.Speakers.Count));
        Assert.All(report.Classes, c => Assert.Equal((18, 6), (c.Train, c.Eval)));
        Assert.Equal((0.0, 0.0), (report.ClassImbalance, report.SpeakerImbalance));
        Assert.InRange(report.Silence, 0.3, 0.8);
        Assert.Equal(48, report.SilenceHistogram.Sum());
    }

    [Fact]
    public void StatisticsAreThoseThatTrainingMeasures()
    {
        using var backend = new I2M.Kernels.Host.HostBackend(1);
        using var extractor = new MelExtractor(backend, Config.Mel, Config.Model.MelFrames);
        float[][] mels = [.. clean.Pairs.Where(p => p.Split == Pair.Train).Select(p => extractor.FromFile(p.Audio))];
        MelNormalizer expected = MelNormalizer.Measure(mels, Config.Mel.Bands, 1);
        AuditReport report = Audit(clean.Pairs);
        Assert.Equal((expected.Mean, expected.Deviation), (report.Mel!.Mean, report.Mel.Deviation), (x, y) => Math.Abs(x.Item1 - y.Item1) < 1e-4 && Math.Abs(x.Item2 - y.Item2) < 1e-4);
        string[] classes = [.. clean.Pairs.Where(p => p.Split == Pair.Train).Select(p => p.Class!)];
        double mean = (from a in Enumerable.Range(0, mels.Length) from b in Enumerable.Range(0, a) where classes[a] != classes[b] select mels[a].Zip(mels[b]).Average(v => Math.Pow(v.First - v.Second, 2))).Average();
        Assert.InRange(Math.Pow(report.Distances[0, 1], 2) / mean, 0.999, 1.001);
    }

    [Fact]
    public void ThreadsChangeNothing()
    {
        AuditReport one = Audit(clean.Pairs, threads: 1), three = Audit(clean.Pairs, threads: 3);
        Assert.Equal(one.Mel!.Bands, three.Mel!.Bands);
        Assert.Equal(one.Conditioning!.Curve, three.Conditioning!.Curve);
        Assert.Equal((one.Conditioning.ClassRatio, one.Silence, one.Distances[0, 1]), (three.Conditioning.ClassRatio, three.Silence, three.Distances[0, 1]));
    }

    [Fact]
    public void AHeldOutCopyOfALearnedSoundIsFound()
    {
        // Another file with another header: the samples tell.
        string copy = _scratch.File("copy.wav");
        WavFile.Write(copy, WavFile.Read(One(Pair.Train).Audio), WavEncoding.Float32);
        AuditFinding f = Assert.Single(Audit(Replace(One(Pair.Eval), p => p with { Audio = copy, AudioHash = null })).Findings);
        Assert.Equal(("duplicate-sound-across-split", 1), (f.Kind, f.Count));
        Assert.Contains("copy.wav (held out)", f.Examples[0]);
    }

    [Theory]
    [InlineData(0.4f, 0, 24_000, 0, "near-duplicate-sound-across-split")]
    [InlineData(1f, 3_000, 24_000, 0, "duplicate-sound-across-split")]
    [InlineData(1f, 0, 16_000, 0, "near-duplicate-sound-across-split")]
    [InlineData(1f, 128, 24_000, 0.006, "near-duplicate-sound-across-split")]
    [InlineData(0.7f, 1_111, 22_050, 0.002, "near-duplicate-sound-across-split")]
    public void AHeldOutSoundSavedAnewIsFound(float gain, int lead, int rate, double noise, string kind)
    {
        var random = new Random(1);
        foreach (Pair train in clean.Pairs.Where(p => p.Split == Pair.Train).Take(6))
        {
            AudioClip clip = WavFile.Read(train.Audio);
            float[] moved = [.. new float[lead], .. clip.Samples.Select(s => s * gain + (float)(noise * (2 * random.NextDouble() - 1)))];
            string copy = _scratch.File("copy.wav");
            WavFile.Write(copy, Resampler.Resample(new AudioClip(moved[..clip.Samples.Length], clip.SampleRate), rate));
            AuditFinding f = Assert.Single(Audit(Replace(One(Pair.Eval), p => p with { Audio = copy, AudioHash = null })).Findings);
            Assert.Equal((kind, 1), (f.Kind, f.Count));
        }
    }

    [Fact]
    public void AHeldOutCopyOfALearnedPictureIsFound()
    {
        string copy = _scratch.File("copy.png");
        File.Copy(One(Pair.Train).Image, copy);
        AuditFinding f = Assert.Single(Audit(Replace(One(Pair.Eval), p => p with { Image = copy, ImageHash = null })).Findings);
        Assert.Equal(("duplicate-picture-across-split", 1), (f.Kind, f.Count));
    }

    [Theory]
    [InlineData(96, 60)]
    [InlineData(70, 90)]
    [InlineData(200, 80)]
    public void AHeldOutPictureSavedAnewIsFound(int size, int quality)
    {
        string copy = _scratch.File("copy.jpg");
        RgbImage picture = ImageResize.Bilinear(ImageLoader.Load(One(Pair.Train).Image), size, size);
        using SKBitmap bitmap = SKBitmap.Decode(PngWriter.Encode(picture));
        using SKData jpeg = bitmap.Encode(SKEncodedImageFormat.Jpeg, quality);
        File.WriteAllBytes(copy, jpeg.ToArray());
        AuditFinding f = Assert.Single(Audit(Replace(One(Pair.Eval), p => p with { Image = copy, ImageHash = null })).Findings);
        Assert.Equal("near-duplicate-picture-across-split", f.Kind);
        Assert.Contains("copy.jpg (held out)", f.Examples[0]);
    }

    [Theory]
    [InlineData("silent-sound")]
    [InlineData("clipped-sound")]
    [InlineData("truncated-speech")]
    [InlineData("speech-beyond-model")]
    public void ADamagedSoundIsFound(string kind)
    {
        AudioClip clip = WavFile.Read(One(Pair.Train).Audio);
        int loudest = Array.IndexOf(clip.Samples, clip.Samples.MaxBy(MathF.Abs));
        float[] samples = kind switch
        {
            "silent-sound" => new float[72_000],
            "clipped-sound" => [.. clip.Samples.Select(s => Math.Clamp(4 * s, -0.7f, 0.7f))],
            "truncated-speech" => clip.Samples[..(loudest + 500)],
            _ => [.. clip.Samples[..50_000], .. clip.Samples],
        };
        string damaged = _scratch.File("damaged.wav");
        WavFile.Write(damaged, new AudioClip(samples, clip.SampleRate));
        AuditFinding f = Assert.Single(Audit(Replace(One(Pair.Train), p => p with { Audio = damaged, AudioHash = null })).Findings);
        Assert.Equal((kind, 1), (f.Kind, f.Count));
        Assert.Equal("damaged.wav", f.Examples[0]);
    }

    [Fact]
    public void UnevenClassesAndSpeakersAreFound()
    {
        string first = clean.Pairs[0].Class!, speaker = clean.Pairs[0].Speaker!;
        Pair[] few = [.. clean.Pairs.Where((p, i) => p.Class != first || i % 3 == 0)];
        Assert.Contains("class-imbalance", Kinds(few));
        Pair[] rare = [.. clean.Pairs.Where((p, i) => p.Speaker != speaker || i < 2)];
        Assert.Contains("speaker-imbalance", Kinds(rare));
        Pair[] exclusive = [.. clean.Pairs.Where(p => p.Speaker != speaker || p.Class == first)];
        Assert.Contains("speaker-of-one-class", Kinds(exclusive));
    }

    [Fact]
    public void PicturesThatSayNothingAreFoundAndSpeakingOnesAreNot()
    {
        // Every sound is used by a pair of each class.
        string[] sounds = [.. clean.Pairs.Where(p => p.Split == Pair.Train).Select(p => p.Audio).Take(18)];
        var used = new Dictionary<string, int>();
        Pair[] same = [.. clean.Pairs.Select(p => p.Split == Pair.Eval ? p : p with { Audio = sounds[(used[p.Class!] = used.GetValueOrDefault(p.Class!) + 1) - 1], AudioHash = null })];
        AuditReport nothing = Audit(same);
        Assert.Contains("picture-says-nothing", nothing.Findings.Select(f => f.Kind));
        Assert.Equal((0.0, 0.0), (nothing.Conditioning!.ClassDistance, nothing.Conditioning.ClassRatio));
        Assert.DoesNotContain("picture-says-nothing", Kinds(clean.Pairs));
    }

    [Fact]
    public void ASettingThatHardlyNeedsThePictureIsFoundAndABetterOneNamed()
    {
        AuditReport seed = Audit(clean.Pairs, TrainPresets.Get("full", compatSeed: true));
        AuditFinding f = Assert.Single(seed.Findings);
        Assert.Equal("picture-hardly-needed", f.Kind);
        Assert.Equal(0, seed.Conditioning!.Share);
        ConditioningSetting better = seed.Conditioning.Recommended!;
        Assert.True(better.Diffusion.ZeroTerminalSnr && better.Share >= 0.15);
        Assert.Empty(Audit(clean.Pairs, Config with { Diffusion = better.Diffusion }).Findings);
        // The recommended settings are a config file's.
        Assert.Equal(better.Diffusion, TrainConfig.FromJson($"{{\"diffusion\": {AuditPage.Settings(better)}}}", "x").Diffusion);
    }

    [Fact]
    public void ChangedAndUnreadableFilesAreNamed()
    {
        Pair pair = One(Pair.Train);
        Assert.Equal(["changed-since-listed"], Kinds(Replace(pair, p => p with { ImageHash = new string('0', 64) })));
        string broken = _scratch.File("broken.wav", [1, 2, 3]);
        AuditReport report = Audit(Replace(pair, p => p with { Audio = broken, AudioHash = null }));
        Assert.Equal(("unreadable", 47), (Assert.Single(report.Findings).Kind, report.Usable));
        Assert.Equal((broken, true), (report.Refused[0].Path, report.Refused[0].Reason.Length > 0));
        Pair[] none = [pair with { Audio = broken }];
        Assert.Contains("none of 1 pairs can be used", Assert.Throws<BadFileException>(() => Audit(none)).Message);
    }

    [Fact]
    public void ASplitThatTrainingWouldMakeIsExamined()
    {
        // Without a split in the list exact copies stay together, near-duplicates do not.
        Pair[] pairs = [.. clean.Pairs.Select(p => p with { Split = null, Group = null })];
        AuditReport report = Audit(pairs);
        Assert.Empty(report.Findings);
        Assert.Equal(4, report.Classes.Sum(c => c.Eval));
        Pair[] one = [.. pairs.Select(p => p with { Audio = pairs[0].Audio, AudioHash = null })];
        Assert.Contains("no-split", Kinds(one));
        Assert.Contains("repeated-sounds", Kinds(one));
    }

    [Fact]
    public void ThePageHoldsAllOfItself()
    {
        string page = _scratch.File("audit.html");
        AuditPage.Save(page, Audit(Replace(One(Pair.Train), p => p with { Class = "<script>alert(1)</script>" })));
        string html = File.ReadAllText(page);
        Assert.InRange(html.Length, 100_000, 8_000_000);
        Assert.DoesNotContain("http", html.Replace("http-equiv", ""));
        Assert.DoesNotContain("<script", html);
        Assert.Equal(3, html.Split("<audio").Length - 1);
        Assert.Contains("&lt;script&gt;", html);
    }

    [Fact]
    public void CancellingStops()
    {
        using var cancel = new CancellationTokenSource();
        int left = 60;
        Assert.Throws<OperationCanceledException>(() => DataAuditor.Audit(new AuditOptions(clean.Folder) { Config = Config }, _ => { if (Interlocked.Decrement(ref left) == 0) { cancel.Cancel(); } }, cancel.Token));
    }

    private Pair One(string part) => clean.Pairs.First(p => p.Split == part);

    private Pair[] Replace(Pair pair, Func<Pair, Pair> change) => [.. clean.Pairs.Select(p => ReferenceEquals(p, pair) ? change(p) : p)];

    private IEnumerable<string> Kinds(IReadOnlyList<Pair> pairs) => Audit(pairs).Findings.Select(f => f.Kind);

    private AuditReport Audit(IReadOnlyList<Pair> pairs, TrainConfig? config = null, int threads = 2)
    {
        string list = _scratch.File("pairs.json");
        new PairManifest(list, pairs).Save();
        return DataAuditor.Audit(new AuditOptions(list) { Config = config ?? Config, Threads = threads }, null, TestContext.Current.CancellationToken);
    }
}
