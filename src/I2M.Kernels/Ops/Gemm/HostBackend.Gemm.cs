using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

// c = op(a)·op(b) + bias. The width of the vectors is chosen here; HostGemm holds the algorithm.
public sealed unsafe partial class HostBackend
{
    /// <inheritdoc cref="IBackend.Gemm"/>
    public void Gemm(BufferView a, BufferView b, BufferView bias, in GemmShape shape, BufferView c)
    {
        CheckExtents(a, b, bias, shape, c);
        if (Vector512.IsHardwareAccelerated) { HostGemm<Width512, Vector512<float>>.Run(_rows, Pool, Pointer(a), Pointer(b), Pointer(bias), shape, Pointer(c)); }
        else if (Vector256.IsHardwareAccelerated) { HostGemm<Width256, Vector256<float>>.Run(_rows, Pool, Pointer(a), Pointer(b), Pointer(bias), shape, Pointer(c)); }
        else { HostGemm<Width128, Vector128<float>>.Run(_rows, Pool, Pointer(a), Pointer(b), Pointer(bias), shape, Pointer(c)); }
    }

    private static void CheckExtents(BufferView a, BufferView b, BufferView bias, in GemmShape s, BufferView c)
    {
        if (s.M < 0 || s.N < 0 || s.K < 0 || s.Batch < 0) { throw new ArgumentOutOfRangeException(nameof(s), $"A size of {s} is negative."); }
        if (s.M == 0 || s.N == 0 || s.Batch == 0) { return; }
        CheckExtent("a", a, s.TransposeA ? s.K : s.M, s.TransposeA ? s.M : s.K, s.LeadingA, s.Batch, s.StrideA);
        CheckExtent("b", b, s.TransposeB ? s.N : s.K, s.TransposeB ? s.K : s.N, s.LeadingB, s.Batch, s.StrideB);
        CheckExtent("c", c, s.M, s.N, s.LeadingC, s.Batch, s.StrideC);
        if (!bias.IsNone) { CheckExtent("bias", bias, 1, s.N, s.N, 1, 0); }
    }

    /// <summary>Pointers have no bounds: a view that is too short for its shape is refused before anything is read or written.</summary>
    private static void CheckExtent(string name, BufferView view, long rows, long width, long leading, long batch, long stride)
    {
        if (rows == 0 || width == 0 || batch == 0) { return; }
        long needed = (batch - 1) * stride + (rows - 1) * leading + width;
        if (view.Length < needed) { throw new ArgumentException($"{name} has {view.Length} words; its shape needs {needed}.", name); }
    }
}
