namespace I2M.Model.Diffusion;

/// <summary>
/// DDIM (Song et al. 2021). x0 comes from the prediction and is clipped to the data's range, ε is derived again from the clipped x0, and the last
/// step ends at ᾱ = 1. η = 0 is deterministic, η = 1 has DDPM's variance.
/// </summary>
/// <param name="schedule">Tables.</param>
/// <param name="prediction">What the network predicts.</param>
/// <param name="timesteps">Noisiest first.</param>
/// <param name="range">Range of clean data.</param>
/// <param name="eta">Share of fresh noise.</param>
public sealed class DdimSampler(NoiseSchedule schedule, PredictionKind prediction, int[] timesteps, DataRange range, double eta = 0) : ISampler
{
    /// <summary>The original's variant: keeps the predicted ε after clipping, does not shrink the direction for η &gt; 0, ends at ᾱ_0.</summary>
    public bool CompatSeed { get; init; }

    /// <summary>ᾱ after the last step; 1 unless a test or the original wants ᾱ_0.</summary>
    public double FinalAlphaBar { get; init; } = 1;

    /// <summary>σ² at η = 1 for a step between two ᾱ: (1−ᾱp)/(1−ᾱt) · (1 − ᾱt/ᾱp).</summary>
    public static double Variance(double alphaBar, double previous) => (1 - previous) / (1 - alphaBar) * (1 - alphaBar / previous);

    /// <inheritdoc/>
    public DataRange Range => range;

    /// <inheritdoc/>
    public SamplerStep[] Plan()
    {
        double final = CompatSeed ? schedule.AlphaBars[0] : FinalAlphaBar;
        return [.. timesteps.Select((t, i) => Step(t, schedule.AlphaBars[t], i + 1 < timesteps.Length ? schedule.AlphaBars[timesteps[i + 1]] : final))];
    }

    /// <summary>x = √ᾱp·x0 + direction·ε + σ·noise, ε = (x − √ᾱ·x0)/√(1−ᾱ) of the clipped x0, or the predicted ε in the original.</summary>
    private SamplerStep Step(int t, double alphaBar, double previous)
    {
        double sigma = eta > 0 ? eta * Math.Sqrt(Variance(alphaBar, previous)) : 0, direction = Math.Sqrt(Math.Max(0, 1 - previous - (CompatSeed ? 0 : sigma * sigma)));
        (double fromState, double fromPrediction) = PredictionAlgebra.ToSample(prediction, alphaBar);
        if (CompatSeed)
        {
            (double state, double predicted) = PredictionAlgebra.ToNoise(prediction, alphaBar);
            return new SamplerStep(t, fromState, fromPrediction, direction * state, Math.Sqrt(previous)) { Prediction = direction * predicted, Noise = sigma };
        }
        double kept = direction / Math.Sqrt(1 - alphaBar);
        return new SamplerStep(t, fromState, fromPrediction, kept, Math.Sqrt(previous) - kept * Math.Sqrt(alphaBar)) { Noise = sigma };
    }
}
