using I2M.Kernels;

namespace I2M.Autograd;

public static partial class TensorOps
{
    /// <summary>Multi-head self-attention on a packed projection [batch, tokens, 3·channels] (q, k, v side by side) → [batch, tokens, channels], float32 or bfloat16.</summary>
    public static Tensor SelfAttention(this Tensor qkv, int heads)
    {
        int batch = qkv.Shape[0], tokens = qkv.Shape[1], channels = qkv.Shape[2] / 3;
        AttentionShape shape = ShapeOf(qkv.Type, batch, tokens, tokens, channels, heads) with { StrideQ = 3 * channels, StrideK = 3 * channels, StrideV = 3 * channels };
        Tensor o = Tensor.Empty(qkv.Backend, qkv.Type, batch, tokens, channels);
        using Tensor lse = Tensor.Empty(qkv.Backend, batch, heads, tokens);
        qkv.Backend.Attention(qkv.Data, Columns(qkv.Data, channels), Columns(qkv.Data, 2 * channels), shape, o.Data, lse.View);
        return GradMode.Records(qkv) ? o.Attach(new SelfAttentionNode(qkv, o, lse, shape, channels)) : o;
    }

    /// <summary>Multi-head cross-attention: queries [batch, queries, channels] over a packed context projection [batch, keys, 2·channels] (k, v) → [batch, queries, channels], all float32 or all bfloat16.</summary>
    public static Tensor CrossAttention(this Tensor q, Tensor kv, int heads)
    {
        int batch = q.Shape[0], channels = q.Shape[2];
        if (kv.Shape[0] != batch || kv.Shape[2] != 2 * channels) { throw new ArgumentException($"CrossAttention: queries [{string.Join(", ", q.Shape.ToArray())}] and context [{string.Join(", ", kv.Shape.ToArray())}] do not fit."); }
        AttentionShape shape = ShapeOf(q.Type, batch, q.Shape[1], kv.Shape[1], channels, heads) with { StrideK = 2 * channels, StrideV = 2 * channels };
        Tensor o = q.EmptyLike();
        using Tensor lse = Tensor.Empty(q.Backend, batch, heads, q.Shape[1]);
        q.Backend.Attention(q.Data, kv.Data, Columns(kv.Data, channels), shape, o.Data, lse.View);
        return GradMode.Records(q, kv) ? o.Attach(new CrossAttentionNode(q, kv, o, lse, shape, channels)) : o;
    }

    /// <summary>The part that starts at a column of the first row.</summary>
    private static BufferView Columns(BufferView packed, int column) => packed.From(packed.Type.Words(column));

    private static AttentionShape ShapeOf(ElementType type, int batch, int queries, int keys, int channels, int heads)
    {
        if (channels % 2 != 0 && type != ElementType.Float32) { throw new ArgumentException($"{channels} channels in {type}: an even number expected."); }
        if (channels % heads != 0) { throw new ArgumentException($"{channels} channels do not divide into {heads} heads."); }
        int headDim = channels / heads;
        return new AttentionShape(batch, heads, queries, keys, headDim, (float)(1 / Math.Sqrt(headDim)));
    }

    private sealed class SelfAttentionNode : GradNode
    {
        private readonly BufferView _qkv, _o, _lse;
        private readonly AttentionShape _shape;
        private readonly int _channels;

        public SelfAttentionNode(Tensor qkv, Tensor o, Tensor lse, AttentionShape shape, int channels) : base(qkv)
        {
            (_qkv, _o, _lse) = (Save(qkv), Save(o), Save(lse));
            (_shape, _channels) = (shape, channels);
        }

        public override void Backward()
        {
            using Target d = Overwrite(0);
            Backend.AttentionBackward(_qkv, Columns(_qkv, _channels), Columns(_qkv, 2 * _channels), _o, _lse, OutputGradient, _shape,
                d.View, Columns(d.View, _channels), Columns(d.View, 2 * _channels));
        }
    }

    private sealed class CrossAttentionNode : GradNode
    {
        private readonly BufferView _q, _kv, _o, _lse;
        private readonly AttentionShape _shape;
        private readonly int _channels;

        public CrossAttentionNode(Tensor q, Tensor kv, Tensor o, Tensor lse, AttentionShape shape, int channels) : base(q, kv)
        {
            (_q, _kv, _o, _lse) = (Save(q), Save(kv), Save(o), Save(lse));
            (_shape, _channels) = (shape, channels);
        }

        public override void Backward()
        {
            using var scratch = new BufferScope(Backend.Pool);
            // One of the two may be constant; the kernel computes both, and the unwanted one goes to scratch.
            if (Needs(0) && Needs(1))
            {
                using Target dq = Overwrite(0), dkv = Overwrite(1);
                Run(dq.View, dkv.View);
            }
            else if (Needs(0))
            {
                using Target dq = Overwrite(0);
                Run(dq.View, scratch.Rent(_kv.Length).As(_kv.Type));
            }
            else
            {
                using Target dkv = Overwrite(1);
                Run(scratch.Rent(_q.Length).As(_q.Type), dkv.View);
            }
        }

        private void Run(BufferView dq, BufferView dkv) =>
            Backend.AttentionBackward(_q, _kv, Columns(_kv, _channels), _o, _lse, OutputGradient, _shape, dq, dkv, Columns(dkv, _channels));
    }
}
