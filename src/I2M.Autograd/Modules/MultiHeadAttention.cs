using I2M.Kernels;

namespace I2M.Autograd.Modules;

/// <summary>
/// Multi-head attention with the parameter layout of torch.nn.MultiheadAttention: in_proj_weight [3·channels, channels] holds q, k, v in this
/// order. Cross-attention uses its first third for x and the rest for the context. Everything between the inputs and the output projection is of x's type,
/// float32 or bfloat16; the result is float32 beside a residual, else of that type too.
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
    public Tensor Forward(Tensor x) => AddSelf(x, null);

    /// <summary>Cross-attention: x [batch, queries, channels] over context [batch, keys, channels] → x's shape.</summary>
    public Tensor Forward(Tensor x, Tensor context)
    {
        using Tensor kv = ProjectContext(context);
        return ForwardProjected(x, kv);
    }

    /// <summary>Self-attention over x plus the residual, all [batch, tokens, channels].</summary>
    public Tensor AddSelf(Tensor x, Tensor? residual)
    {
        using Tensor qkv = Project(x, 0, 3 * _channels);
        using Tensor o = qkv.SelfAttention(_heads);
        return _outProjection.Forward(o, GemmActivation.None, residual);
    }

    /// <summary>Keys and values of a context, [batch, keys, 2·channels]: they do not depend on x, so a sampler computes them once.</summary>
    public Tensor ProjectContext(Tensor context) => Project(context, _channels, 2 * _channels);

    /// <summary>Cross-attention over the result of <see cref="ProjectContext"/>, plus the residual where there is one.</summary>
    public Tensor ForwardProjected(Tensor x, Tensor kv, Tensor? residual = null)
    {
        using Tensor q = Project(x, 0, _channels);
        using Tensor o = q.CrossAttention(kv, _heads);
        return _outProjection.Forward(o, GemmActivation.None, residual);
    }

    /// <summary>x by <paramref name="rows"/> rows of the packed projection from <paramref name="row"/> on.</summary>
    private Tensor Project(Tensor x, int row, int rows)
    {
        MatmulPrecision products = Precision.Products();
        if (_inWeight.Packed(row, rows, x) is { } packed) { return x.Linear(packed, _inBias.Value.View.Slice(row, rows), products: products); }
        Tensor all = _inWeight.As(x.Type);
        if (rows == 3 * _channels) { return x.Linear(all, _inBias.Value, products: products); }
        using Tensor weight = all.SliceRows(row, rows);
        using Tensor bias = _inBias.Value.SliceRows(row, rows);
        return x.Linear(weight, bias, products: products);
    }
}
