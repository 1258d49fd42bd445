using I2M.Kernels.Host;
using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>What only the host's attention has: heads and tiles shared among threads, and a factor that may be negative or huge.</summary>
public sealed class HostAttentionTests
{
    /// <summary>Heads for every thread, heads and a rest whose tiles are shared, fewer heads than threads; more than one tile each way.</summary>
    [Theory]
    [InlineData(1, 1, 300, 270, 64)]
    [InlineData(1, 3, 200, 150, 20)]
    [InlineData(2, 2, 97, 350, 48)]
    public void The_bits_do_not_depend_on_who_computes_a_tile(int batch, int heads, int queries, int keys, int headDim)
    {
        var shape = new AttentionShape(batch, heads, queries, keys, headDim, 0.3f);
        float[][] alone = Run(shape, 1);
        foreach (int threads in new[] { 2, 3, 5, 8 })
        {
            float[][] together = Run(shape, threads);
            for (int i = 0; i < alone.Length; i++) { Assert.True(alone[i].AsSpan().SequenceEqual(together[i]), $"{threads} threads: result {i} has other bits"); }
        }
    }

    /// <summary>The logits of scale s over q equal those of −s over −q, and without scale every key has the same weight.</summary>
    [Fact]
    public void The_scale_may_be_negative_or_zero()
    {
        var shape = new AttentionShape(1, 2, 130, 110, 32, 0.4f);
        float[][] positive = Run(shape, 1), negative = Run(shape with { Scale = -0.4f }, 1, signOfQueries: -1), flat = Run(shape with { Scale = 0 }, 1);
        for (int i = 0; i < positive.Length; i++) { Assert.Equal(positive[i].Select(Math.Abs), negative[i].Select(Math.Abs)); }
        Assert.All(flat[1], lse => Assert.Equal(Math.Log(110), lse, 1e-6));
        Assert.All(flat[2], dq => Assert.Equal(0, dq));
    }

    /// <summary>With logits of thousands all weights but one vanish; none of what is left may be a subnormal number.</summary>
    [Fact]
    public void A_saturated_softmax_leaves_no_subnormal_numbers()
    {
        float[][] results = Run(new AttentionShape(1, 1, 150, 200, 64, 4f), 1);
        foreach (float[] result in results) { Assert.DoesNotContain(result, float.IsSubnormal); }
        Assert.All(results.SelectMany(x => x), x => Assert.True(float.IsFinite(x)));
    }

    /// <summary>o, lse, dq, dk and dv of random operands.</summary>
    private static float[][] Run(AttentionShape shape, int threads, float signOfQueries = 1)
    {
        using var backend = new HostBackend(threads);
        var random = new RandomData(5);
        int queries = shape.Batch * shape.Queries * shape.StrideQ, keys = shape.Batch * shape.Keys * shape.StrideK;
        BufferView q = Upload([.. random.Normal(queries).Select(x => signOfQueries * x)]), k = Upload(random.Normal(keys)), v = Upload(random.Normal(keys)), dOut = Upload(random.Normal(queries));
        BufferView o = Empty(queries), lse = Empty(shape.Batch * shape.Heads * shape.Queries), dq = Empty(queries), dk = Empty(keys), dv = Empty(keys);
        backend.Attention(q, k, v, shape, o, lse);
        backend.AttentionBackward(q, k, v, o, lse, dOut, shape, dq, dk, dv);
        return [.. new[] { o, lse, dq, dk, dv }.Select(Download)];

        BufferView Empty(int length) => Upload(new float[length]);

        BufferView Upload(float[] values)
        {
            BufferView view = backend.Pool.Rent(values.Length);
            backend.CopyFromHost(values, view);
            return view;
        }

        float[] Download(BufferView view)
        {
            var values = new float[view.Length];
            backend.CopyToHost(view, values);
            return values;
        }
    }
}
