namespace I2M.Model.Diffusion;

/// <summary>The network as a sampler sees it: noisy sample and timestep in, prediction out. Guidance happens inside.</summary>
/// <param name="x">The noisy sample.</param>
/// <param name="timestep">0 to T−1.</param>
/// <param name="prediction">Receives the prediction, as long as x.</param>
public delegate void Denoiser(ReadOnlySpan<double> x, int timestep, Span<double> prediction);

/// <summary>Standard normal noise for step number <paramref name="step"/> of the sampler.</summary>
public delegate void NoiseSource(int step, Span<double> noise);

/// <summary>Tells after each step how far sampling is.</summary>
/// <param name="step">Steps done.</param>
/// <param name="total">Steps in all.</param>
/// <param name="estimate">The present estimate of x0.</param>
public delegate void StepObserver(int step, int total, ReadOnlySpan<double> estimate);

/// <summary>
/// One step of a sampler: with the network's prediction p, x0 = FromState·x + FromPrediction·p clipped to the data's range, and
/// x becomes State·x + Sample·x0 + Before·(x0 of the step before) + Prediction·p + Noise·(fresh normal noise).
/// </summary>
/// <param name="Timestep">What the network is asked at.</param>
/// <param name="FromState">Weight of x in x0.</param>
/// <param name="FromPrediction">Weight of p in x0.</param>
/// <param name="State">Weight of x.</param>
/// <param name="Sample">Weight of x0.</param>
public readonly record struct SamplerStep(int Timestep, double FromState, double FromPrediction, double State, double Sample)
{
    /// <summary>Weight of the step before's x0; 0 in a first step.</summary>
    public double Before { get; init; }
    /// <summary>Weight of the prediction itself.</summary>
    public double Prediction { get; init; }
    /// <summary>Deviation of fresh noise.</summary>
    public double Noise { get; init; }
}

/// <summary>Turns pure noise into a sample. A sampler is its list of steps: the same arithmetic for all, in double on the host or on the device.</summary>
public interface ISampler
{
    /// <summary>Range of clean data, which every x0 is clipped to.</summary>
    DataRange Range { get; }

    /// <summary>The steps, noisiest first.</summary>
    SamplerStep[] Plan();
}

/// <summary>Sampling on the host in double: the reference of what <see cref="BatchSampler"/> does on the device.</summary>
public static class Sampling
{
    /// <summary>Replaces the noise in <paramref name="x"/> by a sample.</summary>
    /// <param name="sampler">Which.</param>
    /// <param name="x">Starts as standard normal noise at the first timestep.</param>
    /// <param name="model">The network.</param>
    /// <param name="noise">Fresh noise for stochastic samplers.</param>
    /// <param name="observer">Called after each step, or null.</param>
    /// <param name="cancel">Stops between two steps.</param>
    public static void Sample(this ISampler sampler, Span<double> x, Denoiser model, NoiseSource noise, StepObserver? observer = null, CancellationToken cancel = default)
    {
        double[] predicted = new double[x.Length], fresh = new double[x.Length], current = new double[x.Length], before = new double[x.Length];
        SamplerStep[] plan = sampler.Plan();
        DataRange range = sampler.Range;
        for (int i = 0; i < plan.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            SamplerStep s = plan[i];
            model(x, s.Timestep, predicted);
            if (s.Noise > 0) { noise(i, fresh); }
            for (int k = 0; k < x.Length; k++)
            {
                current[k] = Math.Clamp(s.FromState * x[k] + s.FromPrediction * predicted[k], range.Low, range.High);
                x[k] = s.State * x[k] + s.Sample * current[k] + s.Before * before[k] + s.Prediction * predicted[k] + s.Noise * fresh[k];
            }
            observer?.Invoke(i + 1, plan.Length, current);
            (before, current) = (current, before);
        }
    }
}

/// <summary>The algebra between x_t, x0, ε and v: weights of x_t and of the prediction.</summary>
internal static class PredictionAlgebra
{
    /// <summary>x0, before it is clipped.</summary>
    public static (double State, double Prediction) ToSample(PredictionKind kind, double alphaBar) => kind switch
    {
        PredictionKind.Epsilon => (1 / Math.Sqrt(alphaBar), -Math.Sqrt(1 - alphaBar) / Math.Sqrt(alphaBar)),
        PredictionKind.V => (Math.Sqrt(alphaBar), -Math.Sqrt(1 - alphaBar)),
        _ => (0, 1),
    };

    /// <summary>ε, from a prediction before any clipping.</summary>
    public static (double State, double Prediction) ToNoise(PredictionKind kind, double alphaBar) => kind switch
    {
        PredictionKind.Epsilon => (0, 1),
        PredictionKind.V => (Math.Sqrt(1 - alphaBar), Math.Sqrt(alphaBar)),
        _ => (1 / Math.Sqrt(1 - alphaBar), -Math.Sqrt(alphaBar) / Math.Sqrt(1 - alphaBar)),
    };
}

/// <summary>The range that a clean sample lies in; predictions are clipped to it.</summary>
/// <param name="Low">Smallest value.</param>
/// <param name="High">Largest value.</param>
public readonly record struct DataRange(double Low, double High)
{
    /// <summary>No clipping.</summary>
    public static DataRange Unlimited => new(double.NegativeInfinity, double.PositiveInfinity);
}
