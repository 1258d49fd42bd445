using Xunit;

namespace I2M.Model.Tests.Diffusion;

/// <summary>Comparison of double-precision results.</summary>
internal static class DiffusionFigures
{
    /// <summary>Prints ‖a−e‖/‖e‖ and fails where it exceeds the bound or is not a number.</summary>
    public static void Check(string what, IReadOnlyList<double> actual, IReadOnlyList<double> expected, double bound)
    {
        Assert.Equal(expected.Count, actual.Count);
        double error = Math.Sqrt(actual.Zip(expected, (a, e) => (a - e) * (a - e)).Sum() / expected.Sum(e => e * e));
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: relative error {error:E2}, bound {bound:E1}");
        Assert.True(error <= bound, $"{what}: relative error {error:E2}, bound {bound:E1}");
    }
}
