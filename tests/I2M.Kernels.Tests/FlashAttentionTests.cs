using I2M.Kernels.Ilgpu;
using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>Attention between bfloat16 views: tensor cores on CUDA and its emulation, float32 scratch elsewhere. The oracle sees the rounded inputs.</summary>
public sealed class FlashAttentionTests
{
    private static readonly int[] s_lengths = [1, 31, 33, 64, 65, 127, 130];

    public static TheoryData<string, int> HeadDims => Backends.With([8, 16, 32, 48, 64, 80, 96, 128]);

    public static TheoryData<string, int> Lengths => Backends.With(s_lengths);

    public static TheoryData<string, int, string> Tiles
    {
        get
        {
            var rows = new TheoryData<string, int, string>();
            foreach (string backend in Backends.Names)
            {
                if (!backend.StartsWith("cuda", StringComparison.Ordinal))
                {
                    rows.Add(backend, 64, "");
                    continue;
                }
                foreach (var (width, tile) in FlashTable.Forward.Keys) { rows.Add(backend, width, tile.ToString()); }
            }
            return rows;
        }
    }

    [Theory, MemberData(nameof(HeadDims))]
    public void Attention_matches_the_oracle_for_every_head_dim(string backend, int headDim)
    {
        Check(backend, Shape(2, 2, 35, 67, headDim));
        Check(backend, Shape(1, 1, 70, 32, headDim));
    }

    [Theory, MemberData(nameof(Lengths))]
    public void Attention_matches_the_oracle_for_every_count_of_queries_and_keys(string backend, int length)
    {
        Check(backend, Shape(1, 2, length, length, 64));
        Check(backend, Shape(1, 1, length, 3, 32));
        Check(backend, Shape(1, 1, 3, length, 32));
    }

    /// <summary>Two full tiles and a tail of queries, four full tiles and a tail of keys.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Attention_matches_the_oracle_over_several_tiles(string backend) => Check(backend, Shape(1, 1, 259, 275, 64));

    /// <summary>Every generated kernel, on two groups of it and a tail; other backends have one way.</summary>
    [Theory, MemberData(nameof(Tiles))]
    public void Attention_matches_the_oracle_with_every_tile(string backend, int headDim, string tile)
    {
        if (tile.Length == 0)
        {
            Check(backend, Shape(1, 2, 41, 67, headDim));
            return;
        }
        var tunable = (ITunable)Backends.Get(backend);
        AttentionShape shape = Shape(1, 2, int.Parse(tile.AsSpan(4), System.Globalization.CultureInfo.InvariantCulture) + 9, 67, headDim);
        TileTable before = tunable.Tiles;
        try
        {
            foreach (AttentionShape each in new[] { shape, shape with { Queries = shape.Keys, Keys = shape.Queries } })
            {
                tunable.Tiles = new TileTable([], [.. Enum.GetValues<AttentionPass>().Where(pass => tunable.TilesFor(pass, each).Contains(tile))
                    .Select(pass => new TileChoice<AttentionTileKey>(AttentionTileKey.Of(pass, each), tile, "for this test"))]);
                Assert.Equal(tile, ((IlgpuBackend)tunable).PlanAttention(AttentionPass.Forward, each).Tile.ToString());
                Check(backend, each);
            }
        }
        finally { tunable.Tiles = before; }
    }

    /// <summary>What the tensor-core kernels refuse goes through float32 on the same device.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Attention_without_the_alignment_of_tensor_cores_matches_the_oracle(string backend)
    {
        Check(backend, Shape(2, 3, 17, 9, 5));
        Check(backend, Shape(1, 2, 9, 17, 12));
        Check(backend, Shape(1, 2, 9, 17, 16) with { Scale = -0.25f });
    }

    /// <summary>q, k and v side by side in one projection, their gradients likewise, o with gaps between its rows.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Attention_reads_and_writes_packed_projections(string backend)
    {
        const int batch = 2, heads = 3, tokens = 67, headDim = 16, channels = heads * headDim, stride = 3 * channels;
        AttentionShape shape = Shape(batch, heads, tokens, tokens, headDim) with { StrideQ = stride, StrideK = stride, StrideV = stride, StrideO = channels + 8 };
        using var run = new OperationRun(nameof(IBackend.Attention), backend, "bfloat16, packed");
        float[] qkv = Rounded(run.Normal(batch * tokens * stride)), dOut = Rounded(run.Normal(batch * tokens * shape.StrideO));
        BufferView packed = In(run, qkv), bdo = In(run, dOut), o = Out(run, dOut.Length), lse = run.Out(batch * heads * tokens), d = Out(run, qkv.Length);
        run.Execute(b =>
        {
            b.Attention(packed, packed.From(channels / 2), packed.From(channels), shape, o, lse);
            b.AttentionBackward(packed, packed.From(channels / 2), packed.From(channels), o, lse, bdo, shape, d, d.From(channels / 2), d.From(channels));
        });
        Node input = Node.Leaf(qkv, batch, tokens, stride);
        var (expected, expectedLse) = Compositions.Attention(Part(0), Part(channels), Part(2 * channels), heads, shape.Scale);
        int[] rows = [.. Enumerable.Range(0, batch * tokens * channels).Select(i => i / channels * shape.StrideO + i % channels)];
        float[] result = Read(run, o, dOut.Length);
        expected.Backward([.. rows.Select(i => dOut[i])]);
        Tolerance.AttentionBFloat16.Check("packed o", [.. rows.Select(i => result[i])], expected.Value);
        run.StillPoison(o, i => 2 * i % shape.StrideO >= channels);
        run.Close("lse", lse, expectedLse.Value, scale: 1);
        Tolerance.AttentionBFloat16.Check("packed gradients", Read(run, d, qkv.Length), input.Gradient);

        Node Part(int start) => input.Gather([batch, tokens, channels], i => i / channels * stride + start + i % channels);
    }

    /// <summary>Logits of some hundreds, so that nearly every softmax is saturated, and all keys equal, so that none is.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Saturated_and_flat_softmax_stay_finite(string backend)
    {
        foreach (AttentionShape shape in new[] { Shape(1, 2, 19, 70, 64) with { Scale = 30 }, Shape(1, 1, 33, 129, 32) with { Scale = 1e-6f } })
        {
            using var run = new OperationRun(nameof(IBackend.Attention), backend, $"bfloat16, scale {shape.Scale}");
            var (expected, lse) = Run(run, shape, out _, out BufferView[] outputs, out int[] lengths);
            for (int i = 0; i < outputs.Length; i++)
            {
                float[] values = i == 1 ? run.Read(outputs[1]) : Read(run, outputs[i], lengths[i]);
                Assert.All(values, x => Assert.True(float.IsFinite(x), $"output {i} of scale {shape.Scale} holds {x}"));
            }
            Tolerance.AttentionBFloat16.Check($"o at scale {shape.Scale} on {backend}", Read(run, outputs[0], lengths[0]), expected.Value);
            run.Close("lse", outputs[1], lse.Value, scale: 1);
        }
    }

    [Fact]
    public void What_tensor_cores_refuse_has_a_reason()
    {
        AttentionShape good = Shape(1, 2, 5, 7, 64);
        Assert.Null(FlashAttention.Obstacle(good));
        Assert.Contains("12 is not a multiple of 8", FlashAttention.Obstacle(Shape(1, 2, 5, 7, 12)), StringComparison.Ordinal);
        Assert.Contains("strides", FlashAttention.Obstacle(good with { StrideV = 132 }), StringComparison.Ordinal);
        Assert.Contains("stride is above", FlashAttention.Obstacle(good with { StrideK = 1 << 25 }), StringComparison.Ordinal);
        Assert.Contains("scale", FlashAttention.Obstacle(good with { Scale = 0 }), StringComparison.Ordinal);
        Assert.Contains("scale", FlashAttention.Obstacle(good with { Scale = float.NaN }), StringComparison.Ordinal);
        IBackend host = Backends.Get("host");
        BufferView words = host.Pool.Rent(64);
        try
        {
            Assert.Contains("begins at word", FlashAttention.Obstacle(good, words.From(2)), StringComparison.Ordinal);
            Assert.Equal([32, 32, 64, 96, 128, 128], new[] { 8, 32, 40, 96, 104, 128 }.Select(FlashAttention.Width));
        }
        finally { host.Pool.Return(words); }
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Views_of_different_types_and_short_views_are_refused(string backend)
    {
        IBackend b = Backends.Get(backend);
        AttentionShape shape = Shape(1, 1, 4, 4, 32);
        BufferView words = b.Pool.Rent(128), lse = b.Pool.Rent(4);
        try
        {
            BufferView half = words.Slice(0, 64).As(ElementType.BFloat16);
            Assert.Contains("one type", Assert.Throws<ArgumentException>(() => b.Attention(half, half, words, shape, half, lse)).Message, StringComparison.Ordinal);
            Assert.Contains("need 64", Assert.Throws<ArgumentException>(() => b.Attention(half, half.Slice(0, 60), half, shape, half, lse)).Message, StringComparison.Ordinal);
            Assert.Contains("lse", Assert.Throws<ArgumentException>(() => b.Attention(half, half, half, shape, half, lse.As(ElementType.BFloat16))).Message, StringComparison.Ordinal);
        }
        finally
        {
            b.Pool.Return(words);
            b.Pool.Return(lse);
        }
    }

    private static AttentionShape Shape(int batch, int heads, int queries, int keys, int headDim) =>
        new(batch, heads, queries, keys, headDim, (float)(1 / Math.Sqrt(headDim)));

    internal static void Check(string backend, AttentionShape shape)
    {
        string name = $"{shape.Batch}×{shape.Heads}×{shape.Queries}×{shape.Keys}×{shape.HeadDim}";
        using var run = new OperationRun(nameof(IBackend.Attention), backend, $"bfloat16 {name}");
        var (expected, lse) = Run(run, shape, out Node[] inputs, out BufferView[] outputs, out int[] lengths);
        run.Close("lse", outputs[1], lse.Value, scale: 1);
        Close("o", 0, expected.Value, Tolerance.AttentionBFloat16, null);
        bool oneKey = shape.Keys == 1;
        Tolerance gradients = oneKey ? Tolerance.AttentionBFloat16Zero : Tolerance.AttentionBFloat16;
        Close("dq", 2, inputs[0].Gradient, gradients, oneKey ? Terms(shape) : null);
        Close("dk", 3, inputs[1].Gradient, gradients, oneKey ? Terms(shape) * Math.Sqrt(shape.Queries) : null);
        Close("dv", 4, inputs[2].Gradient, Tolerance.AttentionBFloat16, null);

        void Close(string what, int output, double[] values, Tolerance tolerance, double? scale) =>
            tolerance.Check($"bfloat16 Attention on {backend}, {name}: {what}", Read(run, outputs[output], lengths[output]), values, scale);
    }

    /// <summary>With one key dS = do·v − Σ do·o is a difference of two equal sums of headDim terms, times scale and a factor of some units.</summary>
    private static double Terms(AttentionShape shape) => 4 * Math.Sqrt(shape.HeadDim);

    private static (Node Output, Node Lse) Run(OperationRun run, AttentionShape s, out Node[] inputs, out BufferView[] outputs, out int[] lengths)
    {
        int channels = s.Heads * s.HeadDim, queries = s.Batch * s.Queries * channels, keys = s.Batch * s.Keys * channels;
        float[] q = Rounded(run.Normal(queries)), k = Rounded(run.Normal(keys)), v = Rounded(run.Normal(keys)), dOut = Rounded(run.Normal(queries));
        BufferView bq = In(run, q), bk = In(run, k), bv = In(run, v), bdo = In(run, dOut);
        BufferView o = Out(run, queries), lse = run.Out(s.Batch * s.Heads * s.Queries), dq = Out(run, queries), dk = Out(run, keys), dv = Out(run, keys);
        run.Execute(b =>
        {
            b.Attention(bq, bk, bv, s, o, lse);
            b.AttentionBackward(bq, bk, bv, o, lse, bdo, s, dq, dk, dv);
        });
        inputs = [Node.Leaf(q, s.Batch, s.Queries, channels), Node.Leaf(k, s.Batch, s.Keys, channels), Node.Leaf(v, s.Batch, s.Keys, channels)];
        outputs = [o, lse, dq, dk, dv];
        lengths = [queries, s.Batch * s.Heads * s.Queries, queries, keys, keys];
        var expected = Compositions.Attention(inputs[0], inputs[1], inputs[2], s.Heads, s.Scale);
        expected.Output.Backward(dOut);
        return expected;
    }

    /// <summary>An input of bfloat16 elements that begins at a multiple of 16 bytes; the values are exact in bfloat16.</summary>
    private static BufferView In(OperationRun run, float[] values)
    {
        SkipUnaligned(run);
        int[] words = new int[ElementType.BFloat16.Words(values.Length)];
        for (int i = 0; i < values.Length; i++) { words[i / 2] |= (int)(BitConverter.SingleToUInt32Bits(values[i]) >> 16 << 16 * (i % 2)); }
        return run.In(words).As(ElementType.BFloat16);
    }

    /// <summary>An output likewise.</summary>
    private static BufferView Out(OperationRun run, int elements)
    {
        SkipUnaligned(run);
        return run.Out(ElementType.BFloat16.Words(elements)).As(ElementType.BFloat16);
    }

    /// <summary>Every second guarded buffer begins off the alignment; those take a word that nobody reads.</summary>
    private static void SkipUnaligned(OperationRun run)
    {
        if (run.In(new int[1]).Offset % 4 == 0) { run.In(new int[1]); }
    }

    private static float[] Read(OperationRun run, BufferView view, int elements)
    {
        int[] words = run.ReadWords(view);
        return [.. Enumerable.Range(0, elements).Select(i => BitConverter.UInt32BitsToSingle((uint)words[i / 2] >> 16 * (i % 2) << 16))];
    }

    /// <summary>To the nearest bfloat16, ties to even.</summary>
    private static float[] Rounded(float[] values) => [.. values.Select(value =>
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle(bits + 0x7FFF + (bits >> 16 & 1) & 0xFFFF0000);
    })];
}
