using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

public sealed class AttentionTests
{
    public static TheoryData<string, int> HeadDims => Backends.With([1, 16, 32, 48, 64, 128]);

    [Theory, MemberData(nameof(HeadDims))]
    public void Attention_matches_the_oracle_for_every_head_dim(string backend, int headDim)
    {
        Check(backend, Shape(2, 3, 35, 51, headDim));
        Check(backend, Shape(1, 2, 65, 33, headDim));
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void Attention_matches_the_oracle_for_every_count_of_queries_and_keys(string backend, int size)
    {
        Check(backend, Shape(1, 2, size, size, 32));
        Check(backend, Shape(1, 1, size, 3, 16));
        Check(backend, Shape(1, 1, 3, size, 16));
    }

    /// <summary>The model's cross-attention, 875 mel tokens over 1024 patches: whole on the host and on CUDA, one head in 16 channels on slow devices.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Attention_matches_the_oracle_at_the_models_size(string backend) =>
        Check(backend, Shape(1, 1, 875, 1024, Backends.IsSlow(backend) ? 16 : 64));

    /// <summary>q, k and v side by side in one [batch, tokens, 3·channels] projection, and their gradients likewise.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Attention_reads_and_writes_packed_projections(string backend)
    {
        const int batch = 2, heads = 3, tokens = 37, headDim = 16, channels = heads * headDim, stride = 3 * channels;
        AttentionShape shape = Shape(batch, heads, tokens, tokens, headDim) with { StrideQ = stride, StrideK = stride, StrideV = stride, StrideO = channels + 4 };
        using var run = new OperationRun(nameof(IBackend.Attention), backend, "packed");
        float[] qkv = run.Normal(batch * tokens * stride), dOut = run.Normal(batch * tokens * shape.StrideO);
        BufferView packed = run.In(qkv), bdo = run.In(dOut), o = run.Out(dOut.Length), lse = run.Out(batch * heads * tokens), d = run.Out(qkv.Length);
        run.Execute(b =>
        {
            b.Attention(packed, packed.From(channels), packed.From(2 * channels), shape, o, lse);
            b.AttentionBackward(packed, packed.From(channels), packed.From(2 * channels), o, lse, bdo, shape, d, d.From(channels), d.From(2 * channels));
        });
        Node input = Node.Leaf(qkv, batch, tokens, stride);
        var (expected, expectedLse) = Compositions.Attention(Part(0), Part(channels), Part(2 * channels), heads, shape.Scale);
        int[] rows = [.. Enumerable.Range(0, batch * tokens * channels).Select(i => i / channels * shape.StrideO + i % channels)];
        float[] result = run.Read(o);
        expected.Backward([.. rows.Select(i => dOut[i])]);
        run.Close("o", [.. rows.Select(i => result[i])], expected.Value);
        run.StillPoison(o, i => i % shape.StrideO >= channels);
        run.Close("lse", lse, expectedLse.Value);
        run.Close("dqkv", d, input.Gradient);

        Node Part(int start) => input.Gather([batch, tokens, channels], i => i / channels * stride + start + i % channels);
    }

    /// <summary>Logits of a few hundred: without the running maximum e^x overflows.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Attention_survives_large_logits(string backend)
    {
        AttentionShape shape = Shape(1, 2, 19, 70, 64) with { Scale = 30f };
        using var run = new OperationRun(nameof(IBackend.Attention), backend, shape);
        Run(run, shape, out Node[] inputs, out BufferView[] outputs);
        foreach (BufferView output in outputs) { Assert.All(run.Read(output), x => Assert.True(float.IsFinite(x))); }
        Assert.All(inputs, input => Assert.All(input.Gradient, x => Assert.True(double.IsFinite(x))));
    }

    private static AttentionShape Shape(int batch, int heads, int queries, int keys, int headDim) =>
        new(batch, heads, queries, keys, headDim, (float)(1 / Math.Sqrt(headDim)));

    internal static void Check(string backend, AttentionShape shape)
    {
        using var run = new OperationRun(nameof(IBackend.Attention), backend, $"{shape.Batch}×{shape.Heads}×{shape.Queries}×{shape.Keys}×{shape.HeadDim}");
        var (expected, lse) = Run(run, shape, out Node[] inputs, out BufferView[] outputs);
        run.Close("o", outputs[0], expected.Value);
        run.Close("lse", outputs[1], lse.Value, scale: 1);
        Tolerance tolerance = Tolerance.Of(nameof(IBackend.AttentionBackward));
        bool oneKey = shape.Keys == 1;
        run.Close("dq", outputs[2], inputs[0].Gradient, oneKey ? Tolerance.Zero : tolerance, oneKey ? Terms(shape) : null);
        run.Close("dk", outputs[3], inputs[1].Gradient, oneKey ? Tolerance.Zero : tolerance, oneKey ? Terms(shape) * Math.Sqrt(shape.Queries) : null);
        run.Close("dv", outputs[4], inputs[2].Gradient, tolerance);
    }

    /// <summary>With one key dS = do·v − Σ do·o is a difference of two equal sums of headDim terms, times scale and a factor of some units.</summary>
    private static double Terms(AttentionShape shape) => 4 * Math.Sqrt(shape.HeadDim);

    private static (Node Output, Node Lse) Run(OperationRun run, AttentionShape s, out Node[] inputs, out BufferView[] outputs)
    {
        int channels = s.Heads * s.HeadDim, queries = s.Batch * s.Queries * channels, keys = s.Batch * s.Keys * channels;
        float[] q = run.Normal(queries), k = run.Normal(keys), v = run.Normal(keys), dOut = run.Normal(queries);
        BufferView bq = run.In(q), bk = run.In(k), bv = run.In(v), bdo = run.In(dOut);
        BufferView o = run.Out(queries), lse = run.Out(s.Batch * s.Heads * s.Queries), dq = run.Out(queries), dk = run.Out(keys), dv = run.Out(keys);
        run.Execute(b =>
        {
            b.Attention(bq, bk, bv, s, o, lse);
            b.AttentionBackward(bq, bk, bv, o, lse, bdo, s, dq, dk, dv);
        });
        inputs = [Node.Leaf(q, s.Batch, s.Queries, channels), Node.Leaf(k, s.Batch, s.Keys, channels), Node.Leaf(v, s.Batch, s.Keys, channels)];
        outputs = [o, lse, dq, dk, dv];
        var expected = Compositions.Attention(inputs[0], inputs[1], inputs[2], s.Heads, s.Scale);
        expected.Output.Backward(dOut);
        return expected;
    }
}
