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
        if (i < d.Length) { d[i] = SiluOf(x[i]); }
    }

    public static void SiluBackward(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = dy[i] * SiluSlope(x[i]); }
    }

    public static void GeluErf(ArrayView<float> x, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = GeluErfOf(x[i]); }
    }

    public static void GeluErfBackward(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = dy[i] * GeluErfSlope(x[i]); }
    }

    public static void GeluTanh(ArrayView<float> x, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = GeluTanhOf(x[i]); }
    }

    public static void GeluTanhBackward(ArrayView<float> x, ArrayView<float> dy, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = dy[i] * GeluTanhSlope(x[i]); }
    }

    /// <summary>x · σ(x).</summary>
    internal static float SiluOf(float x) => x * Sigmoid(x);

    /// <summary>Its derivative.</summary>
    internal static float SiluSlope(float x) => Sigmoid(x) + x * SigmoidSlope(x);

    /// <summary>x · Φ(x).</summary>
    internal static float GeluErfOf(float x) => x * NormalCdf(x);

    /// <summary>Its derivative.</summary>
    internal static float GeluErfSlope(float x) => NormalCdf(x) + x * 0.398942280f * ExpMinusSquare(x, 0.5f);

    /// <summary>GELU's approximation by tanh; 1 + tanh(u) = 2σ(2u), which does not cancel for negative u.</summary>
    internal static float GeluTanhOf(float x) => x * Sigmoid(2f * RootTwoOverPi * x * (1f + Cubic * x * x));

    /// <summary>Its derivative.</summary>
    internal static float GeluTanhSlope(float x)
    {
        float u = 2f * RootTwoOverPi * x * (1f + Cubic * x * x);
        float slope = SigmoidSlope(u);
        // Where the slope is 0, u's derivative may be infinite and their product is still 0.
        float bend = 0f;
        if (slope > 0f) { bend = x * slope * 2f * RootTwoOverPi * (1f + 3f * Cubic * x * x); }
        return Sigmoid(u) + bend;
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

    public static void SqrtClamp(ArrayView<float> x, float floor, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        float v = x[i];
        if (!IsNaN(v) && v < floor) { v = floor; }
        d[i] = Sqrt(v);
    }

    public static void SqrtClampBackward(ArrayView<float> x, float floor, ArrayView<float> dy, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        float gradient = 0f;
        if (!IsNaN(x[i]) && x[i] >= floor) { gradient = dy[i] * 0.5f / Sqrt(x[i]); }
        d[i] = gradient;
    }

    public static void LeakyRelu(ArrayView<float> x, float slope, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        float v = x[i];
        if (v < 0f) { v *= slope; }
        d[i] = v;
    }

    public static void LeakyReluBackward(ArrayView<float> x, float slope, ArrayView<float> dy, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        float factor = 0.5f + 0.5f * slope;
        if (x[i] < 0f) { factor = slope; }
        if (x[i] > 0f) { factor = 1f; }
        d[i] = factor * dy[i];
    }
}
