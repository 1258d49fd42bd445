using I2M.Kernels;

namespace I2M.Autograd;

/// <summary>
/// Device memory with a count of its holders: tensors, and graph nodes that saved it for their backward. The last one to let go returns it
/// to the pool at once; nothing waits for the garbage collector.
/// </summary>
internal sealed class Storage
{
    private readonly BufferPool? _owner;
    private int _holders = 1;

    public BufferView View { get; }

    /// <summary>False for borrowed memory, whose lifetime is its owner's business and no scope's.</summary>
    public bool IsOwned => _owner is not null;

    private Storage(BufferPool? owner, BufferView view)
    {
        _owner = owner;
        View = view;
    }

    /// <summary>Fresh memory for so many elements from the backend's pool.</summary>
    public static Storage Rent(IBackend backend, long length, ElementType type) => new(backend.Pool, backend.Pool.Rent(type.Words(length)).As(type));

    /// <summary>Memory that somebody else owns, such as a parameter's place in the arena.</summary>
    public static Storage Borrow(BufferView view) => new(null, view);

    public Storage Retain()
    {
        _holders++;
        return this;
    }

    public void Release()
    {
        if (--_holders == 0) { _owner?.Return(View); }
        if (_holders < 0) { throw new InvalidOperationException("A tensor's memory was released twice."); }
    }
}
