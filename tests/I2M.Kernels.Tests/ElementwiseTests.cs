using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

public sealed class ElementwiseTests
{
    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void Fill_and_Copy_move_bits(string backend, int size)
    {
        using var run = new OperationRun(nameof(IBackend.Copy), backend, size);
        float[] data = run.Normal(size);
        BufferView source = run.In(data), copy = run.Out(size), filled = run.Out(size);
        run.Execute(b =>
        {
            b.Copy(source, copy);
            b.Fill(filled, -1.25f);
        });
        run.Exact("copy", copy, data);
        run.Exact("fill", filled, [.. Enumerable.Repeat(-1.25f, size)]);
    }

    [Theory, MemberData(nameof(Backends.SizedAndAligned), MemberType = typeof(Backends))]
    public void Axpby_adds_scaled_vectors_in_place_or_not(string backend, int size, bool aligned)
    {
        using var run = new OperationRun(nameof(IBackend.Axpby), backend, size, aligned: aligned);
        float[] x = run.Normal(size), y = run.Normal(size);
        BufferView bx = run.In(x), by = run.In(y), fresh = run.Out(size), overX = run.InOut(x), overY = run.InOut(y);
        run.Execute(b =>
        {
            b.Axpby(0.75f, bx, -1.5f, by, fresh);
            b.Axpby(0.75f, overX, -1.5f, by, overX);
            b.Axpby(0.75f, bx, -1.5f, overY, overY);
        });
        double[] expected = (0.75 * Node.Leaf(x, size) + -1.5 * Node.Leaf(y, size)).Value;
        run.Close("a·x + b·y", fresh, expected, Magnitude(x, y));
        run.Exact("over x", overX, run.Read(fresh));
        run.Exact("over y", overY, run.Read(fresh));
    }

    [Theory, MemberData(nameof(Backends.SizedAndAligned), MemberType = typeof(Backends))]
    public void Scale_and_ScaleByDevice_multiply_by_a_number(string backend, int size, bool aligned)
    {
        using var run = new OperationRun(nameof(IBackend.Scale), backend, size, aligned: aligned);
        float[] x = run.Normal(size), factor = [-0.37f];
        BufferView bx = run.In(x), device = run.In(factor), scaled = run.Out(size), byDevice = run.Out(size), inPlace = run.InOut(x), inPlaceByDevice = run.InOut(x);
        run.Execute(b =>
        {
            b.Scale(factor[0], bx, scaled);
            b.ScaleByDevice(device, bx, byDevice);
            b.Scale(factor[0], inPlace, inPlace);
            b.ScaleByDevice(device, inPlaceByDevice, inPlaceByDevice);
        });
        double[] expected = ((double)factor[0] * Node.Leaf(x, size)).Value;
        foreach (BufferView result in new[] { scaled, byDevice, inPlace, inPlaceByDevice }) { run.Close("a·x", result, expected); }
    }

    [Theory, MemberData(nameof(Backends.SizedAndAligned), MemberType = typeof(Backends))]
    public void Multiply_multiplies_in_place_or_not(string backend, int size, bool aligned)
    {
        using var run = new OperationRun(nameof(IBackend.Multiply), backend, size, aligned: aligned);
        float[] x = run.Normal(size), y = run.Normal(size);
        BufferView bx = run.In(x), by = run.In(y), fresh = run.Out(size), overX = run.InOut(x), overY = run.InOut(y);
        run.Execute(b =>
        {
            b.Multiply(bx, by, fresh);
            b.Multiply(overX, by, overX);
            b.Multiply(bx, overY, overY);
        });
        run.Close("x·y", fresh, (Node.Leaf(x, size) * Node.Leaf(y, size)).Value);
        run.Exact("over x", overX, run.Read(fresh));
        run.Exact("over y", overY, run.Read(fresh));
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void Clamp_keeps_values_between_the_bounds(string backend, int size)
    {
        using var run = new OperationRun(nameof(IBackend.Clamp), backend, size);
        float[] x = run.Normal(size);
        BufferView bx = run.In(x), y = run.Out(size), inPlace = run.InOut(x);
        run.Execute(b =>
        {
            b.Clamp(bx, -0.5f, 0.75f, y);
            b.Clamp(inPlace, -0.5f, 0.75f, inPlace);
        });
        float[] expected = Array.ConvertAll(x, v => Math.Min(Math.Max(v, -0.5f), 0.75f));
        run.Exact("clamped", y, expected);
        run.Exact("in place", inPlace, expected);
    }

    [Theory, MemberData(nameof(Backends.SizedAndAligned), MemberType = typeof(Backends))]
    public void AddBroadcast_repeats_a_vector(string backend, int size, bool aligned)
    {
        using var run = new OperationRun(nameof(IBackend.AddBroadcast), backend, $"3×{size}", aligned: aligned);
        float[] x = run.Normal(3 * size), v = run.Normal(size);
        BufferView bx = run.In(x), bv = run.In(v), y = run.Out(3 * size), inPlace = run.InOut(x);
        run.Execute(b =>
        {
            b.AddBroadcast(bx, bv, y);
            b.AddBroadcast(inPlace, bv, inPlace);
        });
        Node nv = Node.Leaf(v, size);
        run.Close("x + v", y, (Node.Leaf(x, 3, size) + nv.TileTo(3, size)).Value, Magnitude(x, v));
        run.Exact("in place", inPlace, run.Read(y));
    }

    [Theory, MemberData(nameof(Backends.SizedAndAligned), MemberType = typeof(Backends))]
    public void CombineRows_mixes_with_one_factor_per_row(string backend, int size, bool aligned)
    {
        const int rows = 5;
        using var run = new OperationRun(nameof(IBackend.CombineRows), backend, $"{rows}×{size}", aligned: aligned);
        float[] a = run.Normal(rows), x = run.Normal(rows * size), c = run.Normal(rows), y = run.Normal(rows * size);
        BufferView ba = run.In(a), bx = run.In(x), bc = run.In(c), by = run.In(y), fresh = run.Out(rows * size), overX = run.InOut(x), overY = run.InOut(y);
        run.Execute(b =>
        {
            b.CombineRows(ba, bx, bc, by, rows, fresh);
            b.CombineRows(ba, overX, bc, by, rows, overX);
            b.CombineRows(ba, bx, bc, overY, rows, overY);
        });
        Node expected = Compositions.CombineRows(Node.Leaf(a, rows), Node.Leaf(x, rows, size), Node.Leaf(c, rows), Node.Leaf(y, rows, size));
        run.Close("a·x + b·y", fresh, expected.Value, Magnitude(x, y));
        run.Exact("over x", overX, run.Read(fresh));
        run.Exact("over y", overY, run.Read(fresh));
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void MixRows_replaces_dropped_rows_whatever_they_hold(string backend, int size)
    {
        float[] keep = [1, 0, 0, 1, 0];
        int rows = keep.Length;
        using var run = new OperationRun(nameof(IBackend.MixRows), backend, $"{rows}×{size}");
        float[] x = run.Normal(rows * size), fallback = run.Normal(size);
        float[] expected = [.. Enumerable.Range(0, rows * size).Select(i => keep[i / size] == 1 ? x[i] : fallback[i % size])];
        x[size] = float.NaN;
        x[3 * size - 1] = float.PositiveInfinity;
        BufferView bk = run.In(keep), bx = run.In(x), bf = run.In(fallback), y = run.Out(rows * size);
        run.Execute(b => b.MixRows(bk, bx, bf, rows, y));
        run.Exact("mixed", y, expected);
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void MixRowsBackward_matches_the_oracle(string backend, int size)
    {
        float[] keep = [0, 1, 0, 1, 0, 0];
        int rows = keep.Length;
        using var run = new OperationRun(nameof(IBackend.MixRowsBackward), backend, $"{rows}×{size}");
        float[] dy = run.Normal(rows * size), before = run.Normal(size);
        Node x = Node.Leaf(new double[rows * size], rows, size), fallback = Node.Leaf(new double[size], size);
        Compositions.MixRows(Node.Leaf(keep, rows), x, fallback).Backward(dy);
        BufferView bk = run.In(keep), bdy = run.In(dy), dx = run.Out(rows * size), onlyDx = run.Out(rows * size), df = run.InOut(before), onlyDf = run.InOut(before);
        run.Execute(b =>
        {
            b.MixRowsBackward(bk, bdy, rows, dx, df);
            b.MixRowsBackward(bk, bdy, rows, onlyDx, BufferView.None);
            b.MixRowsBackward(bk, bdy, rows, BufferView.None, onlyDf);
        });
        run.Close("dx", dx, x.Gradient);
        run.Close("dfallback", df, Added(before, fallback.Gradient));
        run.Exact("dx without dfallback", onlyDx, run.Read(dx));
        run.Exact("dfallback without dx", onlyDf, run.Read(df));
    }

    [Theory, MemberData(nameof(Backends.SizedAndAligned), MemberType = typeof(Backends))]
    public void GatedResidual_matches_the_oracle_forward_and_backward(string backend, int size, bool aligned)
    {
        const int batch = 3, tokens = 5;
        int gateAt = aligned ? 4 : 1, stride = 2 * size + gateAt;
        var shape = new ModulationShape(batch, tokens, size, stride);
        using var run = new OperationRun(nameof(IBackend.GatedResidualBackward), backend, shape, aligned: aligned);
        int count = batch * tokens * size;
        float[] x = run.Normal(count), h = run.Normal(count), gate = run.Normal(batch * stride), dy = run.Normal(count), before = run.Normal(batch * stride);
        BufferView bx = run.In(x), bh = run.In(h), bg = run.In(gate), bdy = run.In(dy), y = run.Out(count), inPlace = run.InOut(x);
        BufferView dh = run.Out(count), onlyDh = run.Out(count), dg = run.InOut(before), onlyDg = run.InOut(before);
        run.Execute(b =>
        {
            b.GatedResidual(bx, bh, bg.From(gateAt), shape, y);
            b.GatedResidual(inPlace, bh, bg.From(gateAt), shape, inPlace);
            b.GatedResidualBackward(bh, bg.From(gateAt), bdy, shape, dh, dg.From(gateAt));
            b.GatedResidualBackward(bh, bg.From(gateAt), bdy, shape, onlyDh, BufferView.None);
            b.GatedResidualBackward(bh, bg.From(gateAt), bdy, shape, BufferView.None, onlyDg.From(gateAt));
        });
        Node nh = Node.Leaf(h, batch, tokens, size), ng = Node.Leaf(gate, batch * stride);
        Node expected = Compositions.GatedResidual(Node.Leaf(x, batch, tokens, size), nh, ng.Gather([batch, size], i => i / size * stride + gateAt + i % size));
        expected.Backward(dy);
        run.Close("y", y, expected.Value, Tolerance.Of(nameof(IBackend.GatedResidual)));
        run.Exact("y in place", inPlace, run.Read(y));
        run.Close("dh", dh, nh.Gradient);
        run.Close("dgate", dg, Added(before, ng.Gradient));
        run.Exact("dh without dgate", onlyDh, run.Read(dh));
        run.Exact("dgate without dh", onlyDg, run.Read(dg));
    }

    public static TheoryData<string, int, int> NarrowGates
    {
        get
        {
            var rows = new TheoryData<string, int, int>();
            foreach (string name in Backends.Names)
            {
                foreach ((int tokens, int channels) in new[] { (5, 8), (67, 24), (130, 16), (5, 12), (3, 7) }) { rows.Add(name, tokens, channels); }
            }
            return rows;
        }
    }

    [Theory, MemberData(nameof(NarrowGates))]
    public void GatedResidual_takes_and_gives_bfloat16(string backend, int tokens, int channels)
    {
        const int batch = 2;
        int stride = 3 * channels + (-3 * channels & 7), count = batch * tokens * channels, words = (count + 1) / 2;
        var shape = new ModulationShape(batch, tokens, channels, stride);
        using var run = new OperationRun(nameof(IBackend.GatedResidualBackward), backend, $"{shape}, bfloat16", aligned: true);
        float[] x = run.Normal(count), h = BFloat16Data.Round(run.Normal(count)), gate = run.Normal(batch * stride), dy = run.Normal(count), before = run.Normal(batch * stride);
        BufferView bx = run.In(x), bh = run.In(BFloat16Data.Pack(h)).As(ElementType.BFloat16), bg = run.In(gate), bdy = run.In(dy), y = run.Out(count), inPlace = run.InOut(x);
        BufferView dh = run.Out(words).As(ElementType.BFloat16), onlyDh = run.Out(words).As(ElementType.BFloat16), dg = run.InOut(before), onlyDg = run.InOut(before);
        run.Execute(b =>
        {
            b.GatedResidual(bx, bh, bg, shape, y);
            b.GatedResidual(inPlace, bh, bg, shape, inPlace);
            b.GatedResidualBackward(bh, bg, bdy, shape, dh, dg);
            b.GatedResidualBackward(bh, bg, bdy, shape, onlyDh, BufferView.None);
            b.GatedResidualBackward(bh, bg, bdy, shape, BufferView.None, onlyDg);
        });
        Node nh = Node.Leaf(h, batch, tokens, channels), ng = Node.Leaf(gate, batch * stride);
        Node expected = Compositions.GatedResidual(Node.Leaf(x, batch, tokens, channels), nh, ng.Gather([batch, channels], i => i / channels * stride + i % channels));
        expected.Backward(dy);
        run.Close("y", y, expected.Value, Tolerance.Of(nameof(IBackend.GatedResidual)));
        run.Exact("y in place", inPlace, run.Read(y));
        Tolerance.BFloat16.Check($"dh on {backend}, {shape}", BFloat16Data.Unpack(run.ReadWords(dh))[..count], nh.Gradient);
        run.Close("dgate", dg, Added(before, ng.Gradient));
        run.Exact("dh without dgate", onlyDh, run.Read(dh));
        run.Exact("dgate without dh", onlyDg, run.Read(dg));
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void GatedResidual_with_batch_1_and_stride_0_is_a_layer_scale(string backend)
    {
        var shape = new ModulationShape(1, 70, 48, 0);
        using var run = new OperationRun(nameof(IBackend.GatedResidualBackward), backend, shape);
        int count = shape.Tokens * shape.Channels;
        float[] x = run.Normal(count), h = run.Normal(count), gate = run.Normal(shape.Channels), dy = run.Normal(count);
        BufferView bx = run.In(x), bh = run.In(h), bg = run.In(gate), bdy = run.In(dy), y = run.Out(count), dh = run.Out(count), dg = run.InOut(new float[shape.Channels]);
        run.Execute(b =>
        {
            b.GatedResidual(bx, bh, bg, shape, y);
            b.GatedResidualBackward(bh, bg, bdy, shape, dh, dg);
        });
        Node nh = Node.Leaf(h, 1, shape.Tokens, shape.Channels), ng = Node.Leaf(gate, 1, shape.Channels);
        Node expected = Compositions.GatedResidual(Node.Leaf(x, nh.Shape), nh, ng);
        expected.Backward(dy);
        run.Close("y", y, expected.Value);
        run.Close("dh", dh, nh.Gradient);
        run.Close("dgate", dg, ng.Gradient);
    }

    /// <summary>Size of the terms of a sum, so that a sum that happens to cancel is measured by what was rounded.</summary>
    private static double Magnitude(float[] x, float[] y) => x.Concat(y).Max(v => Math.Abs(v));

    private static double[] Added(float[] before, double[] gradient) => [.. before.Zip(gradient, (b, g) => b + g)];
}
