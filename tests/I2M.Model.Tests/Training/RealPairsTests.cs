using I2M.Kernels;
using I2M.Model.Data;
using I2M.Model.Evaluation;
using I2M.Model.Images;
using I2M.Model.Training;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Training;

/// <summary>The main job on real data: photographs and recorded speech, learned by heart by the smallest preset.</summary>
public class RealPairsTests
{
    private static readonly string[] s_clips =
    [
        "encodec", "f5tts", "jfk_16k", "librispeech_16k", "ljspeech_22k", "piper_tts",
    ];

    [Fact]
    public void TheSmallestPresetLearnsRealPairsByHeart()
    {
        IBackend backend = Backends.Get("host");
        string folder = Path.Combine(Path.GetTempPath(), $"i2m-real-{Guid.NewGuid():N}");
        try
        {
            PairManifest manifest = Manifest(folder);
            TrainConfig preset = TrainPresets.Get("nano");
            TrainConfig config = preset with { Steps = 1200, EvalFraction = 0, ValidateEvery = 0, Augment = false, SaveEvery = 100_000 };
            PairDataset data = PairDataset.Load(backend, manifest, config, cancel: TestContext.Current.CancellationToken);
            RunResult result = new TrainingRun(backend, config, data, new RunFolder(Path.Combine(folder, "run")), static _ => { })
                .Run(new RunOptions(), null, TestContext.Current.CancellationToken);
            TestContext.Current.TestOutputHelper!.WriteLine($"loss {result.FirstLoss:F4} -> {result.LastLoss:F4}");
            Assert.True(result.LastLoss * 3 < result.FirstLoss, $"loss {result.FirstLoss} -> {result.LastLoss}: expected a third at most");
            CheckMels(backend, result.Checkpoint, data);
        }
        finally
        {
            if (Directory.Exists(folder)) { Directory.Delete(folder, recursive: true); }
        }
    }

    /// <summary>One picture of each of the first classes, one clip of each source.</summary>
    private static PairManifest Manifest(string folder)
    {
        string shared = SharedData.Require();
        string[] pictures = [.. Directory.GetDirectories(Path.Combine(shared, "i2m10")).Order(StringComparer.Ordinal).Select(FirstPicture)];
        string[] clips = [.. s_clips.Select(name => FirstClip(Path.Combine(shared, "speech24k", name)))];
        Directory.CreateDirectory(folder);
        var manifest = new PairManifest(Path.Combine(folder, "pairs.json"), [.. clips.Zip(pictures, (clip, picture) => new Pair(picture, clip))]);
        manifest.Save();
        return manifest;
    }

    private static string FirstPicture(string folder) => Directory.GetFiles(folder).Order(StringComparer.Ordinal).First(f => Path.GetExtension(f).ToLowerInvariant() is ".jpg" or ".jpeg" or ".png" or ".webp");

    private static string FirstClip(string folder) => Directory.GetFiles(folder).Order(StringComparer.Ordinal).First(f => Path.GetExtension(f).ToLowerInvariant() is ".wav" or ".flac");

    private static void CheckMels(IBackend backend, string checkpoint, PairDataset data)
    {
        using I2MModel model = I2MModel.Load(backend, checkpoint);
        IReadOnlyList<float[]> mels = model.GenerateMels([.. data.Pairs.Select(p => ImageLoader.Load(p.Image))], new GenerateOptions { Steps = 50, Guidance = 1.5 }, cancel: TestContext.Current.CancellationToken);
        for (int i = 0; i < mels.Count; i++)
        {
            double[] correlations = [.. data.Mels.Select(real => Correlation(mels[i], real, model.Info.Normalizer.Floor))];
            double others = correlations.Where((_, j) => j != i).Max();
            TestContext.Current.TestOutputHelper!.WriteLine($"{Path.GetFileName(data.Pairs[i].Audio)}: {correlations[i]:F3} with its own clip, at most {others:F3} with another");
            Assert.True(correlations[i] > 0.8, $"{data.Pairs[i].Audio}: {correlations[i]:F3} with its own clip");
            Assert.True(others < 0.8 && others < correlations[i], $"{data.Pairs[i].Audio}: {others:F3} with another clip");
        }
    }

    /// <summary>Pearson's r of two log-mels, silence raised to the floor that the model knows.</summary>
    private static double Correlation(float[] a, float[] b, double floor)
    {
        float[] x = [.. a.Select(v => Math.Max(v, (float)floor))], y = [.. b.Select(v => Math.Max(v, (float)floor))];
        return MelMetrics.Compare(x, y).Correlation;
    }
}
