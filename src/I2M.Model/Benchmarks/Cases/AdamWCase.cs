using I2M.Kernels;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>One fused AdamW update of a large arena, as a training step does it. Verified on elements spread over it, parameter, moments, average and cleared gradient, against the formulas in double.</summary>
public sealed class AdamWCase : BenchmarkCase
{
    private const int Sampled = 200_000;
    /// <summary>The shadow is rounded to eight digits.</summary>
    private const double Limit = 2e-6, ShadowLimit = 1.0 / 256;
    /// <summary>Decay, two moments, root, quotient, update and average of an element.</summary>
    private const int FlopsPerElement = 17;
    /// <summary>Gradient, parameter, two moments and average, read and written.</summary>
    private const int WordsPerElement = 10;
    private const float AverageDecay = 0.99f;
    private readonly BufferView _gradient, _factor, _parameter, _first, _second, _average, _shadow;
    private readonly AdamWStep _step = new(1e-3f, 0.9f, 0.999f, 1e-8f, 0.01f, 7);

    /// <param name="backend">Where.</param>
    /// <param name="length">Parameters.</param>
    /// <param name="withShadow">Whether the update keeps a copy of the parameters in bfloat16, as training in mixed precision does.</param>
    public AdamWCase(IBackend backend, long length, bool withShadow = false) : base(backend)
    {
        _shadow = withShadow ? Rent(ElementType.BFloat16.Words(length)).As(ElementType.BFloat16) : BufferView.None;
        (_gradient, _factor, _parameter, _first, _second, _average) = (RentNormal(length, 1), Rent(1), RentNormal(length, 2), RentNormal(length, 3, 0.1f), Rent(length), RentNormal(length, 5));
        backend.Fill(_factor, 0.5f);
        backend.RandomUniform(1, 4, 0, _second);
        Work = new BenchmarkWork(BenchmarkBound.Memory, (double)FlopsPerElement * length, 4.0 * WordsPerElement * length + (withShadow ? 2.0 * length : 0));
    }

    /// <inheritdoc/>
    public override void Queue() => Update();

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        int[] at = Sample((int)_parameter.Length, Sampled);
        double[] g = Pick(_gradient, at), p = Pick(_parameter, at), m = Pick(_first, at), v = Pick(_second, at), average = Pick(_average, at);
        Run();
        double beta1 = _step.Beta1, beta2 = _step.Beta2, rate = _step.LearningRate;
        double correction1 = 1 - Math.Pow(beta1, _step.Step), correction2 = 1 - Math.Pow(beta2, _step.Step);
        for (int i = 0; i < at.Length; i++)
        {
            double gradient = 0.5 * g[i];
            m[i] = beta1 * m[i] + (1 - beta1) * gradient;
            v[i] = beta2 * v[i] + (1 - beta2) * gradient * gradient;
            p[i] = p[i] * (1 - rate * _step.WeightDecay) - rate / correction1 * m[i] / (Math.Sqrt(v[i] / correction2) + _step.Epsilon);
            average[i] = AverageDecay * average[i] + (1 - (double)AverageDecay) * p[i];
        }
        double worst = Compare("parameter", _parameter, p, at);
        worst = Math.Max(worst, Compare("first moment", _first, m, at));
        if (!_shadow.IsNone) { worst = Math.Max(worst, Compare("parameter in bfloat16", _shadow, p, at, Read(_shadow, _parameter.Length))); }
        worst = Math.Max(worst, Compare("average", _average, average, at));
        worst = Math.Max(worst, Compare("cleared gradient", _gradient, new double[at.Length], at));
        return Math.Max(worst, Compare("second moment", _second, v, at));
    }

    /// <summary>The one place that calls the operation.</summary>
    private void Update() => Backend.AdamWEma(_factor, _step, AverageDecay, _gradient, _parameter, _first, _second, _average, _shadow);

    private static double Compare(string what, BufferView view, double[] expected, int[] at, float[] actual) =>
        Verification.Check(what, [.. at.Select(i => actual[i])], expected, view.Type == ElementType.BFloat16 ? ShadowLimit : Limit, i => $"[{at[i]}] of {view.Length}");

    private double Compare(string what, BufferView view, double[] expected, int[] at) => Compare(what, view, expected, at, Read(view));

    private double[] Pick(BufferView view, int[] at)
    {
        float[] all = Read(view);
        return [.. at.Select(i => (double)all[i])];
    }
}
