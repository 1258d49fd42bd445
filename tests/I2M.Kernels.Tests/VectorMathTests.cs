using System.Runtime.Intrinsics;
using I2M.Kernels.Host;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>The stated error bounds of the elementary functions, in registers of every width, against double precision.</summary>
public sealed unsafe class VectorMathTests
{
    private const int Samples = 1 << 18;
    private const float SmallestNormal = 1.17549435e-38f;

    private delegate void Function(float* x, float* y, float* second);

    public static TheoryData<int> Widths => [1, 4, 8, 16];

    [Theory, MemberData(nameof(Widths))]
    public void Exp_is_within_its_bound_and_flushes_subnormal_results(int width)
    {
        Function exp = Pick(width, Apply<Lanes32>, Apply<Lanes128>, Apply<Lanes256>, Apply<Lanes512>);
        Check(exp, width, -87.3365f, 88.7228f, Math.Exp, relative: 2e-7);
        Assert.Equal(0f, At(exp, width, -87.33655f));
        Assert.True(At(exp, width, -87.33654f) >= SmallestNormal);
        Assert.Equal([0f, 0f, float.PositiveInfinity, float.PositiveInfinity, 1f],
            new[] { -1e30f, float.NegativeInfinity, 88.73f, float.PositiveInfinity, 0f }.Select(x => At(exp, width, x)));
        Assert.True(float.IsNaN(At(exp, width, float.NaN)));

        static void Apply<V>(float* x, float* y, float* _) where V : struct, ILanes<V> => VectorMath.Exp(V.Load(x)).Store(y);
    }

    [Theory, MemberData(nameof(Widths))]
    public void Log_is_within_its_bound(int width)
    {
        Function log = Pick(width, Apply<Lanes32>, Apply<Lanes128>, Apply<Lanes256>, Apply<Lanes512>);
        Check(log, width, 1e-6f, 4f, Math.Log, relative: 2e-7);
        Check(log, width, 4f, 1e30f, Math.Log, relative: 2e-7);
        Assert.Equal(float.NegativeInfinity, At(log, width, 0f));
        Assert.True(float.IsNaN(At(log, width, -1f)));

        static void Apply<V>(float* x, float* y, float* _) where V : struct, ILanes<V> => VectorMath.Log(V.Load(x)).Store(y);
    }

    [Theory, MemberData(nameof(Widths))]
    public void Sigmoid_is_within_its_bound(int width)
    {
        Function sigmoid = Pick(width, Apply<Lanes32>, Apply<Lanes128>, Apply<Lanes256>, Apply<Lanes512>);
        Check(sigmoid, width, -80f, 40f, x => 1 / (1 + Math.Exp(-x)), relative: 3e-7);

        static void Apply<V>(float* x, float* y, float* _) where V : struct, ILanes<V> => VectorMath.Sigmoid(V.Load(x)).Store(y);
    }

    [Theory, MemberData(nameof(Widths))]
    public void Sine_and_cosine_are_within_their_bound(int width)
    {
        Function cosSin = Pick(width, Apply<Lanes32>, Apply<Lanes128>, Apply<Lanes256>, Apply<Lanes512>);
        Function sinCos = (x, y, second) => cosSin(x, second, y);
        foreach (float limit in new[] { 4f, 12_000f, 1e7f })
        {
            Check(cosSin, width, -limit, limit, Math.Cos, absolute: 1.5e-7);
            Check(sinCos, width, -limit, limit, Math.Sin, absolute: 1.5e-7);
        }

        static void Apply<V>(float* x, float* y, float* second) where V : struct, ILanes<V>
        {
            VectorMath.CosSin(V.Load(x), out V sin).Store(y);
            sin.Store(second);
        }
    }

    /// <summary>Φ against Φ(−a) = φ(a) / (a + 1/(a + 2/(a + 3/(a + …)))), the continued fraction of the tail, and near 0 its Taylor series.</summary>
    [Theory, MemberData(nameof(Widths))]
    public void The_normal_distribution_is_within_its_bound(int width)
    {
        Function normal = Pick(width, Apply<Lanes32>, Apply<Lanes128>, Apply<Lanes256>, Apply<Lanes512>);
        Function density = (x, y, second) => normal(x, second, y);
        double bound = Lanes.IsFused ? 5e-7 : 5e-6;
        Check(normal, width, -13f, 6f, Distribution, relative: bound);
        Check(density, width, -13f, 13f, Density, relative: bound);
        Assert.Equal(0f, At(density, width, -30f));
        Assert.Equal((0f, 1f), (At(normal, width, -30f), At(normal, width, 30f)));

        static void Apply<V>(float* x, float* y, float* second) where V : struct, ILanes<V>
        {
            VectorMath.NormalDistribution(V.Load(x), out V density).Store(y);
            density.Store(second);
        }
    }

    [Fact]
    public void The_exponential_of_attention_is_within_its_bound()
    {
        Function narrow = static (x, y, _) => HostAttentionMath<Width128, Vector128<float>>.Exp2(Vector128.Load(x)).Store(y);
        Function middle = static (x, y, _) => HostAttentionMath<Width256, Vector256<float>>.Exp2(Vector256.Load(x)).Store(y);
        Function wide = static (x, y, _) => HostAttentionMath<Width512, Vector512<float>>.Exp2(Vector512.Load(x)).Store(y);
        foreach ((Function exp2, int width) in new[] { (narrow, 4), (middle, 8), (wide, 16) })
        {
            Check(exp2, width, -100f, 126f, x => Math.Pow(2, x), relative: 1.5e-7);
            Assert.Equal([0f, 0f, 0f, 1f], new[] { -100.01f, -1e30f, float.NegativeInfinity, 0f }.Select(x => At(exp2, width, x)));
            Assert.True(float.IsNaN(At(exp2, width, float.NaN)));
        }
    }

    private static Function Pick(int width, Function one, Function four, Function eight, Function sixteen) =>
        width switch { 1 => one, 4 => four, 8 => eight, _ => sixteen };

    private static float At(Function f, int width, float x)
    {
        float* values = stackalloc float[3 * 16];
        new Span<float>(values, width).Fill(x);
        f(values, values + 16, values + 32);
        return values[16];
    }

    private static void Check(Function f, int width, float from, float to, Func<double, double> exact, double relative = 0, double absolute = 0)
    {
        float* x = stackalloc float[3 * 16];
        double worst = 0;
        for (int i = 0; i < Samples; i += width)
        {
            for (int lane = 0; lane < width; lane++) { x[lane] = Math.Clamp((float)(from + ((double)to - from) * (i + lane) / (Samples - 1)), from, to); }
            f(x, x + 16, x + 32);
            for (int lane = 0; lane < width; lane++)
            {
                double expected = exact(x[lane]), error = Math.Abs(x[16 + lane] - expected) / (relative > 0 ? Math.Abs(expected) : 1);
                worst = error > worst || double.IsNaN(error) ? error : worst;
            }
        }
        double bound = relative > 0 ? relative : absolute;
        Assert.True(worst <= bound, $"width {width}, [{from}, {to}]: error {worst:E2} is above {bound:E2}");
    }

    private static double Density(double x) => Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);

    private static double Distribution(double x)
    {
        double a = Math.Abs(x), tail;
        if (a < 3)
        {
            double term = a, sum = a;
            for (int n = 1; n < 80; n++) { sum += term *= a * a / (2 * n + 1); }
            tail = 0.5 - Density(a) * sum;
        }
        else
        {
            double fraction = a;
            for (int n = 200; n >= 1; n--) { fraction = a + n / fraction; }
            tail = Density(a) / fraction;
        }
        return x < 0 ? tail : 1 - tail;
    }
}
