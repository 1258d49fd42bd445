using I2M.Kernels;

namespace I2M.Autograd.Modules;

/// <summary>A trainable array of a module. Its memory lies in a <see cref="ParameterArena"/>, which makes it usable.</summary>
public sealed class Parameter
{
    /// <summary>With fewer rows than this, products read the weight itself.</summary>
    private const int PackFromRows = 32;

    private readonly Dictionary<(int Row, int Rows), PackedMatrix> _packed = [];
    private Tensor? _value, _copy;
    private bool _mayPack;

    /// <summary>Sizes, outermost first.</summary>
    public int[] Shape { get; }

    /// <summary>Number of elements.</summary>
    public int Length { get; }

    /// <summary>The stack that this parameter is a part of; null for most.</summary>
    internal Parameter? Stack { get; private set; }

    /// <summary>What a stack consists of, in the order of memory; empty for a parameter proper.</summary>
    internal IReadOnlyList<Parameter> Parts { get; private init; } = [];

    /// <summary>Fills the array at the start of training.</summary>
    public Initializer Initializer { get; }

    /// <summary>False for biases, norms and position embeddings, which weight decay leaves alone in the default recipe.</summary>
    public bool Decay { get; }

    /// <summary>The float32 leaf.</summary>
    public Tensor Value => _value ?? throw new InvalidOperationException("The parameter has no memory yet: build a ParameterArena over its module.");

    internal Parameter(int[] shape, Initializer initializer, bool decay)
    {
        Shape = shape;
        Initializer = initializer;
        Decay = decay;
        long length = 1;
        foreach (int size in shape) { length *= size; }
        Length = checked((int)length);
    }

    /// <summary>What products beside a factor of this type read: the values, or their bfloat16 copy, whose gradient is the values' own, in float32.</summary>
    /// <exception cref="InvalidOperationException">There is no such copy.</exception>
    public Tensor As(ElementType type) => type == ElementType.Float32
        ? Value
        : _copy ?? throw new InvalidOperationException($"The parameter has no copy in {type}: its ParameterArena is not of Precision.BFloat16.");

    /// <summary>
    /// The parts one after another along their first dimension, as one array: the arena gives them memory without gaps, and the stack reads all of it. The parts
    /// keep their names, their initial values and their places in checkpoints.
    /// </summary>
    /// <exception cref="ArgumentException">The parts differ in another dimension or in weight decay, or one is in a stack already.</exception>
    internal static Parameter StackOf(IReadOnlyList<Parameter> parts)
    {
        Parameter first = parts[0];
        if (parts.Any(p => !p.Shape.AsSpan(1).SequenceEqual(first.Shape.AsSpan(1)) || p.Decay != first.Decay || p.Stack is not null))
        {
            throw new ArgumentException("A stack's parameters have equal rows and equal weight decay, and are in no other stack.", nameof(parts));
        }
        var stack = new Parameter([parts.Sum(p => p.Shape[0]), .. first.Shape.AsSpan(1)], first.Initializer, first.Decay) { Parts = parts };
        foreach (Parameter part in parts) { part.Stack = stack; }
        return stack;
    }

    internal void Bind(Tensor value, Tensor? copy)
    {
        DropPacked();
        // An optimiser changes a leaf's values under the copies.
        _mayPack &= !value.IsLeaf;
        (_value, _copy) = (value, copy);
    }

    /// <summary>From now on, <see cref="Packed"/> makes packed copies where they are wanted.</summary>
    internal void AllowPacking() => _mayPack = true;

    /// <summary>
    /// Rows [row, row + rows) of a weight [out, in], packed as the right factor of x · weightᵀ, made at the first call; null while gradients are on,
    /// where packing was not allowed, for an x of few rows and for one in bfloat16.
    /// </summary>
    internal PackedMatrix? Packed(int row, int rows, Tensor x)
    {
        if (!_mayPack || GradMode.IsEnabled || x.Rows < PackFromRows || x.Type != ElementType.Float32) { return null; }
        if (!_packed.TryGetValue((row, rows), out PackedMatrix? packed))
        {
            int inputs = Length / Shape[0];
            packed = Value.Backend.Pack(Value.View.Slice((long)row * inputs, (long)rows * inputs), new GemmShape(GemmLayout.NT, 0, rows, inputs));
            _packed.Add((row, rows), packed);
        }
        return packed;
    }

    /// <summary>Gives packed copies back, a stack's too: the values change.</summary>
    internal void DropPacked()
    {
        Stack?.DropPacked();
        foreach (PackedMatrix packed in _packed.Values) { packed.Dispose(); }
        _packed.Clear();
    }
}
