using ILGPU;

namespace I2M.Kernels.Ilgpu;

// Attention between bfloat16 views: on CUDA's tensor cores, elsewhere in float32 scratch memory.
public sealed partial class IlgpuBackend
{
    private void AttentionBFloat16(BufferView q, BufferView k, BufferView v, in AttentionShape s, BufferView o, BufferView lse)
    {
        if (IsCuda && FlashAttention.Obstacle(s, q, k, v, o) is null)
        {
            FlashForward(q, k, v, s, o, lse);
            return;
        }
        int width = s.Heads * s.HeadDim;
        long queries = (long)s.Batch * s.Queries * width, keys = (long)s.Batch * s.Keys * width;
        using var scope = new BufferScope(Pool);
        BufferView scratch = scope.Rent(2 * queries + 2 * keys);
        BufferView wq = scratch.Slice(0, queries), wo = scratch.Slice(queries, queries), wk = scratch.Slice(2 * queries, keys), wv = scratch.Slice(2 * queries + keys, keys);
        WidenRows(q, width, s.StrideQ, wq);
        WidenRows(k, width, s.StrideK, wk);
        WidenRows(v, width, s.StrideV, wv);
        Attention(wq, wk, wv, AttentionShapes.Compact(s), wo, lse);
        NarrowRows(wo, width, s.StrideO, o);
    }

    private void AttentionBackwardBFloat16(BufferView q, BufferView k, BufferView v, BufferView o, BufferView lse, BufferView dOut, in AttentionShape s,
        BufferView dq, BufferView dk, BufferView dv)
    {
        if (IsCuda && FlashAttention.Obstacle(s, q, k, v, o, dOut, dq, dk, dv) is null)
        {
            FlashBackward(q, k, v, o, lse, dOut, s, dq, dk, dv);
            return;
        }
        int width = s.Heads * s.HeadDim;
        long queries = (long)s.Batch * s.Queries * width, keys = (long)s.Batch * s.Keys * width;
        using var scope = new BufferScope(Pool);
        BufferView ofQueries = scope.Rent(4 * queries), ofKeys = scope.Rent(4 * keys);
        BufferView wq = ofQueries.Slice(0, queries), wo = ofQueries.Slice(queries, queries), wdo = ofQueries.Slice(2 * queries, queries), wdq = ofQueries.Slice(3 * queries, queries);
        BufferView wk = ofKeys.Slice(0, keys), wv = ofKeys.Slice(keys, keys), wdk = ofKeys.Slice(2 * keys, keys), wdv = ofKeys.Slice(3 * keys, keys);
        WidenRows(q, width, s.StrideQ, wq);
        WidenRows(o, width, s.StrideO, wo);
        WidenRows(dOut, width, s.StrideO, wdo);
        WidenRows(k, width, s.StrideK, wk);
        WidenRows(v, width, s.StrideV, wv);
        AttentionBackward(wq, wk, wv, wo, lse, wdo, AttentionShapes.Compact(s), wdq, wdk, wdv);
        NarrowRows(wdq, width, s.StrideQ, dq);
        NarrowRows(wdk, width, s.StrideK, dk);
        NarrowRows(wdv, width, s.StrideV, dv);
    }

    private void WidenRows(BufferView source, int width, int stride, BufferView compact) =>
        Launch(AttentionRowsKernels.Widen, Grid(compact.Length), View(source).Cast<ushort>(), width, stride, View(compact));

    private void NarrowRows(BufferView compact, int width, int stride, BufferView destination) =>
        Launch(AttentionRowsKernels.Narrow, Grid(compact.Length), View(compact), width, stride, View(destination).Cast<ushort>());
}
