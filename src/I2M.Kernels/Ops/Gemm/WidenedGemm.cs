namespace I2M.Kernels;

/// <summary>
/// Products with bfloat16 views where a backend has no kernel for them: inputs are widened into scratch, multiplied in float32 and the outputs narrowed. Scratch keeps
/// the views' layout, so that the shape stays as it is.
/// </summary>
internal static class WidenedGemm
{
    /// <summary>True when a view is not float32.</summary>
    public static bool IsNeeded(BufferView a, BufferView b, in GemmEpilogue epilogue, BufferView c) =>
        (a.Type, b.Type, c.Type, epilogue.PreActivation.Type, epilogue.GeluGradientOf.Type)
        != (ElementType.Float32, ElementType.Float32, ElementType.Float32, ElementType.Float32, ElementType.Float32);

    /// <summary>The product of <see cref="IBackend.Gemm(BufferView, BufferView, in GemmEpilogue, in GemmShape, BufferView)"/>.</summary>
    public static void Run(IBackend backend, BufferView a, BufferView b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c)
    {
        RowBlock blockA = shape.TransposeA ? Block(shape, shape.StrideA, shape.K, shape.LeadingA, shape.M) : Block(shape, shape.StrideA, shape.M, shape.LeadingA, shape.K);
        RowBlock blockB = shape.TransposeB ? Block(shape, shape.StrideB, shape.N, shape.LeadingB, shape.K) : Block(shape, shape.StrideB, shape.K, shape.LeadingB, shape.N);
        var blockC = new RowBlock(shape.Batch, shape.StrideC, shape.M, shape.LeadingC, shape.N);
        epilogue.CheckTypes(a, b, c);
        CheckExtent(nameof(a), a, blockA);
        CheckExtent(nameof(b), b, blockB);
        CheckExtent(nameof(c), c, blockC);
        epilogue.Check(shape, c);
        using var scope = new BufferScope(backend.Pool);
        BufferView wideA = IsWide(a) ? a : scope.Rent(blockA.Extent), wideB = IsWide(b) ? b : scope.Rent(blockB.Extent), wideC = IsWide(c) ? c : scope.Rent(blockC.Extent);
        BufferView inner = epilogue.PreActivation.IsNone ? epilogue.GeluGradientOf : epilogue.PreActivation;
        BufferView wideInner = IsWide(inner) ? inner : scope.Rent(blockC.Extent);
        if (!IsWide(a)) { backend.ConvertRows(a, blockA, wideA); }
        if (!IsWide(b)) { backend.ConvertRows(b, blockB, wideB); }
        if (!IsWide(c) && shape.Accumulate) { backend.ConvertRows(c, blockC, wideC); }
        if (!IsWide(epilogue.GeluGradientOf)) { backend.ConvertRows(epilogue.GeluGradientOf, blockC, wideInner); }
        GemmEpilogue wide = epilogue with
        {
            PreActivation = epilogue.PreActivation.IsNone ? BufferView.None : wideInner,
            GeluGradientOf = epilogue.GeluGradientOf.IsNone ? BufferView.None : wideInner,
        };
        backend.Gemm(wideA, wideB, wide, shape with { Precision = MatmulPrecision.Float32 }, wideC);
        if (!IsWide(c)) { backend.ConvertRows(wideC, blockC, c); }
        if (!IsWide(epilogue.PreActivation)) { backend.ConvertRows(wideInner, blockC, epilogue.PreActivation); }
    }

    private static void CheckExtent(string name, BufferView view, in RowBlock block) =>
        GemmEpilogue.CheckExtent(name, view, block.Rows, block.Width, block.Leading, block.Batch, block.Stride);

    private static bool IsWide(BufferView view) => view.IsNone || view.Type == ElementType.Float32;

    /// <summary>A factor that all items share is one item.</summary>
    private static RowBlock Block(in GemmShape shape, long stride, long rows, long leading, long width) => new(stride == 0 ? 1 : shape.Batch, stride, rows, leading, width);
}
