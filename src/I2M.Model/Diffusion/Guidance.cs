namespace I2M.Model.Diffusion;

/// <summary>Classifier-free guidance (Ho &amp; Salimans 2022) with the rescale of Lin et al. 2024, in double: the reference of <see cref="Kernels.IBackend.GuideRows"/>.</summary>
public static class Guidance
{
    /// <summary>
    /// result = u + scale·(c − u); with rescale φ &gt; 0 its deviation is drawn towards the conditional prediction's:
    /// result·(φ·σ(c)/σ(result) + 1 − φ), per sample.
    /// </summary>
    public static void Combine(ReadOnlySpan<float> conditional, ReadOnlySpan<float> unconditional, double scale, double rescale, Span<double> result)
    {
        double sumC = 0, squareC = 0, sumR = 0, squareR = 0;
        for (int i = 0; i < result.Length; i++)
        {
            double c = conditional[i], r = unconditional[i] + scale * (c - unconditional[i]);
            result[i] = r;
            sumC += c;
            squareC += c * c;
            sumR += r;
            squareR += r * r;
        }
        if (rescale <= 0) { return; }
        double n = result.Length;
        double deviationC = Math.Sqrt(Math.Max(0, squareC / n - sumC / n * (sumC / n))), deviationR = Math.Sqrt(Math.Max(0, squareR / n - sumR / n * (sumR / n)));
        if (deviationR <= 0) { return; }
        double factor = rescale * deviationC / deviationR + 1 - rescale;
        for (int i = 0; i < result.Length; i++) { result[i] *= factor; }
    }
}
