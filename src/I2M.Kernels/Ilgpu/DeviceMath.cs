using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Algorithms;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Elementary functions for kernels, in float32 arithmetic that is the same on OpenCL and CUDA (a device's own exp may be an approximation
/// with an absolute error in the exponent). The polynomials interpolate the functions at Chebyshev nodes of the reduced range, with a relative
/// error below 2e-7; finite results are within 1e-6 of the exact function.
/// </summary>
internal static class DeviceMath
{
    private const float Log2E = 1.44269504f;

    // ln 2 and π/2 in parts with so few bits that a product with the reduction's integer is exact.
    private const float Ln2High = 0.693359375f, Ln2Low = -2.12194440e-4f;
    private const float HalfPiHigh = 1.5703125f, HalfPiMiddle = 4.837512969970703125e-4f, HalfPiLow = 7.5497899548918822e-8f;

    /// <summary>
    /// Whether x is NaN. A kernel that must let NaN through asks first: a branch on an ordinary comparison may go either way with NaN,
    /// because ILGPU's OpenCL code drops the "unordered" of the compiler's inverted branches.
    /// </summary>
    public static bool IsNaN(float x) => (Interop.FloatAsInt(x) & 0x7FFFFFFFu) > 0x7F800000u;

    /// <summary>The upper half of x rounded to nearest even: a bfloat16 in the lower half of the result.</summary>
    public static uint RoundToBFloat16(float x)
    {
        uint bits = Interop.FloatAsInt(x);
        return (IsNaN(x) ? bits | 0x00400000u : bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
    }

    /// <summary>e^x; infinity above 88.73, 0 below −104.</summary>
    public static float Exp(float x)
    {
        if (IsNaN(x)) { return x; }
        if (x > 88.73f) { return float.PositiveInfinity; }
        if (x < -104f) { return 0f; }
        float turns = x * Log2E;
        int n = (int)(turns < 0f ? turns - 0.5f : turns + 0.5f);
        float r = x - n * Ln2High - n * Ln2Low;
        float p = 0.00139262034f;
        p = p * r + 0.00836319488f;
        p = p * r + 0.0416665545f;
        p = p * r + 0.166665769f;
        p = p * r + 0.5f;
        float e = p * (r * r) + r + 1f;
        // 2^n in two factors: one alone would leave the exponent's range for the largest and for subnormal results.
        int half = n >> 1;
        return e * PowerOfTwo(half) * PowerOfTwo(n - half);
    }

    /// <summary>e^x for x up to about 0, e^−87 below −87: without branches, so that a processor's compiler can compute several at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ExpOfNegative(float x)
    {
        x = x < -87f ? -87f : x;
        int n = (int)(x * Log2E - 0.5f);
        float r = x - n * Ln2High - n * Ln2Low;
        float p = 0.00139262034f;
        p = p * r + 0.00836319488f;
        p = p * r + 0.0416665545f;
        p = p * r + 0.166665769f;
        p = p * r + 0.5f;
        return (p * (r * r) + r + 1f) * Interop.IntAsFloat((uint)(n + 127) << 23);
    }

    /// <summary>ln x; −infinity at 0, NaN below.</summary>
    public static float Log(float x)
    {
        if (IsNaN(x)) { return x; }
        if (x <= 0f) { return x == 0f ? float.NegativeInfinity : float.NaN; }
        if (x > float.MaxValue) { return x; }
        bool subnormal = x < 1.17549435e-38f;
        int bits = (int)Interop.FloatAsInt(subnormal ? x * 8388608f : x);
        // The mantissa is taken from [√½, √2), so that ln(1 + f) does not cancel against the exponent's part.
        int e = (bits - 0x3F3504F3) >> 23;
        float f = Interop.IntAsFloat((uint)(bits - (e << 23))) - 1f;
        if (subnormal) { e -= 23; }
        return e * Ln2High + LogOnePlus(f, e * Ln2Low);
    }

    /// <summary>ln(1 + f) + addend for f in [√½ − 1, √2 − 1].</summary>
    public static float LogOnePlus(float f, float addend)
    {
        float p = 0.0697161147f;
        p = p * f - 0.114797338f;
        p = p * f + 0.116854199f;
        p = p * f - 0.124256873f;
        p = p * f + 0.142490576f;
        p = p * f - 0.166678023f;
        p = p * f + 0.200007157f;
        p = p * f - 0.24999997f;
        p = p * f + 0.333333312f;
        float z = f * f;
        return f + (addend + (p * f * z - 0.5f * z));
    }

    /// <summary>√x.</summary>
    public static float Sqrt(float x) => XMath.Sqrt(x);

    /// <summary>sin x, for |x| up to 1e4.</summary>
    public static float Sin(float x)
    {
        int quadrant = Quadrant(x);
        return SinQuadrant(Reduce(x, quadrant), quadrant);
    }

    /// <summary>cos x, for |x| up to 1e4.</summary>
    public static float Cos(float x)
    {
        int quadrant = Quadrant(x);
        return SinQuadrant(Reduce(x, quadrant), quadrant + 1);
    }

    /// <summary>sin 2πu for u in [0, 1]; the reduction is exact.</summary>
    public static float SinTurns(float u)
    {
        int quadrant = (int)(4f * u + 0.5f);
        return SinQuadrant((4f * u - quadrant) * 1.57079633f, quadrant);
    }

    /// <summary>cos 2πu for u in [0, 1]; the reduction is exact.</summary>
    public static float CosTurns(float u)
    {
        int quadrant = (int)(4f * u + 0.5f);
        return SinQuadrant((4f * u - quadrant) * 1.57079633f, quadrant + 1);
    }

    /// <summary>tanh x.</summary>
    public static float Tanh(float x)
    {
        float a = x < 0f ? -x : x;
        if (a < 0.625f)
        {
            float z = x * x;
            float p = 0.00226950168f;
            p = p * z - 0.00832318706f;
            p = p * z + 0.0217625029f;
            p = p * z - 0.0539584616f;
            p = p * z + 0.133333001f;
            p = p * z - 0.333333331f;
            return p * z * x + x;
        }
        float t = 1f - 2f / (Exp(2f * a) + 1f);
        return x < 0f ? -t : t;
    }

    /// <summary>The error function.</summary>
    public static float Erf(float x)
    {
        float a = x < 0f ? -x : x;
        if (a < 0.7f)
        {
            float z = x * x;
            float p = -0.000693352766f;
            p = p * z + 0.00513652757f;
            p = p * z - 0.0268439001f;
            p = p * z + 0.112835331f;
            p = p * z - 0.376126279f;
            p = p * z + 1.12837917f;
            return p * x;
        }
        float t = 1f - ScaledErfc(a) * ExpMinusSquare(a, 1f);
        return x < 0f ? -t : t;
    }

    /// <summary>The normal distribution function Φ(x) = erfc(−x/√2)/2, accurate in the lower tail too.</summary>
    public static float NormalCdf(float x)
    {
        float tail = 0.5f * ScaledErfc((x < 0f ? -x : x) * 0.707106781f) * ExpMinusSquare(x, 0.5f);
        return x < 0f ? tail : 1f - tail;
    }

    /// <summary>The logistic function 1/(1 + e^(−x)).</summary>
    public static float Sigmoid(float x) => 1f / (1f + Exp(-x));

    /// <summary>σ(x) · (1 − σ(x)), without cancellation.</summary>
    public static float SigmoidSlope(float x)
    {
        float e = Exp(x < 0f ? x : -x);
        float s = 1f / (1f + e);
        return e * s * s;
    }

    /// <summary>This work item's number in a one-dimensional launch.</summary>
    public static long GlobalIndex() => (long)Grid.IdxX * Group.DimX + Group.IdxX;

    /// <summary>i / d for 0 ≤ i, 0 &lt; d, by 32-bit division where that is enough: a 64-bit one costs a GPU about as much as the element's memory traffic.</summary>
    public static long Quotient(long i, long d)
    {
        if ((i | d) <= uint.MaxValue) { return (uint)i / (uint)d; }
        // A loop of one turn: ILGPU turns a plain branch into a selection, which would divide both ways for every element.
        long quotient = 0;
        while (i >= d)
        {
            long part = i / d;
            quotient += part;
            i -= part * d;
        }
        return quotient;
    }

    /// <summary>e^(−factor·x²) for factor 1 or ½. x² = high² + (x − high)(x + high) with high² exact: its rounding would be amplified by the exponential.</summary>
    public static float ExpMinusSquare(float x, float factor)
    {
        float high = Interop.IntAsFloat(Interop.FloatAsInt(x) & 0xFFFFF000u);
        float main = Exp(-factor * high * high);
        // An infinite x leaves no remainder, but ∞ − ∞ would.
        if (main == 0f) { return 0f; }
        return main * Exp(factor * (high - x) * (high + x));
    }

    // e^(a²)·erfc(a) for a ≥ 0: its product with 1 + 2a is smooth and a polynomial in t = (a − 2)/(a + 2), fitted up to a = 10.1, where erfc leaves float32's range.
    private static float ScaledErfc(float a)
    {
        float bounded = a;
        if (bounded > 10.1f) { bounded = 10.1f; }
        return ScaledErfcPolynomial((bounded - 2f) / (bounded + 2f)) / (1f + 2f * bounded);
    }

    /// <summary>e^(a²)·erfc(a)·(1 + 2a) as a function of t = (a − 2)/(a + 2), for a in [0, 10.1].</summary>
    private static float ScaledErfcPolynomial(float t)
    {
        float p = -0.000423322257f;
        p = p * t - 0.0012623772f;
        p = p * t + 0.00132829174f;
        p = p * t + 0.00866313716f;
        p = p * t - 0.00806145042f;
        p = p * t - 0.0542140764f;
        p = p * t + 0.16405506f;
        p = p * t - 0.166030427f;
        p = p * t - 0.0927639562f;
        p = p * t + 1.27697838f;
        return p;
    }

    private static float PowerOfTwo(int n) => Interop.IntAsFloat((uint)((n + 127) << 23));

    private static int Quadrant(float x)
    {
        float quarters = x * 0.636619772f;
        return (int)(quarters < 0f ? quarters - 0.5f : quarters + 0.5f);
    }

    private static float Reduce(float x, int quadrant) => x - quadrant * HalfPiHigh - quadrant * HalfPiMiddle - quadrant * HalfPiLow;

    /// <summary>sin(r + quadrant·π/2) for |r| ≤ π/4.</summary>
    private static float SinQuadrant(float r, int quadrant)
    {
        float z = r * r;
        float sine = ((-0.000195878706f * z + 0.00833274818f) * z - 0.166666647f) * z * r + r;
        float cosine = ((2.45479217e-5f * z - 0.00138883029f) * z + 0.0416666647f) * z * z - 0.5f * z + 1f;
        float value = (quadrant & 1) == 0 ? sine : cosine;
        return (quadrant & 2) == 0 ? value : -value;
    }
}
