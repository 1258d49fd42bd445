using Xunit;

namespace I2M.Testing;

/// <summary>
/// The largest relative error ‖a−e‖/‖e‖ over many arrays, such as all gradients of a model. One line of output for the whole; NaN fails.
/// </summary>
/// <param name="what">Model and backend, for the message.</param>
/// <param name="bound">Largest error allowed.</param>
public sealed class WorstError(string what, double bound)
{
    private double _worst = -1;
    private string? _where;

    /// <summary>‖a−e‖/‖e‖, or ‖a‖ where e is zero.</summary>
    public static double Of(ReadOnlySpan<float> actual, ReadOnlySpan<double> expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        double difference = 0, norm = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            norm += expected[i] * expected[i];
        }
        return Math.Sqrt(norm > 0 ? difference / norm : difference);
    }

    /// <summary>Takes an array into account.</summary>
    public void Add(string name, ReadOnlySpan<float> actual, ReadOnlySpan<double> expected) => Add(name, Of(actual, expected));

    /// <summary>Takes an error into account that was computed elsewhere.</summary>
    public void Add(string name, double error)
    {
        // Written so that NaN is kept.
        if (double.IsNaN(_worst) || error <= _worst) { return; }
        (_worst, _where) = (error, name);
    }

    /// <summary>Prints the worst error and fails where it exceeds the bound.</summary>
    public void Check()
    {
        string line = $"{what}: worst error {_worst:E2} ({_where ?? "nothing was compared"}), bound {bound:E1}";
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        Assert.True(_where is not null && _worst <= bound, line);
    }
}
