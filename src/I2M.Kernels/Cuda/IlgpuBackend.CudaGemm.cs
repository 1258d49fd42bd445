using ILGPU;
using ILGPU.Runtime;
using CudaGemmKernel = System.Action<long, long, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>, I2M.Kernels.Ilgpu.CudaGemmSizes>;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <summary>How <see cref="Gemm(BufferView, BufferView, in GemmEpilogue, in GemmShape, BufferView)"/> would run this product on CUDA.</summary>
    internal CudaGemmPlan PlanGemm(BufferView a, BufferView b, in GemmShape shape) => Tuned(CudaGemmPlan.For(a, b, shape, _device.Limits.DynamicSharedBytes), a.Type, shape);

    private void GemmCuda(BufferView a, BufferView b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c)
    {
        CudaGemmPlan plan = PlanGemm(a, b, shape);
        bool isReduced = plan.Path == CudaGemmPath.TensorCores;
        if (!isReduced && a.Type == ElementType.Float32 && shape.Precision == MatmulPrecision.TensorFloat32) { _fullPrecisionReasons.Add(plan.Reason); }
        if (isReduced) { GemmGenerated(plan, a, b, epilogue, shape, c); }
        else if (WidenedGemm.IsNeeded(a, b, epilogue, c)) { WidenedGemm.Run(this, a, b, epilogue, shape, c); }
        else { GemmFloat32(a, b, epilogue, shape, c); }
    }

    /// <summary>
    /// Runs the product with a given kernel and split, whatever the plan for its shape would be: for tests and tuning too. Sums of columns come with products on tensor
    /// cores, which then are not split.
    /// </summary>
    internal void GemmGenerated(in CudaGemmPlan plan, BufferView a, BufferView b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c)
    {
        bool simt = plan.Path == CudaGemmPath.Simt, wantsSums = !epilogue.ColumnSums.IsNone && !simt;
        (int rows, int columns, int threads) = plan.Tile switch
        {
            CudaGemmTile.Tile64x64 => (64, 64, 128),
            CudaGemmTile.Tile128x256 => (128, 256, 256),
            _ => (128, 128, simt ? 256 : 128),
        };
        CudaGemmSizes sizes = CudaSizes(epilogue, shape, c);
        sizes.RowTiles = (shape.M + rows - 1) / rows;
        sizes.ColumnTiles = (shape.N + columns - 1) / columns;
        var launch = new CudaGemmLaunch(simt ? SimtKernel(a, b, shape) : CudaGemmTable.Tensor[(a.Type, shape.Layout, plan.Tile)], threads, a, b, c, epilogue);
        if (plan.SplitDepth > 0 && !wantsSums)
        {
            GemmSplits(launch, plan.SplitDepth, sizes, shape.Batch);
            return;
        }
        using var scope = new BufferScope(Pool);
        sizes.SumRows = wantsSums ? sizes.RowTiles * rows / CudaGemmEpilogue.SumRows : 0;
        var sumShape = new ReduceShape(1, checked(sizes.SumRows * shape.Batch), shape.N);
        BufferView sums = wantsSums ? scope.Rent((long)sumShape.Rows * shape.N) : c;
        for (int k = 0; k == 0 || k < shape.K; k += simt ? CudaGemmPlan.SimtDepth : Math.Max(1, shape.K))
        {
            sizes.K = simt ? Math.Min(CudaGemmPlan.SimtDepth, shape.K - k) : shape.K;
            Launch(launch, k, View(c), View(sums), sizes, shape.Batch);
            // What follows is added to the sums of the first steps with their bias and residual.
            (sizes.HasBias, sizes.HasResidual, sizes.Accumulate) = (0, 0, 1);
        }
        if (wantsSums) { SumColumns(sums, sumShape, 1f, epilogue.AddsColumnSums, epilogue.ColumnSums.Slice(0, shape.N)); }
    }

    /// <summary>A product's kernel and operands.</summary>
    private readonly record struct CudaGemmLaunch(CudaGemmKernel Kernel, int Threads, BufferView A, BufferView B, BufferView C, GemmEpilogue Epilogue)
    {
        /// <summary>What the activation reads or writes.</summary>
        public BufferView Inner => Epilogue.GeluGradientOf.IsNone ? Epilogue.PreActivation : Epilogue.GeluGradientOf;
    }

    /// <summary>Launches the kernel for so many items, from step k of the sums on.</summary>
    private void Launch(in CudaGemmLaunch l, int k, ArrayView<float> c, ArrayView<float> sums, in CudaGemmSizes sizes, int items)
    {
        KernelConfig config = Groups(checked(sizes.RowTiles * sizes.ColumnTiles * items), l.Threads);
        int bytes = l.A.Type == ElementType.BFloat16 ? 2 : 4;
        Launch(l.Kernel, config, Address(l.A) + bytes * k * sizes.StepA, Address(l.B) + bytes * k * sizes.StepB, c,
            ViewOr(l.Epilogue.Bias, l.C), ViewOr(l.Inner, l.C), ViewOr(l.Epilogue.Residual, l.C), sums, sizes);
    }

    /// <summary>Parts of the sums into scratch, then their addition in order.</summary>
    private void GemmSplits(in CudaGemmLaunch l, int depth, in CudaGemmSizes sizes, int batch)
    {
        int splits = (sizes.K + depth - 1) / depth;
        CudaGemmSizes part = PartSizes(sizes, depth);
        long rows = (long)batch * sizes.M;
        using var scope = new BufferScope(Pool);
        ArrayView<float> parts = View(scope.Rent(splits * batch * part.StrideC));
        Launch(l, 0, parts, parts, part, checked(splits * batch));
        KernelConfig config = Grid(rows * ((sizes.N + CudaGemmEpilogue.Columns - 1) / CudaGemmEpilogue.Columns));
        Launch(CudaGemmKernels.AddSplits, config, parts, splits, rows, View(l.C), ViewOr(l.Epilogue.Bias, l.C), ViewOr(l.Inner, l.C), ViewOr(l.Epilogue.Residual, l.C), sizes);
    }

    /// <summary>The kernel whose copies of factors that do not lie along k are of 16 bytes, where they are aligned to it.</summary>
    private static CudaGemmKernel SimtKernel(BufferView a, BufferView b, in GemmShape shape)
    {
        bool aligned = (!shape.TransposeA || CudaGemmPlan.IsAligned(a, shape.LeadingA, shape.StrideA, shape.Batch))
            && (shape.TransposeB || CudaGemmPlan.IsAligned(b, shape.LeadingB, shape.StrideB, shape.Batch));
        return aligned && CudaGemmTable.SimtAligned.TryGetValue(shape.Layout, out CudaGemmKernel? kernel) ? kernel : CudaGemmTable.Simt[shape.Layout];
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
        StrideA = sizes.StrideA,
        StrideB = sizes.StrideB,
        LeadingC = CudaGemmKernels.Pitch(sizes.N),
        StrideC = (long)sizes.M * CudaGemmKernels.Pitch(sizes.N),
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
