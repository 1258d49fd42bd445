using System.Globalization;
using I2M.Kernels;

namespace I2M.Model.Benchmarks;

/// <summary>Compares float32 results with double-precision ones.</summary>
public static class Verification
{
    /// <summary>
    /// Requires |a − e| ≤ limit · (|e| + rms(e)) of every element; not-a-number fails.
    /// </summary>
    /// <param name="what">The quantity, for the message.</param>
    /// <param name="actual">Results.</param>
    /// <param name="expected">Reference.</param>
    /// <param name="limit">Largest relative error.</param>
    /// <param name="place">Names element i; null prints its number.</param>
    /// <returns>The largest error as a share of the limit.</returns>
    /// <exception cref="I2MException">Names the worst element with both values.</exception>
    public static double Check(string what, ReadOnlySpan<float> actual, ReadOnlySpan<double> expected, double limit, Func<int, string>? place = null)
    {
        if (actual.Length != expected.Length) { throw new I2MException($"{what}: {actual.Length} values, expected {expected.Length}"); }
        double rms = RootMeanSquare(expected), worst = -1;
        int at = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            double error = actual[i] == expected[i] ? 0 : Math.Abs(actual[i] - expected[i]) / (Math.Abs(expected[i]) + rms);
            if (double.IsNaN(error)) { error = double.PositiveInfinity; }
            if (error > worst) { (worst, at) = (error, i); }
        }
        if (worst <= limit) { return Math.Max(0, worst) / limit; }
        string element = place?.Invoke(at) ?? at.ToString(CultureInfo.InvariantCulture);
        throw new I2MException(string.Create(CultureInfo.InvariantCulture,
            $"{what}: element {element} is {actual[at]:G9}, expected {expected[at]:G9}: relative error {worst:E1}, allowed {limit:E1}"));
    }

    /// <summary>
    /// Requires ‖a − e‖ ≤ limit · ‖e‖, and of every element as above with eight times the limit, as a norm over many elements does not see a wrong one.
    /// </summary>
    /// <param name="what">The quantity, for the message.</param>
    /// <param name="actual">Results.</param>
    /// <param name="expected">Reference.</param>
    /// <param name="limit">Largest relative error of the norm.</param>
    /// <param name="place">Names element i; null prints its number.</param>
    /// <returns>The largest error as a share of its limit.</returns>
    /// <exception cref="I2MException">Names the worst element, or the error of the norm.</exception>
    public static double CheckNorm(string what, ReadOnlySpan<float> actual, ReadOnlySpan<double> expected, double limit, Func<int, string>? place = null)
    {
        double worst = Check(what, actual, expected, 8 * limit, place), error = 0, norm = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            norm += expected[i] * expected[i];
        }
        double relative = error > 0 ? Math.Sqrt(error / norm) : 0;
        return relative <= limit ? Math.Max(worst, relative / limit) : throw new I2MException(string.Create(CultureInfo.InvariantCulture,
            $"{what}: relative error of the norm {relative:E1}, allowed {limit:E1}"));
    }

    /// <summary>Relative error of the norm that products of an arithmetic may have.</summary>
    public static double NormLimit(Arithmetic arithmetic) => arithmetic switch
    {
        Arithmetic.TensorFloat32 => 1e-3,
        Arithmetic.BFloat16 => 1e-2,
        _ => 2e-6,
    };

    /// <summary>Requires |a − e| ≤ limit · scale of one number.</summary>
    /// <param name="what">The quantity, for the message.</param>
    /// <param name="actual">Result.</param>
    /// <param name="expected">Reference.</param>
    /// <param name="limit">Largest error in units of the scale.</param>
    /// <param name="scale">Unit of the error; |e| unless given, for numbers that may cancel.</param>
    /// <returns>The error as a share of the limit.</returns>
    /// <exception cref="I2MException">Names both values.</exception>
    public static double Check(string what, double actual, double expected, double limit, double? scale = null)
    {
        double error = Math.Abs(actual - expected) / (scale ?? Math.Abs(expected));
        return error <= limit ? error / limit : throw new I2MException(string.Create(CultureInfo.InvariantCulture,
            $"{what} is {actual:G9}, expected {expected:G9}: relative error {error:E1}, allowed {limit:E1}"));
    }

    private static double RootMeanSquare(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (double value in values) { sum += value * value; }
        return Math.Sqrt(sum / Math.Max(1, values.Length));
    }
}
