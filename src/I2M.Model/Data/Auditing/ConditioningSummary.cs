using I2M.Model.Diffusion;
using I2M.Model.Training;

namespace I2M.Model.Data.Auditing;

/// <summary>The conditioning audit from the sums over mels.</summary>
public static class ConditioningSummary
{
    /// <summary>Root mean square distance of clips of all pairs of classes, per value; NaN for classes of one clip or none.</summary>
    internal static double[,] Distances(MelStatistics stats)
    {
        var distances = new double[stats.Classes, stats.Classes];
        double values = stats.Bands * stats.Frames;
        for (int a = 0; a < stats.Classes; a++)
        {
            for (int b = 0; b < stats.Classes; b++) { distances[a, b] = stats.Count(a) < 2 || stats.Count(b) < 2 ? double.NaN : Math.Sqrt(Between(stats, a, b) / values); }
        }
        return distances;
    }

    /// <summary>The audit; null where fewer than two classes have two clips.</summary>
    /// <param name="config">Diffusion, and whether mels are normalised.</param>
    /// <param name="floored">Mels raised to the floor of <see cref="Audio.MelNormalizer"/>.</param>
    /// <param name="raw">The same mels as they are.</param>
    public static ConditioningReport? Of(TrainConfig config, MelStatistics floored, MelStatistics raw)
    {
        int[] classes = [.. Enumerable.Range(0, raw.Classes).Where(c => raw.Count(c) >= 2)];
        if (classes.Length < 2 || floored.SpeechFrames == 0) { return null; }
        DiffusionConfig diffusion = config.Diffusion;
        bool normalized = !config.Model.CompatSeed;
        MelStatistics stats = normalized ? floored : raw;
        double scale = diffusion.InputScale / (normalized ? floored.Deviation : 1), values = stats.Bands * stats.Frames;
        double square = Mean(classes, (a, b) => Between(stats, a, b)), ofClass = Math.Max(0, Mean(classes, (a, b) => Explained(stats, a, b))), distance = Math.Sqrt(square) * scale;
        double unscaled = Math.Sqrt(Mean(classes, (a, b) => Between(raw, a, b))), unit = Math.Sqrt(Mean(classes, (a, b) => Between(floored, a, b))) / floored.Deviation;
        double share = Conditioning.Share(diffusion, distance);
        return new ConditioningReport(diffusion, normalized, distance, square / values, Math.Sqrt(ofClass) * scale, square > 0 ? ofClass / square : 0, Ratio(stats, classes),
            Conditioning.Curve(diffusion, distance), share, Conditioning.LossGain(diffusion, distance, (int)values),
            share < Conditioning.LeastShare ? Conditioning.Recommend(diffusion, unit) : null, Conditioning.Ladder(unscaled, unit));
    }

    private static double Mean(int[] classes, Func<int, int, double> of) => classes.SelectMany((a, i) => classes.Skip(i + 1).Select(b => of(a, b))).Average();

    /// <summary>E‖a − b‖² of clips of two classes, or of one.</summary>
    private static double Between(MelStatistics stats, int a, int b) => stats.Spread(a) + stats.Spread(b) + (a == b ? 0 : Math.Max(Explained(stats, a, b), -stats.Spread(a) - stats.Spread(b)));

    /// <summary>‖μ_A − μ_B‖² without what the means of finite samples differ by chance; may be negative.</summary>
    private static double Explained(MelStatistics stats, int a, int b) => stats.MeanDistanceSquared(a, b) - stats.Spread(a) / stats.Count(a) - stats.Spread(b) / stats.Count(b);

    /// <summary>F = Σ n_c·‖μ_c − μ‖²/(C − 1) over Σ (n_c − 1)·S_c/(N − C); the first sum is Σ_{a&lt;b} n_a·n_b/N·‖μ_a − μ_b‖².</summary>
    private static double Ratio(MelStatistics stats, int[] classes)
    {
        double count = classes.Sum(stats.Count), pairs = classes.Length * (classes.Length - 1) / 2.0;
        double between = Mean(classes, (a, b) => stats.Count(a) * (double)stats.Count(b) / count * stats.MeanDistanceSquared(a, b)) * pairs / (classes.Length - 1);
        double within = classes.Sum(c => (stats.Count(c) - 1) * stats.Spread(c)) / (count - classes.Length);
        return between == 0 ? 0 : between / within;
    }
}
