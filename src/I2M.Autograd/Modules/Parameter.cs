using I2M.Kernels;

namespace I2M.Autograd.Modules;

/// <summary>A trainable array of a module. Its memory lies in a <see cref="ParameterArena"/>, which makes it usable.</summary>
public sealed class Parameter
{
    private Tensor? _value;

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

    internal void Bind(Tensor value) => _value = value;
}
