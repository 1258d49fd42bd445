namespace I2M.Kernels;

/// <summary>Attention between bfloat16 views by the float32 operation of a backend: inputs widened into scratch memory, results narrowed out of it.</summary>
internal static class BFloat16Attention
{
    /// <summary>Whether the operands are bfloat16.</summary>
    /// <exception cref="ArgumentException">Some are and some are not, lse is not float32, or a bfloat16 view is too short for its rows.</exception>
    public static bool Is(in AttentionShape s, BufferView lse, ReadOnlySpan<BufferView> queries, ReadOnlySpan<BufferView> outputs, ReadOnlySpan<BufferView> keys, ReadOnlySpan<BufferView> values)
    {
        ElementType type = queries[0].Type;
        if (lse.Type != ElementType.Float32) { throw new ArgumentException($"lse holds {lse.Type}, Float32 expected.", nameof(lse)); }
        Check(queries, Queries(s, s.StrideQ), type);
        Check(outputs, Queries(s, s.StrideO), type);
        Check(keys, Keys(s, s.StrideK), type);
        Check(values, Keys(s, s.StrideV), type);
        return type == ElementType.BFloat16;
    }

    /// <summary><see cref="IBackend.Attention"/> in float32.</summary>
    public static void Forward(IBackend backend, BufferView q, BufferView k, BufferView v, in AttentionShape s, BufferView o, BufferView lse)
    {
        using var scope = new BufferScope(backend.Pool);
        BufferView wq = Widened(backend, scope.Rent(Queries(s, s.StrideQ).Extent), q, Queries(s, s.StrideQ));
        BufferView wk = Widened(backend, scope.Rent(Keys(s, s.StrideK).Extent), k, Keys(s, s.StrideK));
        BufferView wv = Widened(backend, scope.Rent(Keys(s, s.StrideV).Extent), v, Keys(s, s.StrideV));
        BufferView wo = scope.Rent(Queries(s, s.StrideO).Extent);
        backend.Attention(wq, wk, wv, s, wo, lse);
        backend.ConvertRows(wo, Queries(s, s.StrideO), o);
    }

    /// <summary><see cref="IBackend.AttentionBackward"/> in float32.</summary>
    public static void Backward(IBackend backend, BufferView q, BufferView k, BufferView v, BufferView o, BufferView lse, BufferView dOut, in AttentionShape s,
        BufferView dq, BufferView dk, BufferView dv)
    {
        RowBlock ofQ = Queries(s, s.StrideQ), ofO = Queries(s, s.StrideO), ofK = Keys(s, s.StrideK), ofV = Keys(s, s.StrideV);
        using var inputs = new BufferScope(backend.Pool);
        using var others = new BufferScope(backend.Pool);
        BufferView wq = Widened(backend, inputs.Rent(ofQ.Extent), q, ofQ), wk = Widened(backend, inputs.Rent(ofK.Extent), k, ofK);
        BufferView wv = Widened(backend, inputs.Rent(ofV.Extent), v, ofV), wo = Widened(backend, inputs.Rent(ofO.Extent), o, ofO);
        BufferView wdo = Widened(backend, others.Rent(ofO.Extent), dOut, ofO);
        BufferView wdq = others.Rent(ofQ.Extent), wdk = others.Rent(ofK.Extent), wdv = others.Rent(ofV.Extent);
        backend.AttentionBackward(wq, wk, wv, wo, lse, wdo, s, wdq, wdk, wdv);
        backend.ConvertRows(wdq, ofQ, dq);
        backend.ConvertRows(wdk, ofK, dk);
        backend.ConvertRows(wdv, ofV, dv);
    }

    private static RowBlock Queries(in AttentionShape s, int stride) => new(1, 0, (long)s.Batch * s.Queries, stride, (long)s.Heads * s.HeadDim);

    private static RowBlock Keys(in AttentionShape s, int stride) => new(1, 0, (long)s.Batch * s.Keys, stride, (long)s.Heads * s.HeadDim);

    private static BufferView Widened(IBackend backend, BufferView scratch, BufferView source, in RowBlock rows)
    {
        backend.ConvertRows(source, rows, scratch);
        return scratch;
    }

    private static void Check(ReadOnlySpan<BufferView> views, in RowBlock rows, ElementType type)
    {
        foreach (BufferView view in views)
        {
            if (view.Type != type) { throw new ArgumentException($"Attention between {type} and {view.Type}: all of q, k, v, o and their gradients have one type."); }
            long needed = type.Words(rows.Extent);
            if (type == ElementType.BFloat16 && view.Length < needed)
            {
                throw new ArgumentException($"A view of {view.Length} words; {rows.Rows} rows of {rows.Width} elements at stride {rows.Leading} need {needed}.");
            }
        }
    }
}
