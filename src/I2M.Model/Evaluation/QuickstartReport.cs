using System.Globalization;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Data.Drawing;
using I2M.Model.Evaluation.Plots;
using I2M.Model.Images;
using I2M.Model.Training;

namespace I2M.Model.Evaluation;

/// <summary>How often speech was closest to the right class: the model's for unseen pictures, and as the ceiling real clips left out one voice at a time.</summary>
/// <param name="Correct">Generated clips that were right.</param>
/// <param name="Total">Generated clips.</param>
/// <param name="CeilingCorrect">Real clips that were right.</param>
/// <param name="CeilingTotal">Real clips.</param>
public sealed record QuickstartScore(int Correct, int Total, int CeilingCorrect, int CeilingTotal);

/// <summary>Generates speech for drawings that the model never saw and writes WAVs, plots and one report.</summary>
public sealed class QuickstartReport
{
    /// <summary>Drawings with this offset to the training seed were never trained on.</summary>
    private const ulong UnseenSeedOffset = 1_000_000;
    private const int PictureSize = 128, SpokenPerClass = 2;
    private readonly string _folder;
    private readonly I2MModel _model;
    private readonly IVocoder _vocoder;
    private readonly PairDataset _data;
    private readonly ulong _seed;

    /// <summary>The page to open.</summary>
    public string ReportPath => Path.Combine(_folder, "report.html");

    /// <param name="folder">Receives <c>report.html</c>, <c>speech/</c> and <c>plots/</c>.</param>
    /// <param name="model">The trained model.</param>
    /// <param name="vocoder">Its voice.</param>
    /// <param name="data">The training pairs, for references.</param>
    /// <param name="seed">Seed of the training drawings.</param>
    public QuickstartReport(string folder, I2MModel model, IVocoder vocoder, PairDataset data, ulong seed) =>
        (_folder, _model, _vocoder, _data, _seed) = (folder, model, vocoder, data, seed);

    /// <summary>Generates, scores and writes everything.</summary>
    public QuickstartScore Write(int perClass, RunFolder run, RunResult trained, Action<int, int>? progress, CancellationToken cancel)
    {
        IReadOnlyList<AnimalClass> classes = AnimalClass.All;
        List<(int Class, RgbImage Picture)> tests = [.. from i in Enumerable.Range(0, perClass) from c in Enumerable.Range(0, classes.Count) select (c, AnimalPainter.Paint(classes[c], _seed + UnseenSeedOffset + (ulong)i, PictureSize))];
        var options = new GenerateOptions { Sampler = SamplerKind.DpmSolver, Steps = 25, Seed = _seed };
        IReadOnlyList<float[]> mels = _model.GenerateMels([.. tests.Select(t => t.Picture)], options, progress, cancel);
        NearestReference references = References();
        int[] said = [.. mels.Select(m => references.Classify(m))];
        var confusion = new int[classes.Count, classes.Count];
        for (int i = 0; i < tests.Count; i++) { confusion[tests[i].Class, said[i]]++; }
        var (ceilingCorrect, ceilingTotal) = Ceiling();
        var score = new QuickstartScore(tests.Where((t, i) => t.Class == said[i]).Count(), tests.Count, ceilingCorrect, ceilingTotal);
        List<GalleryItem> gallery = WriteClips(tests, mels, said, classes.Count * Math.Min(SpokenPerClass, perClass), cancel);
        ConfusionPlot.Save(Plot("confusion.png"), confusion, [.. classes.Select(c => c.Name)]);
        WritePage(score, gallery, run, trained);
        return score;
    }

    private int MelBands => _model.Info.Config.Model.MelBands;

    private int MelFrames => _model.Info.Config.Model.MelFrames;

    private string Plot(string name) => Path.Combine(_folder, "plots", name);

    private NearestReference References()
    {
        var references = new NearestReference(MelBands, MelFrames);
        foreach (int i in DistinctClips()) { references.Add(ClassIndex(i), _data.Mels[i]); }
        return references;
    }

    private int ClassIndex(int pair) => AnimalClass.All.ToList().FindIndex(c => c.Name == _data.Pairs[pair].Class);

    private IEnumerable<int> DistinctClips() => Enumerable.Range(0, _data.Count).DistinctBy(i => _data.Pairs[i].Audio);

    /// <summary>Classifies every real clip against those of the other voices.</summary>
    private (int Correct, int Total) Ceiling()
    {
        int correct = 0, total = 0;
        int[] clips = [.. DistinctClips()];
        foreach (var speaker in clips.GroupBy(i => _data.Pairs[i].Speaker))
        {
            var others = new NearestReference(MelBands, MelFrames);
            foreach (int i in clips.Where(i => _data.Pairs[i].Speaker != speaker.Key)) { others.Add(ClassIndex(i), _data.Mels[i]); }
            correct += speaker.Count(i => others.Classify(_data.Mels[i]) == ClassIndex(i));
            total += speaker.Count();
        }
        return (correct, total);
    }

    /// <summary>WAVs and generated-versus-true mel plots of the first pictures.</summary>
    private List<GalleryItem> WriteClips(List<(int Class, RgbImage Picture)> tests, IReadOnlyList<float[]> mels, int[] said, int count, CancellationToken cancel)
    {
        var gallery = new List<GalleryItem>();
        for (int i = 0; i < count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            AnimalClass right = AnimalClass.All[tests[i].Class], heard = AnimalClass.All[said[i]];
            string name = $"{right.Name.Replace(' ', '_')}-{i / AnimalClass.All.Count}";
            string wav = Path.Combine(_folder, "speech", name + ".wav"), plot = Plot(name + ".png");
            var clip = new AudioClip(_vocoder.Decode(mels[i], MelFrames), _vocoder.Settings.SampleRate);
            WavFile.Write(wav, Loudness.Fit(clip, WavEncoding.Pcm16, out string? warning));
            PngWriter.Write(Path.Combine(_folder, "speech", name + ".png"), tests[i].Picture);
            int real = DistinctClips().First(p => ClassIndex(p) == tests[i].Class);
            MelPlot.SavePair(plot, mels[i], _data.Mels[real], MelBands, MelFrames, $"generated for: {right.Name}", $"a real clip of \"{right.Descriptions[0]}\"");
            string verdict = heard == right ? "closest to the right class" : $"closest to \"{heard.Descriptions[0]}\"";
            gallery.Add(new GalleryItem(PngWriter.Encode(tests[i].Picture), $"{right.Name}: {verdict}{(warning is null ? "" : $" ({warning})")}", File.ReadAllBytes(wav), File.ReadAllBytes(plot)));
        }
        return gallery;
    }

    private void WritePage(QuickstartScore score, List<GalleryItem> gallery, RunFolder run, RunResult trained)
    {
        TrainConfig config = _model.Info.Config;
        string percent = (100.0 * score.Correct / score.Total).ToString("F0", CultureInfo.InvariantCulture);
        var report = new HtmlReport("I2M quickstart: pictures that speak");
        report.AddParagraph($"A diffusion transformer with {_model.ParameterCount:N0} parameters was trained on this machine for {config.Steps} steps on {_data.Count} drawings with spoken descriptions, and then described drawings that it had never seen.");
        report.AddParagraph($"{score.Correct} of {score.Total} generated clips ({percent} %) are closest, by dynamic time warping of their mels, to real clips of the right class. Chance is 10 %. Real clips compared with those of the other voices reach {score.CeilingCorrect} of {score.CeilingTotal}. Voice: {_vocoder.Name}.");
        report.AddHeading("What it says about new pictures").AddGallery(gallery);
        report.AddHeading("Which class is heard").AddImage(Plot("confusion.png"), "rows: picture, columns: nearest speech");
        if (File.Exists(run.LossPlotPath)) { report.AddHeading("Training").AddImage(run.LossPlotPath, string.Create(CultureInfo.InvariantCulture, $"loss {trained.FirstLoss:F3} at the start, {trained.LastLoss:F3} at the end")); }
        report.AddHeading("Settings").AddTable(["setting", "value"], [["checkpoint", trained.Checkpoint], ["model", config.Model.ToString()], ["diffusion", config.Diffusion.ToString()], ["learning rate", config.LearningRate.ToString(CultureInfo.InvariantCulture)], ["seed", config.Seed.ToString(CultureInfo.InvariantCulture)]]);
        report.Save(ReportPath);
    }
}
