namespace I2M.Testing;

/// <summary>erf to double precision (Abramowitz and Stegun 7.1.6 for small arguments, the continued fraction 7.1.14 for large ones).</summary>
public static class ErrorFunction
{
    private const double Crossover = 2.5;
    private const int SeriesTerms = 100, FractionTerms = 120;

    /// <summary>2/√π ∫₀ˣ e^(−t²) dt.</summary>
    public static double Erf(double x)
    {
        double magnitude = Math.Abs(x);
        return Math.Sign(x) * (magnitude < Crossover ? Series(magnitude) : 1 - Complement(magnitude));
    }

    /// <summary>2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)): all terms positive, so nothing cancels.</summary>
    private static double Series(double x)
    {
        double term = x, sum = x;
        for (int n = 1; n < SeriesTerms; n++)
        {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    /// <summary>e^(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))), evaluated from the innermost fraction outwards.</summary>
    private static double Complement(double x)
    {
        double tail = x;
        for (int n = FractionTerms; n >= 1; n--) { tail = x + n / 2.0 / tail; }
        return Math.Exp(-x * x) / Math.Sqrt(Math.PI) / tail;
    }
}
