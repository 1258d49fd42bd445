using System.Runtime.CompilerServices;
using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>Sixteen neighbouring words in named fields: the compiler of an OpenCL driver for processors joins them into vector registers.</summary>
internal struct Row16
{
    public Float4 A, B, C, D;

    /// <summary>Words of a row.</summary>
    public const int Width = 16;

    /// <summary>The same value in all of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Row16 Same(float value)
    {
        var four = new Float4 { X = value, Y = value, Z = value, W = value };
        return new Row16 { A = four, B = four, C = four, D = four };
    }

    /// <summary>c + a · b per component.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Row16 MultiplyAdd(float a, Row16 b, Row16 c) => new()
    {
        A = Float4.MultiplyAdd(a, b.A, c.A),
        B = Float4.MultiplyAdd(a, b.B, c.B),
        C = Float4.MultiplyAdd(a, b.C, c.C),
        D = Float4.MultiplyAdd(a, b.D, c.D),
    };

    /// <summary>a + b per component.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Row16 Add(Row16 a, Row16 b) => new() { A = Float4.Add(a.A, b.A), B = Float4.Add(a.B, b.B), C = Float4.Add(a.C, b.C), D = Float4.Add(a.D, b.D) };

    /// <summary>a · b per component.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Row16 Multiply(float a, Row16 b) => new() { A = Float4.Multiply(a, b.A), B = Float4.Multiply(a, b.B), C = Float4.Multiply(a, b.C), D = Float4.Multiply(a, b.D) };

    /// <summary>a · b + c per component.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Row16 MultiplyAdd(Row16 a, Row16 b, Row16 c) => new()
    {
        A = Float4.MultiplyAdd(a.A, b.A, c.A),
        B = Float4.MultiplyAdd(a.B, b.B, c.B),
        C = Float4.MultiplyAdd(a.C, b.C, c.C),
        D = Float4.MultiplyAdd(a.D, b.D, c.D),
    };

    /// <summary>The larger per component.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Row16 Max(Row16 a, Row16 b) => new() { A = Max(a.A, b.A), B = Max(a.B, b.B), C = Max(a.C, b.C), D = Max(a.D, b.D) };

    /// <summary>The largest of the sixteen.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Row16 v)
    {
        Float4 four = Max(Max(v.A, v.B), Max(v.C, v.D));
        return Max(Max(four.X, four.Y), Max(four.Z, four.W));
    }

    /// <summary>The sum of the sixteen, in an order that is fixed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Row16 v)
    {
        Float4 four = Float4.Add(Float4.Add(v.A, v.B), Float4.Add(v.C, v.D));
        return four.X + four.Y + (four.Z + four.W);
    }

    /// <summary>The words from source[at] on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Row16 Load(ArrayView<float> source, long at) => new()
    {
        A = Four(source, at),
        B = Four(source, at + 4),
        C = Four(source, at + 8),
        D = Four(source, at + 12),
    };

    /// <summary>Writes them from target[at] on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Row16 v, ArrayView<float> target, long at)
    {
        Store(v.A, target, at);
        Store(v.B, target, at + 4);
        Store(v.C, target, at + 8);
        Store(v.D, target, at + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Max(float a, float b) => a > b ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Max(Float4 a, Float4 b) => new() { X = Max(a.X, b.X), Y = Max(a.Y, b.Y), Z = Max(a.Z, b.Z), W = Max(a.W, b.W) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Four(ArrayView<float> source, long at) => new() { X = source[at], Y = source[at + 1], Z = source[at + 2], W = source[at + 3] };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Float4 v, ArrayView<float> target, long at)
    {
        target[at] = v.X;
        target[at + 1] = v.Y;
        target[at + 2] = v.Z;
        target[at + 3] = v.W;
    }
}

/// <summary>Where four rows begin.</summary>
internal struct FourRows
{
    public long R0, R1, R2, R3;

    /// <summary>The rows from <paramref name="row"/> on of a matrix; rows past the end repeat the last one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourRows Of(long start, int row, int rows, long stride) => new()
    {
        R0 = start + IntrinsicMath.Min(row, rows - 1) * stride,
        R1 = start + IntrinsicMath.Min(row + 1, rows - 1) * stride,
        R2 = start + IntrinsicMath.Min(row + 2, rows - 1) * stride,
        R3 = start + IntrinsicMath.Min(row + 3, rows - 1) * stride,
    };
}

/// <summary>
/// A work item's 4×16 part of a matrix product for devices that are processors. Sixteen columns are one vector of AVX-512, two of AVX2, four of
/// NEON, so the sums fill 4 to 16 registers; a step reads a row of b once and four words of a, which the multiply-add broadcasts.
/// </summary>
internal struct Tile4x16
{
    public Row16 R0, R1, R2, R3;

    /// <summary>Rows of a tile.</summary>
    public const int Rows = 4;

    /// <summary>c + Σ a[rows + k · stepA] · b[at + k · stepB ..+16], k below depth.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile4x16 AddProducts(Tile4x16 c, ArrayView<float> a, FourRows rows, long stepA, ArrayView<float> b, long at, long stepB, int depth)
    {
        for (int k = 0; k < depth; k++)
        {
            Row16 v = Row16.Load(b, at);
            c = new Tile4x16
            {
                R0 = Row16.MultiplyAdd(a[rows.R0], v, c.R0),
                R1 = Row16.MultiplyAdd(a[rows.R1], v, c.R1),
                R2 = Row16.MultiplyAdd(a[rows.R2], v, c.R2),
                R3 = Row16.MultiplyAdd(a[rows.R3], v, c.R3),
            };
            rows = new FourRows { R0 = rows.R0 + stepA, R1 = rows.R1 + stepA, R2 = rows.R2 + stepA, R3 = rows.R3 + stepA };
            at += stepB;
        }
        return c;
    }

    /// <summary>a + b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile4x16 Add(Tile4x16 a, Tile4x16 b) => new()
    {
        R0 = Row16.Add(a.R0, b.R0),
        R1 = Row16.Add(a.R1, b.R1),
        R2 = Row16.Add(a.R2, b.R2),
        R3 = Row16.Add(a.R3, b.R3),
    };

    /// <summary>f · c.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile4x16 Multiply(float f, Tile4x16 c) => new()
    {
        R0 = Row16.Multiply(f, c.R0),
        R1 = Row16.Multiply(f, c.R1),
        R2 = Row16.Multiply(f, c.R2),
        R3 = Row16.Multiply(f, c.R3),
    };

    /// <summary>The rows from source[at] on, pitch words apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile4x16 Load(ArrayView<float> source, long at, long pitch) => new()
    {
        R0 = Row16.Load(source, at),
        R1 = Row16.Load(source, at + pitch),
        R2 = Row16.Load(source, at + 2 * pitch),
        R3 = Row16.Load(source, at + 3 * pitch),
    };

    /// <summary>Writes the rows from target[at] on, pitch words apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Tile4x16 c, ArrayView<float> target, long at, long pitch)
    {
        Row16.Store(c.R0, target, at);
        Row16.Store(c.R1, target, at + pitch);
        Row16.Store(c.R2, target, at + 2 * pitch);
        Row16.Store(c.R3, target, at + 3 * pitch);
    }
}
