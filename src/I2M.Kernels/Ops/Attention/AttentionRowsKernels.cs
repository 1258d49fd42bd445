using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>Rows of bfloat16 with gaps between them to and from float32 without; one work item per element.</summary>
internal static class AttentionRowsKernels
{
    public static void Widen(ArrayView<ushort> x, int width, int stride, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = Interop.IntAsFloat((uint)x[i / width * stride + i % width] << 16); }
    }

    public static void Narrow(ArrayView<float> x, int width, int stride, ArrayView<ushort> d)
    {
        long i = GlobalIndex();
        if (i < x.Length) { d[i / width * stride + i % width] = (ushort)RoundToBFloat16(x[i]); }
    }
}
