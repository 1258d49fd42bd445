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
    public DataRange Range => range;

    /// <inheritdoc/>
    public SamplerStep[] Plan()
    {
        var plan = new SamplerStep[timesteps.Length];
        double lambdaBefore = double.NaN;
        for (int i = 0; i < plan.Length; i++)
        {
            double alphaBar = schedule.AlphaBars[timesteps[i]];
            double next = i + 1 < plan.Length ? schedule.AlphaBars[timesteps[i + 1]] : EndsClean ? 1 : schedule.AlphaBars[0];
            double lambda = Lambda(alphaBar), h = Lambda(next) - lambda;
            // A step from pure noise (λ = −∞) or to the clean end (λ = +∞) has no second-order term.
            bool secondOrder = i > 0 && double.IsFinite(h) && double.IsFinite(lambdaBefore);
            double ratio = secondOrder ? h / (2 * (lambda - lambdaBefore)) : 0, data = Math.Sqrt(next) * (1 - Math.Exp(-h));
            (double fromState, double fromPrediction) = PredictionAlgebra.ToSample(prediction, alphaBar);
            plan[i] = new SamplerStep(timesteps[i], fromState, fromPrediction, Math.Sqrt((1 - next) / (1 - alphaBar)), data * (1 + ratio)) { Before = -data * ratio };
            lambdaBefore = lambda;
        }
        return plan;
    }

    private static double Lambda(double alphaBar) => 0.5 * Math.Log(alphaBar / (1 - alphaBar));
}
