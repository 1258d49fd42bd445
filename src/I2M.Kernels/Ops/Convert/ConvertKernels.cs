using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>Between float32 and bfloat16: one work item per word of two bfloat16 elements.</summary>
internal static class ConvertKernels
{
    public static void Narrow(ArrayView<float> x, long elements, ArrayView<int> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        uint low = RoundToBFloat16(x[2 * i]), high = 0;
        if (2 * i + 1 < elements) { high = RoundToBFloat16(x[2 * i + 1]); }
        d[i] = (int)(high << 16 | low);
    }

    public static void Widen(ArrayView<int> x, long elements, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= x.Length) { return; }
        uint word = (uint)x[i];
        d[2 * i] = Interop.IntAsFloat(word << 16);
        if (2 * i + 1 < elements) { d[2 * i + 1] = Interop.IntAsFloat(word & 0xFFFF0000u); }
    }
}
