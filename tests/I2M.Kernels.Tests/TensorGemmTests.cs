using I2M.Kernels.Ilgpu;
using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>Products of bfloat16 and tf32 factors: the contract on every backend, and every generated kernel on CUDA and its emulation.</summary>
public sealed class TensorGemmTests
{
    private static readonly (ElementType Factors, ElementType Output)[] s_types =
        [(ElementType.BFloat16, ElementType.Float32), (ElementType.BFloat16, ElementType.BFloat16), (ElementType.Float32, ElementType.Float32)];

    public static TheoryData<string, GemmLayout> Rows => Backends.With(Enum.GetValues<GemmLayout>());

    public static TheoryData<string, ElementType, GemmLayout, int> Tensor
    {
        get
        {
            var rows = new TheoryData<string, ElementType, GemmLayout, int>();
            foreach (string backend in new[] { "cuda", Backends.Emulated })
            {
                foreach (var (type, layout, tile) in CudaGemmTable.Tensor.Keys) { rows.Add(backend, type, layout, (int)tile); }
            }
            return rows;
        }
    }

    public static TheoryData<string, GemmLayout> Simt
    {
        get
        {
            var rows = new TheoryData<string, GemmLayout>();
            foreach (string backend in new[] { "cuda", Backends.Emulated })
            {
                foreach (GemmLayout layout in CudaGemmTable.Simt.Keys) { rows.Add(backend, layout); }
            }
            return rows;
        }
    }

    /// <summary>A whole tile and tails in every direction, whole stages and a part of one.</summary>
    [Theory, MemberData(nameof(Tensor))]
    public void Every_generated_product_multiplies_whole_tiles_and_tails(string backend, ElementType type, GemmLayout layout, int tile)
    {
        (int rows, int columns) = (CudaGemmTile)tile switch { CudaGemmTile.Tile64x64 => (64, 64), CudaGemmTile.Tile128x256 => (128, 256), _ => (128, 128) };
        var plan = new CudaGemmPlan(CudaGemmPath.TensorCores, (CudaGemmTile)tile, 0, "test");
        var shape = Padded(new GemmShape(layout, rows + 5, columns + 11, 71) { Precision = MatmulPrecision.TensorFloat32 });
        new GemmCase(shape, GemmActivation.None, EpilogueParts.Bias | EpilogueParts.ColumnSums) { Factors = type, Plan = plan, Aligned = true }.Check(backend);
    }

    [Theory, MemberData(nameof(Simt))]
    public void The_exact_product_multiplies_whole_tiles_and_tails_at_any_alignment(string backend, GemmLayout layout)
    {
        var plan = new CudaGemmPlan(CudaGemmPath.Simt, CudaGemmTile.Tile128x128, 0, "test");
        foreach ((int m, int n, int k) in new[] { (133, 139, 29), (5, 130, 1), (128, 128, 40) })
        {
            var shape = new GemmShape(layout, m, n, k);
            new GemmCase(shape with { LeadingC = n + 3 }, GemmActivation.None, EpilogueParts.Bias | EpilogueParts.Residual) { Plan = plan }.Check(backend);
        }
        foreach ((int m, int n, int k) in new[] { (133, 139, 29), (6, 130, 9) })
        {
            new GemmCase(Padded(new GemmShape(layout, m, n, k)), GemmActivation.None, EpilogueParts.Bias) { Plan = plan, Aligned = true }.Check(backend);
        }
        var batched = new GemmShape(layout, 3, 16, 30) { Batch = 3, StrideA = 90, StrideB = 0, StrideC = 50 };
        new GemmCase(batched, GemmActivation.None, EpilogueParts.Accumulate) { Plan = plan }.Check(backend);
    }

    /// <summary>Every epilogue on the sums as they leave the kernel and after a split, with whole eights of columns and with tails.</summary>
    [Theory, MemberData(nameof(Rows))]
    public void Every_epilogue_takes_every_type(string backend, GemmLayout layout)
    {
        foreach (var (factors, output) in s_types)
        {
            foreach ((int m, int n, int k) in new[] { (33, 40, 31), (19, 21, 70) })
            {
                foreach (var (activation, parts) in s_epilogues)
                {
                    if (output == ElementType.BFloat16 && (parts & EpilogueParts.ResidualIsC) != 0) { continue; }
                    var shape = Padded(new GemmShape(layout, m, n, k) { Precision = MatmulPrecision.TensorFloat32 });
                    new GemmCase(shape, activation, parts) { Factors = factors, Output = output, Aligned = true }.Check(backend);
                }
            }
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public void Views_at_any_alignment_and_with_odd_leading_dimensions_are_taken(string backend, GemmLayout layout)
    {
        foreach (var (factors, output) in s_types)
        {
            var shape = new GemmShape(layout, 19, 37, 33) { LeadingC = 41, Precision = MatmulPrecision.TensorFloat32 };
            new GemmCase(shape, GemmActivation.GeluErf, EpilogueParts.Bias | EpilogueParts.PreActivation | EpilogueParts.Residual) { Factors = factors, Output = output }.Check(backend);
            new GemmCase(shape, GemmActivation.GeluErf, EpilogueParts.Gradient | EpilogueParts.ColumnSums) { Factors = factors, Output = output }.Check(backend);
            new GemmCase(Padded(shape) with { LeadingC = 43 }, GemmActivation.GeluTanh, EpilogueParts.Gradient | EpilogueParts.Accumulate) { Factors = factors, Output = output, Aligned = true }.Check(backend);
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public void Batches_take_strides_and_shared_factors(string backend, GemmLayout layout)
    {
        foreach (var (factors, output) in s_types)
        {
            GemmShape one = Padded(new GemmShape(layout, 9, 17, 21) { Precision = MatmulPrecision.TensorFloat32 });
            GemmShape shape = one with { Batch = 3, StrideA = one.LeadingA * (one.TransposeA ? one.K : one.M), StrideB = one.LeadingB * (one.TransposeB ? one.N : one.K) + 8, StrideC = one.LeadingC * one.M };
            foreach (GemmShape s in new[] { shape, shape with { StrideA = 0, StrideC = shape.StrideC + 8 }, shape with { StrideB = 0, StrideC = shape.StrideC + 5 } })
            {
                new GemmCase(s, GemmActivation.None, EpilogueParts.Bias) { Factors = factors, Output = output, Aligned = true }.Check(backend);
            }
        }
    }

    /// <summary>Parts of a sum, the last one shorter, and their addition with an epilogue; also by the plan of a weight gradient.</summary>
    [Theory, MemberData(nameof(Simt))]
    public void Split_sums_are_added_in_order(string backend, GemmLayout layout)
    {
        var shape = Padded(new GemmShape(layout, 21, 40, 150) { Precision = MatmulPrecision.TensorFloat32 });
        foreach (var (factors, output) in s_types)
        {
            if (layout == GemmLayout.TT) { break; }
            var plan = new CudaGemmPlan(CudaGemmPath.TensorCores, CudaGemmTile.Tile64x64, 64, "test");
            var split = new GemmCase(shape, GemmActivation.None, EpilogueParts.Accumulate) { Factors = factors, Output = output, Plan = plan, Aligned = true };
            split.Check(backend);
            (split with { Activation = GemmActivation.GeluErf, Parts = EpilogueParts.Bias | EpilogueParts.PreActivation | EpilogueParts.Residual }).Check(backend);
            (split with { Shape = shape with { LeadingC = 43 } }).Check(backend);
        }
        var exact = new CudaGemmPlan(CudaGemmPath.Simt, CudaGemmTile.Tile128x128, 64, "test");
        new GemmCase(shape with { Precision = MatmulPrecision.Float32 }, GemmActivation.None, EpilogueParts.Accumulate) { Plan = exact }.Check(backend);
        GemmShape odd = Padded(new GemmShape(layout, 21, 37, 150)), batch = odd with { Batch = 2, StrideA = 3000 + 21 * 150, StrideB = 0, StrideC = 21 * 40 + 5 };
        new GemmCase(odd with { LeadingC = 39 }, GemmActivation.None, EpilogueParts.Bias | EpilogueParts.Residual) { Plan = exact, Aligned = true }.Check(backend);
        new GemmCase(batch, GemmActivation.None, EpilogueParts.Bias | EpilogueParts.Accumulate) { Plan = exact, Aligned = true }.Check(backend);
    }

    /// <summary>Longer than one accumulator may add up: the error stays that of a short sum, with all parts of the epilogue once.</summary>
    [Theory, MemberData(nameof(Simt))]
    public void Long_exact_sums_are_closed(string backend, GemmLayout layout)
    {
        var plan = new CudaGemmPlan(CudaGemmPath.Simt, CudaGemmTile.Tile128x128, 0, "test");
        new GemmCase(new GemmShape(layout, 7, 9, CudaGemmPlan.SimtDepth + 37), GemmActivation.None, EpilogueParts.Bias | EpilogueParts.Residual) { Plan = plan }.Check(backend);
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void A_weight_gradient_is_planned_and_computed(string backend)
    {
        var shape = new GemmShape(GemmLayout.TN, 72, 48, 1100) { Precision = MatmulPrecision.TensorFloat32 };
        new GemmCase(shape, GemmActivation.None, EpilogueParts.Accumulate) { Factors = ElementType.BFloat16, Aligned = true }.Check(backend);
        new GemmCase(shape, GemmActivation.None, EpilogueParts.None) { Aligned = true }.Check(backend);
    }

    [Theory]
    [InlineData("cuda")]
    [InlineData(Backends.Emulated)]
    public void A_product_that_is_not_rounded_to_tf32_as_wanted_says_why(string backend)
    {
        new GemmCase(new GemmShape(GemmLayout.NN, 3, 4, 5) { Precision = MatmulPrecision.TensorFloat32 }, GemmActivation.None, EpilogueParts.None).Check(backend);
        Assert.Contains(((ITunable)Backends.Get(backend)).FullPrecisionReasons, reason => reason.Contains("multiples of 16 bytes", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Views_whose_types_do_not_go_together_are_named(string backend)
    {
        using var run = new OperationRun(nameof(IBackend.Gemm), backend, "types");
        BufferView x = run.In(run.Normal(16)), y = run.In(run.Normal(16)), c = run.InOut(run.Normal(16)), other = run.InOut(run.Normal(16));
        var shape = new GemmShape(GemmLayout.NN, 3, 3, 4);
        Refuses("b", Narrow(x), y, BufferView.None, c);
        Refuses(nameof(GemmEpilogue.Bias), x, y, Narrow(y), c);
        Refuses(nameof(GemmEpilogue.Residual), Narrow(x), Narrow(y), new GemmEpilogue { Residual = Narrow(other) }, c);
        Refuses(nameof(GemmEpilogue.PreActivation), x, y, new GemmEpilogue { Activation = GemmActivation.GeluErf, PreActivation = Narrow(other) }, c);
        Refuses(nameof(GemmEpilogue.GeluGradientOf), x, y, new GemmEpilogue { Activation = GemmActivation.GeluErf, GeluGradientOf = other }, Narrow(c));
        Refuses("a", Narrow(x.Slice(0, 5)), Narrow(y), BufferView.None, c);

        static BufferView Narrow(BufferView view) => view.As(ElementType.BFloat16);
        void Refuses(string name, BufferView a, BufferView b, GemmEpilogue epilogue, BufferView product) =>
            Assert.Equal(name, Assert.Throws<ArgumentException>(() => run.Backend.Gemm(a, b, epilogue, shape, product)).ParamName);
    }

    private static readonly (GemmActivation, EpilogueParts)[] s_epilogues =
    [
        (GemmActivation.None, EpilogueParts.None),
        (GemmActivation.None, EpilogueParts.Bias | EpilogueParts.Residual),
        (GemmActivation.None, EpilogueParts.Bias | EpilogueParts.ResidualIsC),
        (GemmActivation.None, EpilogueParts.Accumulate),
        (GemmActivation.GeluErf, EpilogueParts.Bias | EpilogueParts.PreActivation),
        (GemmActivation.GeluTanh, EpilogueParts.PreActivation | EpilogueParts.Residual | EpilogueParts.Accumulate),
        (GemmActivation.GeluErf, EpilogueParts.Gradient),
        (GemmActivation.GeluTanh, EpilogueParts.Gradient | EpilogueParts.Bias | EpilogueParts.Residual | EpilogueParts.ColumnSums | EpilogueParts.AddedColumnSums),
    ];

    /// <summary>The same shape with every leading dimension a multiple of 8 elements and larger than its rows.</summary>
    private static GemmShape Padded(GemmShape s) => s with { LeadingA = Up(s.LeadingA), LeadingB = Up(s.LeadingB), LeadingC = Up(s.LeadingC) };

    private static int Up(int length) => (length + 8) / 8 * 8;
}
