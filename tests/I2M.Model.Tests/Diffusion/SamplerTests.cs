using System.Globalization;
using I2M.Model.Diffusion;
using I2M.Model.Io;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Diffusion;

/// <summary>Samplers against the reference trajectories and against closed forms.</summary>
public sealed class SamplerTests
{
    public static TheoryData<string, int, double> Trajectories
    {
        get
        {
            var rows = new TheoryData<string, int, double>();
            foreach (string schedule in new[] { "linear", "cosine" })
            {
                foreach (int steps in new[] { 10, 50, 100 })
                {
                    rows.Add(schedule, steps, 0);
                    rows.Add(schedule, steps, 1);
                }
            }
            return rows;
        }
    }

    [Theory, MemberData(nameof(Trajectories))]
    public void DdimFollowsTheReference(string name, int steps, double eta)
    {
        using SafetensorsFile file = SafetensorsFile.Open(ReferenceData.Path("diffusion.safetensors"));
        NoiseSchedule schedule = name == "linear" ? NoiseSchedule.Linear() : NoiseSchedule.Cosine();
        string prefix = $"{name}.ddim{steps}.";
        int[] timesteps = Timesteps.Spaced(TimestepSpacing.Trailing, schedule.Steps, steps);
        Assert.Equal(file.ReadInt64s(prefix + "timesteps"), timesteps.Select(t => (long)t));
        double clip = double.Parse(file.Metadata["clip_x0"], CultureInfo.InvariantCulture);
        double[] x = file.ReadDoubles(prefix + "x_T"), noise = file.ReadDoubles(prefix + "eta1_noise");
        var sampler = new DdimSampler(schedule, PredictionKind.Epsilon, timesteps, new DataRange(-clip, clip), eta);
        sampler.Sample(x, Model, (step, fresh) => noise.AsSpan(step * fresh.Length, fresh.Length).CopyTo(fresh), cancel: TestContext.Current.CancellationToken);
        DiffusionFigures.Check($"DDIM {name}, {steps} steps, eta {eta}", x, file.ReadDoubles($"{prefix}eta{eta}"), ModelTolerance.Diffusion);

        // The closed-form network that the file's metadata names.
        static void Model(ReadOnlySpan<double> x, int t, Span<double> prediction)
        {
            for (int i = 0; i < x.Length; i++) { prediction[i] = 0.3 * x[i] + 0.1 * Math.Sin(t / 100.0); }
        }
    }

    public static TheoryData<string, PredictionKind, bool> Samplers
    {
        get
        {
            var rows = new TheoryData<string, PredictionKind, bool>();
            foreach (string sampler in new[] { "ddim", "ddim eta 1", "ddpm", "dpm-solver" })
            {
                foreach (PredictionKind prediction in Enum.GetValues<PredictionKind>())
                {
                    rows.Add(sampler, prediction, false);
                    if (prediction != PredictionKind.Epsilon) { rows.Add(sampler, prediction, true); }
                }
            }
            return rows;
        }
    }

    /// <summary>A network that knows x0 leads every sampler to it, whatever it predicts, with and without signal at the last timestep.</summary>
    [Theory, MemberData(nameof(Samplers))]
    public void APerfectNetworkGivesTheSampleBack(string name, PredictionKind prediction, bool zeroTerminalSnr)
    {
        NoiseSchedule schedule = zeroTerminalSnr ? NoiseSchedule.Linear().WithZeroTerminalSnr() : NoiseSchedule.Linear();
        double[] x0 = Values(1), x = Values(2);
        int[] timesteps = Timesteps.Spaced(TimestepSpacing.Trailing, schedule.Steps, 25);
        ISampler sampler = name switch
        {
            "ddim" => new DdimSampler(schedule, prediction, timesteps, DataRange.Unlimited),
            "ddim eta 1" => new DdimSampler(schedule, prediction, timesteps, DataRange.Unlimited, eta: 1),
            "ddpm" => new DdpmSampler(schedule, prediction, timesteps, DataRange.Unlimited),
            _ => new DpmSolverSampler(schedule, prediction, timesteps, DataRange.Unlimited),
        };
        int observed = 0;
        sampler.Sample(x, Perfect, (step, fresh) => Values((ulong)(10 + step)).CopyTo(fresh), (step, total, _) => Assert.Equal((++observed, 25), (step, total)), TestContext.Current.CancellationToken);
        Assert.Equal(25, observed);
        DiffusionFigures.Check($"{name}, {prediction}, zero terminal SNR {zeroTerminalSnr}", x, x0, ModelTolerance.PerfectSampler);

        void Perfect(ReadOnlySpan<double> state, int t, Span<double> p)
        {
            double bar = schedule.AlphaBars[t], signal = Math.Sqrt(bar), deviation = Math.Sqrt(1 - bar);
            for (int i = 0; i < state.Length; i++)
            {
                double epsilon = (state[i] - signal * x0[i]) / deviation;
                p[i] = prediction switch { PredictionKind.Epsilon => epsilon, PredictionKind.V => signal * epsilon - deviation * x0[i], _ => x0[i] };
            }
        }
    }

    [Fact]
    public void EstimatesAreClippedToTheRange()
    {
        double[] x = Values(3);
        var sampler = new DdimSampler(NoiseSchedule.Linear(), PredictionKind.Sample, [999, 500, 100], new DataRange(-0.25, 0.5));
        sampler.Sample(x, (_, _, p) => p.Fill(4), (_, _) => { }, (_, _, estimate) => Assert.Equal(0.5, estimate[0]), TestContext.Current.CancellationToken);
        Assert.All(x, value => Assert.Equal(0.5, value, 1e-12));
    }

    /// <summary>The original's DDIM: ε is not derived again after clipping, and the last ᾱ is ᾱ_0.</summary>
    [Fact]
    public void TheCompatibleVariantKeepsTheOriginalsArithmetic()
    {
        NoiseSchedule schedule = NoiseSchedule.Linear();
        double[] x = [2.0];
        new DdimSampler(schedule, PredictionKind.Epsilon, [500], new DataRange(-10, 10)) { CompatSeed = true }.Sample(x, (_, _, p) => p[0] = -30, (_, _) => { }, cancel: TestContext.Current.CancellationToken);
        double final = schedule.AlphaBars[0];
        Assert.Equal(Math.Sqrt(final) * 10 + Math.Sqrt(1 - final) * -30, x[0], 1e-12);
    }

    [Fact]
    public void SamplingStopsWhenItIsCancelled()
    {
        using var source = new CancellationTokenSource();
        var sampler = new DdimSampler(NoiseSchedule.Linear(), PredictionKind.Sample, [999, 500, 100], DataRange.Unlimited);
        int calls = 0;
        Assert.Throws<OperationCanceledException>(() => sampler.Sample(new double[4], (_, _, _) =>
        {
            calls++;
            source.Cancel();
        }, (_, _) => { }, cancel: source.Token));
        Assert.Equal(1, calls);
    }

    private static double[] Values(ulong seed) => [.. new RandomData(seed).Normal(64).Select(v => (double)v)];
}
