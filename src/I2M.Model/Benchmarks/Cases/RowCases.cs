using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>
/// adaLN, forward or backward, as a block of the network has it. Verified against double precision: the output or dx on rows spread over the
/// input, dscale and dshift of the first and the last sample whole.
/// </summary>
public sealed class AdaLayerNormCase : BenchmarkCase
{
    private const int SampledRows = 100, FlopsPerElement = 10;
    private const float Eps = 1e-6f;
    private const double Limit = 1e-5;
    private readonly ModulationShape _shape;
    private readonly bool _backward;
    private readonly BufferView _scale, _shift, _mean, _rstd, _dScale, _dShift;
    private readonly (BufferView X, BufferView Dy, BufferView Result)[] _sets;

    private long Rows => (long)_shape.Batch * _shape.Tokens;

    /// <param name="backend">Where.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="backward">The backward pass alone instead of the forward pass.</param>
    /// <param name="sets">Sets of operands that take turns, so that none stays in a cache.</param>
    public AdaLayerNormCase(IBackend backend, ModulationShape shape, bool backward, int sets) : base(backend)
    {
        (_shape, _backward) = (shape, backward);
        long length = Rows * shape.Channels, modulation = (long)shape.Batch * shape.Stride;
        (_scale, _shift, _mean, _rstd, _dScale, _dShift) = (RentNormal(modulation, 1), RentNormal(modulation, 2), Rent(Rows), Rent(Rows), Rent(modulation), Rent(modulation));
        _sets = [.. Enumerable.Range(0, sets).Select(i => (RentNormal(length, 3 + 2 * (ulong)i), backward ? RentNormal(length, 4 + 2 * (ulong)i) : BufferView.None, Rent(length)))];
        // The backward pass takes one set's statistics for all: it costs the same, and only the first is verified.
        if (backward)
        {
            Forward(_sets[0].X, _sets[0].Result);
            Backend.Fill(_dScale, 0);
            Backend.Fill(_dShift, 0);
        }
        double words = (backward ? 3 : 2) * (double)length + 2 * Rows + (backward ? 5 : 2) * modulation;
        Work = new BenchmarkWork(BenchmarkBound.Memory, (double)FlopsPerElement * length, 4 * words);
    }

    /// <inheritdoc/>
    public override void Queue()
    {
        var set = Next(_sets);
        if (_backward) { Backward(set.X, set.Dy, set.Result); }
        else { Forward(set.X, set.Result); }
    }

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        var (x, dy, result) = _sets[0];
        if (_backward)
        {
            Backend.Fill(_dScale, 0);
            Backend.Fill(_dShift, 0);
        }
        Spoil(result);
        if (_backward) { Backward(x, dy, result); }
        else { Forward(x, result); }
        int c = _shape.Channels;
        int[] rows = Sample((int)Rows, SampledRows);
        float[] actual = [.. rows.SelectMany(r => Row(result, r))];
        double[] expected = [.. rows.SelectMany(r => _backward ? BackwardRow(r) : ForwardRow(r))];
        double worst = Verification.Check(_backward ? "dx" : "y", actual, expected, Limit, i => $"[{rows[i / c]}, {i % c}]");
        if (!_backward) { return worst; }
        foreach (int sample in Sample(_shape.Batch, 2))
        {
            cancel.ThrowIfCancellationRequested();
            worst = Math.Max(worst, VerifySums(sample));
        }
        return worst;
    }

    private void Forward(BufferView x, BufferView y) => Backend.AdaLayerNorm(x, _scale, _shift, _shape, Eps, y, _mean, _rstd);

    private void Backward(BufferView x, BufferView dy, BufferView dx) => Backend.AdaLayerNormBackward(x, _scale, _mean, _rstd, dy, _shape, dx, _dScale, _dShift);

    private double VerifySums(int sample)
    {
        int c = _shape.Channels;
        double[] scale = new double[c], shift = new double[c];
        for (int t = 0; t < _shape.Tokens; t++)
        {
            int row = sample * _shape.Tokens + t;
            (double[] normal, _) = Normalised(row);
            float[] dy = Row(_sets[0].Dy, row);
            for (int i = 0; i < c; i++) { (scale[i], shift[i]) = (scale[i] + dy[i] * normal[i], shift[i] + dy[i]); }
        }
        double worst = Verification.Check("dscale", Modulation(_dScale, sample), scale, Limit, i => $"[{sample}, {i}]");
        return Math.Max(worst, Verification.Check("dshift", Modulation(_dShift, sample), shift, Limit, i => $"[{sample}, {i}]"));
    }

    private double[] ForwardRow(int row)
    {
        float[] scale = Modulation(_scale, row / _shape.Tokens), shift = Modulation(_shift, row / _shape.Tokens);
        return [.. Normalised(row).Values.Select((v, i) => v * (1.0 + scale[i]) + shift[i])];
    }

    /// <summary>dx = rstd · (g − mean(g) − x̂ · mean(g·x̂)), g = dy · (1 + scale).</summary>
    private double[] BackwardRow(int row)
    {
        (double[] normal, double rstd) = Normalised(row);
        float[] scale = Modulation(_scale, row / _shape.Tokens);
        double[] g = [.. Row(_sets[0].Dy, row).Select((v, i) => v * (1.0 + scale[i]))];
        double mean = g.Average(), slope = DoubleMath.Dot(g, normal) / g.Length;
        return [.. g.Select((v, i) => rstd * (v - mean - normal[i] * slope))];
    }

    private (double[] Values, double Rstd) Normalised(int row)
    {
        double[] x = DoubleMath.Widen(Row(_sets[0].X, row));
        double mean = x.Average(), rstd = 1 / Math.Sqrt(x.Average(v => (v - mean) * (v - mean)) + Eps);
        return ([.. x.Select(v => (v - mean) * rstd)], rstd);
    }

    private float[] Row(BufferView view, int row) => Read(view.Slice((long)row * _shape.Channels, _shape.Channels));

    private float[] Modulation(BufferView view, int sample) => Read(view.Slice((long)sample * _shape.Stride, _shape.Channels));
}

/// <summary>The backward pass of the exact GELU. Verified on elements spread over it.</summary>
public sealed class GeluBackwardCase : BenchmarkCase
{
    private const int Sampled = 200_000, FlopsPerElement = 20;
    private const double Limit = 2e-6;
    private readonly (BufferView X, BufferView Dy, BufferView Dx)[] _sets;

    /// <param name="backend">Where.</param>
    /// <param name="length">Elements.</param>
    /// <param name="sets">Sets of operands that take turns, so that none stays in a cache.</param>
    public GeluBackwardCase(IBackend backend, long length, int sets) : base(backend)
    {
        _sets = [.. Enumerable.Range(0, sets).Select(i => (RentNormal(length, 2 * (ulong)i + 1), RentNormal(length, 2 * (ulong)i + 2), Rent(length)))];
        Work = new BenchmarkWork(BenchmarkBound.Memory, (double)FlopsPerElement * length, 12.0 * length);
    }

    /// <inheritdoc/>
    public override void Queue()
    {
        var (x, dy, dx) = Next(_sets);
        Backend.GeluErfBackward(x, dy, dx);
    }

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        var (x, dy, dx) = _sets[0];
        Spoil(dx);
        Backend.GeluErfBackward(x, dy, dx);
        int[] at = Sample((int)x.Length, Sampled);
        float[] input = Read(x), seed = Read(dy), result = Read(dx);
        double[] expected = [.. at.Select(i => seed[i] * Slope(input[i]))];
        return Verification.Check("dx", [.. at.Select(i => result[i])], expected, Limit, i => $"[{at[i]}]");
    }

    /// <summary>Φ(x) + x·φ(x).</summary>
    private static double Slope(double x) => 0.5 * (1 + DoubleMath.Erf(x / Math.Sqrt(2))) + x * Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);
}

/// <summary>The norm of a gradient arena and the clip factor, which stays on the device. Verified against a sum in double.</summary>
public sealed class GradientNormCase : BenchmarkCase
{
    private const double Limit = 2e-6;
    private const float MaxNorm = 1;
    private readonly BufferView _gradient, _sum, _factor;

    /// <param name="backend">Where.</param>
    /// <param name="length">Parameters.</param>
    public GradientNormCase(IBackend backend, long length) : base(backend)
    {
        (_gradient, _sum, _factor) = (RentNormal(length, 1), Rent(1), Rent(1));
        Work = new BenchmarkWork(BenchmarkBound.Memory, 2.0 * length, 4.0 * length);
    }

    /// <inheritdoc/>
    public override void Queue()
    {
        Backend.SumSquares(_gradient, _sum);
        Backend.ClipFactor(_sum, MaxNorm, _factor);
    }

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        Spoil(_factor);
        Run();
        double sum = Read(_gradient).Sum(g => (double)g * g);
        double worst = Verification.Check("sum of squares", Read(_sum)[0], sum, Limit);
        return Math.Max(worst, Verification.Check("clip factor", Read(_factor)[0], Math.Min(1, MaxNorm / (Math.Sqrt(sum) + 1e-6)), Limit));
    }
}
