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
    public void Sample(Span<double> x, Denoiser model, NoiseSource noise, StepObserver? observer = null, CancellationToken cancel = default)
    {
        var predicted = new double[x.Length];
        var fresh = new double[x.Length];
        var estimate = new double[x.Length];
        for (int i = 0; i < timesteps.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            int t = timesteps[i];
            bool last = i + 1 == timesteps.Length;
            double alphaBar = schedule.AlphaBars[t], previous = last ? 1 : schedule.AlphaBars[timesteps[i + 1]];
            double alpha = alphaBar / previous;
            double sampleWeight = Math.Sqrt(previous) * (1 - alpha) / (1 - alphaBar), stateWeight = Math.Sqrt(alpha) * (1 - previous) / (1 - alphaBar);
            double deviation = last ? 0 : Math.Sqrt(Variance(alphaBar, previous));
            model(x, t, predicted);
            if (!last) { noise(i, fresh); }
            for (int k = 0; k < x.Length; k++)
            {
                estimate[k] = PredictionAlgebra.ToSample(prediction, x[k], predicted[k], alphaBar, range);
                x[k] = sampleWeight * estimate[k] + stateWeight * x[k] + (last ? 0 : deviation * fresh[k]);
            }
            observer?.Invoke(i + 1, timesteps.Length, estimate);
        }
    }
}
