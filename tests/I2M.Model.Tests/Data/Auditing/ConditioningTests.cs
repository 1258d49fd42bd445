using I2M.Model.Data.Auditing;
using I2M.Model.Diffusion;
using Xunit;

namespace I2M.Model.Tests.Data.Auditing;

public class ConditioningTests
{
    private static readonly int[] Timesteps = [500, 800, 900, 950, 999];

    /// <summary>The table of the project's specification.</summary>
    [Theory]
    [InlineData(40, 1, ScheduleKind.Linear, false, new[] { 307, 41, 17.4, 10.9, 6.72 }, 0.0)]
    [InlineData(0.96, 1, ScheduleKind.Linear, false, new[] { 47.6, 6.4, 2.7, 1.7, 1.04 }, 6.7)]
    [InlineData(0.96, 1, ScheduleKind.Cosine, false, new[] { 161, 52, 25.5, 12.5, 0.01 }, 0.8)]
    [InlineData(0.96, 1, ScheduleKind.Linear, true, new[] { 46.8, 5.4, 1.7, 0.65, 0 }, 11.2)]
    [InlineData(0.96, 0.5, ScheduleKind.Linear, true, new[] { 23.4, 2.7, 0.83, 0.33, 0 }, 17.1)]
    [InlineData(0.96, 0.25, ScheduleKind.Linear, true, new[] { 11.7, 1.3, 0.42, 0.16, 0 }, 24.3)]
    public void TheSpecifiedTableIsReproduced(double error, double scale, ScheduleKind schedule, bool zeroTerminalSnr, double[] expected, double percent)
    {
        var diffusion = new DiffusionConfig { Schedule = schedule, ZeroTerminalSnr = zeroTerminalSnr, InputScale = scale };
        double distance = Math.Sqrt(28_000 * error) * scale;
        double[] curve = Conditioning.Curve(diffusion, distance);
        foreach (var (t, d) in Timesteps.Zip(expected)) { Assert.True(Math.Abs(curve[t] - d) <= HalfDigit(d) + 0.005 * d, $"t {t}: {curve[t]}, expected {d}"); }
        Assert.Equal(percent, 100 * Conditioning.Share(diffusion, distance), 0.06);
    }

    [Fact]
    public void TheIdealObserverIsRightAsOftenAsSeparabilitySays()
    {
        const int values = 12, draws = 20_000;
        var random = new Random(3);
        double[] a = Normals(random, values), b = Normals(random, values);
        double distance = Math.Sqrt(a.Zip(b).Sum(p => (p.First - p.Second) * (p.First - p.Second)));
        foreach (double bar in new[] { 0.02, 0.1, 0.3 })
        {
            int right = 0;
            for (int i = 0; i < draws; i++)
            {
                double[] noise = Normals(random, values);
                right += a.Select((x, k) => Math.Sqrt(bar) * x + Math.Sqrt(1 - bar) * noise[k]).Select((x, k) => Square(x - Math.Sqrt(bar) * b[k]) - Square(x - Math.Sqrt(bar) * a[k])).Sum() > 0 ? 1 : 0;
            }
            double expected = Phi(Conditioning.Separability(bar, distance) / 2);
            Assert.InRange((double)right / draws - expected, -0.012, 0.012);
        }
    }

    [Fact]
    public void WeightsAreTheFrequenciesThatTrainingDraws()
    {
        const int steps = 20, draws = 40_000;
        NoiseSchedule schedule = NoiseSchedule.Linear(steps);
        foreach (TimestepDensity density in Enum.GetValues<TimestepDensity>())
        {
            double[] weights = Conditioning.Weights(density, steps);
            Assert.Equal(1, weights.Sum(), 1e-6);
            var drawn = new int[steps];
            foreach (int t in DiffusionTargets.Draw(new DiffusionConfig { Density = density, Steps = steps }, schedule, draws, 5, 1, 0).Timesteps) { drawn[t]++; }
            for (int t = 0; t < steps; t++) { Assert.InRange((double)drawn[t] / draws - weights[t], -0.006, 0.006); }
        }
    }

    [Theory]
    [InlineData(PredictionKind.Epsilon, false)]
    [InlineData(PredictionKind.V, true)]
    [InlineData(PredictionKind.Sample, true)]
    public void TheLossGainIsWhatKnowingTheClassSaves(PredictionKind prediction, bool zeroTerminalSnr)
    {
        const int draws = 4_000;
        var diffusion = new DiffusionConfig { Prediction = prediction, ZeroTerminalSnr = zeroTerminalSnr, Steps = 12 };
        double[] a = [0.9, -0.4, 0.2], b = [-0.5, 0.3, 0.6];
        double distance = Math.Sqrt(a.Zip(b).Sum(p => Square(p.First - p.Second))), saved = 0;
        var random = new Random(11);
        foreach (double bar in diffusion.CreateSchedule().AlphaBars)
        {
            for (int i = 0; i < draws; i++)
            {
                double[] noise = Normals(random, a.Length);
                double[] x = [.. a.Select((v, k) => Math.Sqrt(bar) * v + Math.Sqrt(1 - bar) * noise[k])];
                double odds = x.Select((v, k) => Square(v - Math.Sqrt(bar) * b[k]) - Square(v - Math.Sqrt(bar) * a[k])).Sum() / (2 * (1 - bar)), belief = 1 / (1 + Math.Exp(-odds));
                for (int k = 0; k < a.Length; k++)
                {
                    double guess = belief * a[k] + (1 - belief) * b[k], guessedNoise = (x[k] - Math.Sqrt(bar) * guess) / Math.Sqrt(1 - bar);
                    saved += Square(prediction switch
                    {
                        PredictionKind.Epsilon => guessedNoise - noise[k],
                        PredictionKind.V => Math.Sqrt(bar) * (guessedNoise - noise[k]) - Math.Sqrt(1 - bar) * (guess - a[k]),
                        _ => guess - a[k],
                    });
                }
            }
        }
        double measured = saved / (draws * diffusion.Steps * a.Length);
        Assert.InRange(Conditioning.LossGain(diffusion, distance, a.Length) / measured, 0.96, 1.04);
    }

    [Fact]
    public void TheRecommendedSettingIsTheMildestThatSuffices()
    {
        double distance = Math.Sqrt(28_000 * 0.96);
        ConditioningSetting r = Conditioning.Recommend(DiffusionConfig.CompatSeed, distance);
        Assert.Equal((ScheduleKind.Linear, true, PredictionKind.V, TimestepDensity.Uniform, true), (r.Diffusion.Schedule, r.Diffusion.ZeroTerminalSnr, r.Diffusion.Prediction, r.Diffusion.Density, r.Normalized));
        Assert.InRange(r.Share, 0.15, 0.2);
        Assert.Equal(PredictionKind.Sample, Conditioning.Recommend(new DiffusionConfig { Prediction = PredictionKind.Sample }, distance).Diffusion.Prediction);
        // Where no scale is enough for uniform timesteps, noisier ones are drawn.
        Assert.Equal(TimestepDensity.HighNoise, Conditioning.Recommend(new DiffusionConfig(), 300 * distance).Diffusion.Density);
        Assert.Equal([0.0, 0.067, 0.008, 0.112, 0.171, 0.243], Conditioning.Ladder(Math.Sqrt(28_000 * 40.0), distance).Select(s => Math.Round(s.Share, 3)));
    }

    /// <summary>Half of the last digit that is given.</summary>
    private static double HalfDigit(double value) => 0.5 * Math.Pow(10, -(value.ToString(System.Globalization.CultureInfo.InvariantCulture) + ".").Split('.')[1].Length);

    internal static double[] Normals(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))];

    private static double Square(double x) => x * x;

    /// <summary>Φ by Simpson's rule.</summary>
    private static double Phi(double x)
    {
        const int steps = 2_000;
        double width = x / steps, sum = 0;
        for (int i = 0; i <= steps; i++) { sum += (i is 0 or steps ? 1 : i % 2 == 1 ? 4 : 2) * Math.Exp(-Square(i * width) / 2); }
        return 0.5 + sum * width / 3 / Math.Sqrt(2 * Math.PI);
    }
}
