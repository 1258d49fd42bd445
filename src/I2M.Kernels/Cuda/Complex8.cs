using System.Runtime.CompilerServices;
using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>A complex number, moved by one access of 8 bytes.</summary>
internal struct Complex
{
    public float Re, Im;

    /// <summary>a + b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Complex Add(Complex a, Complex b) => new() { Re = a.Re + b.Re, Im = a.Im + b.Im };

    /// <summary>a − b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Complex Subtract(Complex a, Complex b) => new() { Re = a.Re - b.Re, Im = a.Im - b.Im };

    /// <summary>a · b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Complex Multiply(Complex a, Complex b) => new() { Re = a.Re * b.Re - a.Im * b.Im, Im = a.Re * b.Im + a.Im * b.Re };

    /// <summary>−i · a.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Complex MinusI(Complex a) => new() { Re = a.Im, Im = -a.Re };
}

/// <summary>Eight complex numbers in named fields, which ILGPU 1.5.3 keeps in registers, and their discrete Fourier transform.</summary>
internal struct Complex8
{
    private const float RootHalf = 0.707106781f;

    public Complex V0, V1, V2, V3, V4, V5, V6, V7;

    /// <summary>z[at + step · i] for i from 0 to 7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Complex8 Load(ArrayView<Complex> z, int at, int step) => new()
    {
        V0 = z[at],
        V1 = z[at + step],
        V2 = z[at + 2 * step],
        V3 = z[at + 3 * step],
        V4 = z[at + 4 * step],
        V5 = z[at + 5 * step],
        V6 = z[at + 6 * step],
        V7 = z[at + 7 * step],
    };

    /// <summary>Writes what <see cref="Load"/> reads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Complex8 v, ArrayView<Complex> z, int at, int step)
    {
        z[at] = v.V0;
        z[at + step] = v.V1;
        z[at + 2 * step] = v.V2;
        z[at + 3 * step] = v.V3;
        z[at + 4 * step] = v.V4;
        z[at + 5 * step] = v.V5;
        z[at + 6 * step] = v.V6;
        z[at + 7 * step] = v.V7;
    }

    /// <summary>Element i times w[at + step · i]; that of element 0 is 1 and is not read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Complex8 Twist(Complex8 v, ArrayView<Complex> w, int at, int step) => new()
    {
        V0 = v.V0,
        V1 = Complex.Multiply(v.V1, w[at + step]),
        V2 = Complex.Multiply(v.V2, w[at + 2 * step]),
        V3 = Complex.Multiply(v.V3, w[at + 3 * step]),
        V4 = Complex.Multiply(v.V4, w[at + 4 * step]),
        V5 = Complex.Multiply(v.V5, w[at + 5 * step]),
        V6 = Complex.Multiply(v.V6, w[at + 6 * step]),
        V7 = Complex.Multiply(v.V7, w[at + 7 * step]),
    };

    /// <summary>X[k] = Σ_r v[r] e^(−2πi·rk/8): sums and differences of opposite elements, of which two transforms of four make the even and the odd k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Complex8 Transform(Complex8 v)
    {
        Complex4 even = Complex4.Transform(Complex.Add(v.V0, v.V4), Complex.Add(v.V1, v.V5), Complex.Add(v.V2, v.V6), Complex.Add(v.V3, v.V7));
        Complex one = Complex.Subtract(v.V1, v.V5), three = Complex.Subtract(v.V3, v.V7);
        Complex4 odd = Complex4.Transform(
            Complex.Subtract(v.V0, v.V4),
            new Complex { Re = RootHalf * (one.Re + one.Im), Im = RootHalf * (one.Im - one.Re) },
            Complex.MinusI(Complex.Subtract(v.V2, v.V6)),
            new Complex { Re = RootHalf * (three.Im - three.Re), Im = -RootHalf * (three.Re + three.Im) });
        return new Complex8 { V0 = even.V0, V1 = odd.V0, V2 = even.V1, V3 = odd.V1, V4 = even.V2, V5 = odd.V2, V6 = even.V3, V7 = odd.V3 };
    }
}

/// <summary>Four complex numbers and their transform.</summary>
internal struct Complex4
{
    public Complex V0, V1, V2, V3;

    /// <summary>X[k] = Σ_r v_r (−i)^(rk).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Complex4 Transform(Complex v0, Complex v1, Complex v2, Complex v3)
    {
        Complex sum = Complex.Add(v0, v2), difference = Complex.Subtract(v0, v2), other = Complex.Add(v1, v3), turned = Complex.MinusI(Complex.Subtract(v1, v3));
        return new Complex4
        {
            V0 = Complex.Add(sum, other),
            V1 = Complex.Add(difference, turned),
            V2 = Complex.Subtract(sum, other),
            V3 = Complex.Subtract(difference, turned),
        };
    }
}

/// <summary>Two neighbouring columns of eight complex numbers, which move in 16-byte accesses: (z[2c + i·pitch], z[2c + 1 + i·pitch]) for chunk c.</summary>
internal struct ComplexColumns
{
    public Complex8 First, Second;

    /// <summary>Chunks at, at + step, ….</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ComplexColumns Load(ArrayView<Float4> z, long at, int step)
    {
        Float4 a = z[at], b = z[at + step], c = z[at + 2 * step], d = z[at + 3 * step];
        Float4 e = z[at + 4 * step], f = z[at + 5 * step], g = z[at + 6 * step], h = z[at + 7 * step];
        return new ComplexColumns
        {
            First = new Complex8 { V0 = Low(a), V1 = Low(b), V2 = Low(c), V3 = Low(d), V4 = Low(e), V5 = Low(f), V6 = Low(g), V7 = Low(h) },
            Second = new Complex8 { V0 = High(a), V1 = High(b), V2 = High(c), V3 = High(d), V4 = High(e), V5 = High(f), V6 = High(g), V7 = High(h) },
        };
    }

    /// <summary>Writes what <see cref="Load"/> reads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ComplexColumns v, ArrayView<Float4> z, int at, int step)
    {
        z[at] = Chunk(v.First.V0, v.Second.V0);
        z[at + step] = Chunk(v.First.V1, v.Second.V1);
        z[at + 2 * step] = Chunk(v.First.V2, v.Second.V2);
        z[at + 3 * step] = Chunk(v.First.V3, v.Second.V3);
        z[at + 4 * step] = Chunk(v.First.V4, v.Second.V4);
        z[at + 5 * step] = Chunk(v.First.V5, v.Second.V5);
        z[at + 6 * step] = Chunk(v.First.V6, v.Second.V6);
        z[at + 7 * step] = Chunk(v.First.V7, v.Second.V7);
    }

    /// <summary>As <see cref="Store"/> with real and imaginary parts exchanged.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreExchanged(ComplexColumns v, ArrayView<Float4> z, long at, int step)
    {
        z[at] = Exchanged(v.First.V0, v.Second.V0);
        z[at + step] = Exchanged(v.First.V1, v.Second.V1);
        z[at + 2 * step] = Exchanged(v.First.V2, v.Second.V2);
        z[at + 3 * step] = Exchanged(v.First.V3, v.Second.V3);
        z[at + 4 * step] = Exchanged(v.First.V4, v.Second.V4);
        z[at + 5 * step] = Exchanged(v.First.V5, v.Second.V5);
        z[at + 6 * step] = Exchanged(v.First.V6, v.Second.V6);
        z[at + 7 * step] = Exchanged(v.First.V7, v.Second.V7);
    }

    /// <summary>Both columns times w's; those of element 0 are 1 and are not read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ComplexColumns Twist(ComplexColumns v, ArrayView<Float4> w, int at, int step)
    {
        Float4 b = w[at + step], c = w[at + 2 * step], d = w[at + 3 * step], e = w[at + 4 * step], f = w[at + 5 * step], g = w[at + 6 * step], h = w[at + 7 * step];
        return new ComplexColumns
        {
            First = new Complex8
            {
                V0 = v.First.V0,
                V1 = Complex.Multiply(v.First.V1, Low(b)),
                V2 = Complex.Multiply(v.First.V2, Low(c)),
                V3 = Complex.Multiply(v.First.V3, Low(d)),
                V4 = Complex.Multiply(v.First.V4, Low(e)),
                V5 = Complex.Multiply(v.First.V5, Low(f)),
                V6 = Complex.Multiply(v.First.V6, Low(g)),
                V7 = Complex.Multiply(v.First.V7, Low(h)),
            },
            Second = new Complex8
            {
                V0 = v.Second.V0,
                V1 = Complex.Multiply(v.Second.V1, High(b)),
                V2 = Complex.Multiply(v.Second.V2, High(c)),
                V3 = Complex.Multiply(v.Second.V3, High(d)),
                V4 = Complex.Multiply(v.Second.V4, High(e)),
                V5 = Complex.Multiply(v.Second.V5, High(f)),
                V6 = Complex.Multiply(v.Second.V6, High(g)),
                V7 = Complex.Multiply(v.Second.V7, High(h)),
            },
        };
    }

    /// <summary>Transforms each column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ComplexColumns Transform(ComplexColumns v) => new() { First = Complex8.Transform(v.First), Second = Complex8.Transform(v.Second) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Complex Low(Float4 v) => new() { Re = v.X, Im = v.Y };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Complex High(Float4 v) => new() { Re = v.Z, Im = v.W };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Chunk(Complex a, Complex b) => new() { X = a.Re, Y = a.Im, Z = b.Re, W = b.Im };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Exchanged(Complex a, Complex b) => new() { X = a.Im, Y = a.Re, Z = b.Im, W = b.Re };
}
