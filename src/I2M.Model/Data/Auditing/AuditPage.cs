using System.Globalization;
using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Evaluation;
using I2M.Model.Evaluation.Plots;
using I2M.Model.Images;
using I2M.Model.Training;

namespace I2M.Model.Data.Auditing;

/// <summary>The audit as one self-contained page with plots and a few players; its size does not grow with the data.</summary>
public static class AuditPage
{
    private const int ThumbnailSize = 160, MostRows = 200, CurvePoints = 20;
    private const double MostSeconds = 6;

    /// <summary>Writes the page; the file appears whole or not at all.</summary>
    /// <exception cref="I2MException">The file cannot be written.</exception>
    public static void Save(string path, AuditReport report)
    {
        var page = new HtmlReport($"Data audit: {report.ListPath}");
        page.AddParagraph($"{report.Usable:N0} of {report.Pairs:N0} pairs can be used: {report.Pictures:N0} different pictures, {report.Sounds:N0} different sounds, {report.Classes.Count} classes, {report.Speakers.Count} speakers.");
        AddFindings(page, report);
        AddConditioning(page, report);
        AddMels(page, report);
        AddCounts(page, "Classes", "class", report.Classes, report.ClassImbalance);
        AddCounts(page, "Speakers", "speaker", report.Speakers, report.SpeakerImbalance);
        AddSilence(page, report);
        page.AddHeading("Examples").AddGallery(Gallery(report));
        page.Save(path);
    }

    private static void AddFindings(HtmlReport page, AuditReport report)
    {
        page.AddHeading("Findings");
        if (report.Findings.Count == 0)
        {
            page.AddParagraph("None: no duplicates across the split, no damaged, clipped, cut or silent sounds, balanced classes and speakers.");
            return;
        }
        page.AddTable(["finding", "count", "what it means"], report.Findings.Select(f => new[] { f.Kind, f.Count.ToString("N0", CultureInfo.InvariantCulture), f.Message }));
        foreach (AuditFinding f in report.Findings.Where(f => f.Examples.Count > 0))
        {
            page.AddHeading(f.Kind, 3).AddTable([f.Count > f.Examples.Count ? $"the first {f.Examples.Count} of {f.Count:N0}" : "all"], f.Examples.Select(e => new[] { e }));
        }
    }

    private static void AddConditioning(HtmlReport page, AuditReport report)
    {
        page.AddHeading("Does training need the picture?");
        if (report.Conditioning is not { } c)
        {
            page.AddParagraph("Not known: that takes two classes with two clips each.");
            return;
        }
        page.AddParagraph($"Setting: {AuditSummary.Describe(new ConditioningSetting(c.Diffusion, c.Normalized, c.Share))}. Two clips of different classes are {Number(c.Distance)} apart (mean squared error {Number(c.MeanSquaredError)} per value of the log-mels), the means of two classes {Number(c.ClassDistance)}: the class explains {Number(100 * c.ClassShare)} % of the squared distance, {Number(c.ClassRatio)} times what chance would.");
        page.AddParagraph($"{Number(100 * c.Share)} % of the training timesteps need the picture (d′ at most {Number(Conditioning.NeedsPicture)}); expected are at least {Number(100 * Conditioning.LeastShare)} %. Knowing the class can lower the training loss by {Number(c.LossGain)}.");
        if (c.Recommended is { } r) { page.AddParagraph($"Recommended: {AuditSummary.Describe(r)}: {Number(100 * r.Share)} %. In the file for --config: \"diffusion\": {Settings(r)}"); }
        double[] ofClass = Conditioning.Curve(c.Diffusion, c.ClassDistance);
        page.AddImage(AuditPlots.Separability(c.Curve, ofClass, Conditioning.NeedsPicture), "how well an ideal observer tells two clips, or two classes, from the noisy mel alone, in standard deviations of the noise");
        int stride = Math.Max(1, c.Curve.Count / CurvePoints);
        page.AddTable(["t", "d′ of two clips", "d′ of class means"], Enumerable.Range(0, c.Curve.Count).Where(t => t % stride == 0 || t == c.Curve.Count - 1).Select(t => new[] { t.ToString(CultureInfo.InvariantCulture), Number(c.Curve[t]), Number(ofClass[t]) }));
        page.AddHeading("The same data under other settings", 3).AddTable(["setting", "timesteps that need the picture"], c.Ladder.Select(s => new[] { AuditSummary.Describe(s), $"{Number(100 * s.Share)} %" }));
        if (AuditPlots.Distances(report.Distances, [.. report.Classes.Select(k => k.Name)]) is { } map) { page.AddImage(map, "on the diagonal clips of one class"); }
    }

    private static void AddMels(HtmlReport page, AuditReport report)
    {
        page.AddHeading("Mel statistics");
        if (report.Mel is not { } m)
        {
            page.AddParagraph("There is no speech to learn from.");
            return;
        }
        page.AddParagraph($"Suggested normalisation (training measures and stores the same): raise to {Number(m.Floor)}, subtract {Number(m.Mean)}, divide by {Number(m.Deviation)}. Measured over {m.SpeechFrames:N0} frames with speech; the highest value is {Number(m.Highest)}.");
        page.AddImage(AuditPlots.Bands(m.Bands), "by band");
    }

    private static void AddCounts(HtmlReport page, string heading, string column, IReadOnlyList<PartCount> counts, double imbalance)
    {
        if (counts.Count == 0) { return; }
        page.AddHeading(heading).AddParagraph($"Most minus fewest pairs: {Number(100 * imbalance)} % of their mean.{(counts.Count > MostRows ? $" The first {MostRows} of {counts.Count:N0}:" : "")}");
        page.AddTable([column, "train", "eval"], counts.Take(MostRows).Select(c => new[] { c.Name, c.Train.ToString("N0", CultureInfo.InvariantCulture), c.Eval.ToString("N0", CultureInfo.InvariantCulture) }));
    }

    private static void AddSilence(HtmlReport page, AuditReport report)
    {
        page.AddHeading("Silence").AddParagraph($"On average nobody speaks in {Number(100 * report.Silence)} % of the time that the model sees.");
        page.AddTable(["share of silence", "sounds"], report.SilenceHistogram.Select((n, i) => new[] { $"{10 * i} to {10 * (i + 1)} %", n.ToString("N0", CultureInfo.InvariantCulture) }));
    }

    private static IEnumerable<GalleryItem> Gallery(AuditReport report) => report.Examples.Select(e =>
    {
        AudioClip clip = AudioLoader.Load(e.Pair.Audio);
        using var wav = new MemoryStream();
        WavFile.Write(wav, clip with { Samples = [.. clip.Samples.Take((int)(MostSeconds * clip.SampleRate))] });
        RgbImage picture = ImageLoader.Load(e.Pair.Image);
        return new GalleryItem(PngWriter.Encode(ImageResize.Bilinear(picture, ThumbnailSize, ThumbnailSize)), e.Caption, wav.ToArray());
    });

    /// <summary>A setting as a config file says it.</summary>
    public static string Settings(ConditioningSetting setting) => System.Text.Json.JsonSerializer.Serialize(setting.Diffusion, TrainConfig.Json);

    private static string Number(double value) => value.ToString(Math.Abs(value) >= 100 ? "F0" : "G3", CultureInfo.InvariantCulture);
}
