using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

// o = softmax(scale·q·kᵀ)·v and its gradients. Kept for backward: o and lse. The width of the vectors is chosen here.
public sealed unsafe partial class HostBackend
{
    /// <inheritdoc cref="IBackend.Attention"/>
    public void Attention(BufferView q, BufferView k, BufferView v, in AttentionShape shape, BufferView o, BufferView lse)
    {
        CheckSizes(shape);
        CheckExtent("lse", lse, (long)shape.Batch * shape.Heads, shape.Queries, shape.Queries, 1, 0);
        if (WidenedAttention.IsNarrow(shape, lse, [q], [o], [k], [v]))
        {
            if (shape.Batch > 0 && shape.Queries > 0) { WidenedAttention.Forward(this, q, k, v, shape, o, lse); }
            return;
        }
        CheckHeads(q, k, v, shape);
        CheckHeads(o, k, v, shape with { StrideQ = shape.StrideO });
        if (shape.Batch == 0 || shape.Queries == 0) { return; }
        if (Vector512.IsHardwareAccelerated)
        {
            new HostAttentionForward<Width512, Vector512<float>>(Pointer(q), Pointer(k), Pointer(v), shape, Pointer(o), Pointer(lse)).Run(_rows, Pool);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            new HostAttentionForward<Width256, Vector256<float>>(Pointer(q), Pointer(k), Pointer(v), shape, Pointer(o), Pointer(lse)).Run(_rows, Pool);
        }
        else
        {
            new HostAttentionForward<Width128, Vector128<float>>(Pointer(q), Pointer(k), Pointer(v), shape, Pointer(o), Pointer(lse)).Run(_rows, Pool);
        }
    }

    /// <inheritdoc cref="IBackend.AttentionBackward"/>
    public void AttentionBackward(BufferView q, BufferView k, BufferView v, BufferView o, BufferView lse, BufferView dOut, in AttentionShape shape,
        BufferView dq, BufferView dk, BufferView dv)
    {
        CheckSizes(shape);
        CheckExtent("lse", lse, (long)shape.Batch * shape.Heads, shape.Queries, shape.Queries, 1, 0);
        if (WidenedAttention.IsNarrow(shape, lse, [q, dq], [o, dOut], [k, dk], [v, dv]))
        {
            if (shape.Batch > 0 && shape.Queries > 0) { WidenedAttention.Backward(this, q, k, v, o, lse, dOut, shape, dq, dk, dv); }
            return;
        }
        CheckHeads(q, k, v, shape);
        CheckHeads(dq, dk, dv, shape);
        CheckHeads(o, k, v, shape with { StrideQ = shape.StrideO });
        CheckHeads(dOut, k, v, shape with { StrideQ = shape.StrideO });
        if (shape.Batch == 0 || shape.Queries == 0) { return; }
        if (Vector512.IsHardwareAccelerated)
        {
            new HostAttentionBackward<Width512, Vector512<float>>(Pointer(q), Pointer(k), Pointer(v), Pointer(o), Pointer(lse), Pointer(dOut), shape,
                Pointer(dq), Pointer(dk), Pointer(dv)).Run(_rows, Pool);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            new HostAttentionBackward<Width256, Vector256<float>>(Pointer(q), Pointer(k), Pointer(v), Pointer(o), Pointer(lse), Pointer(dOut), shape,
                Pointer(dq), Pointer(dk), Pointer(dv)).Run(_rows, Pool);
        }
        else
        {
            new HostAttentionBackward<Width128, Vector128<float>>(Pointer(q), Pointer(k), Pointer(v), Pointer(o), Pointer(lse), Pointer(dOut), shape,
                Pointer(dq), Pointer(dk), Pointer(dv)).Run(_rows, Pool);
        }
    }

    private static void CheckSizes(in AttentionShape s)
    {
        if (s.HeadDim is < 1 or > AttentionShape.MostHeadDim) { throw new ArgumentOutOfRangeException(nameof(s), $"The head dimension {s.HeadDim} is not in 1..{AttentionShape.MostHeadDim}."); }
        if (s.Keys < 1 || s.Heads < 1) { throw new ArgumentOutOfRangeException(nameof(s), $"Attention needs a key and a head, not {s.Keys} and {s.Heads}."); }
    }

    private static void CheckHeads(BufferView q, BufferView k, BufferView v, in AttentionShape s)
    {
        long width = (long)s.Heads * s.HeadDim;
        CheckExtent("q", q, (long)s.Batch * s.Queries, width, s.StrideQ, 1, 0);
        CheckExtent("k", k, (long)s.Batch * s.Keys, width, s.StrideK, 1, 0);
        CheckExtent("v", v, (long)s.Batch * s.Keys, width, s.StrideV, 1, 0);
    }
}
