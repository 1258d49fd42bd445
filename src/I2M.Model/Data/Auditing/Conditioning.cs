using I2M.Model.Diffusion;

namespace I2M.Model.Data.Auditing;

/// <summary>A setting of the diffusion process and what it asks of the picture.</summary>
/// <param name="Diffusion">The setting.</param>
/// <param name="Normalized">Mels of unit variance; false leaves the log-mels as they are.</param>
/// <param name="Share">Share of the training timesteps that needs the picture.</param>
public sealed record ConditioningSetting(DiffusionConfig Diffusion, bool Normalized, double Share);

/// <summary>
/// How far a noisy mel x_t = √ᾱ·x0 + √(1−ᾱ)·ε tells by itself which of two clips x0 is: d′(t) = √(ᾱ/(1−ᾱ))·‖A − B‖, the distance of the two means in standard
/// deviations of the noise along A − B. The ideal observer is right in Φ(d′/2) of the cases. While d′ is above 2 the model has no need of the picture.
/// </summary>
public static class Conditioning
{
    /// <summary>Up to this d′ a timestep needs the picture.</summary>
    public const double NeedsPicture = 2;

    /// <summary>Below this share of such timesteps training tends to ignore the picture.</summary>
    public const double LeastShare = 0.10;

    /// <summary>What a recommended setting reaches: the least share with a margin.</summary>
    private const double WantedShare = 0.15;

    private static readonly double[] Scales = [1, 0.7, 0.5, 0.35, 0.25, 0.18, 0.125, 0.09, 0.0625];

    /// <summary>d′ at a noise level.</summary>
    /// <param name="alphaBar">ᾱ.</param>
    /// <param name="distance">‖A − B‖ at the scale that the model sees.</param>
    public static double Separability(double alphaBar, double distance) => distance == 0 ? 0 : alphaBar >= 1 ? double.PositiveInfinity : Math.Sqrt(alphaBar / (1 - alphaBar)) * distance;

    /// <summary>d′(t) for all timesteps.</summary>
    public static double[] Curve(DiffusionConfig diffusion, double distance) => [.. diffusion.CreateSchedule().AlphaBars.Select(a => Separability(a, distance))];

    /// <summary>How often training draws each timestep.</summary>
    public static double[] Weights(TimestepDensity density, int steps) => [.. Enumerable.Range(0, steps).Select(t => Cumulative(density, (t + 1.0) / steps) - Cumulative(density, (double)t / steps))];

    /// <summary>Share of the drawn timesteps that needs the picture.</summary>
    public static double Share(DiffusionConfig diffusion, double distance)
    {
        double[] weights = Weights(diffusion.Density, diffusion.Steps);
        return Curve(diffusion, distance).Zip(weights).Where(t => t.First <= NeedsPicture).Sum(t => t.Second);
    }

    /// <summary>
    /// By how much knowing the class lowers the training loss, per value of the mel and averaged over the drawn timesteps: w(t)·‖A − B‖²/n·E[p·(1−p)] with p the ideal
    /// observer's belief in A, whose log-odds are normal with mean d′²/2 and deviation d′. An error of x0 weighs w = ᾱ/(1−ᾱ) in the loss of ε, 1/(1−ᾱ) in that of v
    /// and 1 in that of x0.
    /// </summary>
    /// <param name="diffusion">The setting.</param>
    /// <param name="distance">‖A − B‖ at the scale that the model sees.</param>
    /// <param name="values">n, values of a mel.</param>
    public static double LossGain(DiffusionConfig diffusion, double distance, int values)
    {
        IReadOnlyList<double> bars = diffusion.CreateSchedule().AlphaBars;
        double[] weights = Weights(diffusion.Density, diffusion.Steps);
        return Enumerable.Range(0, diffusion.Steps).Sum(t => weights[t] * Weight(diffusion.Prediction, bars[t]) * distance * distance / values * Doubt(Separability(bars[t], distance)));
    }

    /// <summary>
    /// The mildest setting whose share is well above the least one: zero terminal SNR on the linear schedule first, then a smaller input scale, then noisier
    /// timesteps. The one that gives the most where none reaches it.
    /// </summary>
    /// <param name="diffusion">The present setting; its number of steps is kept, and its prediction unless that is ε.</param>
    /// <param name="unitDistance">‖A − B‖ of mels at unit variance.</param>
    public static ConditioningSetting Recommend(DiffusionConfig diffusion, double unitDistance)
    {
        DiffusionConfig start = diffusion with { Schedule = ScheduleKind.Linear, ZeroTerminalSnr = true, Prediction = diffusion.Prediction == PredictionKind.Epsilon ? PredictionKind.V : diffusion.Prediction };
        IEnumerable<ConditioningSetting> candidates = from density in new[] { TimestepDensity.Uniform, TimestepDensity.HighNoise } from scale in Scales select Setting(start with { Density = density, InputScale = scale }, true, unitDistance);
        return candidates.FirstOrDefault(c => c.Share >= WantedShare) ?? candidates.MaxBy(c => c.Share)!;
    }

    /// <summary>Well-known settings for comparison, from the one that ignores the picture to the one that needs it most.</summary>
    /// <param name="rawDistance">‖A − B‖ of log-mels as they are.</param>
    /// <param name="unitDistance">The same at unit variance.</param>
    public static IReadOnlyList<ConditioningSetting> Ladder(double rawDistance, double unitDistance)
    {
        DiffusionConfig linear = DiffusionConfig.CompatSeed, zero = new() { InputScale = 1 };
        return
        [
            Setting(linear, false, rawDistance), Setting(linear, true, unitDistance), Setting(linear with { Schedule = ScheduleKind.Cosine }, true, unitDistance),
            Setting(zero, true, unitDistance), Setting(zero with { InputScale = 0.5 }, true, unitDistance), Setting(zero with { InputScale = 0.25 }, true, unitDistance),
        ];
    }

    private static ConditioningSetting Setting(DiffusionConfig diffusion, bool normalized, double distance) => new(diffusion, normalized, Share(diffusion, distance * diffusion.InputScale));

    private static double Weight(PredictionKind prediction, double alphaBar) => prediction switch
    {
        PredictionKind.Epsilon => alphaBar / Math.Max(1e-12, 1 - alphaBar),
        PredictionKind.V => 1 / Math.Max(1e-12, 1 - alphaBar),
        _ => 1,
    };

    /// <summary>E[p·(1−p)] by the trapezoidal rule over ±8 standard deviations.</summary>
    private static double Doubt(double d)
    {
        if (d > 40) { return 0; }
        const int points = 321;
        const double reach = 8, width = 2 * reach / (points - 1);
        double sum = 0;
        for (int i = 0; i < points; i++)
        {
            double z = -reach + i * width, odds = Math.Exp(-Math.Abs(d * d / 2 + d * z));
            sum += Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI) * odds / ((1 + odds) * (1 + odds)) * width;
        }
        return sum;
    }

    /// <summary>Probability that a drawn timestep lies below the share u of all.</summary>
    private static double Cumulative(TimestepDensity density, double u) => density switch
    {
        TimestepDensity.LogitNormal => u <= 0 ? 0 : u >= 1 ? 1 : Normal(Math.Log(u / (1 - u))),
        TimestepDensity.HighNoise => u * u,
        _ => u,
    };

    /// <summary>Φ(x): Abramowitz and Stegun 7.1.26, within 1.5e-7.</summary>
    private static double Normal(double x)
    {
        double z = Math.Abs(x) / Math.Sqrt(2), k = 1 / (1 + 0.3275911 * z);
        double tail = ((((1.061405429 * k - 1.453152027) * k + 1.421413741) * k - 0.284496736) * k + 0.254829592) * k * Math.Exp(-z * z) / 2;
        return x >= 0 ? 1 - tail : tail;
    }
}
