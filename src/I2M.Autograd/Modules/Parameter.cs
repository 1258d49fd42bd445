using I2M.Kernels;

namespace I2M.Autograd.Modules;

/// <summary>A trainable array of a module. Its memory lies in a <see cref="ParameterArena"/>, which makes it usable.</summary>
public sealed class Parameter
{
    /// <summary>With fewer rows than this, products read the weight itself.</summary>
    private const int PackFromRows = 32;

    private readonly Dictionary<(int Row, int Rows), PackedMatrix> _packed = [];
    private Tensor? _value;
    private bool _mayPack;

    /// <summary>Sizes, outermost first.</summary>
    public int[] Shape { get; }

    /// <summary>Number of elements.</summary>
    public int Length { get; }

    /// <summary>Fills the array at the start of training.</summary>
    public Initializer Initializer { get; }

    /// <summary>False for biases, norms and position embeddings, which weight decay leaves alone in the default recipe.</summary>
    public bool Decay { get; }

    /// <summary>The leaf that operations read.</summary>
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

    internal void Bind(Tensor value)
    {
        DropPacked();
        // An optimiser changes a leaf's values under the copies.
        _mayPack &= !value.IsLeaf;
        _value = value;
    }

    /// <summary>From now on, <see cref="Packed"/> makes packed copies where they are wanted.</summary>
    internal void AllowPacking() => _mayPack = true;

    /// <summary>
    /// Rows [row, row + rows) of a weight [out, in], packed as the right factor of x · weightᵀ, made at the first call; null while gradients are on,
    /// where packing was not allowed, and for an x of few rows.
    /// </summary>
    internal PackedMatrix? Packed(int row, int rows, int rowsOfX)
    {
        if (!_mayPack || GradMode.IsEnabled || rowsOfX < PackFromRows) { return null; }
        if (!_packed.TryGetValue((row, rows), out PackedMatrix? packed))
        {
            int inputs = Length / Shape[0];
            packed = Value.Backend.Pack(Value.View.Slice((long)row * inputs, (long)rows * inputs), new GemmShape(GemmLayout.NT, 0, rows, inputs));
            _packed.Add((row, rows), packed);
        }
        return packed;
    }

    /// <summary>Gives packed copies back: the values change.</summary>
    internal void DropPacked()
    {
        foreach (PackedMatrix packed in _packed.Values) { packed.Dispose(); }
        _packed.Clear();
    }
}
