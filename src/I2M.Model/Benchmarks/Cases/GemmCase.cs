using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>
/// One matrix product of normal numbers. Verified on whole rows spread over the result, first and last included, against dot products in double.
/// </summary>
public sealed class GemmCase : BenchmarkCase
{
    private const int Rows = 24;
    private const double Limit = 1e-5;

    /// <summary>Sizes and layout.</summary>
    public GemmShape Shape { get; }
    /// <summary>Left factor.</summary>
    public BufferView A { get; }
    /// <summary>Right factor.</summary>
    public BufferView B { get; }
    /// <summary>Product.</summary>
    public BufferView C { get; }

    /// <param name="backend">Where.</param>
    /// <param name="shape">Sizes; a is not transposed.</param>
    public GemmCase(IBackend backend, GemmShape shape) : base(backend)
    {
        Shape = shape;
        long a = (long)shape.M * shape.K, b = (long)shape.K * shape.N, c = (long)shape.M * shape.N;
        (A, B, C) = (RentNormal(a, 1), RentNormal(b, 2), Rent(c));
        Work = new BenchmarkWork(BenchmarkBound.Compute, shape.Flops, 4.0 * (a + b + c));
    }

    /// <inheritdoc/>
    public override void Queue()
    {
        Backend.Gemm(A, B, BufferView.None, Shape, C);
    }

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        Backend.Fill(C, float.NaN);
        Run();
        int n = Shape.N;
        int[] rows = Sample(Shape.M, Rows);
        double[] columns = Columns(Read(B)), a = [.. rows.SelectMany(r => DoubleMath.Widen(Read(A.Slice((long)r * Shape.K, Shape.K))))];
        float[] actual = [.. rows.SelectMany(r => Read(C.Slice((long)r * n, n)))];
        double[] expected = DoubleMath.Linear(a, Shape.K, columns, null, 0, n);
        return Verification.Check("c", actual, expected, Limit, i => $"[{rows[i / n]}, {i % n}]");
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
