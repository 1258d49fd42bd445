using I2M.Kernels;

namespace I2M.Autograd.Modules;

/// <summary>Linear → GELU → Linear, named 0 and 2 as in torch.nn.Sequential (1 is the activation).</summary>
public sealed class Mlp : Module
{
    private readonly Linear _expand, _contract;
    private readonly GemmActivation _form;

    /// <param name="channels">Width in and out.</param>
    /// <param name="hidden">Width between.</param>
    /// <param name="tanh">GELU's tanh form instead of the exact one.</param>
    /// <param name="weight">Initialiser of both weights.</param>
    /// <param name="bias">Initialiser of a bias, given the layer's fan-in.</param>
    public Mlp(int channels, int hidden, bool tanh, Initializer weight, Func<int, Initializer> bias)
    {
        _expand = AddModule("0", new Linear(channels, hidden, weight, bias(channels)));
        _contract = AddModule("2", new Linear(hidden, channels, weight, bias(hidden)));
        _form = tanh ? GemmActivation.GeluTanh : GemmActivation.GeluErf;
    }

    /// <summary>[…, channels] → the same shape, plus the residual where there is one.</summary>
    public Tensor Forward(Tensor x, Tensor? residual = null) => Linear.GeluPair(_expand, x, _contract, _form, residual);
}
