using I2M.Model.Io;
using I2M.Testing;

namespace I2M.Kernels.Tests;

/// <summary>One entry of ops.safetensors in this engine's layouts: PyTorch's [batch, channels, length] becomes [batch, length, channels].</summary>
internal sealed class ReferenceOperation(string name) : IDisposable
{
    private readonly SafetensorsFile _file = SafetensorsFile.Open(ReferenceData.Path("ops.safetensors"));

    public string Name => name;

    public float[] Single(string part) => Relayout(part, _file.ReadSingles($"{name}.{part}"));

    public double[] Expected(string part) => Relayout(part, _file.ReadDoubles($"{name}.{part}"));

    public int[] Shape(string part) => [.. _file.Tensors[$"{name}.{part}"].Shape.Select(d => (int)d)];

    public void Dispose() => _file.Dispose();

    private T[] Relayout<T>(string part, T[] values)
    {
        bool channelsFirst = name.Contains("conv1d", StringComparison.Ordinal) && part is ("in0" or "out" or "grad_out" or "grad_in0");
        if (!channelsFirst) { return values; }
        int[] shape = Shape(part);
        int channels = shape[1], length = shape[2];
        return [.. Enumerable.Range(0, values.Length).Select(i => values[(i / (length * channels) * channels + i % channels) * length + i / channels % length])];
    }
}

/// <summary>How each entry of ops.safetensors is computed by a backend and by the oracle: output first, then the inputs' gradients.</summary>
internal static class ReferenceOperations
{
    private const float Eps = 1e-6f;

    private static readonly Dictionary<string, (Func<OperationRun, ReferenceOperation, BufferView[]> Run, Func<ReferenceOperation, Node[], Node> Oracle)> s_all = new()
    {
        ["matmul"] = (Matmul, (r, x) => Node.MatMul(x[0].Reshape([1, .. x[0].Shape]), x[1].Reshape([1, .. x[1].Shape]))),
        ["linear"] = (Linear, (r, x) => Compositions.Gemm(x[0], x[1], x[2], LinearShape(r))),
        ["gelu_erf"] = (Elementwise((b, x, y) => b.GeluErf(x, y), (b, x, dy, dx) => b.GeluErfBackward(x, dy, dx)), (_, x) => Compositions.GeluErf(x[0])),
        ["gelu_tanh"] = (Elementwise((b, x, y) => b.GeluTanh(x, y), (b, x, dy, dx) => b.GeluTanhBackward(x, dy, dx)), (_, x) => Compositions.GeluTanh(x[0])),
        ["silu"] = (Elementwise((b, x, y) => b.Silu(x, y), (b, x, dy, dx) => b.SiluBackward(x, dy, dx)), (_, x) => Compositions.Silu(x[0])),
        ["layer_norm"] = (LayerNorm, (_, x) => Compositions.LayerNorm(x[0], x[1], x[2], Eps)),
        ["ada_layer_norm"] = (AdaLayerNorm, (_, x) => Compositions.AdaLayerNorm(x[0], x[1], x[2], Eps)),
        ["attention_self"] = (Attention, AttentionOracle),
        ["attention_cross"] = (Attention, AttentionOracle),
        ["attention_d32"] = (Attention, AttentionOracle),
        ["attention_one_key"] = (Attention, AttentionOracle),
        ["attention_large_logits"] = (Attention, AttentionOracle),
        ["conv1d_k7"] = (Conv1d, (r, x) => Compositions.Conv1d(x[0], x[1], x[2], ConvShape(r))),
        ["depthwise_conv1d_k7"] = (DepthwiseConv1d, (r, x) => Compositions.DepthwiseConv1d(x[0], x[1], x[2], ConvShape(r))),
        ["mse"] = (MeanSquaredError, (_, x) => Compositions.SquaredErrorRows(x[0].Reshape(1, x[0].Value.Length), x[1].Reshape(1, x[1].Value.Length))),
        ["softmax"] = (Softmax, (_, x) => Compositions.Softmax(x[0])),
    };

    public static IEnumerable<string> Names => s_all.Keys;

    public static BufferView[] Run(OperationRun run, ReferenceOperation r) => s_all[r.Name].Run(run, r);

    public static (Node Output, Node[] Inputs) Oracle(ReferenceOperation r)
    {
        int count = r.Name switch { "gelu_erf" or "gelu_tanh" or "silu" or "softmax" => 1, "matmul" or "mse" => 2, _ => 3 };
        Node[] inputs = [.. Enumerable.Range(0, count).Select(i => Node.Leaf(r.Single($"in{i}"), r.Shape($"in{i}")))];
        return (s_all[r.Name].Oracle(r, inputs), inputs);
    }

    private static BufferView In(OperationRun run, ReferenceOperation r, string part) => run.In(r.Single(part));

    private static BufferView Like(OperationRun run, ReferenceOperation r, string part) => run.Out(Node.Size(r.Shape(part)));

    private static BufferView ZeroLike(OperationRun run, ReferenceOperation r, string part) => run.InOut(new float[Node.Size(r.Shape(part))]);

    private static BufferView[] Matmul(OperationRun run, ReferenceOperation r)
    {
        int m = r.Shape("in0")[0], k = r.Shape("in0")[1], n = r.Shape("in1")[1];
        BufferView a = In(run, r, "in0"), b = In(run, r, "in1"), dc = In(run, r, "grad_out"), c = Like(run, r, "out"), da = Like(run, r, "in0"), db = Like(run, r, "in1");
        run.Execute(backend =>
        {
            backend.Gemm(a, b, BufferView.None, new GemmShape(GemmLayout.NN, m, n, k), c);
            backend.Gemm(dc, b, BufferView.None, new GemmShape(GemmLayout.NT, m, k, n), da);
            backend.Gemm(a, dc, BufferView.None, new GemmShape(GemmLayout.TN, k, n, m), db);
        });
        return [c, da, db];
    }

    private static GemmShape LinearShape(ReferenceOperation r) =>
        new(GemmLayout.NT, r.Shape("in0")[0] * r.Shape("in0")[1], r.Shape("in1")[0], r.Shape("in1")[1]);

    private static BufferView[] Linear(OperationRun run, ReferenceOperation r)
    {
        GemmShape s = LinearShape(r);
        BufferView x = In(run, r, "in0"), w = In(run, r, "in1"), bias = In(run, r, "in2"), dy = In(run, r, "grad_out");
        BufferView y = Like(run, r, "out"), dx = Like(run, r, "in0"), dw = Like(run, r, "in1"), db = Like(run, r, "in2");
        run.Execute(b =>
        {
            b.Gemm(x, w, bias, s, y);
            b.Gemm(dy, w, BufferView.None, new GemmShape(GemmLayout.NN, s.M, s.K, s.N), dx);
            b.Gemm(dy, x, BufferView.None, new GemmShape(GemmLayout.TN, s.N, s.K, s.M), dw);
            b.SumColumns(dy, new ReduceShape(1, s.M, s.N), 1, accumulate: false, db);
        });
        return [y, dx, dw, db];
    }

    private static Func<OperationRun, ReferenceOperation, BufferView[]> Elementwise(
        Action<IBackend, BufferView, BufferView> forward, Action<IBackend, BufferView, BufferView, BufferView> backward) => (run, r) =>
    {
        BufferView x = In(run, r, "in0"), dy = In(run, r, "grad_out"), y = Like(run, r, "out"), dx = Like(run, r, "in0");
        run.Execute(b =>
        {
            forward(b, x, y);
            backward(b, x, dy, dx);
        });
        return [y, dx];
    };

    private static BufferView[] LayerNorm(OperationRun run, ReferenceOperation r)
    {
        int channels = r.Shape("in0")[^1], rows = Node.Size(r.Shape("in0")) / channels;
        BufferView x = In(run, r, "in0"), w = In(run, r, "in1"), bias = In(run, r, "in2"), dy = In(run, r, "grad_out"), y = Like(run, r, "out");
        BufferView mean = run.Out(rows), rstd = run.Out(rows), dx = Like(run, r, "in0"), dw = ZeroLike(run, r, "in1"), db = ZeroLike(run, r, "in2");
        run.Execute(b =>
        {
            b.LayerNorm(x, w, bias, channels, Eps, y, mean, rstd);
            b.LayerNormBackward(x, w, mean, rstd, dy, channels, dx, dw, db);
        });
        return [y, dx, dw, db];
    }

    private static BufferView[] AdaLayerNorm(OperationRun run, ReferenceOperation r)
    {
        int[] s = r.Shape("in0");
        var shape = new ModulationShape(s[0], s[1], s[2], s[2]);
        BufferView x = In(run, r, "in0"), scale = In(run, r, "in1"), shift = In(run, r, "in2"), dy = In(run, r, "grad_out"), y = Like(run, r, "out");
        BufferView mean = run.Out(s[0] * s[1]), rstd = run.Out(s[0] * s[1]), dx = Like(run, r, "in0"), dscale = ZeroLike(run, r, "in1"), dshift = ZeroLike(run, r, "in2");
        run.Execute(b =>
        {
            b.AdaLayerNorm(x, scale, shift, shape, Eps, y, mean, rstd);
            b.AdaLayerNormBackward(x, scale, mean, rstd, dy, shape, dx, dscale, dshift);
        });
        return [y, dx, dscale, dshift];
    }

    /// <summary>[batch, heads, tokens, headDim] is batch·heads samples of one head.</summary>
    private static AttentionShape AttentionShapeOf(ReferenceOperation r)
    {
        int[] q = r.Shape("in0"), k = r.Shape("in1");
        return new AttentionShape(q[0] * q[1], 1, q[2], k[2], q[3], (float)(1 / Math.Sqrt(q[3])));
    }

    private static BufferView[] Attention(OperationRun run, ReferenceOperation r)
    {
        AttentionShape s = AttentionShapeOf(r);
        BufferView q = In(run, r, "in0"), k = In(run, r, "in1"), v = In(run, r, "in2"), dOut = In(run, r, "grad_out"), o = Like(run, r, "out");
        BufferView lse = run.Out(s.Batch * s.Queries), dq = Like(run, r, "in0"), dk = Like(run, r, "in1"), dv = Like(run, r, "in2");
        run.Execute(b =>
        {
            b.Attention(q, k, v, s, o, lse);
            b.AttentionBackward(q, k, v, o, lse, dOut, s, dq, dk, dv);
        });
        return [o, dq, dk, dv];
    }

    private static Node AttentionOracle(ReferenceOperation r, Node[] x)
    {
        AttentionShape s = AttentionShapeOf(r);
        return Compositions.Attention(
            x[0].Reshape(s.Batch, s.Queries, s.HeadDim), x[1].Reshape(s.Batch, s.Keys, s.HeadDim), x[2].Reshape(s.Batch, s.Keys, s.HeadDim), 1, 1 / Math.Sqrt(s.HeadDim)).Output;
    }

    private static Conv1dShape ConvShape(ReferenceOperation r)
    {
        int[] x = r.Shape("in0"), w = r.Shape("in1");
        return new Conv1dShape(x[0], x[2], x[1], w[0], w[2]);
    }

    private static BufferView[] Conv1d(OperationRun run, ReferenceOperation r)
    {
        Conv1dShape s = ConvShape(r);
        BufferView x = In(run, r, "in0"), w = In(run, r, "in1"), bias = In(run, r, "in2"), dy = In(run, r, "grad_out");
        BufferView y = Like(run, r, "out"), dx = Like(run, r, "in0"), dw = ZeroLike(run, r, "in1"), db = ZeroLike(run, r, "in2");
        run.Execute(b =>
        {
            b.Conv1d(x, w, bias, s, y);
            b.Conv1dBackwardInput(w, dy, s, dx);
            b.Conv1dBackwardWeight(x, dy, s, dw, db);
        });
        return [y, dx, dw, db];
    }

    private static BufferView[] DepthwiseConv1d(OperationRun run, ReferenceOperation r)
    {
        Conv1dShape s = ConvShape(r);
        BufferView x = In(run, r, "in0"), w = In(run, r, "in1"), bias = In(run, r, "in2"), dy = In(run, r, "grad_out");
        BufferView y = Like(run, r, "out"), dx = Like(run, r, "in0"), dw = ZeroLike(run, r, "in1"), db = ZeroLike(run, r, "in2");
        run.Execute(b =>
        {
            b.DepthwiseConv1d(x, w, bias, s, y);
            b.DepthwiseConv1dBackwardInput(w, dy, s, dx);
            b.DepthwiseConv1dBackwardWeight(x, dy, s, dw, db);
        });
        return [y, dx, dw, db];
    }

    private static BufferView[] MeanSquaredError(OperationRun run, ReferenceOperation r)
    {
        BufferView x = In(run, r, "in0"), y = In(run, r, "in1"), dloss = In(run, r, "grad_out"), loss = run.Out(1), dx = Like(run, r, "in0"), dy = Like(run, r, "in1");
        run.Execute(b =>
        {
            b.SquaredErrorRows(x, y, loss);
            b.SquaredErrorRowsBackward(x, y, dloss, dx);
            b.SquaredErrorRowsBackward(y, x, dloss, dy);
        });
        return [loss, dx, dy];
    }

    private static BufferView[] Softmax(OperationRun run, ReferenceOperation r)
    {
        int columns = r.Shape("in0")[^1];
        BufferView x = In(run, r, "in0"), dy = In(run, r, "grad_out"), y = Like(run, r, "out"), dx = Like(run, r, "in0");
        run.Execute(b =>
        {
            b.Softmax(x, columns, y);
            b.SoftmaxBackward(y, dy, columns, dx);
        });
        return [y, dx];
    }
}
