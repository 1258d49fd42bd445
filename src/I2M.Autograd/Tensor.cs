using I2M.Kernels;

namespace I2M.Autograd;

/// <summary>
/// A dense float32 array on a backend, row-major, with the graph node that made it. Belongs to the <see cref="TensorScope"/> that was
/// open when it was made; <see cref="Dispose"/> gives its memory back earlier.
/// </summary>
public sealed class Tensor : IDisposable
{
    private Storage? _storage;
    private readonly int[] _shape;
    private readonly long _offset;

    /// <summary>The backend that holds the data.</summary>
    public IBackend Backend { get; }

    /// <summary>Sizes, outermost first; empty for a scalar.</summary>
    public ReadOnlySpan<int> Shape => _shape;

    /// <summary>Number of elements.</summary>
    public long Length { get; }

    /// <summary>Size of the last dimension (1 for a scalar).</summary>
    public int Columns => _shape.Length == 0 ? 1 : _shape[^1];

    /// <summary>Product of all dimensions but the last.</summary>
    public int Rows => checked((int)(Length / Columns));

    /// <summary>True for a leaf whose gradient is wanted and for everything computed from one.</summary>
    public bool RequiresGrad => Node is not null || IsLeaf;

    /// <summary>The gradient of a leaf after a backward pass; None before.</summary>
    public BufferView Gradient { get; internal set; }

    /// <summary>The data.</summary>
    public BufferView View => Storage.View.Slice(_offset, Length);

    internal bool IsLeaf { get; private init; }

    /// <summary>Set where the gradient lives in memory that is zeroed by its owner, so that every contribution adds.</summary>
    internal bool GradientIsOwned { get; init; }

    internal GradNode? Node { get; private set; }

    internal Storage Storage => _storage ?? throw new ObjectDisposedException(nameof(Tensor), $"The tensor [{string.Join(", ", _shape)}] was disposed.");

    private Tensor(IBackend backend, Storage storage, int[] shape, long offset = 0)
    {
        _offset = offset;
        Backend = backend;
        _storage = storage;
        _shape = shape;
        Length = Count(shape);
        if (storage.IsOwned) { TensorScope.Current?.Add(this); }
    }

    /// <summary>A new tensor with undefined contents.</summary>
    public static Tensor Empty(IBackend backend, params int[] shape) => new(backend, Storage.Rent(backend, Count(shape)), shape);

    /// <summary>A new tensor with every element <paramref name="value"/>.</summary>
    public static Tensor Full(IBackend backend, float value, params int[] shape)
    {
        Tensor tensor = Empty(backend, shape);
        backend.Fill(tensor.View, value);
        return tensor;
    }

    /// <summary>A copy of host data.</summary>
    /// <exception cref="ArgumentException">The data does not fill the shape.</exception>
    public static Tensor From(IBackend backend, ReadOnlySpan<float> data, params int[] shape)
    {
        if (data.Length != Count(shape)) { throw new ArgumentException($"{data.Length} values do not fill [{string.Join(", ", shape)}]."); }
        Tensor tensor = Empty(backend, shape);
        backend.CopyFromHost(data, tensor.View);
        return tensor;
    }

    /// <summary>A copy of host data that belongs to no scope: its owner disposes it.</summary>
    public static Tensor Persistent(IBackend backend, ReadOnlySpan<float> data, params int[] shape)
    {
        Tensor tensor = From(backend, data, shape);
        TensorScope.Current?.Disown(tensor);
        return tensor;
    }

    /// <summary>32-bit indices, for embeddings and class labels.</summary>
    public static Tensor Indices(IBackend backend, ReadOnlySpan<int> data)
    {
        Tensor tensor = Empty(backend, data.Length);
        backend.CopyFromHost(data, tensor.View);
        return tensor;
    }

    /// <summary>A tensor over memory that the caller owns and keeps alive.</summary>
    public static Tensor Over(IBackend backend, BufferView view, params int[] shape) => new(backend, Storage.Borrow(view.Slice(0, Count(shape))), shape);

    /// <summary>A leaf over the caller's memory whose gradient adds up in <paramref name="gradient"/>, which the caller zeroes.</summary>
    public static Tensor Leaf(IBackend backend, BufferView view, BufferView gradient, params int[] shape) =>
        new(backend, Storage.Borrow(view), shape) { IsLeaf = true, GradientIsOwned = true, Gradient = gradient };

    /// <summary>A leaf that holds a copy of host data and wants a gradient.</summary>
    public static Tensor Variable(IBackend backend, ReadOnlySpan<float> data, params int[] shape)
    {
        if (data.Length != Count(shape)) { throw new ArgumentException($"{data.Length} values do not fill [{string.Join(", ", shape)}]."); }
        var tensor = new Tensor(backend, Storage.Rent(backend, data.Length), shape) { IsLeaf = true };
        backend.CopyFromHost(data, tensor.View);
        return tensor;
    }

    /// <summary>Copies the data to the host; waits for queued work.</summary>
    public float[] ToArray()
    {
        var data = new float[Length];
        Backend.CopyToHost(View, data);
        return data;
    }

    /// <summary>The value of a one-element tensor; waits for queued work.</summary>
    public float ToScalar() => Length == 1 ? ToArray()[0] : throw new InvalidOperationException($"The tensor [{string.Join(", ", _shape)}] is not a scalar.");

    /// <summary>The gradient as host data; waits for queued work.</summary>
    public float[] GradientToArray()
    {
        if (Gradient.IsNone) { throw new InvalidOperationException("There is no gradient: run a backward pass first."); }
        var data = new float[Length];
        Backend.CopyToHost(Gradient, data);
        return data;
    }

    /// <summary>Adds d(this)/d(leaf) to every leaf's gradient. The tensor has one element, or <paramref name="gradient"/> is its gradient.</summary>
    public void Backward(Tensor? gradient = null) => BackwardEngine.Run(this, gradient);

    /// <summary>Lets go of the memory; nodes that saved it keep it until their backward.</summary>
    public void Dispose()
    {
        if (_storage is null) { return; }
        _storage.Release();
        _storage = null;
        if (IsLeaf && !GradientIsOwned && !Gradient.IsNone)
        {
            Backend.Pool.Return(Gradient);
            Gradient = default;
        }
    }

    /// <summary>A tensor over the same memory with another shape and no node.</summary>
    internal Tensor Alias(params int[] shape)
    {
        if (Count(shape) != Length) { throw new ArgumentException($"[{string.Join(", ", _shape)}] cannot be seen as [{string.Join(", ", shape)}]."); }
        return new Tensor(Backend, Storage.Retain(), shape, _offset);
    }

    /// <summary>A tensor over a part of the same memory, with no node.</summary>
    internal Tensor AliasPart(long offset, params int[] shape) => new(Backend, Storage.Retain(), shape, _offset + offset);

    /// <summary>A new tensor of the same shape with undefined contents.</summary>
    internal Tensor EmptyLike() => Empty(Backend, _shape);

    /// <summary>Makes <paramref name="node"/> this tensor's origin.</summary>
    internal Tensor Attach(GradNode node)
    {
        Node = node;
        return this;
    }

    private static long Count(ReadOnlySpan<int> shape)
    {
        long count = 1;
        foreach (int size in shape) { count = checked(count * size); }
        return count;
    }
}
