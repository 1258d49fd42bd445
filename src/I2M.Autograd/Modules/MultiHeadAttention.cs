namespace I2M.Autograd.Modules;

/// <summary>
/// Multi-head attention with the parameter layout of torch.nn.MultiheadAttention: in_proj_weight [3·channels, channels] holds q, k, v in this
/// order. Cross-attention uses its first third for x and the rest for the context.
/// </summary>
public sealed class MultiHeadAttention : Module
{
    private readonly Parameter _inWeight, _inBias;
    private readonly Linear _outProjection;
    private readonly int _channels, _heads;

    /// <param name="channels">Width of x, of the context and of the result.</param>
    /// <param name="heads">Heads; divides the channels.</param>
    /// <param name="outInitializer">Initialiser of the output projection's weight.</param>
    public MultiHeadAttention(int channels, int heads, Initializer outInitializer)
    {
        (_channels, _heads) = (channels, heads);
        _inWeight = AddParameter("in_proj_weight", [3 * channels, channels], Initializers.XavierUniform);
        _inBias = AddParameter("in_proj_bias", [3 * channels], Initializers.Zeros, decay: false);
        _outProjection = AddModule("out_proj", new Linear(channels, channels, outInitializer));
    }

    /// <summary>Self-attention: [batch, tokens, channels] → the same shape.</summary>
    public Tensor Forward(Tensor x)
    {
        using Tensor qkv = x.Linear(_inWeight.Value, _inBias.Value);
        using Tensor o = qkv.SelfAttention(_heads);
        return _outProjection.Forward(o);
    }

    /// <summary>Cross-attention: x [batch, queries, channels] over context [batch, keys, channels] → x's shape.</summary>
    public Tensor Forward(Tensor x, Tensor context)
    {
        using Tensor kv = ProjectContext(context);
        return ForwardProjected(x, kv);
    }

    /// <summary>Keys and values of a context, [batch, keys, 2·channels]: they do not depend on x, so a sampler computes them once.</summary>
    public Tensor ProjectContext(Tensor context)
    {
        using Tensor weight = _inWeight.Value.SliceRows(_channels, 2 * _channels);
        using Tensor bias = _inBias.Value.SliceRows(_channels, 2 * _channels);
        return context.Linear(weight, bias);
    }

    /// <summary>Cross-attention over the result of <see cref="ProjectContext"/>.</summary>
    public Tensor ForwardProjected(Tensor x, Tensor kv)
    {
        using Tensor weight = _inWeight.Value.SliceRows(0, _channels);
        using Tensor bias = _inBias.Value.SliceRows(0, _channels);
        using Tensor q = x.Linear(weight, bias);
        using Tensor o = q.CrossAttention(kv, _heads);
        return _outProjection.Forward(o);
    }
}
