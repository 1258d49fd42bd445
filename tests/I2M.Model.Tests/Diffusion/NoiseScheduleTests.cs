using I2M.Kernels;
using I2M.Model.Diffusion;
using I2M.Model.Io;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Diffusion;

/// <summary>The tables of the forward process.</summary>
public sealed class NoiseScheduleTests
{
    public static TheoryData<ScheduleKind> Kinds => [ScheduleKind.Linear, ScheduleKind.Cosine];

    [Theory, MemberData(nameof(Kinds))]
    public void TablesMatchTheReference(ScheduleKind kind)
    {
        using SafetensorsFile file = SafetensorsFile.Open(ReferenceData.Path("diffusion.safetensors"));
        NoiseSchedule schedule = Create(kind);
        string name = kind.ToString().ToLowerInvariant();
        DiffusionFigures.Check($"{name} β", schedule.Betas, file.ReadDoubles($"{name}.betas"), ModelTolerance.Diffusion);
        DiffusionFigures.Check($"{name} ᾱ", schedule.AlphaBars, file.ReadDoubles($"{name}.alphas_cumprod"), ModelTolerance.Diffusion);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void ZeroTerminalSnrEndsWithoutSignalAndStartsWhereItDid(ScheduleKind kind)
    {
        NoiseSchedule plain = Create(kind), rescaled = plain.WithZeroTerminalSnr();
        Assert.Equal(0.0, rescaled.AlphaBars[^1]);
        Assert.Equal(plain.AlphaBars[0], rescaled.AlphaBars[0], 1e-15);
        Assert.All(Enumerable.Range(1, plain.Steps - 1), t => Assert.True(rescaled.AlphaBars[t] < rescaled.AlphaBars[t - 1]));
        // √ᾱ is an affine image of the plain schedule's: equal differences stay in proportion.
        double scale = (Root(rescaled, 0) - Root(rescaled, 500)) / (Root(plain, 0) - Root(plain, 500));
        Assert.Equal(scale, (Root(rescaled, 300) - Root(rescaled, 800)) / (Root(plain, 300) - Root(plain, 800)), 1e-9);
    }

    [Fact]
    public void NoiseCannotBePredictedWhereNothingElseIsLeft()
    {
        I2MException error = Assert.Throws<I2MException>(() => new DiffusionConfig { ZeroTerminalSnr = true, Prediction = PredictionKind.Epsilon }.CreateSchedule());
        Assert.Contains("zeroTerminalSnr", error.Message);
    }

    [Fact]
    public void SpacingsFollowTheirDefinitions()
    {
        Assert.Equal([800, 600, 400, 200, 0], Timesteps.Spaced(TimestepSpacing.Leading, 1000, 5));
        Assert.Equal([999, 799, 599, 399, 199], Timesteps.Spaced(TimestepSpacing.Trailing, 1000, 5));
        Assert.Equal([999, 749, 500, 250, 0], Timesteps.Spaced(TimestepSpacing.Linspace, 1000, 5));
        Assert.Equal(957, Timesteps.Spaced(TimestepSpacing.Seed, 1000, 30)[0]);
        Assert.Throws<I2MException>(() => Timesteps.Spaced(TimestepSpacing.Trailing, 1000, 1001));
        foreach (TimestepSpacing spacing in Enum.GetValues<TimestepSpacing>())
        {
            foreach (int count in new[] { 1, 2, 7, 30, 333, 999, 1000 })
            {
                int[] steps = Timesteps.Spaced(spacing, 1000, count);
                Assert.Equal(count, steps.Distinct().Count());
                Assert.Equal(steps.OrderDescending(), steps);
                Assert.InRange(steps[^1], 0, 999);
                Assert.InRange(steps[0], 0, 999);
            }
        }
    }

    /// <summary>What training adds and what it asks for are consistent: the samplers' algebra gives x0 back.</summary>
    [Theory]
    [InlineData(PredictionKind.Epsilon)]
    [InlineData(PredictionKind.V)]
    [InlineData(PredictionKind.Sample)]
    public void TargetsInvertToTheSample(PredictionKind prediction)
    {
        NoiseSchedule schedule = NoiseSchedule.Linear();
        int[] timesteps = [0, 250, 500, 999];
        DiffusionTargets targets = DiffusionTargets.For(prediction, schedule, timesteps);
        const double x0 = 0.7, epsilon = -1.3;
        for (int i = 0; i < timesteps.Length; i++)
        {
            double x = targets.SignalScale[i] * x0 + targets.NoiseScale[i] * epsilon, target = targets.TargetSample[i] * x0 + targets.TargetNoise[i] * epsilon;
            double[] state = [x];
            new DdimSampler(schedule, prediction, [timesteps[i]], DataRange.Unlimited).Sample(state, (_, _, p) => p[0] = target, (_, _) => { }, cancel: TestContext.Current.CancellationToken);
            Assert.Equal(x0, state[0], 2e-5);
        }
    }

    private static NoiseSchedule Create(ScheduleKind kind) => kind == ScheduleKind.Linear ? NoiseSchedule.Linear() : NoiseSchedule.Cosine();

    private static double Root(NoiseSchedule schedule, int t) => Math.Sqrt(schedule.AlphaBars[t]);
}
