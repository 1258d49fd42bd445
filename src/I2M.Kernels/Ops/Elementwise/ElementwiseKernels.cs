using ILGPU;
using ILGPU.Runtime;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>One work item per element: x, y inputs, d destination, n elements.</summary>
internal static class ElementwiseKernels
{
    public static void Fill(ArrayView<float> d, float value)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = value; }
    }

    public static void Axpby(float a, ArrayView<float> x, float b, ArrayView<float> y, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = a * x[i] + b * y[i]; }
    }

    public static void Scale(float a, ArrayView<float> x, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = a * x[i]; }
    }

    public static void ScaleByDevice(ArrayView<float> factor, ArrayView<float> x, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = factor[0] * x[i]; }
    }

    public static void Multiply(ArrayView<float> x, ArrayView<float> y, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = x[i] * y[i]; }
    }

    public static void Clamp(ArrayView<float> x, float low, float high, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        // Comparisons, not min and max: those drop a NaN on CUDA.
        float v = x[i];
        if (!IsNaN(v))
        {
            if (v < low) { v = low; }
            if (v > high) { v = high; }
        }
        d[i] = v;
    }

    public static void AddBroadcast(ArrayView<float> x, ArrayView<float> v, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = x[i] + v[i - Quotient(i, v.Length) * v.Length]; }
    }

    public static void CombineRows(ArrayView<float> a, ArrayView<float> x, ArrayView<float> b, ArrayView<float> y, long columns, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        long r = Quotient(i, columns);
        d[i] = a[r] * x[i] + b[r] * y[i];
    }

    public static void MixRows(ArrayView<float> keep, ArrayView<float> x, ArrayView<float> fallback, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        long r = Quotient(i, fallback.Length);
        // A selection: 0 · x would be NaN for an infinite x.
        float v;
        if (keep[r] != 0f) { v = x[i]; }
        else { v = fallback[i - r * fallback.Length]; }
        d[i] = v;
    }

    public static void ScaleRows(ArrayView<float> factor, ArrayView<float> x, long columns, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = factor[Quotient(i, columns)] * x[i]; }
    }

    public static void GatedResidual(ArrayView<float> x, ArrayView<float> h, ArrayView<float> gate, long tokens, long channels, long stride, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = x[i] + gate[GateIndex(i, tokens, channels, stride)] * h[i]; }
    }

    public static void Gated(ArrayView<float> gate, ArrayView<float> dy, long tokens, long channels, long stride, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = gate[GateIndex(i, tokens, channels, stride)] * dy[i]; }
    }

    private static long GateIndex(long i, long tokens, long channels, long stride)
    {
        long row = Quotient(i, channels);
        return Quotient(row, tokens) * stride + i - row * channels;
    }
}
