using ILGPU;
using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <summary>How <see cref="Gemm(BufferView, BufferView, in GemmEpilogue, in GemmShape, BufferView)"/> would run this product on CUDA.</summary>
    internal CudaGemmPlan PlanGemm(BufferView a, BufferView b, in GemmShape shape) => Tuned(CudaGemmPlan.For(a, b, shape, _device.Limits.DynamicSharedBytes), a.Type, shape);

    private void GemmCuda(BufferView a, BufferView b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c)
    {
        CudaGemmPlan plan = PlanGemm(a, b, shape);
        if (plan.Path == CudaGemmPath.TensorCores) { GemmGenerated(plan, a, b, epilogue, shape, c); }
        else { GemmPortable(a, b, epilogue, shape, c); }
    }

    /// <summary>Runs the product with a given kernel and split, whatever the plan for its shape would be: for tests and tuning too.</summary>
    internal void GemmGenerated(in CudaGemmPlan plan, BufferView a, BufferView b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c)
    {
        bool simt = plan.Path == CudaGemmPath.Simt;
        (int rows, int columns, int threads) = plan.Tile switch
        {
            CudaGemmTile.Tile64x64 => (64, 64, 128),
            CudaGemmTile.Tile128x256 => (128, 256, 256),
            _ => (128, 128, simt ? 256 : 128),
        };
        CudaGemmSizes sizes = CudaSizes(epilogue, shape, c);
        sizes.RowTiles = (shape.M + rows - 1) / rows;
        sizes.ColumnTiles = (shape.N + columns - 1) / columns;
        int groups = checked(sizes.RowTiles * sizes.ColumnTiles * shape.Batch);
        var kernel = simt ? CudaGemmTable.Simt[shape.Layout] : CudaGemmTable.Tensor[(a.Type, shape.Layout, plan.Tile)];
        BufferView activation = epilogue.GeluGradientOf.IsNone ? epilogue.PreActivation : epilogue.GeluGradientOf;
        ArrayView<float> viewC = View(c), bias = ViewOr(epilogue.Bias, c), inner = ViewOr(activation, c), residual = ViewOr(epilogue.Residual, c);
        if (plan.SplitDepth == 0)
        {
            Launch(kernel, Groups(groups, threads), Address(a), Address(b), viewC, bias, inner, residual, sizes);
            return;
        }
        int splits = (shape.K + plan.SplitDepth - 1) / plan.SplitDepth;
        using var scope = new BufferScope(Pool);
        ArrayView<float> parts = View(scope.Rent((long)splits * shape.M * shape.N));
        Launch(kernel, Groups(checked(groups * splits), threads), Address(a), Address(b), parts, parts, parts, parts, PartSizes(sizes, plan.SplitDepth));
        Launch(CudaGemmKernels.AddSplits, Grid((long)shape.M * shape.N / CudaGemmEpilogue.Columns), parts, splits, viewC, bias, inner, residual, sizes);
    }

    /// <summary>A part of a split sum: no epilogue, sums in float32 rows that follow one another.</summary>
    private static CudaGemmSizes PartSizes(in CudaGemmSizes sizes, int depth) => new()
    {
        M = sizes.M,
        N = sizes.N,
        K = sizes.K,
        RowTiles = sizes.RowTiles,
        ColumnTiles = sizes.ColumnTiles,
        LeadingA = sizes.LeadingA,
        LeadingB = sizes.LeadingB,
        LeadingC = sizes.N,
        StrideC = (long)sizes.M * sizes.N,
        StepA = sizes.StepA,
        StepB = sizes.StepB,
        SplitDepth = depth,
        Wide = 1,
    };

    private static CudaGemmSizes CudaSizes(in GemmEpilogue epilogue, in GemmShape shape, BufferView c) => new()
    {
        M = shape.M,
        N = shape.N,
        K = shape.K,
        LeadingA = shape.LeadingA,
        LeadingB = shape.LeadingB,
        LeadingC = shape.LeadingC,
        StrideA = shape.StrideA,
        StrideB = shape.StrideB,
        StrideC = shape.StrideC,
        StepA = shape.TransposeA ? shape.LeadingA : 1,
        StepB = shape.TransposeB ? 1 : shape.LeadingB,
        Narrow = c.Type == ElementType.BFloat16 ? 1 : 0,
        Wide = IsWideEpilogue(epilogue, shape, c) ? 1 : 0,
        HasBias = epilogue.Bias.IsNone ? 0 : 1,
        HasResidual = epilogue.Residual.IsNone ? 0 : 1,
        Accumulate = shape.Accumulate ? 1 : 0,
        KeepsPreActivation = epilogue.PreActivation.IsNone ? 0 : 1,
        Activation = epilogue.Activation == GemmActivation.None ? 0 : epilogue.GeluGradientOf.IsNone ? 1 : 2,
        Tanh = epilogue.Activation == GemmActivation.GeluTanh ? 1 : 0,
    };

    /// <summary>Whether eight columns of a row lie at multiples of 16 bytes in every view of the epilogue.</summary>
    private static bool IsWideEpilogue(in GemmEpilogue epilogue, in GemmShape shape, BufferView c)
    {
        int unit = c.Type == ElementType.BFloat16 ? 8 : 4;
        return shape.LeadingC % unit == 0 && (shape.Batch == 1 || shape.StrideC % unit == 0)
            && Starts(c) && Starts(epilogue.Bias) && Starts(epilogue.Residual) && Starts(epilogue.PreActivation) && Starts(epilogue.GeluGradientOf);

        static bool Starts(BufferView view) => view.IsNone || view.Offset % 4 == 0;
    }
}
