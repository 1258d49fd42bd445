using I2M.Kernels;

namespace I2M.Testing;

public static partial class Compositions
{
    /// <summary>[batch, tokens, heads, headDim] → [batch, heads, tokens, headDim].</summary>
    public static Node SplitHeads(Node x)
    {
        int tokens = x.Shape[1], heads = x.Shape[2], headDim = x.Shape[3];
        return x.Gather([x.Shape[0], heads, tokens, headDim], i =>
        {
            int d = i % headDim, t = i / headDim % tokens, h = i / (headDim * tokens) % heads, b = i / (headDim * tokens * heads);
            return ((b * tokens + t) * heads + h) * headDim + d;
        });
    }

    /// <summary>[batch, heads, tokens, headDim] → [batch, tokens, heads, headDim]: the same exchange of the two middle dimensions.</summary>
    public static Node MergeHeads(Node x) => SplitHeads(x);

    /// <summary>[batch, channels, height, width] → [batch, tokens, tokenLength].</summary>
    public static Node Patchify(Node picture, PatchShape s)
    {
        int across = s.Width / s.PatchWidth;
        return picture.Gather([s.Batch, s.Tokens, s.TokenLength], i =>
        {
            int px = i % s.PatchWidth, py = i / s.PatchWidth % s.PatchHeight, c = i / (s.PatchWidth * s.PatchHeight) % s.Channels;
            int token = i / s.TokenLength % s.Tokens, b = i / (s.TokenLength * s.Tokens);
            int y = token / across * s.PatchHeight + py, x = token % across * s.PatchWidth + px;
            return ((b * s.Channels + c) * s.Height + y) * s.Width + x;
        });
    }

    /// <summary>table[indices[i], c].</summary>
    public static Node GatherRows(Node table, int[] indices)
    {
        int columns = table.Columns;
        return table.Gather([indices.Length, columns], i => indices[i / columns] * columns + i % columns);
    }

    /// <summary>op(a) · op(b) + bias for every item, the factors read through layout, leading dimensions and strides: [batch, m, n].</summary>
    public static Node Gemm(Node a, Node b, Node? bias, GemmShape s)
    {
        Node left = a.Gather([s.Batch, s.M, s.K], i =>
        {
            int k = i % s.K, m = i / s.K % s.M, item = i / (s.K * s.M);
            return (int)(item * s.StrideA) + (s.TransposeA ? k * s.LeadingA + m : m * s.LeadingA + k);
        });
        Node right = b.Gather([s.Batch, s.K, s.N], i =>
        {
            int n = i % s.N, k = i / s.N % s.K, item = i / (s.N * s.K);
            return (int)(item * s.StrideB) + (s.TransposeB ? n * s.LeadingB + k : k * s.LeadingB + n);
        });
        Node product = Node.MatMul(left, right);
        return bias is null ? product : product + bias.TileTo(product.Shape);
    }

    /// <summary>A product times gelu'(x): the gradient of x where the product is the gradient of gelu(x).</summary>
    public static double[] GeluGradient(double[] product, double[] x, bool tanh)
    {
        Node before = Node.Leaf(x, x.Length);
        (tanh ? GeluTanh(before) : GeluErf(before)).Backward(product);
        return before.Gradient;
    }

    /// <summary>y[b,t,o] = bias[o] + Σ_i Σ_j weight[o,i,j] · x[b, t+j−kernel/2, i].</summary>
    public static Node Conv1d(Node x, Node weight, Node? bias, Conv1dShape s)
    {
        int taps = s.InChannels * s.Kernel;
        Node columns = x.Gather([1, s.Batch * s.Length, taps], i => Tap(s, i / taps, i % s.Kernel, i / s.Kernel % s.InChannels, s.InChannels));
        Node y = Node.MatMul(columns, weight.Reshape(1, s.OutChannels, taps).SwapLast()).Reshape(s.Batch, s.Length, s.OutChannels);
        return bias is null ? y : y + bias.TileTo(y.Shape);
    }

    /// <summary>y[b,t,c] = bias[c] + Σ_j weight[c,j] · x[b, t+j−kernel/2, c].</summary>
    public static Node DepthwiseConv1d(Node x, Node weight, Node? bias, Conv1dShape s)
    {
        int taps = s.InChannels * s.Kernel;
        Node columns = x.Gather([s.Batch, s.Length, s.InChannels, s.Kernel], i => Tap(s, i / taps, i % s.Kernel, i / s.Kernel % s.InChannels, s.InChannels));
        Node y = (columns * weight.TileTo(columns.Shape)).SumLast();
        return bias is null ? y : y + bias.TileTo(y.Shape);
    }

    /// <summary>Where tap j of output row (b, t) reads channel c of x, or −1 in the zero padding.</summary>
    private static int Tap(Conv1dShape s, int row, int j, int c, int channels)
    {
        int t = row % s.Length + j - s.Kernel / 2;
        return t < 0 || t >= s.Length ? -1 : (row / s.Length * s.Length + t) * channels + c;
    }
}
