namespace I2M.Autograd.Modules;

/// <summary>y = x·weightᵀ + bias over the last dimension; weight [out, in].</summary>
public sealed class Linear : Module
{
    private readonly Parameter _weight, _bias;

    /// <param name="inputs">Features of x.</param>
    /// <param name="outputs">Features of y.</param>
    /// <param name="weight">Initialiser of the weight.</param>
    /// <param name="bias">Initialiser of the bias; null for zeros.</param>
    public Linear(int inputs, int outputs, Initializer weight, Initializer? bias = null)
    {
        _weight = AddParameter("weight", [outputs, inputs], weight);
        _bias = AddParameter("bias", [outputs], bias ?? Initializers.Zeros, decay: false);
    }

    /// <summary>[…, in] → […, out].</summary>
    public Tensor Forward(Tensor x) => x.Linear(_weight.Value, _bias.Value);
}
