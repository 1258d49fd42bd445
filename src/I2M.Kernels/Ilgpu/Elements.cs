using System.Runtime.CompilerServices;
using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Memory that holds float32 or, two to a word, bfloat16, as the portable kernels see it: float32 in registers. The type is the same for a whole launch, so
/// items never part here. 16-bit loads and stores need no extension in OpenCL; only the type half does. Halves of a word may belong to different items.
/// </summary>
internal static class Elements
{
    /// <summary>Element <paramref name="i"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(ArrayView<float> x, long i, int isNarrow)
    {
        float value;
        if (isNarrow != 0) { value = Interop.IntAsFloat((uint)x.Cast<ushort>()[i] << 16); }
        else { value = x[i]; }
        return value;
    }

    /// <summary>Writes element <paramref name="i"/>, rounded to nearest even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ArrayView<float> x, long i, float value, int isNarrow)
    {
        if (isNarrow != 0) { x.Cast<ushort>()[i] = (ushort)RoundToBFloat16(value); }
        else { x[i] = value; }
    }
}
