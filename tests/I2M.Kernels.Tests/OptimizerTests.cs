using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

public sealed class OptimizerTests
{
    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void AdamW_matches_the_formula_at_every_step_number(string backend, int size)
    {
        foreach (int step in new[] { 1, 2, 100, 100_000 })
        {
            foreach (bool clipped in new[] { false, true })
            {
                var scalars = new AdamWStep(3e-3f, 0.9f, 0.95f, 1e-8f, 0.1f, step);
                using var run = new OperationRun(nameof(IBackend.AdamW), backend, $"{size}, step {step}, {(clipped ? "clipped" : "whole")}");
                float[] gradient = run.Normal(size), scale = [0.3f], parameter = run.Normal(size), first = run.Normal(size), second = run.Random.Uniform(size, 0.1, 2);
                BufferView bg = run.In(gradient), bs = clipped ? run.In(scale) : BufferView.None, p = run.InOut(parameter), m = run.InOut(first), v = run.InOut(second);
                run.Execute(b => b.AdamW(bg, bs, scalars, p, m, v));
                var expected = new AdamWReference(parameter, first, second);
                expected.Step(gradient, clipped ? scale[0] : 1, scalars);
                run.Close("parameter", p, expected.Parameter, scale: 1);
                run.Close("first moment", m, expected.FirstMoment, scale: 1);
                run.Close("second moment", v, expected.SecondMoment, scale: 1);
            }
        }
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void AdamWEma_matches_the_formula_and_zeroes_the_gradient(string backend, int size)
    {
        foreach (int step in new[] { 1, 100 })
        {
            foreach (bool clipped in new[] { false, true })
            {
                foreach (bool aligned in new[] { false, true }) { AdamWEma(backend, size, step, clipped, aligned); }
            }
        }
    }

    private static void AdamWEma(string backend, int size, int step, bool clipped, bool aligned)
    {
        var scalars = new AdamWStep(3e-3f, 0.9f, 0.95f, 1e-8f, 0.1f, step);
        const float decay = 0.99f;
        using var run = new OperationRun(nameof(IBackend.AdamWEma), backend, $"{size}, step {step}, {(clipped ? "clipped" : "whole")}", aligned: aligned);
        float[] gradient = run.Normal(size), scale = [0.3f], parameter = run.Normal(size), first = run.Normal(size), second = run.Random.Uniform(size, 0.1, 2), before = run.Normal(size);
        BufferView bs = clipped ? run.In(scale) : BufferView.None, g = run.InOut(gradient), p = run.InOut(parameter), m = run.InOut(first), v = run.InOut(second), average = run.InOut(before);
        run.Execute(b => b.AdamWEma(bs, scalars, decay, g, p, m, v, average));
        var expected = new AdamWReference(parameter, first, second);
        expected.Step(gradient, clipped ? scale[0] : 1, scalars);
        run.Close("parameter", p, expected.Parameter, scale: 1);
        run.Close("first moment", m, expected.FirstMoment, scale: 1);
        run.Close("second moment", v, expected.SecondMoment, scale: 1);
        run.Close("average", average, [.. before.Zip(expected.Parameter, (a, x) => (double)decay * a + (1 - (double)decay) * x)], scale: 1);
        run.Exact("gradient", g, new float[size]);
    }

    [Theory, MemberData(nameof(WholeAndOdd))]
    public void AdamWEma_equals_the_separate_operations_to_the_bit(string backend, int size)
    {
        foreach (bool aligned in new[] { false, true })
        {
            var scalars = new AdamWStep(3e-3f, 0.9f, 0.999f, 1e-8f, 0.01f, 7);
            using var run = new OperationRun(nameof(IBackend.AdamWEma), backend, size, aligned: aligned);
            float[] gradient = run.Normal(size, 1e-3), parameter = run.Normal(size), first = run.Normal(size, 1e-3), second = run.Random.Uniform(size, 0, 1e-6), before = run.Normal(size);
            BufferView scale = run.In([0.3f]), read = run.In(gradient), g = run.InOut(gradient);
            BufferView p1 = run.InOut(parameter), m1 = run.InOut(first), v1 = run.InOut(second), a1 = run.InOut(before), s1 = Shadow();
            BufferView p2 = run.InOut(parameter), m2 = run.InOut(first), v2 = run.InOut(second), a2 = run.InOut(before), s2 = Shadow();
            run.Execute(b =>
            {
                b.AdamW(read, scale, scalars, p1, m1, v1);
                b.Ema(p1, 0.995f, a1);
                b.Convert(p1, size, s1);
                b.AdamWEma(scale, scalars, 0.995f, g, p2, m2, v2, a2, s2);
            });
            run.Exact("parameter", p2, run.Read(p1));
            run.Exact("first moment", m2, run.Read(m1));
            run.Exact("second moment", v2, run.Read(v1));
            run.Exact("average", a2, run.Read(a1));
            Assert.Equal(run.ReadWords(s1), run.ReadWords(s2));

            BufferView Shadow() => run.Out(ElementType.BFloat16.Words(size)).As(ElementType.BFloat16);
        }
    }

    /// <summary>Chunks of several threads, and every number of elements past the last vector of four.</summary>
    public static TheoryData<string, int> WholeAndOdd => Backends.With([20_021, 5, 6, 7, 8]);

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void Ema_moves_towards_the_parameter(string backend, int size)
    {
        using var run = new OperationRun(nameof(IBackend.Ema), backend, size);
        const float decay = 0.999f;
        float[] parameter = run.Normal(size), before = run.Normal(size);
        BufferView bp = run.In(parameter), average = run.InOut(before);
        run.Execute(b => b.Ema(bp, decay, average));
        run.Close("average", average, [.. before.Zip(parameter, (a, p) => (double)decay * a + (1 - (double)decay) * p)], scale: 1);
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void ClipFactor_shrinks_only_long_gradients(string backend)
    {
        foreach (var (squares, limit) in new[] { (4f, 1f), (0.25f, 1f), (0f, 1f), (1e12f, 2.5f), (1f, 1f) })
        {
            using var run = new OperationRun(nameof(IBackend.ClipFactor), backend, $"Σ² {squares}, limit {limit}");
            BufferView bs = run.In([squares]), factor = run.Out(1);
            run.Execute(b => b.ClipFactor(bs, limit, factor));
            run.Close("factor", factor, [Math.Min(1, limit / (Math.Sqrt(squares) + 1e-6))]);
        }
    }
}
