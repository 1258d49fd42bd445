using ILGPU;
using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <summary>Products of at most so many rows take the kernel for few rows.</summary>
    private const int SkinnyMaxRows = 8;

    /// <summary>A product with fewer tiles than this leaves a large GPU idle; its summed dimension is split to make about so many groups.</summary>
    private const int SplitTargetGroups = 256;

    /// <summary>Shortest part of a split sum.</summary>
    private const int SplitMinDepth = 1024;

    /// <inheritdoc/>
    public void Gemm(BufferView a, BufferView b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c)
    {
        if (shape.M == 0 || shape.N == 0 || shape.Batch == 0)
        {
            epilogue.FinishEmpty(this, shape);
            return;
        }
        GemmEpilogue.CheckExtent(nameof(a), a, shape.TransposeA ? shape.K : shape.M, shape.TransposeA ? shape.M : shape.K, shape.LeadingA, shape.Batch, shape.StrideA);
        GemmEpilogue.CheckExtent(nameof(b), b, shape.TransposeB ? shape.N : shape.K, shape.TransposeB ? shape.K : shape.N, shape.LeadingB, shape.Batch, shape.StrideB);
        GemmEpilogue.CheckExtent(nameof(c), c, shape.M, shape.N, shape.LeadingC, shape.Batch, shape.StrideC);
        epilogue.CheckTypes(a, b, c);
        epilogue.Check(shape, c);
        if (IsCuda) { GemmCuda(a, b, epilogue, shape, c); }
        else if (IsProcessor && WidenedGemm.IsNeeded(a, b, epilogue, c)) { WidenedGemm.Run(this, a, b, epilogue, shape, c); }
        else { GemmPortable(a, b, epilogue, shape, c); }
    }

    /// <summary>
    /// Full precision, with the kernels of all devices and what CUDA has for float32. Sums of columns are a pass of their own over float32 results, which bfloat16 ones
    /// are for a while: sums are taken before the rounding.
    /// </summary>
    private void GemmPortable(BufferView a, BufferView b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c)
    {
        if (!epilogue.ColumnSums.IsNone && c.Type != ElementType.Float32)
        {
            WidenedGemm.Run(this, a, b, epilogue, shape, c, keepsFactors: true);
            return;
        }
        GemmActivated(a, b, epilogue, shape, c);
        if (!epilogue.ColumnSums.IsNone) { SumProductColumns(c, shape, epilogue.AddsColumnSums, epilogue.ColumnSums.Slice(0, shape.N)); }
    }

    /// <summary>The sums of the columns of c, whose rows need not follow one another.</summary>
    private void SumProductColumns(BufferView c, in GemmShape shape, bool accumulate, BufferView destination)
    {
        int rows = checked(shape.Batch * shape.M);
        if (shape.LeadingC == shape.N && (shape.Batch == 1 || shape.StrideC == (long)shape.M * shape.N))
        {
            SumColumns(c.Slice(0, (long)rows * shape.N), new ReduceShape(1, rows, shape.N), 1f, accumulate, destination);
            return;
        }
        int chunks = (rows + ReduceKernels.ItemTerms - 1) / ReduceKernels.ItemTerms;
        using var scope = new BufferScope(Pool);
        BufferView sums = scope.Rent((long)chunks * shape.N);
        Launch(GemmKernels.SumColumns, Grid(sums.Length), View(c), View(sums), rows, Sizes(shape, BufferView.None, BufferView.None));
        SumColumns(sums, new ReduceShape(1, chunks, shape.N), 1f, accumulate, destination);
    }

    private void GemmActivated(BufferView a, BufferView b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c)
    {
        if (epilogue.Activation == GemmActivation.None)
        {
            GemmProduct(a, b, epilogue.Bias, epilogue.Residual, shape, c);
            return;
        }
        using var scope = new BufferScope(Pool);
        bool separate = c.Type != ElementType.Float32 || epilogue.NeedsSeparateSums(shape, c);
        BufferView sums = separate ? scope.Rent((long)shape.Batch * shape.M * shape.N) : c;
        GemmShape product = separate ? shape with { LeadingC = shape.N, StrideC = (long)shape.M * shape.N, Accumulate = false } : shape;
        GemmProduct(a, b, epilogue.Bias, BufferView.None, product, sums);
        GemmActivate(sums, product, epilogue, shape, c);
    }

    /// <inheritdoc/>
    public PackedMatrix Pack(BufferView b, in GemmShape shape)
    {
        GemmEpilogue.CheckExtent(nameof(b), b, shape.TransposeB ? shape.N : shape.K, shape.TransposeB ? shape.K : shape.N, shape.LeadingB, 1, 0);
        return new PackedMatrix(Pool, b, shape with { M = 0, Batch = 1, StrideA = 0, StrideB = 0, StrideC = 0 }, BufferView.None);
    }

    /// <inheritdoc/>
    public void Gemm(BufferView a, PackedMatrix b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c)
    {
        b.PanelsFor(shape);
        Gemm(a, b.Source, epilogue, shape, c);
    }

    /// <summary>A pass of its own after the product: in the product's kernel, GELU would take the registers of the tile.</summary>
    private void GemmActivate(BufferView sums, in GemmShape product, in GemmEpilogue epilogue, in GemmShape shape, BufferView c)
    {
        bool gradient = !epilogue.GeluGradientOf.IsNone;
        var sizes = new GemmActivationSizes
        {
            M = shape.M,
            N = shape.N,
            Tanh = epilogue.Activation == GemmActivation.GeluTanh ? 1 : 0,
            Gradient = gradient ? 1 : 0,
            KeepsPreActivation = epilogue.PreActivation.IsNone ? 0 : 1,
            HasResidual = epilogue.Residual.IsNone ? 0 : 1,
            Accumulate = shape.Accumulate ? 1 : 0,
            NarrowResult = IsNarrow(c),
            Elements = (long)shape.Batch * shape.M * shape.N,
            RowSums = product.LeadingC,
            BatchSums = product.StrideC,
            RowC = shape.LeadingC,
            BatchC = shape.StrideC,
        };
        BufferView gelu = gradient ? epilogue.GeluGradientOf : epilogue.PreActivation;
        Launch(GemmKernels.Activate, Grid(sizes.Elements), View(sums), ViewOr(gelu, c), ViewOr(epilogue.Residual, c), View(c), sizes);
    }

    private void GemmProduct(BufferView a, BufferView b, BufferView bias, BufferView residual, in GemmShape shape, BufferView c)
    {
        GemmSizes sizes = Sizes(shape, bias, residual) with { NarrowFactors = IsNarrow(a), NarrowResult = IsNarrow(c) };
        if (shape.M <= SkinnyMaxRows)
        {
            sizes.RowTiles = (shape.M + GemmKernels.SkinnyRows - 1) / GemmKernels.SkinnyRows;
            sizes.ColumnTiles = (shape.N + GemmKernels.SkinnyColumns - 1) / GemmKernels.SkinnyColumns;
            long groups = (long)sizes.RowTiles * sizes.ColumnTiles * shape.Batch;
            Launch(GemmKernels.Skinny, Groups(groups, GemmKernels.SkinnyItems), View(a), View(b), ViewOr(bias, c), ViewOr(residual, c), View(c), sizes);
            return;
        }
        if (IsCuda && (sizes.NarrowFactors | sizes.NarrowResult) == 0 && CudaGemmPlan.Float32(shape, "") is { Path: CudaGemmPath.Simt } plan)
        {
            GemmGenerated(plan, a, b, new GemmEpilogue { Bias = bias, Residual = residual }, shape, c);
            return;
        }
        if (IsProcessor)
        {
            GemmPanels(a, b, bias, residual, shape, c);
            return;
        }
        sizes.RowTiles = (shape.M + GemmKernels.Tile - 1) / GemmKernels.Tile;
        sizes.ColumnTiles = (shape.N + GemmKernels.Tile - 1) / GemmKernels.Tile;
        int splits = Math.Min(SplitTargetGroups / (int)Math.Min(SplitTargetGroups, (long)sizes.RowTiles * sizes.ColumnTiles), shape.K / SplitMinDepth);
        if (shape.Batch == 1 && splits > 1) { GemmSplit(a, b, bias, residual, sizes, splits, c); }
        else { GemmTiled(a, b, ViewOr(bias, c), ViewOr(residual, c), sizes, shape.Batch, View(c)); }
    }

    /// <summary>Few tiles and a long sum, such as a weight gradient: parts of the sum run as a batch into scratch and are added up in order.</summary>
    private void GemmSplit(BufferView a, BufferView b, BufferView bias, BufferView residual, GemmSizes sizes, int splits, BufferView c)
    {
        int depth = (sizes.K + splits - 1) / splits;
        // Every part starts at a whole vector of four. The last one keeps at least a few steps: there are at most 256 parts of 1024 or more.
        depth += -depth & 3;
        using var scope = new BufferScope(Pool);
        BufferView parts = scope.Rent((long)splits * sizes.M * sizes.N);
        GemmSizes part = sizes with
        {
            K = depth,
            SplitK = depth,
            HasBias = 0,
            HasResidual = 0,
            Accumulate = 0,
            NarrowResult = 0,
            BatchA = depth * sizes.StepA,
            BatchB = depth * sizes.StepB,
            RowC = sizes.N,
            BatchC = (long)sizes.M * sizes.N,
        };
        GemmTiled(a, b, View(parts), View(parts), part, splits, View(parts));
        Launch(GemmKernels.AddSplits, Grid((long)sizes.M * sizes.N), View(parts), splits, ViewOr(bias, c), ViewOr(residual, c), View(c), sizes);
    }

    private void GemmTiled(BufferView a, BufferView b, ArrayView<float> bias, ArrayView<float> residual, GemmSizes sizes, int batch, ArrayView<float> c)
    {
        int groups = checked(sizes.RowTiles * sizes.ColumnTiles * batch);
        var config = new KernelConfig(new Index3D(groups, 1, 1), new Index3D(GemmKernels.Side, GemmKernels.Side, 1));
        bool vectors = !IsCuda && AreVectors(a, b) && OpenClGemm.IsVector(sizes.RowA, sizes.StepA, batch == 1 ? 0 : sizes.BatchA)
            && OpenClGemm.IsVector(sizes.ColumnB, sizes.StepB, batch == 1 ? 0 : sizes.BatchB);
        if (vectors) { Launch(OpenClGemm.Tiled, config, View(a), View(b), bias, residual, c, sizes); }
        else { Launch(GemmKernels.Tiled, config, View(a), View(b), bias, residual, c, sizes); }
    }

    /// <summary>As <see cref="GemmEpilogue.CheckExtent"/>.</summary>
    private static void RequireRows(BufferView view, long rows, long width, long leading, long batch, long stride, string name) =>
        GemmEpilogue.CheckExtent(name, view, rows, width, leading, batch, stride);

    private static GemmSizes Sizes(in GemmShape shape, BufferView bias, BufferView residual) => new()
    {
        M = shape.M,
        N = shape.N,
        K = shape.K,
        TotalK = shape.K,
        HasBias = bias.IsNone ? 0 : 1,
        HasResidual = residual.IsNone ? 0 : 1,
        Accumulate = shape.Accumulate ? 1 : 0,
        RowA = shape.TransposeA ? 1 : shape.LeadingA,
        StepA = shape.TransposeA ? shape.LeadingA : 1,
        StepB = shape.TransposeB ? 1 : shape.LeadingB,
        ColumnB = shape.TransposeB ? shape.LeadingB : 1,
        RowC = shape.LeadingC,
        BatchA = shape.StrideA,
        BatchB = shape.StrideB,
        BatchC = shape.StrideC,
    };
}
