namespace I2M.Kernels;

/// <summary>
/// float32 stand-ins in scratch memory for the bfloat16 operands of an operation whose kernels know float32 alone, as those for processors do; float32 operands
/// stand for themselves. Stand-ins keep the operands' layout, so that shapes stay as they are. At most eight operands of an operation may be bfloat16.
/// </summary>
/// <param name="backend">Converts and has the memory.</param>
internal ref struct WideOperands(IBackend backend)
{
    private const int ScopeBuffers = 4;

    private BufferScope _first = new(backend.Pool), _second = new(backend.Pool);
    private int _rented;

    /// <summary>An input in float32; None stays None.</summary>
    public BufferView Read(BufferView view, in RowBlock block)
    {
        BufferView wide = Write(view, block);
        if (IsNarrow(view)) { backend.ConvertRows(view, block, wide); }
        return wide;
    }

    /// <summary>An input of elements without gaps.</summary>
    public BufferView Read(BufferView view, long elements)
    {
        BufferView wide = Write(view, elements);
        if (IsNarrow(view)) { backend.Convert(view, elements, wide); }
        return wide;
    }

    /// <summary>Memory for an output, which <see cref="Narrow(BufferView, in RowBlock, BufferView)"/> then takes to its place.</summary>
    public BufferView Write(BufferView view, in RowBlock block) => Write(view, block.Extent);

    /// <summary>Memory for an output of elements without gaps.</summary>
    public BufferView Write(BufferView view, long elements) =>
        !IsNarrow(view) ? view : _rented++ < ScopeBuffers ? _first.Rent(elements) : _second.Rent(elements);

    /// <summary>Rounds what <see cref="Write(BufferView, in RowBlock)"/> gave into the output.</summary>
    public readonly void Narrow(BufferView wide, in RowBlock block, BufferView view)
    {
        if (IsNarrow(view)) { backend.ConvertRows(wide, block, view); }
    }

    /// <summary>Rounds elements without gaps.</summary>
    public readonly void Narrow(BufferView wide, long elements, BufferView view)
    {
        if (IsNarrow(view)) { backend.Convert(wide, elements, view); }
    }

    /// <summary>Returns the memory.</summary>
    public readonly void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
    }

    private static bool IsNarrow(BufferView view) => !view.IsNone && view.Type == ElementType.BFloat16;
}
