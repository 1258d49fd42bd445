using ILGPU;
using ILGPU.Runtime;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>Activation functions and their derivatives, one work item per element: x input, dy incoming gradient, d destination.</summary>
internal static class ActivationsKernels
{
    private const float RootTwoOverPi = 0.797884561f, Cubic = 0.044715f;

    public static void Silu(ArrayView<float> x, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = x[i] * Sigmoid(x[i]); }
    }

    public static void SiluBackward(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = dy[i] * (Sigmoid(x[i]) + x[i] * SigmoidSlope(x[i])); }
    }

    public static void GeluErf(ArrayView<float> x, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = x[i] * NormalCdf(x[i]); }
    }

    public static void GeluErfBackward(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        float v = x[i];
        d[i] = dy[i] * (NormalCdf(v) + v * 0.398942280f * ExpMinusSquare(v, 0.5f));
    }

    // 1 + tanh(u) = 2σ(2u), which does not cancel for negative u.
    public static void GeluTanh(ArrayView<float> x, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        float v = x[i];
        d[i] = v * Sigmoid(2f * RootTwoOverPi * v * (1f + Cubic * v * v));
    }

    public static void GeluTanhBackward(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        float v = x[i];
        float u = 2f * RootTwoOverPi * v * (1f + Cubic * v * v);
        float slope = SigmoidSlope(u);
        // Where the slope is 0, u's derivative may be infinite and their product is still 0.
        float bend = 0f;
        if (slope > 0f) { bend = v * slope * 2f * RootTwoOverPi * (1f + 3f * Cubic * v * v); }
        d[i] = dy[i] * (Sigmoid(u) + bend);
    }

    public static void LogClamp(ArrayView<float> x, float floor, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        float v = x[i];
        if (!IsNaN(v) && v < floor) { v = floor; }
        d[i] = Log(v);
    }

    public static void LogClampBackward(ArrayView<float> x, float floor, ArrayView<float> dy, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        float gradient = 0f;
        if (!IsNaN(x[i]) && x[i] >= floor) { gradient = dy[i] / x[i]; }
        d[i] = gradient;
    }
}
