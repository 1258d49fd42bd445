using I2M.Kernels;

namespace I2M.Model.Diffusion;

/// <summary>Per-sample coefficients of a training batch: x_t = SignalScale·x0 + NoiseScale·ε and target = TargetSample·x0 + TargetNoise·ε.</summary>
/// <param name="Timesteps">One per sample.</param>
/// <param name="SignalScale">√ᾱ.</param>
/// <param name="NoiseScale">√(1−ᾱ).</param>
/// <param name="TargetSample">Weight of x0 in the target.</param>
/// <param name="TargetNoise">Weight of ε in the target.</param>
public sealed record DiffusionTargets(int[] Timesteps, float[] SignalScale, float[] NoiseScale, float[] TargetSample, float[] TargetNoise)
{
    /// <summary>Draws the timesteps of a batch: a pure function of (seed, first sample's number).</summary>
    /// <param name="config">Density and prediction.</param>
    /// <param name="schedule">Tables.</param>
    /// <param name="batch">Samples.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="stream">Random stream reserved for timesteps.</param>
    /// <param name="firstSample">How many samples were drawn before.</param>
    public static DiffusionTargets Draw(DiffusionConfig config, NoiseSchedule schedule, int batch, ulong seed, ulong stream, long firstSample)
    {
        var timesteps = new int[batch];
        for (int b = 0; b < batch; b++)
        {
            double u = Philox.Uniform(seed, stream, 2 * (firstSample + b)), w = Philox.Uniform(seed, stream, 2 * (firstSample + b) + 1);
            double share = config.Density switch
            {
                TimestepDensity.LogitNormal => 1 / (1 + Math.Exp(-Math.Sqrt(-2 * Math.Log(u)) * Math.Cos(2 * Math.PI * w))),
                TimestepDensity.HighNoise => Math.Max(u, w),
                _ => u,
            };
            timesteps[b] = Math.Min(schedule.Steps - 1, (int)(share * schedule.Steps));
        }
        return For(config.Prediction, schedule, timesteps);
    }

    /// <summary>SignalScale, NoiseScale, TargetSample and TargetNoise one after another, [4, batch], as <see cref="IBackend.QSample"/> takes them.</summary>
    public float[] Mix() => [.. SignalScale, .. NoiseScale, .. TargetSample, .. TargetNoise];

    /// <summary>The coefficients of given timesteps.</summary>
    public static DiffusionTargets For(PredictionKind prediction, NoiseSchedule schedule, int[] timesteps)
    {
        int batch = timesteps.Length;
        var result = new DiffusionTargets(timesteps, new float[batch], new float[batch], new float[batch], new float[batch]);
        for (int b = 0; b < batch; b++)
        {
            double alphaBar = schedule.AlphaBars[timesteps[b]], signal = Math.Sqrt(alphaBar), noise = Math.Sqrt(1 - alphaBar);
            result.SignalScale[b] = (float)signal;
            result.NoiseScale[b] = (float)noise;
            (double sample, double epsilon) = prediction switch
            {
                PredictionKind.Epsilon => (0.0, 1.0),
                PredictionKind.V => (-noise, signal),
                _ => (1.0, 0.0),
            };
            result.TargetSample[b] = (float)sample;
            result.TargetNoise[b] = (float)epsilon;
        }
        return result;
    }
}
