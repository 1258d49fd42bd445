using I2M.Kernels;

namespace I2M.Autograd.Modules;

/// <summary>y = x·weightᵀ + bias over the last dimension; weight [out, in].</summary>
public sealed class Linear : Module
{
    private readonly Parameter _weight, _bias;
    private readonly Linear? _first;

    /// <param name="inputs">Features of x.</param>
    /// <param name="outputs">Features of y.</param>
    /// <param name="weight">Initialiser of the weight.</param>
    /// <param name="bias">Initialiser of the bias; null for zeros.</param>
    public Linear(int inputs, int outputs, Initializer weight, Initializer? bias = null)
    {
        _weight = AddParameter("weight", [outputs, inputs], weight);
        _bias = AddParameter("bias", [outputs], bias ?? Initializers.Zeros, decay: false);
    }

    private Linear(Parameter weight, Parameter bias, Linear first) => (_weight, _bias, _first) = (weight, bias, first);

    /// <summary>
    /// One layer that gives the results of several layers of the same input side by side, [layer 0 | layer 1 | …], in one product: their weights lie one below the
    /// other in the arena. It has no parameters of its own; the layers keep theirs. Make it before the arena.
    /// </summary>
    /// <exception cref="ArgumentException">The layers' inputs differ in length, or one is stacked already.</exception>
    public static Linear Stack(IReadOnlyList<Linear> layers) => new(Parameter.StackOf([.. layers.Select(l => l._weight)]), Parameter.StackOf([.. layers.Select(l => l._bias)]), layers[0]);

    /// <summary>activation(x·weightᵀ + bias) + residual: […, in] → […, out]. x's type decides which copy of the weight is read.</summary>
    /// <param name="x">[…, in], float32, or bfloat16 in a module of <see cref="Precision.BFloat16"/>.</param>
    /// <param name="activation">GELU, or None.</param>
    /// <param name="residual">[…, out], float32, or null.</param>
    /// <param name="result">How the result is stored; null for float32 beside a residual, else x's type.</param>
    public Tensor Forward(Tensor x, GemmActivation activation = GemmActivation.None, Tensor? residual = null, ElementType? result = null) =>
        _weight.Packed(0, Outputs, x) is { } packed
            ? x.Linear(packed, Bias.View, activation, residual, Products)
            : x.Linear(WeightFor(x), Bias, activation, residual, Products, result);

    /// <summary>second(gelu(first(x))) + residual: with gradients one node, without them on packed weights where there are any.</summary>
    /// <param name="first">in → hidden</param>
    /// <param name="x">[…, in]</param>
    /// <param name="second">hidden → out</param>
    /// <param name="form">Which GELU.</param>
    /// <param name="residual">[…, out] or null.</param>
    public static Tensor GeluPair(Linear first, Tensor x, Linear second, GemmActivation form, Tensor? residual = null)
    {
        if (GradMode.IsEnabled) { return x.GeluMlp(first.WeightFor(x), first.Bias, second.WeightFor(x), second.Bias, form, residual, first.Products); }
        using Tensor hidden = first.Forward(x, form);
        return second.Forward(hidden, GemmActivation.None, residual);
    }

    private Tensor WeightFor(Tensor x) => _weight.As(x.Type);

    /// <summary>A stack is no part of the module: it computes as its layers do.</summary>
    private MatmulPrecision Products => (_first ?? this).Precision.Products();

    private Tensor Bias => _bias.Value;

    private int Outputs => _bias.Length;
}
