namespace I2M.Model.Diffusion;

/// <summary>
/// DPM-Solver++ 2M (Lu et al. 2022): second-order multistep in the half log-SNR λ = log(√ᾱ/√(1−ᾱ)), midpoint form. With <see cref="EndsClean"/> the
/// last step goes to σ = 0 and is first order, as is the first.
/// </summary>
/// <param name="schedule">Tables.</param>
/// <param name="prediction">What the network predicts.</param>
/// <param name="timesteps">Noisiest first.</param>
/// <param name="range">Range of clean data.</param>
public sealed class DpmSolverSampler(NoiseSchedule schedule, PredictionKind prediction, int[] timesteps, DataRange range) : ISampler
{
    /// <summary>True ends at σ = 0; false at ᾱ_0, as some test suites do.</summary>
    public bool EndsClean { get; init; } = true;

    /// <inheritdoc/>
    public void Sample(Span<double> x, Denoiser model, NoiseSource noise, StepObserver? observer = null, CancellationToken cancel = default)
    {
        var predicted = new double[x.Length];
        var current = new double[x.Length];
        var before = new double[x.Length];
        double lambdaBefore = double.NaN;
        for (int i = 0; i < timesteps.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            int t = timesteps[i];
            bool last = i + 1 == timesteps.Length;
            double alphaBar = schedule.AlphaBars[t], next = last ? (EndsClean ? 1 : schedule.AlphaBars[0]) : schedule.AlphaBars[timesteps[i + 1]];
            model(x, t, predicted);
            for (int k = 0; k < x.Length; k++) { current[k] = PredictionAlgebra.ToSample(prediction, x[k], predicted[k], alphaBar, range); }
            double lambda = Lambda(alphaBar), lambdaNext = Lambda(next), h = lambdaNext - lambda;
            // A step from pure noise (λ = −∞) or to the clean end (λ = +∞) has no second-order term.
            bool secondOrder = i > 0 && double.IsFinite(h) && double.IsFinite(lambdaBefore);
            double ratio = secondOrder ? h / (2 * (lambda - lambdaBefore)) : 0;
            double state = Math.Sqrt((1 - next) / (1 - alphaBar)), data = Math.Sqrt(next) * (1 - Math.Exp(-h));
            for (int k = 0; k < x.Length; k++)
            {
                double d = current[k] + ratio * (current[k] - before[k]);
                x[k] = state * x[k] + data * d;
            }
            observer?.Invoke(i + 1, timesteps.Length, current);
            (before, current) = (current, before);
            lambdaBefore = lambda;
        }
    }

    private static double Lambda(double alphaBar) => 0.5 * Math.Log(alphaBar / (1 - alphaBar));
}
