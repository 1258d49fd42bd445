using I2M.Kernels;

namespace I2M.Testing;

/// <summary>Every fused operation of <see cref="IBackend"/> written as a composition of the oracle's primitives; names follow the contract.</summary>
public static partial class Compositions
{
    /// <summary>x · σ(x).</summary>
    public static Node Silu(Node x) => x * ((-1.0 * x).Exp() + 1).Reciprocal();

    /// <summary>x/2 · (1 + erf(x/√2)).</summary>
    public static Node GeluErf(Node x) => 0.5 * x * ((Math.Sqrt(0.5) * x).Erf() + 1);

    /// <summary>x/2 · (1 + tanh(√(2/π)(x + 0.044715·x³))).</summary>
    public static Node GeluTanh(Node x) => 0.5 * x * ((Math.Sqrt(2 / Math.PI) * (x + 0.044715 * (x * x * x))).Tanh() + 1);

    /// <summary>ln(max(x, floor)).</summary>
    public static Node LogClamp(Node x, double floor) => x.AtLeast(floor).Log();

    /// <summary>a[r] · x[r,c] + b[r] · y[r,c].</summary>
    public static Node CombineRows(Node a, Node x, Node b, Node y) => a.ExpandLast(x.Columns) * x + b.ExpandLast(x.Columns) * y;

    /// <summary>keep[r] · x[r,c] + (1 − keep[r]) · fallback[c].</summary>
    public static Node MixRows(Node keep, Node x, Node fallback) =>
        keep.ExpandLast(x.Columns) * x + (-1.0 * keep + 1).ExpandLast(x.Columns) * fallback.TileTo(x.Shape);

    /// <summary>x[b,t,c] + gate[b,c] · h[b,t,c].</summary>
    public static Node GatedResidual(Node x, Node h, Node gate) => x + OverTokens(gate, x.Shape[1]) * h;

    /// <summary>[batch, channels] → [batch, tokens, channels].</summary>
    public static Node OverTokens(Node vectors, int tokens)
    {
        int channels = vectors.Columns;
        return vectors.Gather([vectors.Shape[0], tokens, channels], i => i / (tokens * channels) * channels + i % channels);
    }

    /// <summary>scale · Σ_r x[b,r,c].</summary>
    public static Node SumColumns(Node x, double scale)
    {
        int rows = x.Shape[1], columns = x.Columns;
        return scale * x.ScatterAdd([x.Shape[0], columns], i => i / (rows * columns) * columns + i % columns);
    }

    /// <summary>1/columns · Σ_c (x − y)².</summary>
    public static Node SquaredErrorRows(Node x, Node y) => ((x - y) * (x - y)).MeanLast();

    /// <summary>r · (rescale·σ(c)/σ(r) + 1 − rescale) with r = u + scale·(c − u), σ of each row.</summary>
    public static Node GuideRows(Node c, Node u, double scale, double rescale)
    {
        Node r = scale * c + (1 - scale) * u;
        return (rescale * (Deviation(c) * Deviation(r).Reciprocal()) + (1 - rescale)).ExpandLast(r.Columns) * r;

        static Node Deviation(Node x)
        {
            Node centred = x - x.MeanLast().ExpandLast(x.Columns);
            return (centred * centred).MeanLast().Sqrt();
        }
    }

    /// <summary>The normalised rows of x.</summary>
    public static Node Normalise(Node x, double eps)
    {
        Node centred = x - x.MeanLast().ExpandLast(x.Columns);
        return centred * Rstd(x, eps).ExpandLast(x.Columns);
    }

    /// <summary>1/√(biased variance + eps) of each row.</summary>
    public static Node Rstd(Node x, double eps)
    {
        Node centred = x - x.MeanLast().ExpandLast(x.Columns);
        return ((centred * centred).MeanLast() + eps).Sqrt().Reciprocal();
    }

    /// <summary>LayerNorm over the last dimension; weight and bias may be null.</summary>
    public static Node LayerNorm(Node x, Node? weight, Node? bias, double eps)
    {
        Node y = Normalise(x, eps);
        if (weight is not null) { y *= weight.TileTo(x.Shape); }
        return bias is null ? y : y + bias.TileTo(x.Shape);
    }

    /// <summary>x̂ · (1 + scale[b]) + shift[b] for x [batch, tokens, channels].</summary>
    public static Node AdaLayerNorm(Node x, Node scale, Node shift, double eps) =>
        Normalise(x, eps) * OverTokens(scale + 1, x.Shape[1]) + OverTokens(shift, x.Shape[1]);

    /// <summary>Softmax over the last dimension.</summary>
    public static Node Softmax(Node x)
    {
        Node exponentials = (x - x.RowMaximum().ExpandLast(x.Columns)).Exp();
        return exponentials * exponentials.SumLast().Reciprocal().ExpandLast(x.Columns);
    }

    /// <summary>log Σ_c e^x[…,c].</summary>
    public static Node LogSumExp(Node x)
    {
        Node maximum = x.RowMaximum();
        return (x - maximum.ExpandLast(x.Columns)).Exp().SumLast().Log() + maximum;
    }

    /// <summary>log Σ_c e^x[r,c] − x[r, labels[r]].</summary>
    public static Node CrossEntropyRows(Node x, int[] labels)
    {
        int columns = x.Columns;
        return LogSumExp(x) - x.Gather([labels.Length], r => r * columns + labels[r]);
    }

    /// <summary>Attention of [batch, tokens, heads · headDim] projections: the output in the same layout, and lse [batch, heads, queries].</summary>
    public static (Node Output, Node Lse) Attention(Node q, Node k, Node v, int heads, double scale)
    {
        int batch = q.Shape[0], queries = q.Shape[1], headDim = q.Columns / heads;
        Node logits = scale * Node.MatMul(PerHead(q), PerHead(k).SwapLast());
        Node output = Node.MatMul(Softmax(logits), PerHead(v));
        Node merged = MergeHeads(output.Reshape(batch, heads, queries, headDim));
        return (merged.Reshape(batch, queries, heads * headDim), LogSumExp(logits).Reshape(batch, heads, queries));

        Node PerHead(Node x) => SplitHeads(x.Reshape(batch, x.Shape[1], heads, headDim)).Reshape(batch * heads, x.Shape[1], headDim);
    }
}
