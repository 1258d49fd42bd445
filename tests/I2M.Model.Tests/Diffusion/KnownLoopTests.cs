using I2M.Model.Diffusion;
using Xunit;

namespace I2M.Model.Tests.Diffusion;

/// <summary>
/// The sums that the diffusers library expects of its samplers (huggingface/diffusers 58eb52c, tests/schedulers/test_scheduler_{ddim,ddpm,dpm_multi}.py,
/// Apache-2.0): T = 1000, linear β, x_T = 0…767 / 768, noise the same backwards, network x·t/(t+1), metric Σ|x| and mean |x|.
/// </summary>
public sealed class KnownLoopTests
{
    private const double SumTolerance = 0.01, MeanTolerance = 0.001, VarianceTolerance = 1e-5;
    private static readonly DataRange s_unit = new(-1, 1);

    [Theory]
    [InlineData(PredictionKind.Epsilon, 172.0067, 0.223967)]
    [InlineData(PredictionKind.V, 52.5302, 0.0684)]
    public void DdimFullLoop(PredictionKind prediction, double sum, double mean)
    {
        NoiseSchedule schedule = NoiseSchedule.Linear();
        Check($"DDIM {prediction}", new DdimSampler(schedule, prediction, Leading(10), s_unit), Start(), sum, mean);
    }

    [Theory]
    [InlineData(true, 149.8295, 0.1951)]
    [InlineData(false, 149.0784, 0.1941)]
    public void DdimEndsAtOneOrAtTheFirstAlphaBar(bool atOne, double sum, double mean)
    {
        NoiseSchedule schedule = NoiseSchedule.Linear(start: 0.01);
        var sampler = new DdimSampler(schedule, PredictionKind.Epsilon, Leading(10), s_unit) { FinalAlphaBar = atOne ? 1 : schedule.AlphaBars[0] };
        Check($"DDIM, set_alpha_to_one {atOne}", sampler, Start(), sum, mean);
    }

    [Fact]
    public void DdimFromPartOfTheNoise()
    {
        NoiseSchedule schedule = NoiseSchedule.Linear();
        Check("DDIM from t = 100", new DdimSampler(schedule, PredictionKind.Epsilon, [100, 0], s_unit), Noised(schedule, 100), 354.5418, 0.4616);
    }

    [Theory]
    [InlineData(0, 0, 0.0)]
    [InlineData(420, 400, 0.14771)]
    [InlineData(980, 960, 0.3246)]
    [InlineData(487, 486, 0.00979)]
    [InlineData(999, 998, 0.02)]
    public void Variances(int t, int previous, double expected)
    {
        NoiseSchedule schedule = NoiseSchedule.Linear();
        Assert.Equal(expected, DdimSampler.Variance(schedule.AlphaBars[t], schedule.AlphaBars[previous]), VarianceTolerance);
        Assert.Equal(expected, DdpmSampler.Variance(schedule.AlphaBars[t], schedule.AlphaBars[previous]), VarianceTolerance);
    }

    /// <summary>Two steps whose only noise, at t = 1, is left out: 387.61437 by the same loop in numpy.</summary>
    [Fact]
    public void DdpmLastTwoSteps()
    {
        NoiseSchedule schedule = NoiseSchedule.Linear();
        Check("DDPM, last two steps without noise", new DdpmSampler(schedule, PredictionKind.Epsilon, [1, 0], s_unit), Noised(schedule, 1), 387.61437, 0.504706);
    }

    [Theory]
    [InlineData(PredictionKind.Epsilon, 0.3301)]
    [InlineData(PredictionKind.V, 0.2251)]
    public void DpmSolverFullLoop(PredictionKind prediction, double mean)
    {
        var sampler = new DpmSolverSampler(NoiseSchedule.Linear(), prediction, ElevenPoints(), DataRange.Unlimited) { EndsClean = false };
        Check($"DPM-Solver++ 2M {prediction}", sampler, Start(), mean * 768, mean, sumTolerance: MeanTolerance * 768);
    }

    [Fact]
    public void DpmSolverFromPartOfTheNoise()
    {
        NoiseSchedule schedule = NoiseSchedule.Linear();
        int[] timesteps = ElevenPoints()[5..];
        var sampler = new DpmSolverSampler(schedule, PredictionKind.Epsilon, timesteps, DataRange.Unlimited) { EndsClean = false };
        Check("DPM-Solver++ 2M from the middle", sampler, Noised(schedule, timesteps[0]), 318.4111, 0.4146);
    }

    private static int[] Leading(int steps) => Timesteps.Spaced(TimestepSpacing.Leading, 1000, steps);

    /// <summary>Eleven equal points from 999 to 0 without the last.</summary>
    private static int[] ElevenPoints() => Timesteps.Spaced(TimestepSpacing.Linspace, 1000, 11)[..10];

    private static double[] Start() => [.. Enumerable.Range(0, 768).Select(i => i / 768.0)];

    private static double[] Noised(NoiseSchedule schedule, int t)
    {
        double signal = Math.Sqrt(schedule.AlphaBars[t]), noise = Math.Sqrt(1 - schedule.AlphaBars[t]);
        return [.. Start().Select((x, i) => signal * x + noise * (767 - i) / 768.0)];
    }

    private static void Check(string what, ISampler sampler, double[] x, double sum, double mean, double sumTolerance = SumTolerance)
    {
        sampler.Sample(x, static (x, t, p) =>
        {
            for (int i = 0; i < x.Length; i++) { p[i] = x[i] * t / (t + 1); }
        }, static (_, fresh) => fresh.Clear(), cancel: TestContext.Current.CancellationToken);
        double found = x.Sum(Math.Abs);
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: sum {found:F4} (expected {sum:F4}), mean {found / 768:F5} (expected {mean:F5})");
        Assert.Equal(sum, found, sumTolerance);
        Assert.Equal(mean, found / 768, MeanTolerance);
    }
}
