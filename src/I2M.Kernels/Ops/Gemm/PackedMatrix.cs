namespace I2M.Kernels;

/// <summary>A right factor as a backend multiplies it fastest, from <see cref="IBackend.Pack"/>. Holds pool memory until it is disposed; the view that it was made of stays in use.</summary>
public sealed class PackedMatrix : IDisposable
{
    private readonly BufferPool _pool;
    private readonly BufferView _panels;
    private bool _disposed;

    /// <summary>The view that was packed.</summary>
    public BufferView Source { get; }

    /// <summary>Its sizes and layout; M is 0.</summary>
    public GemmShape Shape { get; }

    /// <summary>Bytes of the copy; 0 where there is none.</summary>
    public long Bytes => _panels.IsNone ? 0 : _panels.Length * sizeof(float);

    internal PackedMatrix(BufferPool pool, BufferView source, in GemmShape shape, BufferView panels) =>
        (_pool, Source, Shape, _panels) = (pool, source, shape, panels);

    /// <summary>The panels, after checking that <paramref name="shape"/> multiplies this matrix.</summary>
    internal BufferView PanelsFor(in GemmShape shape)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        bool same = (shape.N, shape.K, shape.TransposeB, shape.LeadingB) == (Shape.N, Shape.K, Shape.TransposeB, Shape.LeadingB);
        if (!same || (shape.Batch > 1 && shape.StrideB != 0)) { throw new ArgumentException($"b was packed as {Shape}; the product is {shape}.", nameof(shape)); }
        return _panels;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed) { return; }
        _disposed = true;
        if (!_panels.IsNone) { _pool.Return(_panels); }
    }
}
