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
    private readonly ElementType _type;
    private readonly BufferView _scale, _shift, _mean, _rstd, _dScale, _dShift;
    private readonly (BufferView X, BufferView Dy, BufferView Result)[] _sets;

    private long Rows => (long)_shape.Batch * _shape.Tokens;

    /// <param name="backend">Where.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="backward">The backward pass alone instead of the forward pass.</param>
    /// <param name="type">Of y or dy; x and dx, the residual stream, are float32.</param>
    /// <param name="sets">Sets of operands that take turns, so that none stays in a cache.</param>
    public AdaLayerNormCase(IBackend backend, ModulationShape shape, bool backward, ElementType type, int sets) : base(backend)
    {
        (_shape, _backward, _type) = (shape, backward, type);
        long length = Rows * shape.Channels, modulation = (long)shape.Batch * shape.Stride;
        (_scale, _shift, _mean, _rstd, _dScale, _dShift) = (RentNormal(modulation, 1), RentNormal(modulation, 2), Rent(Rows), Rent(Rows), Rent(modulation), Rent(modulation));
        _sets = [.. Enumerable.Range(0, sets).Select(i => (RentNormal(length, 3 + 2 * (ulong)i),
            backward ? RentNormal(length, 4 + 2 * (ulong)i, type) : BufferView.None, backward ? Rent(length) : Rent(type.Words(length)).As(type)))];
        // The backward pass takes one set's statistics for all: it costs the same, and only the first is verified.
        if (backward)
        {
            Backend.AdaLayerNorm(_sets[0].X, _scale, _shift, _shape, Eps, _sets[0].Result, _mean, _rstd);
            Backend.Fill(_dScale, 0);
            Backend.Fill(_dShift, 0);
        }
        double words = (backward ? 2.0 : 1) * length + type.Words(length) + 2 * Rows + (backward ? 5 : 2) * modulation;
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
        string Place(int i) => $"[{rows[i / c]}, {i % c}]";
        double worst = _backward || _type == ElementType.Float32
            ? Verification.Check(_backward ? "dx" : "y", actual, expected, Limit, Place)
            : Verification.CheckNorm("y", actual, expected, Verification.NormLimit(Arithmetic.BFloat16), Place);
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

    private float[] Row(BufferView view, int row)
    {
        long words = view.Type.Words(_shape.Channels);
        return Read(view.Slice(row * words, words), _shape.Channels);
    }

    private float[] Modulation(BufferView view, int sample) => Read(view.Slice((long)sample * _shape.Stride, _shape.Channels));
}

/// <summary>The exact GELU or its backward pass. Verified on elements spread over it.</summary>
public sealed class GeluCase : BenchmarkCase
{
    private const int Sampled = 200_000, FlopsPerElement = 20;
    private const double Limit = 2e-6;
    private readonly bool _backward;
    private readonly (BufferView X, BufferView Dy, BufferView Result)[] _sets;

    /// <param name="backend">Where.</param>
    /// <param name="length">Elements.</param>
    /// <param name="backward">The backward pass instead of the forward pass.</param>
    /// <param name="sets">Sets of operands that take turns, so that none stays in a cache.</param>
    public GeluCase(IBackend backend, long length, bool backward, int sets) : base(backend)
    {
        _backward = backward;
        _sets = [.. Enumerable.Range(0, sets).Select(i => (RentNormal(length, 2 * (ulong)i + 1), backward ? RentNormal(length, 2 * (ulong)i + 2) : BufferView.None, Rent(length)))];
        Work = new BenchmarkWork(BenchmarkBound.Memory, (double)FlopsPerElement * length, (backward ? 12.0 : 8.0) * length);
    }

    /// <inheritdoc/>
    public override void Queue() => Compute(Next(_sets));

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        var (x, dy, computed) = _sets[0];
        Spoil(computed);
        Compute(_sets[0]);
        int[] at = Sample((int)x.Length, Sampled);
        float[] input = Read(x), seed = _backward ? Read(dy) : [], result = Read(computed);
        double[] expected = [.. at.Select(i => _backward ? seed[i] * Slope(input[i]) : input[i] * Distribution(input[i]))];
        return Verification.Check(_backward ? "dx" : "y", [.. at.Select(i => result[i])], expected, Limit, i => $"[{at[i]}]");
    }

    private void Compute((BufferView X, BufferView Dy, BufferView Result) set)
    {
        if (_backward) { Backend.GeluErfBackward(set.X, set.Dy, set.Result); }
        else { Backend.GeluErf(set.X, set.Result); }
    }

    /// <summary>Φ(x).</summary>
    private static double Distribution(double x) => 0.5 * (1 + DoubleMath.Erf(x / Math.Sqrt(2)));

    /// <summary>Φ(x) + x·φ(x).</summary>
    private static double Slope(double x) => Distribution(x) + x * Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);
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
