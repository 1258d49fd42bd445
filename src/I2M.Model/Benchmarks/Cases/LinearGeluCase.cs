using I2M.Autograd;
using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>
/// The first half of a transformer's MLP: GELU(x·Wᵀ + b) with the exact GELU. Verified on whole rows against double precision.
/// </summary>
public sealed class LinearGeluCase : BenchmarkCase
{
    private const int SampledRows = 24;
    private const double Limit = 1e-5;
    private readonly Tensor _x, _weight, _bias;
    private readonly int _inputs, _outputs, _rows;

    /// <param name="backend">Where.</param>
    /// <param name="rows">Tokens.</param>
    /// <param name="inputs">Features in.</param>
    /// <param name="outputs">Features out.</param>
    public LinearGeluCase(IBackend backend, int rows, int inputs, int outputs) : base(backend)
    {
        (_rows, _inputs, _outputs) = (rows, inputs, outputs);
        _x = Tensor.Over(backend, RentNormal((long)rows * inputs, 1), rows, inputs);
        _weight = Tensor.Over(backend, RentNormal((long)outputs * inputs, 2, 1 / MathF.Sqrt(inputs)), outputs, inputs);
        _bias = Tensor.Over(backend, RentNormal(outputs, 3), outputs);
        double words = (double)rows * inputs + (double)outputs * inputs + outputs + (double)rows * outputs;
        Work = new BenchmarkWork(BenchmarkBound.Compute, 2.0 * rows * inputs * outputs, 4 * words);
    }

    /// <inheritdoc/>
    public override void Queue()
    {
        using var scope = new TensorScope();
        using var noGrad = GradMode.NoGrad();
        Forward();
    }

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        using var scope = new TensorScope();
        using var noGrad = GradMode.NoGrad();
        float[] all = Forward().ToArray(), input = _x.ToArray();
        int[] rows = Sample(_rows, SampledRows);
        double[] x = [.. rows.SelectMany(r => DoubleMath.Widen(input.AsSpan(r * _inputs, _inputs)))];
        float[] actual = [.. rows.SelectMany(r => all[(r * _outputs)..((r + 1) * _outputs)])];
        double[] expected = DoubleMath.Map(DoubleMath.Linear(x, _inputs, DoubleMath.Widen(_weight.ToArray()), DoubleMath.Widen(_bias.ToArray()), 0, _outputs), DoubleMath.GeluErf);
        return Verification.Check("y", actual, expected, Limit, i => $"[{rows[i / _outputs]}, {i % _outputs}]");
    }

    /// <summary>The one place that calls the operation.</summary>
    private Tensor Forward() => _x.Linear(_weight, _bias, GemmActivation.GeluErf);
}
