using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

public sealed class GemmTests
{
    private static readonly (int M, int N, int K)[] s_shapes =
    [
        (1, 1, 1), (2, 1, 31), (1, 33, 2), (31, 32, 33), (33, 31, 127), (127, 257, 33), (257, 127, 64), (64, 64, 1), (3, 257, 257), (128, 128, 128), (65, 66, 515),
    ];

    public static TheoryData<string, GemmLayout> Rows => Backends.With(Enum.GetValues<GemmLayout>());

    [Theory, MemberData(nameof(Rows))]
    public void Gemm_multiplies_every_layout_with_bias_or_accumulating(string backend, GemmLayout layout)
    {
        foreach (var (m, n, k) in s_shapes)
        {
            var shape = new GemmShape(layout, m, n, k);
            Check(backend, shape, bias: false);
            Check(backend, shape, bias: true);
            Check(backend, shape with { Accumulate = true }, bias: false);
            Check(backend, shape with { Accumulate = true }, bias: true);
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public void Gemm_respects_leading_dimensions_and_writes_nothing_between_rows(string backend, GemmLayout layout)
    {
        foreach (var (m, n, k) in s_shapes)
        {
            var shape = new GemmShape(layout, m, n, k);
            Check(backend, shape with { LeadingA = shape.LeadingA + 5, LeadingB = shape.LeadingB + 1, LeadingC = n + 3 }, bias: true);
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public void Gemm_batches_with_strides_and_shared_factors(string backend, GemmLayout layout)
    {
        foreach (var (m, n, k) in new[] { (1, 2, 3), (33, 31, 32), (7, 129, 64) })
        {
            var shape = new GemmShape(layout, m, n, k) { Batch = 3, StrideA = m * k, StrideB = n * k, StrideC = m * n };
            Check(backend, shape, bias: true);
            Check(backend, shape with { StrideA = 0 }, bias: false);
            Check(backend, shape with { StrideB = 0, StrideC = m * n + 7 }, bias: true);
            Check(backend, shape with { StrideA = m * k + 9, StrideB = n * k + 2, Accumulate = true }, bias: false);
        }
    }

    /// <summary>The model's own shapes in small: tall, wide and deep.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Gemm_multiplies_model_shapes(string backend)
    {
        Check(backend, new GemmShape(GemmLayout.NT, 875, 192, 96), bias: true);
        Check(backend, new GemmShape(GemmLayout.NN, 875, 96, 192), bias: false);
        Check(backend, new GemmShape(GemmLayout.TN, 192, 96, 1750), bias: false);
    }

    private static void Check(string backend, GemmShape s, bool bias)
    {
        using var run = new OperationRun(nameof(IBackend.Gemm), backend, s);
        int rowsA = s.TransposeA ? s.K : s.M, columnsA = s.TransposeA ? s.M : s.K, rowsB = s.TransposeB ? s.N : s.K, columnsB = s.TransposeB ? s.K : s.N;
        long lengthA = (s.Batch - 1) * s.StrideA + (rowsA - 1) * s.LeadingA + columnsA, lengthB = (s.Batch - 1) * s.StrideB + (rowsB - 1) * s.LeadingB + columnsB;
        long lengthC = (s.Batch - 1) * s.StrideC + (s.M - 1) * s.LeadingC + s.N;
        float[] a = run.Normal(lengthA), b = run.Normal(lengthB), offsets = run.Normal(s.N), before = run.Normal(lengthC);
        BufferView ba = run.In(a), bb = run.In(b), bias0 = bias ? run.In(offsets) : BufferView.None, c = s.Accumulate ? run.InOut(before) : run.Out(lengthC);
        run.Execute(backend => backend.Gemm(ba, bb, bias0, s, c));
        double[] product = Compositions.Gemm(Node.Leaf(a, a.Length), Node.Leaf(b, b.Length), bias ? Node.Leaf(offsets, s.N) : null, s).Value;
        var expected = new double[product.Length];
        float[] result = run.Read(c);
        var actual = new float[product.Length];
        var covered = new bool[lengthC];
        for (int i = 0; i < product.Length; i++)
        {
            long at = i / (s.M * s.N) * s.StrideC + i / s.N % s.M * s.LeadingC + i % s.N;
            covered[at] = true;
            actual[i] = result[at];
            expected[i] = product[i] + (s.Accumulate ? before[at] : 0);
        }
        run.Close("c", actual, expected, Math.Sqrt(s.K));
        if (!s.Accumulate) { run.StillPoison(c, i => !covered[i]); }
    }
}
