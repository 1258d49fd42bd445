namespace I2M.Kernels;

/// <summary>Products with bfloat16 views on backends whose kernels know float32 alone.</summary>
internal static class WidenedGemm
{
    /// <summary>True when a view is not float32.</summary>
    public static bool IsNeeded(BufferView a, BufferView b, in GemmEpilogue epilogue, BufferView c) =>
        (a.Type, b.Type, c.Type, epilogue.PreActivation.Type, epilogue.GeluGradientOf.Type)
        != (ElementType.Float32, ElementType.Float32, ElementType.Float32, ElementType.Float32, ElementType.Float32);

    /// <summary>The product of <see cref="IBackend.Gemm(BufferView, BufferView, in GemmEpilogue, in GemmShape, BufferView)"/>.</summary>
    /// <param name="backend">Multiplies float32, and with <paramref name="keepsFactors"/> bfloat16 factors.</param>
    /// <param name="a">As there; likewise the others.</param>
    /// <param name="b">As there.</param>
    /// <param name="epilogue">As there.</param>
    /// <param name="shape">As there.</param>
    /// <param name="c">As there.</param>
    /// <param name="keepsFactors">True widens only c and what has its type.</param>
    public static void Run(IBackend backend, BufferView a, BufferView b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c, bool keepsFactors = false)
    {
        RowBlock blockA = shape.TransposeA ? Block(shape, shape.StrideA, shape.K, shape.LeadingA, shape.M) : Block(shape, shape.StrideA, shape.M, shape.LeadingA, shape.K);
        RowBlock blockB = shape.TransposeB ? Block(shape, shape.StrideB, shape.N, shape.LeadingB, shape.K) : Block(shape, shape.StrideB, shape.K, shape.LeadingB, shape.N);
        var blockC = new RowBlock(shape.Batch, shape.StrideC, shape.M, shape.LeadingC, shape.N);
        epilogue.CheckTypes(a, b, c);
        CheckExtent(nameof(a), a, blockA);
        CheckExtent(nameof(b), b, blockB);
        CheckExtent(nameof(c), c, blockC);
        epilogue.Check(shape, c);
        using var wide = new WideOperands(backend);
        BufferView wideA = keepsFactors ? a : wide.Read(a, blockA), wideB = keepsFactors ? b : wide.Read(b, blockB), wideC = shape.Accumulate ? wide.Read(c, blockC) : wide.Write(c, blockC);
        BufferView pre = wide.Write(epilogue.PreActivation, blockC);
        GemmEpilogue inner = epilogue with { PreActivation = pre, GeluGradientOf = wide.Read(epilogue.GeluGradientOf, blockC) };
        backend.Gemm(wideA, wideB, inner, shape with { Precision = MatmulPrecision.Float32 }, wideC);
        wide.Narrow(wideC, blockC, c);
        wide.Narrow(pre, blockC, epilogue.PreActivation);
    }

    private static void CheckExtent(string name, BufferView view, in RowBlock block) =>
        GemmEpilogue.CheckExtent(name, view, block.Rows, block.Width, block.Leading, block.Batch, block.Stride);

    /// <summary>A factor that all items share is one item.</summary>
    private static RowBlock Block(in GemmShape shape, long stride, long rows, long leading, long width) => new(stride == 0 ? 1 : shape.Batch, stride, rows, leading, width);
}
