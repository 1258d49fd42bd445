using I2M.Kernels;

namespace I2M.Autograd;

/// <summary>
/// A dense array of float32 or bfloat16 on a backend, row-major, with the graph node that made it. Belongs to the <see cref="TensorScope"/> that was
/// open when it was made; <see cref="Dispose"/> gives its memory back earlier. Operations take float32 unless they say otherwise; a bfloat16 tensor throws
/// at any other.
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

    /// <summary>How the elements are stored.</summary>
    public ElementType Type => Storage.View.Type;

    /// <summary>How this tensor's gradient is stored: like the tensor, but float32 for a bfloat16 copy of float32 values.</summary>
    public ElementType GradientType { get; private init; }

    /// <summary>The data of a float32 tensor, for operations that take no other.</summary>
    /// <exception cref="InvalidOperationException">The tensor is bfloat16.</exception>
    public BufferView View => Type == ElementType.Float32
        ? Data
        : throw new InvalidOperationException($"The tensor [{string.Join(", ", _shape)}] holds {Type}; this operation takes Float32. As(ElementType.Float32) converts it.");

    /// <summary>The data, of either type.</summary>
    public BufferView Data => Storage.View.Slice(Words(_offset), Type.Words(Length));

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
        GradientType = storage.View.Type;
        if (storage.IsOwned) { TensorScope.Current?.Add(this); }
    }

    /// <summary>A new tensor with undefined contents.</summary>
    public static Tensor Empty(IBackend backend, params int[] shape) => Empty(backend, ElementType.Float32, shape);

    /// <summary>A new tensor of the given type with undefined contents.</summary>
    public static Tensor Empty(IBackend backend, ElementType type, params int[] shape) => new(backend, Storage.Rent(backend, Count(shape), type), shape);

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

    /// <summary>A tensor of the view's type over memory that the caller owns and keeps alive.</summary>
    public static Tensor Over(IBackend backend, BufferView view, params int[] shape) => new(backend, Storage.Borrow(view.Slice(0, view.Type.Words(Count(shape)))), shape);

    /// <summary>A leaf over the caller's memory whose gradient, of any type, adds up in <paramref name="gradient"/>, which the caller zeroes.</summary>
    public static Tensor Leaf(IBackend backend, BufferView view, BufferView gradient, params int[] shape) => Leaf(backend, view, gradient, gradient.Type, shape);

    /// <summary>The same where the gradient may be None as yet.</summary>
    internal static Tensor Leaf(IBackend backend, BufferView view, BufferView gradient, ElementType gradientType, params int[] shape) =>
        new(backend, Storage.Borrow(view), shape) { IsLeaf = true, GradientIsOwned = true, Gradient = gradient, GradientType = gradientType };

    /// <summary>A leaf that holds a copy of host data and wants a gradient.</summary>
    public static Tensor Variable(IBackend backend, ReadOnlySpan<float> data, params int[] shape)
    {
        if (data.Length != Count(shape)) { throw new ArgumentException($"{data.Length} values do not fill [{string.Join(", ", shape)}]."); }
        var tensor = new Tensor(backend, Storage.Rent(backend, data.Length, ElementType.Float32), shape) { IsLeaf = true };
        backend.CopyFromHost(data, tensor.View);
        return tensor;
    }

    /// <summary>Copies the data to the host as float32; waits for queued work.</summary>
    public float[] ToArray() => ToHost(Data);

    /// <summary>The value of a one-element tensor; waits for queued work.</summary>
    public float ToScalar() => Length == 1 ? ToArray()[0] : throw new InvalidOperationException($"The tensor [{string.Join(", ", _shape)}] is not a scalar.");

    /// <summary>The gradient as host data; waits for queued work.</summary>
    public float[] GradientToArray()
    {
        if (Gradient.IsNone) { throw new InvalidOperationException("There is no gradient: run a backward pass first."); }
        return ToHost(Gradient);
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
        return new Tensor(Backend, Storage.Retain(), shape, _offset) { GradientType = GradientType };
    }

    /// <summary>A tensor over a part of the same memory, with no node.</summary>
    internal Tensor AliasPart(long offset, params int[] shape) => new(Backend, Storage.Retain(), shape, _offset + offset) { GradientType = GradientType };

    /// <summary>A new tensor of the same shape and type with undefined contents.</summary>
    internal Tensor EmptyLike() => Empty(Backend, Type, _shape);

    /// <summary>A new tensor of the same shape with undefined contents, in another type and with another type of gradient.</summary>
    internal Tensor EmptyLike(ElementType type, ElementType gradientType) => new(Backend, Storage.Rent(Backend, Length, type), _shape) { GradientType = gradientType };

    /// <summary>Makes <paramref name="node"/> this tensor's origin.</summary>
    internal Tensor Attach(GradNode node)
    {
        Node = node;
        return this;
    }

    private float[] ToHost(BufferView view)
    {
        var data = new float[Length];
        using var scratch = new BufferScope(Backend.Pool);
        BufferView wide = view.Type == ElementType.Float32 ? view : scratch.Rent(Length);
        if (view.Type != ElementType.Float32) { Backend.Convert(view, Length, wide); }
        Backend.CopyToHost(wide, data);
        return data;
    }

    /// <summary>Where an element begins, counted in words.</summary>
    private long Words(long element) => Type == ElementType.Float32 || element % 2 == 0
        ? Type.Words(element)
        : throw new InvalidOperationException($"A part of [{string.Join(", ", _shape)}] in BFloat16 begins at element {element}, within a word: it has to be an even one.");

    private static long Count(ReadOnlySpan<int> shape)
    {
        long count = 1;
        foreach (int size in shape) { count = checked(count * size); }
        return count;
    }
}
