using System.Runtime.CompilerServices;
using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>The kernels of <see cref="ActivationsKernels"/> with 16-byte accesses and the functions of <see cref="CudaMath"/>: four elements an item,
/// of which the last item may have fewer. Operands off the alignment are taken one by one with the same numbers.</summary>
internal static class CudaActivationsKernels
{
    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void Silu(ArrayView<float> x, ArrayView<float> d, int isVector)
    {
        long i = GlobalIndex();
        if (isVector != 0 && IsWhole(i, d))
        {
            Float4 v = x.Cast<Float4>()[i];
            d.Cast<Float4>()[i] = new Float4 { X = CudaMath.Silu(v.X).Value, Y = CudaMath.Silu(v.Y).Value, Z = CudaMath.Silu(v.Z).Value, W = CudaMath.Silu(v.W).Value };
            return;
        }
        long end = End(i, d);
        for (i *= 4; i < end; i++) { d[i] = CudaMath.Silu(x[i]).Value; }
    }

    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void SiluBackward(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> d, int isVector)
    {
        long i = GlobalIndex();
        if (isVector != 0 && IsWhole(i, d))
        {
            Float4 v = x.Cast<Float4>()[i], g = dy.Cast<Float4>()[i];
            d.Cast<Float4>()[i] = new Float4 { X = g.X * CudaMath.Silu(v.X).Slope, Y = g.Y * CudaMath.Silu(v.Y).Slope, Z = g.Z * CudaMath.Silu(v.Z).Slope, W = g.W * CudaMath.Silu(v.W).Slope };
            return;
        }
        long end = End(i, d);
        for (i *= 4; i < end; i++) { d[i] = dy[i] * CudaMath.Silu(x[i]).Slope; }
    }

    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void GeluErf(ArrayView<float> x, ArrayView<float> d, int isVector)
    {
        long i = GlobalIndex();
        if (isVector != 0 && IsWhole(i, d))
        {
            Float4 v = x.Cast<Float4>()[i];
            d.Cast<Float4>()[i] = new Float4 { X = CudaMath.GeluErf(v.X).Value, Y = CudaMath.GeluErf(v.Y).Value, Z = CudaMath.GeluErf(v.Z).Value, W = CudaMath.GeluErf(v.W).Value };
            return;
        }
        long end = End(i, d);
        for (i *= 4; i < end; i++) { d[i] = CudaMath.GeluErf(x[i]).Value; }
    }

    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void GeluErfBackward(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> d, int isVector)
    {
        long i = GlobalIndex();
        if (isVector != 0 && IsWhole(i, d))
        {
            Float4 v = x.Cast<Float4>()[i], g = dy.Cast<Float4>()[i];
            d.Cast<Float4>()[i] = new Float4 { X = g.X * CudaMath.GeluErf(v.X).Slope, Y = g.Y * CudaMath.GeluErf(v.Y).Slope, Z = g.Z * CudaMath.GeluErf(v.Z).Slope, W = g.W * CudaMath.GeluErf(v.W).Slope };
            return;
        }
        long end = End(i, d);
        for (i *= 4; i < end; i++) { d[i] = dy[i] * CudaMath.GeluErf(x[i]).Slope; }
    }

    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void GeluTanh(ArrayView<float> x, ArrayView<float> d, int isVector)
    {
        long i = GlobalIndex();
        if (isVector != 0 && IsWhole(i, d))
        {
            Float4 v = x.Cast<Float4>()[i];
            d.Cast<Float4>()[i] = new Float4 { X = CudaMath.GeluTanh(v.X).Value, Y = CudaMath.GeluTanh(v.Y).Value, Z = CudaMath.GeluTanh(v.Z).Value, W = CudaMath.GeluTanh(v.W).Value };
            return;
        }
        long end = End(i, d);
        for (i *= 4; i < end; i++) { d[i] = CudaMath.GeluTanh(x[i]).Value; }
    }

    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void GeluTanhBackward(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> d, int isVector)
    {
        long i = GlobalIndex();
        if (isVector != 0 && IsWhole(i, d))
        {
            Float4 v = x.Cast<Float4>()[i], g = dy.Cast<Float4>()[i];
            d.Cast<Float4>()[i] = new Float4 { X = g.X * CudaMath.GeluTanh(v.X).Slope, Y = g.Y * CudaMath.GeluTanh(v.Y).Slope, Z = g.Z * CudaMath.GeluTanh(v.Z).Slope, W = g.W * CudaMath.GeluTanh(v.W).Slope };
            return;
        }
        long end = End(i, d);
        for (i *= 4; i < end; i++) { d[i] = dy[i] * CudaMath.GeluTanh(x[i]).Slope; }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsWhole(long vector, ArrayView<float> d) => 4 * vector + 4 <= d.Length;

    /// <summary>Where the item's elements end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long End(long vector, ArrayView<float> d) => IsWhole(vector, d) ? 4 * vector + 4 : d.Length;
}
