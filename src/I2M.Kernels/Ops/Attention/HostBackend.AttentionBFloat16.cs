namespace I2M.Kernels.Host;

// Attention between bfloat16 views, in float32 scratch memory.
public sealed unsafe partial class HostBackend
{
    private void AttentionBFloat16(BufferView q, BufferView k, BufferView v, in AttentionShape s, BufferView o, BufferView lse)
    {
        int width = s.Heads * s.HeadDim;
        long queryRows = (long)s.Batch * s.Queries, keyRows = (long)s.Batch * s.Keys, queries = queryRows * width, keys = keyRows * width;
        using var scope = new BufferScope(Pool);
        BufferView scratch = scope.Rent(2 * queries + 2 * keys);
        BufferView wq = scratch.Slice(0, queries), wo = scratch.Slice(queries, queries), wk = scratch.Slice(2 * queries, keys), wv = scratch.Slice(2 * queries + keys, keys);
        WidenRows(q, queryRows, width, s.StrideQ, wq);
        WidenRows(k, keyRows, width, s.StrideK, wk);
        WidenRows(v, keyRows, width, s.StrideV, wv);
        Attention(wq, wk, wv, AttentionShapes.Compact(s), wo, lse);
        NarrowRows(wo, queryRows, width, s.StrideO, o);
    }

    private void AttentionBackwardBFloat16(BufferView q, BufferView k, BufferView v, BufferView o, BufferView lse, BufferView dOut, in AttentionShape s,
        BufferView dq, BufferView dk, BufferView dv)
    {
        int width = s.Heads * s.HeadDim;
        long queryRows = (long)s.Batch * s.Queries, keyRows = (long)s.Batch * s.Keys, queries = queryRows * width, keys = keyRows * width;
        using var scope = new BufferScope(Pool);
        BufferView ofQueries = scope.Rent(4 * queries), ofKeys = scope.Rent(4 * keys);
        BufferView wq = ofQueries.Slice(0, queries), wo = ofQueries.Slice(queries, queries), wdo = ofQueries.Slice(2 * queries, queries), wdq = ofQueries.Slice(3 * queries, queries);
        BufferView wk = ofKeys.Slice(0, keys), wv = ofKeys.Slice(keys, keys), wdk = ofKeys.Slice(2 * keys, keys), wdv = ofKeys.Slice(3 * keys, keys);
        WidenRows(q, queryRows, width, s.StrideQ, wq);
        WidenRows(o, queryRows, width, s.StrideO, wo);
        WidenRows(dOut, queryRows, width, s.StrideO, wdo);
        WidenRows(k, keyRows, width, s.StrideK, wk);
        WidenRows(v, keyRows, width, s.StrideV, wv);
        AttentionBackward(wq, wk, wv, wo, lse, wdo, AttentionShapes.Compact(s), wdq, wdk, wdv);
        NarrowRows(wdq, queryRows, width, s.StrideQ, dq);
        NarrowRows(wdk, keyRows, width, s.StrideK, dk);
        NarrowRows(wdv, keyRows, width, s.StrideV, dv);
    }

    /// <summary>Rows of bfloat16 elements with gaps between them to float32 rows without.</summary>
    private void WidenRows(BufferView source, long rows, int width, int stride, BufferView compact)
    {
        ushort* from = (ushort*)Pointer(source);
        uint* to = (uint*)Pointer(compact);
        _rows.Run(rows, RowGrain(MemoryGrain, width), (start, end) =>
        {
            for (long row = start; row < end; row++) { Widen(from + row * stride, to + row * width, width); }
        });
    }

    /// <summary>The way back; what lies between the rows stays.</summary>
    private void NarrowRows(BufferView compact, long rows, int width, int stride, BufferView destination)
    {
        uint* from = (uint*)Pointer(compact);
        ushort* to = (ushort*)Pointer(destination);
        _rows.Run(rows, RowGrain(MemoryGrain, width), (start, end) =>
        {
            for (long row = start; row < end; row++) { Narrow(from + row * width, to + row * stride, width); }
        });
    }
}
