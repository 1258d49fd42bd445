using I2M.Kernels;

namespace I2M.Model.Diffusion;

/// <summary>The form of β over the diffusion steps.</summary>
public enum ScheduleKind
{
    /// <summary>β from 1e-4 to 0.02 in equal steps (Ho et al. 2020).</summary>
    Linear,
    /// <summary>Squared-cosine ᾱ (Nichol &amp; Dhariwal 2021).</summary>
    Cosine,
}

/// <summary>What the network predicts.</summary>
public enum PredictionKind
{
    /// <summary>The noise ε.</summary>
    Epsilon,
    /// <summary>The velocity v = √ᾱ·ε − √(1−ᾱ)·x0 (Salimans &amp; Ho 2022).</summary>
    V,
    /// <summary>The clean sample x0.</summary>
    Sample,
}

/// <summary>The forward process x_t = √ᾱ_t·x0 + √(1−ᾱ_t)·ε as tables in double.</summary>
public sealed class NoiseSchedule
{
    /// <summary>β_t.</summary>
    public IReadOnlyList<double> Betas { get; }

    /// <summary>ᾱ_t = Π_{s≤t} (1 − β_s).</summary>
    public IReadOnlyList<double> AlphaBars { get; }

    /// <summary>Number of steps T.</summary>
    public int Steps => Betas.Count;

    private NoiseSchedule(double[] betas)
    {
        Betas = betas;
        var bars = new double[betas.Length];
        double product = 1;
        for (int t = 0; t < betas.Length; t++) { bars[t] = product *= 1 - betas[t]; }
        AlphaBars = bars;
    }

    /// <summary>β from <paramref name="start"/> to <paramref name="end"/> in equal steps.</summary>
    public static NoiseSchedule Linear(int steps = 1000, double start = 1e-4, double end = 0.02)
    {
        var betas = new double[steps];
        for (int t = 0; t < steps; t++) { betas[t] = steps == 1 ? start : start + (end - start) * t / (steps - 1); }
        return new NoiseSchedule(betas);
    }

    /// <summary>β_t = min(1 − f((t+1)/T)/f(t/T), 0.999) with f(u) = cos²((u + 0.008)/1.008 · π/2).</summary>
    public static NoiseSchedule Cosine(int steps = 1000)
    {
        var betas = new double[steps];
        for (int t = 0; t < steps; t++) { betas[t] = Math.Min(1 - F((t + 1.0) / steps) / F((double)t / steps), 0.999); }
        return new NoiseSchedule(betas);

        static double F(double u) => Math.Pow(Math.Cos((u + 0.008) / 1.008 * Math.PI / 2), 2);
    }

    /// <summary>
    /// The same schedule with no signal left at the last step (Lin et al. 2024, "Common diffusion noise schedules and sample steps are flawed"):
    /// √ᾱ is shifted so that it ends at 0 and scaled so that it starts where it did.
    /// </summary>
    public NoiseSchedule WithZeroTerminalSnr()
    {
        double first = Math.Sqrt(AlphaBars[0]), last = Math.Sqrt(AlphaBars[^1]);
        var betas = new double[Steps];
        double previous = 1;
        for (int t = 0; t < Steps; t++)
        {
            double root = (Math.Sqrt(AlphaBars[t]) - last) * first / (first - last);
            double bar = root * root;
            betas[t] = 1 - bar / previous;
            previous = bar;
        }
        betas[^1] = 1;
        return new NoiseSchedule(betas);
    }

    /// <summary>ᾱ at <paramref name="t"/>; 1 for t = −1, the clean end.</summary>
    public double AlphaBar(int t) => t < 0 ? 1 : AlphaBars[t];
}

/// <summary>How training and sampling diffuse; stored in every checkpoint.</summary>
public sealed record DiffusionConfig
{
    /// <summary>Form of β.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Linear;
    /// <summary>Rescaled so that the last step is pure noise; needs <see cref="PredictionKind.V"/> or <see cref="PredictionKind.Sample"/>.</summary>
    public bool ZeroTerminalSnr { get; init; } = true;
    /// <summary>What the network predicts.</summary>
    public PredictionKind Prediction { get; init; } = PredictionKind.V;
    /// <summary>Number of diffusion steps T.</summary>
    public int Steps { get; init; } = 1000;
    /// <summary>Factor on the normalised mel: below 1 the class drowns in noise earlier, so more timesteps need the picture.</summary>
    public double InputScale { get; init; } = 0.5;
    /// <summary>Which timesteps training draws.</summary>
    public TimestepDensity Density { get; init; } = TimestepDensity.Uniform;

    /// <summary>The original's settings.</summary>
    public static DiffusionConfig CompatSeed => new() { ZeroTerminalSnr = false, Prediction = PredictionKind.Epsilon, InputScale = 1 };

    /// <summary>The tables.</summary>
    /// <exception cref="I2MException">The settings contradict each other.</exception>
    public NoiseSchedule CreateSchedule()
    {
        if (Steps < 2) { throw new I2MException($"diffusion config: steps {Steps}: expected at least 2"); }
        if (ZeroTerminalSnr && Prediction == PredictionKind.Epsilon)
        {
            throw new I2MException("diffusion config: zeroTerminalSnr needs prediction V or Sample: at the last step x_t is the noise itself and teaches nothing");
        }
        NoiseSchedule schedule = Schedule == ScheduleKind.Linear ? NoiseSchedule.Linear(Steps) : NoiseSchedule.Cosine(Steps);
        return ZeroTerminalSnr ? schedule.WithZeroTerminalSnr() : schedule;
    }
}

/// <summary>The distribution of training timesteps.</summary>
public enum TimestepDensity
{
    /// <summary>Every timestep alike.</summary>
    Uniform,
    /// <summary>σ(N(0,1))·T: the middle more often (Esser et al. 2024).</summary>
    LogitNormal,
    /// <summary>The larger of two uniform draws: density grows linearly with the noise.</summary>
    HighNoise,
}
