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
    public void Sample(Span<double> x, Denoiser model, NoiseSource noise, StepObserver? observer = null, CancellationToken cancel = default)
    {
        var predicted = new double[x.Length];
        var fresh = new double[eta > 0 ? x.Length : 0];
        var estimate = new double[x.Length];
        double final = CompatSeed ? schedule.AlphaBars[0] : FinalAlphaBar;
        for (int i = 0; i < timesteps.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            int t = timesteps[i];
            double alphaBar = schedule.AlphaBars[t], previous = i + 1 < timesteps.Length ? schedule.AlphaBars[timesteps[i + 1]] : final;
            double sigma = eta > 0 ? eta * Math.Sqrt(Variance(alphaBar, previous)) : 0;
            model(x, t, predicted);
            if (sigma > 0) { noise(i, fresh); }
            double direction = Math.Sqrt(Math.Max(0, 1 - previous - (CompatSeed ? 0 : sigma * sigma)));
            for (int k = 0; k < x.Length; k++)
            {
                double x0 = PredictionAlgebra.ToSample(prediction, x[k], predicted[k], alphaBar, range);
                double epsilon = CompatSeed
                    ? PredictionAlgebra.ToNoise(prediction, x[k], predicted[k], alphaBar)
                    : (x[k] - Math.Sqrt(alphaBar) * x0) / Math.Sqrt(1 - alphaBar);
                estimate[k] = x0;
                x[k] = Math.Sqrt(previous) * x0 + direction * epsilon + (sigma > 0 ? sigma * fresh[k] : 0);
            }
            observer?.Invoke(i + 1, timesteps.Length, estimate);
        }
    }
}
