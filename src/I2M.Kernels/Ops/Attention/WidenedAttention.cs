namespace I2M.Kernels;

/// <summary>Attention between bfloat16 views: the checks of its operands, and the operation on backends whose kernels know float32 alone.</summary>
internal static class WidenedAttention
{
    /// <summary>Whether the operands are bfloat16.</summary>
    /// <exception cref="ArgumentException">Some are and some are not, lse is not float32, or a bfloat16 view is too short for its rows.</exception>
    public static bool IsNarrow(in AttentionShape s, BufferView lse, ReadOnlySpan<BufferView> queries, ReadOnlySpan<BufferView> outputs, ReadOnlySpan<BufferView> keys, ReadOnlySpan<BufferView> values)
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
        RowBlock ofO = Queries(s, s.StrideO);
        using var wide = new WideOperands(backend);
        BufferView wideO = wide.Write(o, ofO);
        backend.Attention(wide.Read(q, Queries(s, s.StrideQ)), wide.Read(k, Keys(s, s.StrideK)), wide.Read(v, Keys(s, s.StrideV)), s, wideO, lse);
        wide.Narrow(wideO, ofO, o);
    }

    /// <summary><see cref="IBackend.AttentionBackward"/> in float32.</summary>
    public static void Backward(IBackend backend, BufferView q, BufferView k, BufferView v, BufferView o, BufferView lse, BufferView dOut, in AttentionShape s,
        BufferView dq, BufferView dk, BufferView dv)
    {
        RowBlock ofQ = Queries(s, s.StrideQ), ofO = Queries(s, s.StrideO), ofK = Keys(s, s.StrideK), ofV = Keys(s, s.StrideV);
        using var wide = new WideOperands(backend);
        BufferView wideDq = wide.Write(dq, ofQ), wideDk = wide.Write(dk, ofK), wideDv = wide.Write(dv, ofV);
        backend.AttentionBackward(wide.Read(q, ofQ), wide.Read(k, ofK), wide.Read(v, ofV), wide.Read(o, ofO), lse, wide.Read(dOut, ofO), s, wideDq, wideDk, wideDv);
        wide.Narrow(wideDq, ofQ, dq);
        wide.Narrow(wideDk, ofK, dk);
        wide.Narrow(wideDv, ofV, dv);
    }

    private static RowBlock Queries(in AttentionShape s, int stride) => new(1, 0, (long)s.Batch * s.Queries, stride, (long)s.Heads * s.HeadDim);

    private static RowBlock Keys(in AttentionShape s, int stride) => new(1, 0, (long)s.Batch * s.Keys, stride, (long)s.Heads * s.HeadDim);

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
