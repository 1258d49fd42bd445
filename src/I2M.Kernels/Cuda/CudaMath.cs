using System.Runtime.CompilerServices;
using ILGPU.Algorithms;

namespace I2M.Kernels.Ilgpu;

/// <summary>A value of a function and of its derivative.</summary>
internal struct ValueAndSlope
{
    public float Value, Slope;
}

/// <summary>
/// Activations through the special function unit's 2^x and 1/x (two units in the last place): <see cref="DeviceMath"/>'s arithmetic alone takes a GPU longer than
/// the memory traffic of an element. The absolute error stays below 3e-7 of the larger of 1 and the result; far tails are small, not exact.
/// </summary>
internal static class CudaMath
{
    private const float Log2E = 1.44269504f, RootTwoOverPi = 0.797884561f, Cubic = 0.044715f, InverseRootTwoPi = 0.398942280f;

    /// <summary>The logistic function and its derivative, without cancellation on either side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ValueAndSlope Logistic(float x)
    {
        float e = XMath.Exp2(-Log2E * XMath.Abs(x));
        float r = XMath.Rcp(1f + e);
        float value = r;
        if (x < 0f) { value = e * r; }
        return new ValueAndSlope { Value = value, Slope = e * r * r };
    }

    /// <summary>The normal distribution function by Abramowitz and Stegun 7.1.26, absolute error 7.5e-8, and its density.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ValueAndSlope Normal(float x)
    {
        float e = XMath.Exp2(-0.5f * Log2E * x * x);
        float t = XMath.Rcp(1f + 0.231641888f * XMath.Abs(x));
        float tail = ((((0.530702714f * t - 0.726576013f) * t + 0.710706871f) * t - 0.142248368f) * t + 0.127414796f) * t * e;
        float value = 1f - tail;
        if (x < 0f) { value = tail; }
        return new ValueAndSlope { Value = value, Slope = InverseRootTwoPi * e };
    }

    /// <summary>SiLU: x · σ(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ValueAndSlope Silu(float x)
    {
        ValueAndSlope s = Logistic(x);
        return new ValueAndSlope { Value = x * s.Value, Slope = s.Value + x * s.Slope };
    }

    /// <summary>GELU: x · Φ(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ValueAndSlope GeluErf(float x)
    {
        ValueAndSlope s = Normal(x);
        return new ValueAndSlope { Value = x * s.Value, Slope = s.Value + x * s.Slope };
    }

    /// <summary>GELU's approximation by tanh: x · σ(2√(2/π)·(x + 0.044715·x³)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ValueAndSlope GeluTanh(float x)
    {
        ValueAndSlope s = Logistic(2f * RootTwoOverPi * x * (1f + Cubic * x * x));
        // Where the slope is 0, the argument's derivative may be infinite and their product is still 0.
        float bend = 0f;
        if (s.Slope > 0f) { bend = x * s.Slope * 2f * RootTwoOverPi * (1f + 3f * Cubic * x * x); }
        return new ValueAndSlope { Value = x * s.Value, Slope = s.Value + bend };
    }
}
