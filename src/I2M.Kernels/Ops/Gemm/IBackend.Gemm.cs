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

/// <summary>How exactly float32 factors are multiplied; sums are float32 always, and bfloat16 factors are multiplied exactly.</summary>
public enum MatmulPrecision
{
    /// <summary>In full.</summary>
    Float32,
    /// <summary>
    /// A device may round each factor to 10 bits of mantissa (tf32). CUDA does, on tensor cores, unless both factors are transposed (TT) or rows of one do not start at
    /// multiples of 16 bytes: those products are multiplied in full, and <see cref="ITunable.FullPrecisionReasons"/> says so. The host and OpenCL multiply all in full.
    /// </summary>
    TensorFloat32,
}

/// <summary>The shape of a (batched) matrix product c[m,n] = op(a) · op(b). Strides and leading dimensions count elements of their view's type.</summary>
/// <param name="Layout">Which factors are transposed.</param>
/// <param name="M">Rows of c.</param>
/// <param name="N">Columns of c.</param>
/// <param name="K">Summed dimension.</param>
public readonly record struct GemmShape(GemmLayout Layout, int M, int N, int K)
{
    /// <summary>How many products; item i of a, b, c starts at i · its stride.</summary>
    public int Batch { get; init; } = 1;
    /// <summary>Elements between two items of a; 0 shares one a.</summary>
    public long StrideA { get; init; } = 0;
    /// <summary>Elements between two items of b; 0 shares one b.</summary>
    public long StrideB { get; init; } = 0;
    /// <summary>Elements between two items of c.</summary>
    public long StrideC { get; init; } = 0;
    /// <summary>Elements between two stored rows of a.</summary>
    public int LeadingA { get; init; } = Layout is GemmLayout.TN or GemmLayout.TT ? M : K;
    /// <summary>Elements between two stored rows of b.</summary>
    public int LeadingB { get; init; } = Layout is GemmLayout.NT or GemmLayout.TT ? K : N;
    /// <summary>Elements between two stored rows of c.</summary>
    public int LeadingC { get; init; } = N;
    /// <summary>c += instead of c =.</summary>
    public bool Accumulate { get; init; } = false;
    /// <summary>What float32 factors may lose.</summary>
    public MatmulPrecision Precision { get; init; } = MatmulPrecision.Float32;

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
    /// c = epilogue(op(a) · op(b)), or c += … with <see cref="GemmShape.Accumulate"/>; the epilogue's order of operations is stated there.
    /// The order of summation is fixed for a shape. Both factors are float32 (see <see cref="GemmShape.Precision"/>) or both bfloat16; c is either,
    /// PreActivation and GeluGradientOf are of c's type, Bias and Residual are float32. All sums and the epilogue are float32; a bfloat16 result is rounded once, to nearest
    /// even. Where bfloat16 views start at multiples of 4 words and their leading dimensions and strides are multiples of 8, CUDA multiplies them on tensor cores.
    /// </summary>
    /// <param name="a">Left factor.</param>
    /// <param name="b">Right factor.</param>
    /// <param name="epilogue">What happens to the product; a view is taken as its bias [n], None for nothing.</param>
    /// <param name="shape">Sizes, layout, batch and strides.</param>
    /// <param name="c">The product.</param>
    /// <exception cref="ArgumentException">An operand is too short for the shape or of another type, or the epilogue's parts do not go together; names it.</exception>
    void Gemm(BufferView a, BufferView b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c);

    /// <summary>
    /// Arranges a right factor that many products share, such as a layer's weight, as this backend multiplies it fastest. The host copies it
    /// into panels (once its size, rounded up to whole panels); other backends keep the view.
    /// </summary>
    /// <param name="b">Right factor, float32; it must stay as it is while the result is in use.</param>
    /// <param name="shape">Layout, N, K and LeadingB count; M and the strides do not.</param>
    /// <returns>The caller disposes it.</returns>
    PackedMatrix Pack(BufferView b, in GemmShape shape);

    /// <summary>The same product, equal to the bit, with a right factor from <see cref="Pack"/>; all items of a batch share it.</summary>
    /// <exception cref="ArgumentException">The shape's right factor is not the packed one, or as above.</exception>
    void Gemm(BufferView a, PackedMatrix b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c);
}
