using System.Numerics;

namespace I2M.Model.Benchmarks.Reference;

/// <summary>
/// The network's operations in double precision, forward only, written from their definitions and independent of every backend. Fast enough to
/// evaluate a whole small network at full size; derivatives are taken by central differences of it.
/// </summary>
internal static class DoubleMath
{
    /// <summary>As doubles.</summary>
    public static double[] Widen(ReadOnlySpan<float> x)
    {
        var y = new double[x.Length];
        for (int i = 0; i < y.Length; i++) { y[i] = x[i]; }
        return y;
    }

    /// <summary>Σ a·b.</summary>
    public static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        Vector<double> even = default, odd = default;
        int width = Vector<double>.Count, i = 0;
        for (; i <= a.Length - 2 * width; i += 2 * width)
        {
            even += new Vector<double>(a[i..]) * new Vector<double>(b[i..]);
            odd += new Vector<double>(a[(i + width)..]) * new Vector<double>(b[(i + width)..]);
        }
        double sum = Vector.Sum(even + odd);
        for (; i < a.Length; i++) { sum += a[i] * b[i]; }
        return sum;
    }

    /// <summary>y[r,o] = Σ_i x[r,i] · weight[first+o, i] + bias[first+o], for <paramref name="outputs"/> rows of the weight from <paramref name="first"/>.</summary>
    public static double[] Linear(double[] x, int inputs, double[] weight, double[]? bias, int first, int outputs)
    {
        const int panel = 32;
        int rows = x.Length / inputs;
        var y = new double[(long)rows * outputs];
        // A panel of the weight stays in the cache while the rows stream by.
        Parallel.For(0, (outputs + panel - 1) / panel, p =>
        {
            for (int r = 0; r < rows; r++)
            {
                ReadOnlySpan<double> row = x.AsSpan(r * inputs, inputs);
                for (int o = p * panel; o < Math.Min(outputs, (p + 1) * panel); o++)
                {
                    y[r * outputs + o] = Dot(row, weight.AsSpan((first + o) * inputs, inputs)) + (bias is null ? 0 : bias[first + o]);
                }
            }
        });
        return y;
    }

    /// <summary>Rows with mean 0 and variance 1 over <paramref name="columns"/>: (x − mean)/√(var + eps), then times weight plus bias.</summary>
    public static double[] LayerNorm(double[] x, int columns, double eps, Func<int, int, double> weight, Func<int, int, double> bias)
    {
        var y = new double[x.Length];
        for (int r = 0; r < x.Length / columns; r++)
        {
            ReadOnlySpan<double> row = x.AsSpan(r * columns, columns);
            double mean = 0, variance = 0;
            foreach (double v in row) { mean += v / columns; }
            foreach (double v in row) { variance += (v - mean) * (v - mean) / columns; }
            double rstd = 1 / Math.Sqrt(variance + eps);
            for (int c = 0; c < columns; c++) { y[r * columns + c] = (row[c] - mean) * rstd * weight(r, c) + bias(r, c); }
        }
        return y;
    }

    /// <summary>
    /// softmax(q·kᵀ/√headDim)·v per head, [batch, queries, heads·headDim]. Head h of a row is the columns from h·headDim after the offset of its
    /// array, whose rows are <c>Stride</c> apart.
    /// </summary>
    public static double[] Attention((double[] Data, int Offset, int Stride) q, (double[] Data, int Offset, int Stride) k, (double[] Data, int Offset, int Stride) v,
        int batch, int heads, int queries, int keys, int headDim)
    {
        int channels = heads * headDim;
        var o = new double[batch * queries * channels];
        Parallel.For(0, batch * heads, item =>
        {
            int b = item / heads, column = item % heads * headDim;
            var p = new double[keys];
            for (int i = 0; i < queries; i++)
            {
                ReadOnlySpan<double> query = Row(q, b * queries + i);
                for (int j = 0; j < keys; j++) { p[j] = Dot(query, Row(k, b * keys + j)) / Math.Sqrt(headDim); }
                Softmax(p);
                Span<double> sum = o.AsSpan((b * queries + i) * channels + column, headDim);
                for (int j = 0; j < keys; j++) { AddScaled(sum, p[j], Row(v, b * keys + j)); }
            }

            ReadOnlySpan<double> Row((double[] Data, int Offset, int Stride) x, int row) => x.Data.AsSpan(row * x.Stride + x.Offset + column, headDim);
        });
        return o;
    }

    /// <summary>Replaces logits by probabilities and returns log Σ e^logit.</summary>
    public static double Softmax(Span<double> x)
    {
        double maximum = double.NegativeInfinity, sum = 0;
        foreach (double value in x) { maximum = Math.Max(maximum, value); }
        for (int i = 0; i < x.Length; i++) { sum += x[i] = Math.Exp(x[i] - maximum); }
        for (int i = 0; i < x.Length; i++) { x[i] /= sum; }
        return maximum + Math.Log(sum);
    }

    /// <summary>sum += factor · x.</summary>
    public static void AddScaled(Span<double> sum, double factor, ReadOnlySpan<double> x)
    {
        int width = Vector<double>.Count, i = 0;
        var scale = new Vector<double>(factor);
        for (; i <= sum.Length - width; i += width) { (new Vector<double>(sum[i..]) + scale * new Vector<double>(x[i..])).CopyTo(sum[i..]); }
        for (; i < sum.Length; i++) { sum[i] += factor * x[i]; }
    }

    /// <summary>f of every element.</summary>
    public static double[] Map(double[] x, Func<double, double> f)
    {
        var y = new double[x.Length];
        Parallel.For(0, (x.Length + 4095) / 4096, part =>
        {
            for (int i = part * 4096; i < Math.Min(x.Length, (part + 1) * 4096); i++) { y[i] = f(x[i]); }
        });
        return y;
    }

    /// <summary>x · σ(x).</summary>
    public static double Silu(double x) => x / (1 + Math.Exp(-x));

    /// <summary>x · Φ(x), the exact GELU.</summary>
    public static double GeluErf(double x) => 0.5 * x * (1 + Erf(x / Math.Sqrt(2)));

    /// <summary>GELU's tanh form.</summary>
    public static double GeluTanh(double x) => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));

    /// <summary>
    /// The error function: 2/√π·e^(−x²)·Σ 2ⁿ·x^(2n+1)/(2n+1)!! (Abramowitz and Stegun 7.1.6), whose terms all have one sign; beyond 6 it is 1 in double.
    /// </summary>
    public static double Erf(double x)
    {
        double magnitude = Math.Abs(x);
        if (magnitude > 6) { return Math.Sign(x); }
        double term = magnitude, sum = magnitude;
        for (int n = 1; term > 1e-17 * sum; n++)
        {
            term *= 2 * magnitude * magnitude / (2 * n + 1);
            sum += term;
        }
        return Math.Sign(x) * 2 / Math.Sqrt(Math.PI) * Math.Exp(-magnitude * magnitude) * sum;
    }
}
