namespace I2M.Autograd;

/// <summary>
/// The lifetime of temporaries: tensors and graph nodes made while a scope is open are released at its end. One scope encloses a training
/// step; inference opens one per block and keeps only its result. Scopes nest per thread.
/// </summary>
public sealed class TensorScope : IDisposable
{
    [ThreadStatic] private static TensorScope? s_current;
    private readonly TensorScope? _outer;
    private readonly List<Tensor> _tensors = [];
    private readonly List<GradNode> _nodes = [];

    /// <summary>Opens a scope inside the current one.</summary>
    public TensorScope()
    {
        _outer = s_current;
        s_current = this;
    }

    internal static TensorScope? Current => s_current;

    /// <summary>Hands a tensor over to the enclosing scope (or to the caller, when there is none).</summary>
    public Tensor Keep(Tensor tensor)
    {
        if (!_tensors.Remove(tensor)) { throw new InvalidOperationException("The tensor does not belong to this scope."); }
        _outer?.Add(tensor);
        return tensor;
    }

    /// <summary>Releases everything that was not kept. Scopes end in the reverse of the order in which they were opened.</summary>
    public void Dispose()
    {
        if (s_current != this) { throw new InvalidOperationException("Scopes end in the reverse order of their beginning."); }
        s_current = _outer;
        foreach (GradNode node in _nodes) { node.Release(); }
        foreach (Tensor tensor in _tensors) { tensor.Dispose(); }
    }

    internal void Disown(Tensor tensor) => _tensors.Remove(tensor);

    internal void Add(Tensor tensor) => _tensors.Add(tensor);

    internal void Add(GradNode node) => _nodes.Add(node);
}
