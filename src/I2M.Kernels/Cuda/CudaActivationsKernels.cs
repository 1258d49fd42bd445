using System.Runtime.CompilerServices;
using ILGPU;
using static I2M.Kernels.Ilgpu.ActivationsKernels;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>The kernels of <see cref="ActivationsKernels"/> with 16-byte accesses: four elements an item, of which the last item may have fewer.</summary>
internal static class CudaActivationsKernels
{
    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void Silu(ArrayView<float> x, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (IsWhole(i, d))
        {
            Float4 v = x.Cast<Float4>()[i];
            d.Cast<Float4>()[i] = new Float4 { X = SiluOf(v.X), Y = SiluOf(v.Y), Z = SiluOf(v.Z), W = SiluOf(v.W) };
            return;
        }
        for (i *= 4; i < d.Length; i++) { d[i] = SiluOf(x[i]); }
    }

    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void SiluBackward(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (IsWhole(i, d))
        {
            Float4 v = x.Cast<Float4>()[i], g = dy.Cast<Float4>()[i];
            d.Cast<Float4>()[i] = new Float4 { X = g.X * SiluSlope(v.X), Y = g.Y * SiluSlope(v.Y), Z = g.Z * SiluSlope(v.Z), W = g.W * SiluSlope(v.W) };
            return;
        }
        for (i *= 4; i < d.Length; i++) { d[i] = dy[i] * SiluSlope(x[i]); }
    }

    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void GeluErf(ArrayView<float> x, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (IsWhole(i, d))
        {
            Float4 v = x.Cast<Float4>()[i];
            d.Cast<Float4>()[i] = new Float4 { X = GeluErfOf(v.X), Y = GeluErfOf(v.Y), Z = GeluErfOf(v.Z), W = GeluErfOf(v.W) };
            return;
        }
        for (i *= 4; i < d.Length; i++) { d[i] = GeluErfOf(x[i]); }
    }

    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void GeluErfBackward(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (IsWhole(i, d))
        {
            Float4 v = x.Cast<Float4>()[i], g = dy.Cast<Float4>()[i];
            d.Cast<Float4>()[i] = new Float4 { X = g.X * GeluErfSlope(v.X), Y = g.Y * GeluErfSlope(v.Y), Z = g.Z * GeluErfSlope(v.Z), W = g.W * GeluErfSlope(v.W) };
            return;
        }
        for (i *= 4; i < d.Length; i++) { d[i] = dy[i] * GeluErfSlope(x[i]); }
    }

    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void GeluTanh(ArrayView<float> x, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (IsWhole(i, d))
        {
            Float4 v = x.Cast<Float4>()[i];
            d.Cast<Float4>()[i] = new Float4 { X = GeluTanhOf(v.X), Y = GeluTanhOf(v.Y), Z = GeluTanhOf(v.Z), W = GeluTanhOf(v.W) };
            return;
        }
        for (i *= 4; i < d.Length; i++) { d[i] = GeluTanhOf(x[i]); }
    }

    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void GeluTanhBackward(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (IsWhole(i, d))
        {
            Float4 v = x.Cast<Float4>()[i], g = dy.Cast<Float4>()[i];
            d.Cast<Float4>()[i] = new Float4 { X = g.X * GeluTanhSlope(v.X), Y = g.Y * GeluTanhSlope(v.Y), Z = g.Z * GeluTanhSlope(v.Z), W = g.W * GeluTanhSlope(v.W) };
            return;
        }
        for (i *= 4; i < d.Length; i++) { d[i] = dy[i] * GeluTanhSlope(x[i]); }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsWhole(long vector, ArrayView<float> d) => 4 * vector + 4 <= d.Length;
}
