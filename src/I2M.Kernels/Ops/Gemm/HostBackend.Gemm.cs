using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

// c = epilogue(op(a)·op(b)). The width of the vectors is chosen here; HostGemm holds the algorithm.
public sealed unsafe partial class HostBackend
{
    /// <inheritdoc cref="IBackend.Gemm(BufferView, BufferView, in GemmEpilogue, in GemmShape, BufferView)"/>
    public void Gemm(BufferView a, BufferView b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c)
    {
        if (WidenedGemm.IsNeeded(a, b, epilogue, c)) { WidenedGemm.Run(this, a, b, epilogue, shape, c); }
        else { Multiply(a, b, BufferView.None, epilogue, shape, c); }
    }

    /// <inheritdoc cref="IBackend.Gemm(BufferView, PackedMatrix, in GemmEpilogue, in GemmShape, BufferView)"/>
    public void Gemm(BufferView a, PackedMatrix b, in GemmEpilogue epilogue, in GemmShape shape, BufferView c) =>
        Multiply(a, b.Source, b.PanelsFor(shape), epilogue, shape, c);

    /// <inheritdoc cref="IBackend.Pack"/>
    public PackedMatrix Pack(BufferView b, in GemmShape shape)
    {
        GemmShape alone = shape with { M = 0, Batch = 1, StrideA = 0, StrideB = 0, StrideC = 0 };
        CheckSizes(alone);
        CheckExtent("b", b, alone.TransposeB ? alone.N : alone.K, alone.TransposeB ? alone.K : alone.N, alone.LeadingB, 1, 0);
        BufferView panels = Pool.Rent(Vector512.IsHardwareAccelerated ? HostGemm<Width512, Vector512<float>>.PackedLength(alone)
            : Vector256.IsHardwareAccelerated ? HostGemm<Width256, Vector256<float>>.PackedLength(alone)
            : HostGemm<Width128, Vector128<float>>.PackedLength(alone));
        if (Vector512.IsHardwareAccelerated) { HostGemm<Width512, Vector512<float>>.PackAll(_rows, Pointer(b), alone, Pointer(panels)); }
        else if (Vector256.IsHardwareAccelerated) { HostGemm<Width256, Vector256<float>>.PackAll(_rows, Pointer(b), alone, Pointer(panels)); }
        else { HostGemm<Width128, Vector128<float>>.PackAll(_rows, Pointer(b), alone, Pointer(panels)); }
        return new PackedMatrix(Pool, b, alone, panels);
    }

    private void Multiply(BufferView a, BufferView b, BufferView panels, in GemmEpilogue epilogue, in GemmShape shape, BufferView c)
    {
        CheckSizes(shape);
        if (shape.M == 0 || shape.N == 0 || shape.Batch == 0)
        {
            epilogue.FinishEmpty(this, shape);
            return;
        }
        CheckExtents(a, b, shape, c);
        epilogue.CheckTypes(a, b, c);
        if (a.Type != ElementType.Float32 || c.Type != ElementType.Float32) { throw new ArgumentException($"A packed product is Float32; a holds {a.Type}, c {c.Type}.", nameof(a)); }
        epilogue.Check(shape, c);
        using var scope = new BufferScope(Pool);
        BufferView scratch = epilogue.NeedsSeparateSums(shape, c) ? scope.Rent((long)shape.Batch * shape.M * shape.N) : BufferView.None;
        var store = new GemmStore(epilogue, shape, c, scratch);
        if (Vector512.IsHardwareAccelerated) { HostGemm<Width512, Vector512<float>>.Run(_rows, Pool, Pointer(a), Pointer(b), Pointer(panels), shape, store); }
        else if (Vector256.IsHardwareAccelerated) { HostGemm<Width256, Vector256<float>>.Run(_rows, Pool, Pointer(a), Pointer(b), Pointer(panels), shape, store); }
        else { HostGemm<Width128, Vector128<float>>.Run(_rows, Pool, Pointer(a), Pointer(b), Pointer(panels), shape, store); }
        if (!epilogue.ColumnSums.IsNone) { SumProductColumns(c, shape, epilogue.AddsColumnSums, epilogue.ColumnSums); }
    }

    /// <summary>Sums of columns are a pass of their own: beside the product it is one load for many multiply-adds.</summary>
    private void SumProductColumns(BufferView c, in GemmShape shape, bool accumulate, BufferView destination)
    {
        long groups = shape.Batch * RowGroups(shape.M);
        using var scope = new BufferScope(Pool);
        float* partial = Pointer(scope.Rent(groups * shape.N));
        AddGroups(Pointer(c), new RowBlock(shape.Batch, shape.StrideC, shape.M, shape.LeadingC, shape.N), partial);
        CombineGroups(partial, 1, groups, shape.N, 1f, accumulate, Pointer(destination), shape.N);
    }

    private static void CheckSizes(in GemmShape s)
    {
        if (s.M < 0 || s.N < 0 || s.K < 0 || s.Batch < 0) { throw new ArgumentOutOfRangeException(nameof(s), $"A size of {s} is negative."); }
    }

    /// <summary>Pointers have no bounds: a view that is too short for its shape is refused before anything is read or written.</summary>
    private static void CheckExtents(BufferView a, BufferView b, in GemmShape s, BufferView c)
    {
        CheckExtent("a", a, s.TransposeA ? s.K : s.M, s.TransposeA ? s.M : s.K, s.LeadingA, s.Batch, s.StrideA);
        CheckExtent("b", b, s.TransposeB ? s.N : s.K, s.TransposeB ? s.K : s.N, s.LeadingB, s.Batch, s.StrideB);
        CheckExtent("c", c, s.M, s.N, s.LeadingC, s.Batch, s.StrideC);
    }

    /// <summary>As <see cref="GemmEpilogue.CheckExtent"/>.</summary>
    private static void CheckExtent(string name, BufferView view, long rows, long width, long leading, long batch, long stride) =>
        GemmEpilogue.CheckExtent(name, view, rows, width, leading, batch, stride);
}
