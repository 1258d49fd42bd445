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
        // Too many rows and columns for the host to read the factors in place.
        Check(backend, new GemmShape(GemmLayout.TN, 516, 550, 33), bias: true);
    }

    /// <summary>Every epilogue on every path: few rows, few columns, whole and partial tiles, one and several blocks of the depth.</summary>
    [Theory, MemberData(nameof(Rows))]
    public void Gemm_applies_every_epilogue(string backend, GemmLayout layout)
    {
        // No one or two elements: gelu' crosses zero, and the relative error of a number that cancels means nothing.
        foreach (var (m, n, k) in new[] { (1, 5, 1), (2, 19, 31), (37, 1, 31), (9, 33, 2), (31, 32, 33), (33, 17, 127), (65, 66, 515), (5, 129, 33), (130, 5, 40) })
        {
            var shape = new GemmShape(layout, m, n, k) { LeadingC = n + 3 };
            foreach (GemmActivation activation in Enum.GetValues<GemmActivation>())
            {
                foreach (EpilogueParts parts in s_parts)
                {
                    if (activation == GemmActivation.None && (parts & (EpilogueParts.PreActivation | EpilogueParts.Gradient)) != 0) { continue; }
                    Check(backend, shape, activation, parts);
                }
            }
        }
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Gemm_applies_epilogues_to_batches(string backend)
    {
        var shape = new GemmShape(GemmLayout.NT, 14, 21, 34) { Batch = 3, StrideA = 14 * 34, StrideB = 21 * 34, StrideC = (14 * 21) + 7 };
        foreach (GemmShape s in new[] { shape, shape with { StrideB = 0 }, shape with { StrideB = 0, StrideC = 14 * 21 } })
        {
            Check(backend, s, GemmActivation.GeluErf, EpilogueParts.Bias | EpilogueParts.PreActivation | EpilogueParts.Residual);
            Check(backend, s, GemmActivation.GeluTanh, EpilogueParts.Gradient | EpilogueParts.Accumulate);
            Check(backend, s, GemmActivation.None, EpilogueParts.Bias | EpilogueParts.ResidualIsC);
        }
    }

    /// <summary>Rows that follow one another and rows apart, several chunks of rows, batches, overwritten and added to.</summary>
    [Theory, MemberData(nameof(Rows))]
    public void Gemm_sums_the_columns_of_its_result(string backend, GemmLayout layout)
    {
        foreach (var (m, n, k, apart) in new[] { (1, 5, 3, 0), (33, 17, 31, 3), (150, 40, 20, 0), (3, 129, 33, 1) })
        {
            var shape = new GemmShape(layout, m, n, k) { LeadingC = n + apart };
            Check(backend, shape, GemmActivation.None, EpilogueParts.Bias | EpilogueParts.ColumnSums);
            Check(backend, shape, GemmActivation.GeluErf, EpilogueParts.Gradient | EpilogueParts.ColumnSums | EpilogueParts.AddedColumnSums);
            Check(backend, shape, GemmActivation.GeluTanh, EpilogueParts.PreActivation | EpilogueParts.Residual | EpilogueParts.Accumulate | EpilogueParts.ColumnSums);
        }
        foreach (int apart in new[] { 0, 7 })
        {
            var batch = new GemmShape(layout, 14, 21, 34) { Batch = 3, StrideA = 14 * 34, StrideB = 21 * 34, StrideC = (14 * 21) + apart };
            Check(backend, batch, GemmActivation.GeluErf, EpilogueParts.Gradient | EpilogueParts.ColumnSums | EpilogueParts.AddedColumnSums);
        }
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Sums_of_the_columns_of_no_rows_are_zero(string backend)
    {
        using var run = new OperationRun(nameof(IBackend.Gemm), backend, "no rows");
        BufferView b = run.In(run.Normal(6)), sums = run.Out(3), kept = run.InOut([1, 2, 3]);
        run.Execute(device =>
        {
            device.Gemm(b, b, new GemmEpilogue { ColumnSums = sums }, new GemmShape(GemmLayout.NN, 0, 3, 2), kept);
            device.Gemm(b, b, new GemmEpilogue { ColumnSums = kept, AddsColumnSums = true }, new GemmShape(GemmLayout.NN, 0, 3, 2), sums);
        });
        run.Exact("sums", sums, new float[3]);
        run.Exact("sums that are added to", kept, [1, 2, 3]);
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Gemm_names_parts_of_an_epilogue_that_do_not_go_together(string backend)
    {
        using var run = new OperationRun(nameof(IBackend.Gemm), backend, "wrong epilogues");
        BufferView x = run.In(run.Normal(12)), y = run.In(run.Normal(12)), c = run.InOut(run.Normal(9)), other = run.InOut(run.Normal(9)), small = run.In(run.Normal(2));
        var shape = new GemmShape(GemmLayout.NN, 3, 3, 4);
        Refuses(nameof(GemmEpilogue.PreActivation), new GemmEpilogue { PreActivation = other }, shape);
        Refuses(nameof(GemmEpilogue.PreActivation), new GemmEpilogue { Activation = GemmActivation.GeluErf, PreActivation = c }, shape);
        Refuses(nameof(GemmEpilogue.PreActivation), new GemmEpilogue { Activation = GemmActivation.GeluErf, PreActivation = other, GeluGradientOf = x }, shape);
        Refuses(nameof(GemmEpilogue.GeluGradientOf), new GemmEpilogue { GeluGradientOf = x }, shape);
        Refuses(nameof(GemmEpilogue.GeluGradientOf), new GemmEpilogue { Activation = GemmActivation.GeluErf, GeluGradientOf = c }, shape);
        Refuses(nameof(GemmEpilogue.Residual), new GemmEpilogue { Residual = c }, shape with { Accumulate = true });
        Refuses(nameof(GemmEpilogue.Residual), new GemmEpilogue { Residual = small }, shape);
        Refuses(nameof(GemmEpilogue.Bias), small, shape);
        Refuses(nameof(GemmEpilogue.ColumnSums), new GemmEpilogue { ColumnSums = c }, shape);
        Refuses(nameof(GemmEpilogue.ColumnSums), new GemmEpilogue { ColumnSums = small }, shape);
        Refuses(nameof(GemmEpilogue.Activation), new GemmEpilogue { Activation = (GemmActivation)7 }, shape);
        using PackedMatrix packed = run.Backend.Pack(y, shape);
        Refuses("shape", BufferView.None, shape with { K = 3 }, packed);
        Refuses("shape", BufferView.None, shape with { Batch = 2, StrideB = 12 }, packed);

        void Refuses(string part, GemmEpilogue epilogue, GemmShape s, PackedMatrix? right = null)
        {
            var e = Assert.Throws<ArgumentException>(() =>
            {
                if (right is null) { run.Backend.Gemm(x, y, epilogue, s, c); }
                else { run.Backend.Gemm(x, right, epilogue, s, c); }
            });
            Assert.Equal(part, e.ParamName);
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public void A_packed_factor_gives_the_same_bits(string backend, GemmLayout layout)
    {
        foreach (var (m, n, k) in new[] { (1, 33, 5), (8, 40, 65), (12, 100, 70), (33, 17, 127), (70, 257, 1), (65, 66, 515), (40, 31, 2000) })
        {
            foreach (GemmEpilogue epilogue in new[] { BufferView.None, new GemmEpilogue { Activation = GemmActivation.GeluErf } })
            {
                var shape = new GemmShape(layout, m, n, k);
                using var run = new OperationRun(nameof(IBackend.Pack), backend, shape);
                BufferView a = run.In(run.Normal((long)m * k)), b = run.In(run.Normal((long)n * k)), c = run.Out((long)m * n), expected = run.Out((long)m * n);
                using PackedMatrix packed = run.Backend.Pack(b, shape);
                run.Execute(device =>
                {
                    device.Gemm(a, b, epilogue, shape, expected);
                    device.Gemm(a, packed, epilogue, shape, c);
                });
                run.Exact("c", c, run.Read(expected));
            }
        }
    }

    [Fact]
    public void A_packed_factor_gives_its_memory_back()
    {
        IBackend host = Backends.Get("host");
        using var run = new OperationRun(nameof(IBackend.Pack), "host", "lifetime");
        BufferView b = run.In(run.Normal(40)), a = run.In(run.Normal(36)), c = run.Out(40);
        long before = host.Pool.LiveBytes;
        PackedMatrix packed = host.Pack(b, new GemmShape(GemmLayout.NT, 1, 10, 4));
        Assert.InRange(packed.Bytes, 160, host.Pool.LiveBytes - before);
        packed.Dispose();
        packed.Dispose();
        Assert.Equal(before, host.Pool.LiveBytes);
        Assert.Throws<ObjectDisposedException>(() => host.Gemm(a, packed, BufferView.None, new GemmShape(GemmLayout.NT, 4, 10, 4), c));
    }

    private static readonly EpilogueParts[] s_parts =
    [
        EpilogueParts.None,
        EpilogueParts.Bias | EpilogueParts.Residual,
        EpilogueParts.Bias | EpilogueParts.PreActivation,
        EpilogueParts.Bias | EpilogueParts.PreActivation | EpilogueParts.ResidualIsC,
        EpilogueParts.PreActivation | EpilogueParts.Residual | EpilogueParts.Accumulate,
        EpilogueParts.Gradient,
        EpilogueParts.Gradient | EpilogueParts.Bias | EpilogueParts.Residual,
        EpilogueParts.Gradient | EpilogueParts.Accumulate,
    ];

    private static void Check(string backend, GemmShape s, bool bias) =>
        Check(backend, s, GemmActivation.None, (bias ? EpilogueParts.Bias : 0) | (s.Accumulate ? EpilogueParts.Accumulate : 0));

    private static void Check(string backend, GemmShape s, GemmActivation activation, EpilogueParts parts) => new GemmCase(s, activation, parts).Check(backend);
}
