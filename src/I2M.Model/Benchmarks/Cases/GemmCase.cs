using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>
/// One matrix product of normal numbers. Verified on whole rows spread over the result, first and last included, against dot products in double of the
/// factors as they are stored.
/// </summary>
public sealed class GemmCase : BenchmarkCase
{
    private const int Rows = 24;
    private const double Limit = 1e-5;
    private readonly (BufferView A, BufferView B, BufferView C)[] _sets;
    private readonly Arithmetic _arithmetic;

    /// <summary>Sizes and layout.</summary>
    public GemmShape Shape { get; }
    /// <summary>Left factor.</summary>
    public BufferView A => _sets[0].A;
    /// <summary>Right factor.</summary>
    public BufferView B => _sets[0].B;
    /// <summary>Product.</summary>
    public BufferView C => _sets[0].C;

    /// <param name="backend">Where.</param>
    /// <param name="shape">Sizes and layout.</param>
    /// <param name="arithmetic">Type and precision of the factors.</param>
    /// <param name="result">Type of the product.</param>
    /// <param name="sets">Sets of operands that take turns, so that none stays in a cache.</param>
    public GemmCase(IBackend backend, GemmShape shape, Arithmetic arithmetic = Arithmetic.Float32, ElementType result = ElementType.Float32, int sets = 1) : base(backend)
    {
        _arithmetic = arithmetic;
        Shape = arithmetic == Arithmetic.TensorFloat32 ? shape with { Precision = MatmulPrecision.TensorFloat32 } : shape;
        ElementType factors = arithmetic == Arithmetic.BFloat16 ? ElementType.BFloat16 : ElementType.Float32;
        long a = (long)shape.M * shape.K, b = (long)shape.K * shape.N, c = (long)shape.M * shape.N;
        _sets = [.. Enumerable.Range(0, sets).Select(i => (RentNormal(a, (ulong)(2 * i + 1), factors), RentNormal(b, (ulong)(2 * i + 2), factors), Rent(result.Words(c)).As(result)))];
        Work = new BenchmarkWork(BenchmarkBound.Compute, shape.Flops, 4.0 * (factors.Words(a) + factors.Words(b) + result.Words(c))) { Arithmetic = arithmetic };
    }

    /// <inheritdoc/>
    public override string? Choice => (Backend as ITunable)?.ChoiceFor(_arithmetic, Shape);

    /// <inheritdoc/>
    public override void Queue()
    {
        var (a, b, c) = Next(_sets);
        Backend.Gemm(a, b, BufferView.None, Shape, c);
    }

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        Spoil(C);
        Backend.Gemm(A, B, BufferView.None, Shape, C);
        int n = Shape.N, k = Shape.K;
        int[] rows = Sample(Shape.M, Rows);
        float[] product = Read(C, (long)Shape.M * n);
        float[] actual = [.. rows.SelectMany(r => product[(r * n)..((r + 1) * n)])];
        double[] expected = DoubleMath.Linear(LeftRows(rows), k, Columns(Read(B, (long)k * n)), null, 0, n);
        string Place(int i) => $"[{rows[i / n]}, {i % n}]";
        return _arithmetic == Arithmetic.Float32 && C.Type == ElementType.Float32
            ? Verification.Check("c", actual, expected, Limit, Place)
            : Verification.CheckNorm("c", actual, expected, Verification.NormLimit(C.Type == ElementType.BFloat16 ? Arithmetic.BFloat16 : _arithmetic), Place);
    }

    /// <summary>Some rows of the left factor.</summary>
    private double[] LeftRows(int[] rows)
    {
        int m = Shape.M, k = Shape.K;
        float[] a = Read(A, (long)m * k);
        var left = new double[rows.Length * k];
        for (int i = 0; i < left.Length; i++) { left[i] = Shape.TransposeA ? a[i % k * m + rows[i / k]] : a[rows[i / k] * k + i % k]; }
        return left;
    }

    /// <summary>The right factor with its columns contiguous.</summary>
    private double[] Columns(float[] b)
    {
        if (Shape.TransposeB) { return DoubleMath.Widen(b); }
        var columns = new double[b.Length];
        for (int i = 0; i < b.Length; i++) { columns[i % Shape.N * Shape.K + i / Shape.N] = b[i]; }
        return columns;
    }
}
