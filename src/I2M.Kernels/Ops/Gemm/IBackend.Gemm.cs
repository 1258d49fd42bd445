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
    /// c = epilogue(op(a) · op(b)) in float32, or c += … with <see cref="GemmShape.Accumulate"/>; the epilogue's order of operations is
    /// stated there. The order of summation is fixed for a shape.
    /// </summary>
    /// <param name="a">Left factor.</param>
    /// <param name="b">Right factor.</param>
    /// <param name="epilogue">What happens to the product; a view is taken as its bias [n], None for nothing.</param>
    /// <param name="shape">Sizes, layout, batch and strides.</param>
    /// <param name="c">The product.</param>
    /// <exception cref="ArgumentException">An operand is too short for the shape, or the epilogue's parts do not go together; names it.</exception>
    void Gemm(BufferView a, BufferView b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c);

    /// <summary>
    /// Arranges a right factor that many products share, such as a layer's weight, as this backend multiplies it fastest. The host copies it
    /// into panels (once its size, rounded up to whole panels); other backends keep the view.
    /// </summary>
    /// <param name="b">Right factor; it must stay as it is while the result is in use.</param>
    /// <param name="shape">Layout, N, K and LeadingB count; M and the strides do not.</param>
    /// <returns>The caller disposes it.</returns>
    PackedMatrix Pack(BufferView b, in GemmShape shape);

    /// <summary>The same product, equal to the bit, with a right factor from <see cref="Pack"/>; all items of a batch share it.</summary>
    /// <exception cref="ArgumentException">The shape's right factor is not the packed one, or as above.</exception>
    void Gemm(BufferView a, PackedMatrix b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c);
}
