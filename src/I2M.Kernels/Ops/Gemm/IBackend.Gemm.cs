namespace I2M.Kernels;

/// <summary>How the two factors of a product lie in memory: N as written, T transposed.</summary>
public enum GemmLayout
{
    /// <summary>a [m,k], b [k,n].</summary>
    NN,
    /// <summary>a [m,k], b [n,k]: a linear layer's forward with PyTorch's [out, in] weight.</summary>
    NT,
    /// <summary>a [k,m], b [k,n]: a linear layer's weight gradient.</summary>
    TN,
    /// <summary>a [k,m], b [n,k].</summary>
    TT,
}

/// <summary>The shape of a (batched) matrix product c[m,n] = op(a) · op(b).</summary>
/// <param name="Layout">Which factors are transposed.</param>
/// <param name="M">Rows of c.</param>
/// <param name="N">Columns of c.</param>
/// <param name="K">Summed dimension.</param>
public readonly record struct GemmShape(GemmLayout Layout, int M, int N, int K)
{
    /// <summary>How many products; item i of a, b, c starts at i · its stride.</summary>
    public int Batch { get; init; } = 1;
    /// <summary>Words between two items of a; 0 shares one a.</summary>
    public long StrideA { get; init; } = 0;
    /// <summary>Words between two items of b; 0 shares one b.</summary>
    public long StrideB { get; init; } = 0;
    /// <summary>Words between two items of c.</summary>
    public long StrideC { get; init; } = 0;
    /// <summary>Words between two stored rows of a.</summary>
    public int LeadingA { get; init; } = Layout is GemmLayout.TN or GemmLayout.TT ? M : K;
    /// <summary>Words between two stored rows of b.</summary>
    public int LeadingB { get; init; } = Layout is GemmLayout.NT or GemmLayout.TT ? K : N;
    /// <summary>Words between two stored rows of c.</summary>
    public int LeadingC { get; init; } = N;
    /// <summary>c += instead of c =.</summary>
    public bool Accumulate { get; init; } = false;

    /// <summary>True when a is stored [k,m].</summary>
    public bool TransposeA => Layout is GemmLayout.TN or GemmLayout.TT;
    /// <summary>True when b is stored [n,k].</summary>
    public bool TransposeB => Layout is GemmLayout.NT or GemmLayout.TT;
    /// <summary>Multiply-adds counted twice: 2·m·n·k·batch.</summary>
    public double Flops => 2.0 * M * N * K * Batch;
}

public partial interface IBackend
{
    /// <summary>
    /// c[i,j] = Σ_k op(a)[i,k] · op(b)[k,j] + bias[j] in float32, or c += … with <see cref="GemmShape.Accumulate"/>.
    /// The order of summation is fixed for a shape.
    /// </summary>
    /// <param name="a">Left factor.</param>
    /// <param name="b">Right factor.</param>
    /// <param name="bias">[n] or None.</param>
    /// <param name="shape">Sizes, layout, batch and strides.</param>
    /// <param name="c">The product.</param>
    void Gemm(BufferView a, BufferView b, BufferView bias, in GemmShape shape, BufferView c);
}
