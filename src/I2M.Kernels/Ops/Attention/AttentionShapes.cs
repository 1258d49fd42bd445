namespace I2M.Kernels;

/// <summary>What the backends share about attention between bfloat16 views, which they do in float32 where they have nothing better.</summary>
internal static class AttentionShapes
{
    /// <summary>The same attention over rows without gaps.</summary>
    public static AttentionShape Compact(in AttentionShape s) => new(s.Batch, s.Heads, s.Queries, s.Keys, s.HeadDim, s.Scale);

    /// <summary>True when the operands are bfloat16.</summary>
    /// <exception cref="ArgumentException">Some are and some are not, lse is not float32, or a view is too short for its rows.</exception>
    public static bool AreBFloat16(in AttentionShape s, BufferView lse, ReadOnlySpan<BufferView> queries, ReadOnlySpan<BufferView> outputs, ReadOnlySpan<BufferView> keys, ReadOnlySpan<BufferView> values)
    {
        ElementType type = queries[0].Type;
        if (lse.Type != ElementType.Float32) { throw new ArgumentException($"lse holds {lse.Type}, Float32 expected.", nameof(lse)); }
        long width = (long)s.Heads * s.HeadDim, queryRows = (long)s.Batch * s.Queries, keyRows = (long)s.Batch * s.Keys;
        Check(queries, queryRows, s.StrideQ);
        Check(outputs, queryRows, s.StrideO);
        Check(keys, keyRows, s.StrideK);
        Check(values, keyRows, s.StrideV);
        return type == ElementType.BFloat16;

        void Check(ReadOnlySpan<BufferView> views, long rows, int stride)
        {
            foreach (BufferView view in views)
            {
                if (view.Type != type) { throw new ArgumentException($"Attention between {type} and {view.Type}: all of q, k, v, o and their gradients have one type."); }
                long needed = type.Words((rows - 1) * stride + width);
                if (type == ElementType.BFloat16 && rows > 0 && view.Length < needed)
                {
                    throw new ArgumentException($"A view of {view.Length} words; {rows} rows of {width} elements at stride {stride} need {needed}.");
                }
            }
        }
    }
}
