using System.Runtime.CompilerServices;
using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// The kernels of <see cref="ElementwiseKernels"/> with 16-byte accesses: four elements an item. In those without rows the last item may have fewer; in
/// those with rows the columns are a multiple of four.
/// </summary>
internal static class CudaElementwiseKernels
{
    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void Axpby(float a, ArrayView<float> x, float b, ArrayView<float> y, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (4 * i + 4 <= d.Length)
        {
            d.Cast<Float4>()[i] = Combined(a, x.Cast<Float4>()[i], b, y.Cast<Float4>()[i]);
            return;
        }
        for (i *= 4; i < d.Length; i++) { d[i] = a * x[i] + b * y[i]; }
    }

    /// <summary>d = a · factor[0] · x, the factor 1 without <paramref name="hasFactor"/>.</summary>
    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void Scale(float a, int hasFactor, ArrayView<float> factor, ArrayView<float> x, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (4 * i >= d.Length) { return; }
        if (hasFactor != 0) { a *= factor[0]; }
        if (4 * i + 4 <= d.Length)
        {
            d.Cast<Float4>()[i] = Float4.Multiply(a, x.Cast<Float4>()[i]);
            return;
        }
        for (i *= 4; i < d.Length; i++) { d[i] = a * x[i]; }
    }

    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void Multiply(ArrayView<float> x, ArrayView<float> y, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (4 * i + 4 <= d.Length)
        {
            d.Cast<Float4>()[i] = Float4.Multiply(x.Cast<Float4>()[i], y.Cast<Float4>()[i]);
            return;
        }
        for (i *= 4; i < d.Length; i++) { d[i] = x[i] * y[i]; }
    }

    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void AddBroadcast(ArrayView<float> x, ArrayView<float> v, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (4 * i >= d.Length) { return; }
        long period = v.Length / 4;
        d.Cast<Float4>()[i] = Float4.Add(x.Cast<Float4>()[i], v.Cast<Float4>()[i - Quotient(i, period) * period]);
    }

    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void CombineRows(ArrayView<float> a, ArrayView<float> x, ArrayView<float> b, ArrayView<float> y, long columns, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (4 * i >= d.Length) { return; }
        long r = Quotient(4 * i, columns);
        d.Cast<Float4>()[i] = Combined(a[r], x.Cast<Float4>()[i], b[r], y.Cast<Float4>()[i]);
    }

    /// <summary>d = x + gate · h.</summary>
    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void GatedResidual(ArrayView<float> x, ArrayView<float> h, ArrayView<float> gate, ModulationShape shape, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (4 * i >= d.Length) { return; }
        d.Cast<Float4>()[i] = Float4.MultiplyAdd(gate.Cast<Float4>()[GateVector(i, shape)], h.Cast<Float4>()[i], x.Cast<Float4>()[i]);
    }

    /// <summary>d = x + gate · h with h in bfloat16.</summary>
    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void GatedNarrowResidual(ArrayView<float> x, ArrayView<float> h, ArrayView<float> gate, ModulationShape shape, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (4 * i >= d.Length) { return; }
        d.Cast<Float4>()[i] = Float4.MultiplyAdd(gate.Cast<Float4>()[GateVector(i, shape)], BFloat16x4.Widen(h.Cast<BFloat16x4>()[i]), x.Cast<Float4>()[i]);
    }

    /// <summary>d = gate · dy.</summary>
    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void Gated(ArrayView<float> gate, ArrayView<float> dy, ModulationShape shape, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (4 * i >= d.Length) { return; }
        d.Cast<Float4>()[i] = Float4.Multiply(gate.Cast<Float4>()[GateVector(i, shape)], dy.Cast<Float4>()[i]);
    }

    /// <summary>d = gate · dy in bfloat16.</summary>
    [KernelBounds(IlgpuBackend.GroupSize)]
    public static void GatedNarrow(ArrayView<float> gate, ArrayView<float> dy, ModulationShape shape, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (4 * i >= dy.Length) { return; }
        d.Cast<BFloat16x4>()[i] = BFloat16x4.Narrow(Float4.Multiply(gate.Cast<Float4>()[GateVector(i, shape)], dy.Cast<Float4>()[i]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Combined(float a, Float4 x, float b, Float4 y) => new()
    {
        X = a * x.X + b * y.X,
        Y = a * x.Y + b * y.Y,
        Z = a * x.Z + b * y.Z,
        W = a * x.W + b * y.W,
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long GateVector(long i, ModulationShape shape)
    {
        long perRow = shape.Channels / 4;
        long row = Quotient(i, perRow);
        return Quotient(row, shape.Tokens) * (shape.Stride / 4) + i - row * perRow;
    }
}
