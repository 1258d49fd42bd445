namespace I2M.Model.Diffusion;

/// <summary>
/// Ancestral sampling (Ho et al. 2020) with the posterior q(x_{t'} | x_t, x0) and its "fixed small" variance β̃, over any decreasing list of
/// timesteps; no noise at the last step.
/// </summary>
/// <param name="schedule">Tables.</param>
/// <param name="prediction">What the network predicts.</param>
/// <param name="timesteps">Noisiest first.</param>
/// <param name="range">Range of clean data.</param>
public sealed class DdpmSampler(NoiseSchedule schedule, PredictionKind prediction, int[] timesteps, DataRange range) : ISampler
{
    /// <summary>β̃ of a step between two ᾱ: (1−ᾱp)/(1−ᾱt) · (1 − ᾱt/ᾱp).</summary>
    public static double Variance(double alphaBar, double previous) => DdimSampler.Variance(alphaBar, previous);

    /// <inheritdoc/>
    public DataRange Range => range;

    /// <inheritdoc/>
    public SamplerStep[] Plan() => [.. timesteps.Select((t, i) => Step(t, schedule.AlphaBars[t], i + 1 < timesteps.Length ? schedule.AlphaBars[timesteps[i + 1]] : null))];

    /// <summary>The posterior's mean and deviation; the last step ends at ᾱ = 1 without noise.</summary>
    private SamplerStep Step(int t, double alphaBar, double? next)
    {
        double previous = next ?? 1, alpha = alphaBar / previous;
        double sampleWeight = Math.Sqrt(previous) * (1 - alpha) / (1 - alphaBar), stateWeight = Math.Sqrt(alpha) * (1 - previous) / (1 - alphaBar);
        (double fromState, double fromPrediction) = PredictionAlgebra.ToSample(prediction, alphaBar);
        return new SamplerStep(t, fromState, fromPrediction, stateWeight, sampleWeight) { Noise = next is null ? 0 : Math.Sqrt(Variance(alphaBar, previous)) };
    }
}
