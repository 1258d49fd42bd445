using I2M.Kernels;

namespace I2M.Autograd.Modules;

/// <summary>LayerNorm over the last dimension with a learned scale and shift.</summary>
public sealed class LayerNorm : Module
{
    private readonly Parameter _weight, _bias;
    private readonly float _eps;

    /// <param name="channels">Size of the last dimension.</param>
    /// <param name="eps">Added to the variance.</param>
    public LayerNorm(int channels, float eps = 1e-6f)
    {
        _weight = AddParameter("weight", [channels], Initializers.Ones, decay: false);
        _bias = AddParameter("bias", [channels], Initializers.Zeros, decay: false);
        _eps = eps;
    }

    /// <summary>[…, channels], float32 → the same shape in the type that is asked for.</summary>
    public Tensor Forward(Tensor x, ElementType result = ElementType.Float32) => x.LayerNorm(_weight.Value, _bias.Value, _eps, result);
}
