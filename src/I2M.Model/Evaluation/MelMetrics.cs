namespace I2M.Model.Evaluation;

/// <summary>How far one log-mel is from another.</summary>
/// <param name="MeanAbsoluteError">mean |a − b|, in natural-log units.</param>
/// <param name="MeanSquaredError">mean (a − b)².</param>
/// <param name="MaxDifference">max |a − b|.</param>
/// <param name="SignalToNoise">10·log₁₀(Σa² / Σ(a − b)²) in dB; +∞ for equal mels.</param>
/// <param name="Correlation">Pearson's r over all values; NaN when either mel is constant.</param>
public sealed record MelMetrics(double MeanAbsoluteError, double MeanSquaredError, double MaxDifference, double SignalToNoise, double Correlation)
{
    /// <summary>Compares two mels of equal layout, value by value, in double precision.</summary>
    /// <param name="reference">The true mel a.</param>
    /// <param name="other">The mel b that is judged.</param>
    /// <exception cref="ArgumentException">They are empty or differ in length.</exception>
    public static MelMetrics Compare(ReadOnlySpan<float> reference, ReadOnlySpan<float> other)
    {
        if (reference.IsEmpty || reference.Length != other.Length) { throw new ArgumentException($"{other.Length} values against {reference.Length}: expected as many, and at least one"); }
        int count = reference.Length;
        double absolute = 0, squared = 0, max = 0, energy = 0, sumA = 0, sumB = 0;
        for (int i = 0; i < count; i++)
        {
            double a = reference[i], b = other[i], difference = a - b;
            absolute += Math.Abs(difference);
            squared += difference * difference;
            max = Math.Max(max, Math.Abs(difference));
            energy += a * a;
            sumA += a;
            sumB += b;
        }
        double noise = squared == 0 ? double.PositiveInfinity : 10 * Math.Log10(energy / squared);
        return new MelMetrics(absolute / count, squared / count, max, noise, Pearson(reference, other, sumA / count, sumB / count));
    }

    /// <summary>cov(a, b) / √(var(a)·var(b)), around the means: the one-pass form would cancel.</summary>
    private static double Pearson(ReadOnlySpan<float> a, ReadOnlySpan<float> b, double meanA, double meanB)
    {
        double covariance = 0, varianceA = 0, varianceB = 0;
        for (int i = 0; i < a.Length; i++)
        {
            double x = a[i] - meanA, y = b[i] - meanB;
            covariance += x * y;
            varianceA += x * x;
            varianceB += y * y;
        }
        return varianceA == 0 || varianceB == 0 ? double.NaN : covariance / Math.Sqrt(varianceA * varianceB);
    }
}
