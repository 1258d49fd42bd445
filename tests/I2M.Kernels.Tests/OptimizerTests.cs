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
