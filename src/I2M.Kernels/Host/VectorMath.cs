using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

/// <summary>
/// Elementary functions in lanes of any width. Each reduces its argument to a small interval and evaluates a polynomial that
/// interpolates the function at Chebyshev nodes there. The error bounds are relative and hold for the rounded argument.
/// </summary>
internal static unsafe class VectorMath
{
    private const float Log2E = 1.44269504f, Ln2High = 0.693115234375f, Ln2Low = 3.194618329871446e-05f;
    private const float InverseRootTwoPi = 0.398942280f;

    /// <summary>The smallest float whose exponential is a normal number.</summary>
    private const float SmallestExponent = -87.33654f;

    /// <summary>Adding and subtracting 1.5 · 2²³ rounds |x| &lt; 2²² to the nearest integer.</summary>
    private const float RoundingShift = 12582912f;

    /// <summary>Above this |x| the quotient by π/2 has more than the 13 bits that the four-part reduction allows; no phase that means anything is so large.</summary>
    private const float LargeAngle = 12000f;

    /// <summary>
    /// e^x with error ≤ 2e-7; results below the smallest normal number are 0, because arithmetic on subnormal numbers takes many times as
    /// long; above the largest number ∞. x = k·ln 2 + r, e^x = 2^k · e^r, and for k = 128, which is no exponent of a float, twice 2^127 · e^r.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<V>(V x) where V : struct, ILanes<V>
    {
        V bounded = V.Min(V.All(89f), x), k = Round(bounded * V.All(Log2E));
        V r = V.MulAdd(k, V.All(-Ln2Low), V.MulAdd(k, V.All(-Ln2High), bounded));
        V p = V.MulAdd(V.All(0.0013926250394433737f), r, V.All(0.00836323294788599f));
        p = V.MulAdd(p, r, V.All(0.04166655242443085f));
        p = V.MulAdd(p, r, V.All(0.16666576266288757f));
        p = V.MulAdd(p, r, V.All(0.5f));
        p = V.MulAdd(p, r, V.All(1f));
        p = V.MulAdd(p, r, V.All(1f));
        V exponent = V.Min(V.All(127f), k);
        return V.WhereLess(x, V.All(SmallestExponent), V.All(0f), V.MulAdd(p, k - exponent, p) * V.PowerOfTwo(exponent));
    }

    /// <summary>ln x with error ≤ 2e-7: x = m · 2^e with m in [√½, √2). ln 0 = −∞, of a negative number NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Log<V>(V x) where V : struct, ILanes<V>
    {
        V smallestNormal = V.All(1.17549435e-38f), zero = V.All(0f);
        V normal = V.WhereLess(x, smallestNormal, x * V.All(8388608f), x);
        V f = V.Split(normal, out V e) - V.All(1f);
        e -= V.WhereLess(x, smallestNormal, V.All(23f), zero);
        V p = V.MulAdd(V.All(-0.0790274366736412f), f, V.All(0.12622319161891937f));
        p = V.MulAdd(p, f, V.All(-0.12998183071613312f));
        p = V.MulAdd(p, f, V.All(0.14214496314525604f));
        p = V.MulAdd(p, f, V.All(-0.166412815451622f));
        p = V.MulAdd(p, f, V.All(0.20001044869422913f));
        p = V.MulAdd(p, f, V.All(-0.25000306963920593f));
        p = V.MulAdd(p, f, V.All(0.3333333134651184f));
        V square = f * f;
        V small = V.MulAdd(p * f, square, V.MulAdd(e, V.All(Ln2Low), V.All(-0.5f) * square));
        V log = V.MulAdd(e, V.All(Ln2High), f + small);
        V special = V.WhereLess(x, zero, V.All(float.NaN), V.WhereLess(zero, V.Abs(x), x, V.All(float.NegativeInfinity)));
        return V.WhereLess(zero, x, V.WhereLess(V.All(float.MaxValue), x, x, log), special);
    }

    /// <summary>The logistic function 1/(1 + e^−x) with error ≤ 3e-7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid<V>(V x) where V : struct, ILanes<V> => V.All(1f) / (V.All(1f) + Exp(-x));

    /// <summary>
    /// Φ(x), the distribution function of the standard normal, with error ≤ 5e-7 (without fused multiply-add 5e-6 at x = −13) also in the lower tail, where 1 + erf would cancel, and
    /// its density φ(x). With a = |x|: Φ(−a) = φ(a)·M(a), M the Mills ratio; (a + 5)·M(a) is a polynomial in (a − 5)/(a + 5).
    /// A call of its own: inlined together with the exponential it would exceed what the JIT inlines into one loop.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static V NormalDistribution<V>(V x, out V density) where V : struct, ILanes<V>
    {
        V a = V.Min(V.All(14.5f), V.Abs(x)), one = V.All(1f);
        V square = a * a, lost = V.MulAdd(a, a, -square); // a² = square + lost, exactly where the multiply-add is fused
        V e = Exp(V.All(-0.5f) * square);
        density = V.MulAdd(V.All(-0.5f) * lost, e, e) * V.All(InverseRootTwoPi);
        V inverse = one / (a + V.All(5f)), u = (a - V.All(5f)) * inverse;
        V p = V.MulAdd(V.All(0.0009597925236448646f), u, V.All(-0.00255780597217381f));
        p = V.MulAdd(p, u, V.All(-0.00747773889452219f));
        p = V.MulAdd(p, u, V.All(0.052372343838214874f));
        p = V.MulAdd(p, u, V.All(-0.17321829497814178f));
        p = V.MulAdd(p, u, V.All(0.4136062264442444f));
        p = V.MulAdd(p, u, V.All(-0.7859170436859131f));
        p = V.MulAdd(p, u, V.All(1.2415492534637451f));
        p = V.MulAdd(p, u, V.All(-1.6678664684295654f));
        p = V.MulAdd(p, u, V.All(1.9280810356140137f));
        V tail = density * p * inverse;
        return V.WhereLess(x, V.All(0f), tail, one - tail);
    }

    /// <summary>cos x and sin x with absolute error ≤ 1.5e-7 for every finite x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V CosSin<V>(V x, out V sin) where V : struct, ILanes<V>
    {
        if (V.AnyGreater(V.Abs(x), V.All(LargeAngle))) { return CosSinLarge(x, out sin); }
        V k = Round(x * V.All(0.636619772f));
        // π/2 in three parts of 11 bits and a rest: k times each of the three is exact with or without a fused multiply-add.
        V r = V.MulAdd(k, V.All(-1.5703125f), x);
        r = V.MulAdd(k, V.All(-0.0004837512969970703f), r);
        r = V.MulAdd(k, V.All(-7.549533620476723e-08f), r);
        r = V.MulAdd(k, V.All(-2.5633440682570896e-12f), r);
        return CosSinReduced(k, r, out sin);
    }

    /// <summary>cos 2πu and sin 2πu for |u| ≤ 1 with absolute error ≤ 1.5e-7; whole quarter turns are taken off exactly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V CosSinOfTurns<V>(V u, out V sin) where V : struct, ILanes<V>
    {
        V k = Round(u * V.All(4f));
        return CosSinReduced(k, V.MulAdd(k, V.All(-0.25f), u) * V.All(MathF.Tau), out sin);
    }

    /// <summary>cos and sin of k·π/2 + r with |r| ≤ π/4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V CosSinReduced<V>(V k, V r, out V sin) where V : struct, ILanes<V>
    {
        V square = r * r;
        V p = V.MulAdd(V.All(-0.00019582831009756774f), square, V.All(0.008332724682986736f));
        p = V.MulAdd(p, square, V.All(-0.166666641831398f));
        sin = V.MulAdd(p * square, r, r);
        p = V.MulAdd(V.All(2.4542870960431173e-05f), square, V.All(-0.0013888279208913445f));
        p = V.MulAdd(p, square, V.All(0.0416666641831398f));
        p = V.MulAdd(p, square, V.All(-0.5f));
        V cos = V.MulAdd(p, square, V.All(1f));
        V.Turn(k, ref cos, ref sin);
        return cos;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static V CosSinLarge<V>(V x, out V sin) where V : struct, ILanes<V>
    {
        float* values = stackalloc float[V.Count], sines = stackalloc float[V.Count];
        x.Store(values);
        for (int i = 0; i < V.Count; i++)
        {
            (double s, double c) = Math.SinCos(values[i]);
            (sines[i], values[i]) = ((float)s, (float)c);
        }
        sin = V.Load(sines);
        return V.Load(values);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Round<V>(V x) where V : struct, ILanes<V> => x + V.All(RoundingShift) - V.All(RoundingShift);
}
