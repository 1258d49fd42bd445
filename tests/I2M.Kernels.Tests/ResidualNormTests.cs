using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>AdaLN fused with the residual before it.</summary>
public sealed class ResidualNormTests
{
    private const float Eps = 1e-6f;

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void Matches_the_oracle_forward_and_backward(string backend, int size)
    {
        Check(backend, new ModulationShape(3, 5, size, 3 * size + 2), gated: true);
        Check(backend, new ModulationShape(1, size, 20, 0), gated: false);
    }

    /// <summary>Rows that CUDA takes a warp at a time: whole and partial vectors of a lane, the widest row and one beyond it.</summary>
    [Theory, MemberData(nameof(WarpRows))]
    public void Aligned_rows_match_the_oracle_forward_and_backward(string backend, int channels)
    {
        foreach (bool gated in new[] { true, false }) { Check(backend, new ModulationShape(2, 9, channels, 3 * channels + 4), gated, aligned: true); }
    }

    public static TheoryData<string, int> WarpRows => Backends.With([4, 128, 388, 1024, 1028]);

    /// <summary>What is rounded to bfloat16 is the float32 result, and bfloat16 inputs count as the numbers that they hold. dh takes the place of dy.</summary>
    [Theory, MemberData(nameof(Narrow))]
    public void BFloat16_operands_equal_converted_ones_to_the_bit(string backend, bool gated, bool aligned)
    {
        // An odd stride keeps all operations from CUDA's kernels for aligned rows, which add in another order.
        var shape = new ModulationShape(2, 6, 132, 3 * 132 + (aligned ? 0 : 1));
        int count = shape.Batch * shape.Tokens * shape.Channels, words = (int)ElementType.BFloat16.Words(count), rows = shape.Batch * shape.Tokens, modulations = shape.Batch * shape.Stride;
        using var run = new OperationRun(nameof(IBackend.ResidualAdaLayerNorm), backend, shape, aligned: aligned);
        BufferView x = run.In(run.Normal(count)), h = run.In(run.Normal(count)), m = run.In(run.Normal(modulations)), dy = run.In(run.Normal(count));
        BufferView gate = gated ? m : BufferView.None, scale = m.From(shape.Channels), shift = m.From(2 * shape.Channels);
        BufferView narrowH = Narrowed(), narrowGradient = Narrowed(), narrowY = Narrowed(), expectedY = Narrowed(), expectedGradient = Narrowed();
        BufferView wideH = run.Out(count), gradient = run.Out(count), y = run.Out(count), sum = run.Out(count), narrowSum = run.Out(count), dx = run.Out(count), narrowDx = run.Out(count);
        BufferView mean = run.Out(rows), rstd = run.Out(rows), sums = run.InOut(new float[modulations]), narrowSums = run.InOut(new float[modulations]);
        run.Execute(b =>
        {
            b.Convert(h, count, narrowH);
            b.Convert(narrowH, count, wideH);
            b.ResidualAdaLayerNorm(x, narrowH, gate, scale, shift, shape, Eps, narrowSum, narrowY, mean, rstd);
            b.ResidualAdaLayerNorm(x, wideH, gate, scale, shift, shape, Eps, sum, y, mean, rstd);
            b.Convert(y, count, expectedY);
            b.Convert(dy, count, narrowGradient);
            b.Convert(narrowGradient, count, gradient);
            b.ResidualAdaLayerNormBackward(sum, narrowH, gate, scale, mean, rstd, narrowGradient, shape, narrowDx, narrowGradient, narrowSums, narrowSums.From(shape.Channels), narrowSums.From(2 * shape.Channels));
            b.ResidualAdaLayerNormBackward(sum, wideH, gate, scale, mean, rstd, gradient, shape, dx, gradient, sums, sums.From(shape.Channels), sums.From(2 * shape.Channels));
            b.Convert(gradient, count, expectedGradient);
        });
        run.Exact("sum", narrowSum, run.Read(sum));
        Assert.Equal(run.ReadWords(expectedY), run.ReadWords(narrowY));
        run.Exact("dx", narrowDx, run.Read(dx));
        Assert.Equal(run.ReadWords(expectedGradient), run.ReadWords(narrowGradient));
        run.Exact("dgate, dscale and dshift", narrowSums, run.Read(sums));

        BufferView Narrowed() => run.Out(words).As(ElementType.BFloat16);
    }

    public static TheoryData<string, bool, bool> Narrow
    {
        get
        {
            var rows = new TheoryData<string, bool, bool>();
            foreach (string backend in Backends.Names)
            {
                rows.Add(backend, true, true);
                rows.Add(backend, false, true);
                rows.Add(backend, true, false);
            }
            return rows;
        }
    }

    /// <summary>
    /// The sum against the oracle's, then the norm of the float32 sum that was stored, then the branch's gradients from the whole gradient of the sum: each
    /// stage is measured by its own rounding, not by what the norm makes of the one before.
    /// </summary>
    private static void Check(string backend, ModulationShape shape, bool gated, bool aligned = false)
    {
        using var run = new OperationRun(nameof(IBackend.ResidualAdaLayerNorm), backend, $"{shape}, {(gated ? "gated" : "plain")}", aligned: aligned);
        var (batch, tokens, channels, stride) = shape;
        int rows = batch * tokens, count = rows * channels, apart = aligned ? channels : channels + 1, words = Math.Max(batch * stride, 3 * apart);
        float[] x = run.Normal(count, mean: -2), h = run.Normal(count), modulation = run.Normal(words), dy = run.Normal(count), around = run.Normal(count), before = run.Normal(words);
        BufferView bx = run.In(x), bh = run.In(h), m = run.In(modulation), bdy = run.In(dy), gate = gated ? m : BufferView.None, scale = m.From(apart), shift = m.From(2 * apart);
        BufferView sum = run.Out(count), y = run.Out(count), mean = run.Out(rows), rstd = run.Out(rows), dx = run.InOut(around), dh = run.Out(count), dm = run.InOut(before);
        BufferView alone = run.Out(count), onlyDx = run.InOut(around), none = BufferView.None;
        run.Execute(b =>
        {
            b.ResidualAdaLayerNorm(bx, bh, gate, scale, shift, shape, Eps, sum, y, mean, rstd);
            b.ResidualAdaLayerNormBackward(sum, bh, gate, scale, mean, rstd, bdy, shape, dx, dh, gated ? dm : none, dm.From(apart), dm.From(2 * apart), accumulate: true);
            b.ResidualAdaLayerNormBackward(sum, bh, gate, scale, mean, rstd, bdy, shape, onlyDx, none, none, none, none, accumulate: true);
            b.ResidualAdaLayerNormBackward(sum, bh, gate, scale, mean, rstd, bdy, shape, alone, none, none, none, none);
        });
        Node stream = Node.Leaf(x, batch, tokens, channels), branch = Node.Leaf(h, batch, tokens, channels), nm = Node.Leaf(modulation, words), stored = Node.Leaf(run.Read(sum), batch, tokens, channels);
        Node expectedSum = gated ? Compositions.GatedResidual(stream, branch, Vector(0)) : stream + branch, expected = Compositions.AdaLayerNorm(stored, Vector(apart), Vector(2 * apart), Eps);
        expected.Backward(dy);
        expectedSum.Backward([.. stored.Gradient.Zip(around, (d, a) => d + a)]);

        run.Close("sum", sum, expectedSum.Value, Tolerance.Of(nameof(IBackend.GatedResidual)), scale: 1);
        run.Close("mean", mean, stored.MeanLast().Value, scale: 1);
        run.Close("rstd", rstd, Compositions.Rstd(stored, Eps).Value);
        run.Close("y", y, expected.Value, scale: 1);
        // With one or two channels the terms of dx cancel: what is left is the rounding of x − mean, rstd times larger in x̂ and once more in dx.
        bool cancels = channels <= 2;
        double rstdMax = Compositions.Rstd(stored, Eps).Value.Max(), gateMax = modulation.Max(Math.Abs), size = cancels ? rstdMax * rstdMax : rstdMax;
        Tolerance gradients = cancels ? Tolerance.Zero : Tolerance.Of(nameof(IBackend.ResidualAdaLayerNormBackward));
        run.Close("dx", dx, stream.Gradient, gradients, size);
        run.Close("dx without what flows around", alone, stored.Gradient, gradients, size);
        run.Close("dh", dh, branch.Gradient, gradients, size * gateMax);
        run.Close("dgate, dscale and dshift", dm, [.. before.Zip(nm.Gradient, (b, g) => b + g)], gradients, size * gateMax * Math.Sqrt(tokens));
        run.Exact("dx alone", onlyDx, run.Read(dx));

        Node Vector(int start) => nm.Gather([batch, channels], i => i / channels * stride + start + i % channels);
    }
}
