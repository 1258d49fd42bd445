namespace I2M.Kernels;

/// <summary>
/// float32 stand-ins in scratch memory for the bfloat16 operands of an operation whose kernels know float32 alone; float32 operands stand for
/// themselves. At most four operands of an operation may be bfloat16.
/// </summary>
/// <param name="backend">Converts and has the memory.</param>
internal ref struct WideOperands(IBackend backend)
{
    private BufferScope _scope = new(backend.Pool);

    /// <summary>An input of so many elements in float32.</summary>
    public BufferView Read(BufferView view, long elements)
    {
        if (view.Type != ElementType.BFloat16) { return view; }
        BufferView wide = _scope.Rent(elements);
        backend.Convert(view, elements, wide);
        return wide;
    }

    /// <summary>Memory for an output of so many elements, which <see cref="Narrow"/> then takes to its place.</summary>
    public BufferView Write(BufferView view, long elements) => view.Type == ElementType.BFloat16 ? _scope.Rent(elements) : view;

    /// <summary>Rounds what <see cref="Write"/> gave into the output.</summary>
    public readonly void Narrow(BufferView wide, long elements, BufferView view)
    {
        if (view.Type == ElementType.BFloat16) { backend.Convert(wide, elements, view); }
    }

    /// <summary>Returns the memory.</summary>
    public readonly void Dispose() => _scope.Dispose();
}
