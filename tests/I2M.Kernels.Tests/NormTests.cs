using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

public sealed class NormTests
{
    private const float Eps = 1e-6f;

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void LayerNorm_matches_the_oracle_forward_and_backward(string backend, int size)
    {
        foreach (var (rows, channels) in new[] { (5, size), (size, 40), (67, Math.Max(2, size)) })
        {
            foreach (bool affine in new[] { true, false }) { LayerNorm(backend, rows, channels, affine); }
        }
    }

    /// <summary>Rows that CUDA takes a warp at a time: whole and partial vectors of a lane, the widest row and one beyond it.</summary>
    [Theory, MemberData(nameof(WarpRows))]
    public void Aligned_rows_match_the_oracle_forward_and_backward(string backend, int channels)
    {
        foreach (bool affine in new[] { true, false }) { LayerNorm(backend, 9, channels, affine, aligned: true); }
        AdaLayerNorm(backend, new ModulationShape(2, 9, channels, 2 * channels + 4), aligned: true);
    }

    public static TheoryData<string, int> WarpRows => Backends.With([4, 128, 388, 1024, 1028]);

    /// <summary>Many rows are summed in longer chunks.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Sums_over_many_rows_match_the_oracle(string backend) => AdaLayerNorm(backend, new ModulationShape(4, 4099, 4, 12), aligned: true);

    /// <summary>What is rounded to bfloat16 is the float32 result, and a bfloat16 gradient counts as the numbers that it holds.</summary>
    [Theory, MemberData(nameof(Narrow))]
    public void BFloat16_operands_equal_converted_ones_to_the_bit(string backend, int channels, bool aligned)
    {
        const int tokens = 6, batch = 2, rows = tokens * batch;
        var shape = new ModulationShape(batch, tokens, channels, 2 * channels);
        int count = rows * channels, words = (int)ElementType.BFloat16.Words(count);
        using var run = new OperationRun(nameof(IBackend.AdaLayerNorm), backend, shape, aligned: aligned);
        BufferView x = run.In(run.Normal(count)), modulation = run.In(run.Normal(2 * batch * channels)), dy = run.In(run.Normal(count));
        BufferView mean = run.Out(rows), rstd = run.Out(rows), y = run.Out(count), dx = run.Out(count), narrowDx = run.Out(count);
        BufferView narrowY = run.Out(words).As(ElementType.BFloat16), expectedY = run.Out(words).As(ElementType.BFloat16);
        BufferView narrowDy = run.Out(words).As(ElementType.BFloat16), roundedDy = run.Out(count), sums = run.InOut(new float[2 * batch * channels]), narrowSums = run.InOut(new float[2 * batch * channels]);
        run.Execute(b =>
        {
            b.AdaLayerNorm(x, modulation, modulation.From(channels), shape, Eps, narrowY, mean, rstd);
            b.AdaLayerNorm(x, modulation, modulation.From(channels), shape, Eps, y, mean, rstd);
            b.Convert(y, count, expectedY);
            b.Convert(dy, count, narrowDy);
            b.Convert(narrowDy, count, roundedDy);
            b.AdaLayerNormBackward(x, modulation, mean, rstd, narrowDy, shape, narrowDx, narrowSums, narrowSums.From(channels));
            b.AdaLayerNormBackward(x, modulation, mean, rstd, roundedDy, shape, dx, sums, sums.From(channels));
        });
        Assert.Equal(run.ReadWords(expectedY), run.ReadWords(narrowY));
        run.Exact("dx", narrowDx, run.Read(dx));
        run.Exact("dscale and dshift", narrowSums, run.Read(sums));
    }

    public static TheoryData<string, int, bool> Narrow
    {
        get
        {
            var rows = new TheoryData<string, int, bool>();
            foreach (string backend in Backends.Names)
            {
                rows.Add(backend, 33, false);
                rows.Add(backend, 132, true);
                rows.Add(backend, 132, false);
            }
            return rows;
        }
    }

    /// <summary>The gradient of the input may take the place of the output's gradient, with the sums right all the same.</summary>
    [Theory, MemberData(nameof(Aliased))]
    public void The_input_gradient_may_overwrite_the_output_gradient(string backend, bool aligned)
    {
        const int rows = 7, channels = 36;
        using var run = new OperationRun(nameof(IBackend.LayerNormBackward), backend, "dx in place of dy", aligned: aligned);
        float[] gradient = run.Normal(rows * channels);
        BufferView x = run.In(run.Normal(rows * channels)), weight = run.In(run.Normal(channels)), dy = run.In(gradient), both = run.InOut(gradient);
        BufferView y = run.Out(rows * channels), mean = run.Out(rows), rstd = run.Out(rows), dx = run.Out(rows * channels);
        BufferView dw = run.InOut(new float[channels]), db = run.InOut(new float[channels]), dw2 = run.InOut(new float[channels]), db2 = run.InOut(new float[channels]);
        run.Execute(b =>
        {
            b.LayerNorm(x, weight, BufferView.None, channels, Eps, y, mean, rstd);
            b.LayerNormBackward(x, weight, mean, rstd, dy, channels, dx, dw, db);
            b.LayerNormBackward(x, weight, mean, rstd, both, channels, both, dw2, db2);
        });
        run.Exact("dx", both, run.Read(dx));
        run.Exact("dweight", dw2, run.Read(dw));
        run.Exact("dbias", db2, run.Read(db));
    }

    public static TheoryData<string, bool> Aliased => Backends.With([false, true]);

    private static void LayerNorm(string backend, int rows, int channels, bool affine, bool aligned = false)
    {
        using var run = new OperationRun(nameof(IBackend.LayerNorm), backend, $"{rows}×{channels}, {(affine ? "affine" : "plain")}", aligned: aligned);
        int count = rows * channels;
        float[] x = run.Normal(count, mean: 3), weight = run.Normal(channels, mean: 1), bias = run.Normal(channels), dy = run.Normal(count);
        float[] beforeWeight = run.Normal(channels), beforeBias = run.Normal(channels);
        BufferView bx = run.In(x), bw = affine ? run.In(weight) : BufferView.None, bb = affine ? run.In(bias) : BufferView.None, bdy = run.In(dy);
        BufferView y = run.Out(count), mean = run.Out(rows), rstd = run.Out(rows), dx = run.Out(count);
        float[] beforeX = run.Normal(count);
        BufferView summed = run.InOut(beforeX);
        BufferView dw = affine ? run.InOut(beforeWeight) : BufferView.None, db = affine ? run.InOut(beforeBias) : BufferView.None;
        run.Execute(b =>
        {
            b.LayerNorm(bx, bw, bb, channels, Eps, y, mean, rstd);
            b.LayerNormBackward(bx, bw, mean, rstd, bdy, channels, dx, dw, db);
            b.LayerNormBackward(bx, bw, mean, rstd, bdy, channels, summed, BufferView.None, BufferView.None, accumulate: true);
        });
        Node input = Node.Leaf(x, rows, channels), nw = Node.Leaf(weight, channels), nb = Node.Leaf(bias, channels);
        Node expected = Compositions.LayerNorm(input, affine ? nw : null, affine ? nb : null, Eps);
        expected.Backward(dy);
        CheckRows(run, input, y, mean, rstd, dx, expected);
        CheckSum(run, beforeX, dx, summed);
        if (!affine) { return; }
        run.Close("dweight", dw, Added(beforeWeight, nw.Gradient), Math.Sqrt(rows));
        run.Close("dbias", db, Added(beforeBias, nb.Gradient), Math.Sqrt(rows));
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void AdaLayerNorm_matches_the_oracle_forward_and_backward(string backend, int size)
    {
        AdaLayerNorm(backend, new ModulationShape(3, 5, size, 3 * size + 2));
        AdaLayerNorm(backend, new ModulationShape(2, size, 33, 100));
        AdaLayerNorm(backend, new ModulationShape(1, size, 48, 0));
    }

    private static void AdaLayerNorm(string backend, ModulationShape shape, bool aligned = false)
    {
        using var run = new OperationRun(nameof(IBackend.AdaLayerNorm), backend, shape, aligned: aligned);
        var (batch, tokens, channels, stride) = shape;
        int count = batch * tokens * channels, rows = batch * tokens, shiftAt = aligned ? channels : channels + 1, words = Math.Max(batch * stride, channels + shiftAt);
        float[] x = run.Normal(count, mean: -2), modulation = run.Normal(words), dy = run.Normal(count), before = run.Normal(words);
        BufferView bx = run.In(x), bm = run.In(modulation), bdy = run.In(dy);
        BufferView y = run.Out(count), mean = run.Out(rows), rstd = run.Out(rows), dx = run.Out(count), dm = run.InOut(before);
        float[] beforeX = run.Normal(count);
        BufferView summed = run.InOut(beforeX);
        run.Execute(b =>
        {
            b.AdaLayerNorm(bx, bm, bm.From(shiftAt), shape, Eps, y, mean, rstd);
            b.AdaLayerNormBackward(bx, bm, mean, rstd, bdy, shape, dx, dm, dm.From(shiftAt));
            b.AdaLayerNormBackward(bx, bm, mean, rstd, bdy, shape, summed, BufferView.None, BufferView.None, accumulate: true);
        });
        Node input = Node.Leaf(x, batch, tokens, channels), nm = Node.Leaf(modulation, words);
        Node expected = Compositions.AdaLayerNorm(input, Vector(0), Vector(shiftAt), Eps);
        expected.Backward(dy);
        CheckRows(run, input, y, mean, rstd, dx, expected);
        CheckSum(run, beforeX, dx, summed);
        run.Close("dscale and dshift", dm, Added(before, nm.Gradient), Math.Sqrt(tokens));

        Node Vector(int start) => nm.Gather([batch, channels], i => i / channels * stride + start + i % channels);
    }

    /// <summary>One pass over Σx² would lose all digits here: mean² is 10⁸ times the variance.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void LayerNorm_keeps_its_digits_far_from_zero(string backend)
    {
        const int rows = 3, channels = 256;
        using var run = new OperationRun(nameof(IBackend.LayerNorm), backend, "mean 10000, deviation 1");
        float[] x = run.Normal(rows * channels, mean: 10000);
        BufferView bx = run.In(x), y = run.Out(x.Length), mean = run.Out(rows), rstd = run.Out(rows);
        run.Execute(b => b.LayerNorm(bx, BufferView.None, BufferView.None, channels, Eps, y, mean, rstd));
        run.Close("rstd", rstd, Compositions.Rstd(Node.Leaf(x, rows, channels), Eps).Value, Tolerance.FarFromZero);
        run.Close("y", y, Compositions.LayerNorm(Node.Leaf(x, rows, channels), null, null, Eps).Value, Tolerance.FarFromZero);
    }

    /// <summary>
    /// With one or two channels the terms of dx cancel (x̂ is 0 or ±1 whatever x is): what is left is the rounding of x − mean, rstd times
    /// larger in x̂ and once more in dx.
    /// </summary>
    private static void CheckRows(OperationRun run, Node input, BufferView y, BufferView mean, BufferView rstd, BufferView dx, Node expected)
    {
        run.Close("mean", mean, input.MeanLast().Value, scale: 1);
        run.Close("rstd", rstd, Compositions.Rstd(input, Eps).Value);
        run.Close("y", y, expected.Value, scale: 1);
        double rstdMax = Compositions.Rstd(input, Eps).Value.Max();
        bool cancels = input.Columns <= 2;
        run.Close("dx", dx, input.Gradient, cancels ? Tolerance.Zero : Tolerance.Of(nameof(IBackend.LayerNormBackward)), cancels ? rstdMax * rstdMax : rstdMax);
    }

    /// <summary>What accumulates is what was there plus the same dx, rounded once or (where the addition is fused) not at all in between.</summary>
    private static void CheckSum(OperationRun run, float[] before, BufferView dx, BufferView summed)
    {
        float[] d = run.Read(dx), sum = run.Read(summed);
        for (int i = 0; i < sum.Length; i++)
        {
            float bound = 2 * float.BitIncrement(0) + 2e-7f * (Math.Abs(before[i]) + Math.Abs(d[i]));
            Assert.True(Math.Abs(before[i] + d[i] - sum[i]) <= bound, $"dx[{i}]: {before[i]} + {d[i]} gave {sum[i]}");
        }
    }

    private static double[] Added(float[] before, double[] gradient) => [.. before.Zip(gradient, (b, g) => b + g)];
}
