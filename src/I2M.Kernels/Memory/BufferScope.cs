namespace I2M.Kernels;

/// <summary>Scratch memory of one operation: everything rented through it goes back to the pool at the end of the <c>using</c>.</summary>
public ref struct BufferScope
{
    private readonly BufferPool _pool;
    private BufferView _first, _second, _third, _fourth;

    /// <param name="pool">Where the memory comes from and goes to.</param>
    public BufferScope(BufferPool pool) => _pool = pool;

    /// <summary>Rents scratch memory of <paramref name="length"/> words (at most four times a scope).</summary>
    public BufferView Rent(long length)
    {
        BufferView view = _pool.Rent(length);
        if (_first.IsNone) { _first = view; }
        else if (_second.IsNone) { _second = view; }
        else if (_third.IsNone) { _third = view; }
        else if (_fourth.IsNone) { _fourth = view; }
        else
        {
            _pool.Return(view);
            throw new InvalidOperationException("A scratch scope holds at most four buffers.");
        }
        return view;
    }

    /// <summary>Returns all scratch memory.</summary>
    public readonly void Dispose()
    {
        if (!_first.IsNone) { _pool.Return(_first); }
        if (!_second.IsNone) { _pool.Return(_second); }
        if (!_third.IsNone) { _pool.Return(_third); }
        if (!_fourth.IsNone) { _pool.Return(_fourth); }
    }
}
