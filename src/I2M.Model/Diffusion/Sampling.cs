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

/// <summary>Turns pure noise into a sample.</summary>
public interface ISampler
{
    /// <summary>Replaces the noise in <paramref name="x"/> by a sample.</summary>
    /// <param name="x">Starts as standard normal noise at the first timestep.</param>
    /// <param name="model">The network.</param>
    /// <param name="noise">Fresh noise for stochastic samplers.</param>
    /// <param name="observer">Called after each step, or null.</param>
    /// <param name="cancel">Stops between two steps.</param>
    void Sample(Span<double> x, Denoiser model, NoiseSource noise, StepObserver? observer = null, CancellationToken cancel = default);
}

/// <summary>The algebra between x_t, x0, ε and v.</summary>
internal static class PredictionAlgebra
{
    /// <summary>x0 from a prediction, clipped to the data's range.</summary>
    public static double ToSample(PredictionKind kind, double x, double prediction, double alphaBar, DataRange range)
    {
        double sample = kind switch
        {
            PredictionKind.Epsilon => (x - Math.Sqrt(1 - alphaBar) * prediction) / Math.Sqrt(alphaBar),
            PredictionKind.V => Math.Sqrt(alphaBar) * x - Math.Sqrt(1 - alphaBar) * prediction,
            _ => prediction,
        };
        return Math.Clamp(sample, range.Low, range.High);
    }

    /// <summary>ε from a prediction, before any clipping.</summary>
    public static double ToNoise(PredictionKind kind, double x, double prediction, double alphaBar) => kind switch
    {
        PredictionKind.Epsilon => prediction,
        PredictionKind.V => Math.Sqrt(alphaBar) * prediction + Math.Sqrt(1 - alphaBar) * x,
        _ => (x - Math.Sqrt(alphaBar) * prediction) / Math.Sqrt(1 - alphaBar),
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
