using System.Runtime.CompilerServices;
using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>Four floats in registers.</summary>
internal struct Float4
{
    public float X, Y, Z, W;

    /// <summary>c + a · b per component.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 MultiplyAdd(float a, Float4 b, Float4 c) => new()
    {
        X = a * b.X + c.X,
        Y = a * b.Y + c.Y,
        Z = a * b.Z + c.Z,
        W = a * b.W + c.W,
    };

    /// <summary>a + b per component.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Add(Float4 a, Float4 b) => new() { X = a.X + b.X, Y = a.Y + b.Y, Z = a.Z + b.Z, W = a.W + b.W };

    /// <summary>c + a · b per component.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 MultiplyAdd(Float4 a, Float4 b, Float4 c) => new()
    {
        X = a.X * b.X + c.X,
        Y = a.Y * b.Y + c.Y,
        Z = a.Z * b.Z + c.Z,
        W = a.W * b.W + c.W,
    };

    /// <summary>a · b per component.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Multiply(Float4 a, Float4 b) => new() { X = a.X * b.X, Y = a.Y * b.Y, Z = a.Z * b.Z, W = a.W * b.W };

    /// <summary>a · b per component.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Multiply(float a, Float4 b) => new() { X = a * b.X, Y = a * b.Y, Z = a * b.Z, W = a * b.W };
}

/// <summary>
/// A work item's 4×4 part of a matrix product, in named fields: ILGPU 1.5.3 keeps fields in registers, but arrays indexed by a loop
/// variable in slow local memory.
/// </summary>
internal struct Tile4x4
{
    public Float4 R0, R1, R2, R3;

    /// <summary>c + u·vᵀ with u[i] = a[ai + i·strideA] and v[j] = b[bi + j·strideB], i and j from 0 to 3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile4x4 AddOuter(Tile4x4 c, ArrayView<float> a, int ai, int strideA, ArrayView<float> b, int bi, int strideB)
    {
        Float4 v = Load(b, bi, strideB);
        return new Tile4x4
        {
            R0 = Float4.MultiplyAdd(a[ai], v, c.R0),
            R1 = Float4.MultiplyAdd(a[ai + strideA], v, c.R1),
            R2 = Float4.MultiplyAdd(a[ai + 2 * strideA], v, c.R2),
            R3 = Float4.MultiplyAdd(a[ai + 3 * strideA], v, c.R3),
        };
    }

    /// <summary>Sixteen <see cref="AddOuter"/> in a row, stepping by stepA and stepB: written out because ILGPU 1.5.3 does not unroll loops.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile4x4 AddOuter16(Tile4x4 c, ArrayView<float> a, int ai, int strideA, int stepA, ArrayView<float> b, int bi, int strideB, int stepB)
    {
        c = AddOuter8(c, a, ai, strideA, stepA, b, bi, strideB, stepB);
        return AddOuter8(c, a, ai + 8 * stepA, strideA, stepA, b, bi + 8 * stepB, strideB, stepB);
    }

    /// <summary>Eight of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile4x4 AddOuter8(Tile4x4 c, ArrayView<float> a, int ai, int strideA, int stepA, ArrayView<float> b, int bi, int strideB, int stepB)
    {
        c = AddOuter4(c, a, ai, strideA, stepA, b, bi, strideB, stepB);
        return AddOuter4(c, a, ai + 4 * stepA, strideA, stepA, b, bi + 4 * stepB, strideB, stepB);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Tile4x4 AddOuter4(Tile4x4 c, ArrayView<float> a, int ai, int strideA, int stepA, ArrayView<float> b, int bi, int strideB, int stepB)
    {
        c = AddOuter(c, a, ai, strideA, b, bi, strideB);
        c = AddOuter(c, a, ai + stepA, strideA, b, bi + stepB, strideB);
        c = AddOuter(c, a, ai + 2 * stepA, strideA, b, bi + 2 * stepB, strideB);
        return AddOuter(c, a, ai + 3 * stepA, strideA, b, bi + 3 * stepB, strideB);
    }

    /// <summary>a + b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile4x4 Add(Tile4x4 a, Tile4x4 b) => new()
    {
        R0 = Float4.Add(a.R0, b.R0),
        R1 = Float4.Add(a.R1, b.R1),
        R2 = Float4.Add(a.R2, b.R2),
        R3 = Float4.Add(a.R3, b.R3),
    };

    /// <summary>Writes element [i,j] to d[di + i·strideRow + j·strideColumn].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Tile4x4 c, ArrayView<float> d, int di, int strideRow, int strideColumn)
    {
        Store(c.R0, d, di, strideColumn);
        Store(c.R1, d, di + strideRow, strideColumn);
        Store(c.R2, d, di + 2 * strideRow, strideColumn);
        Store(c.R3, d, di + 3 * strideRow, strideColumn);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Load(ArrayView<float> source, int start, int stride) => new()
    {
        X = source[start],
        Y = source[start + stride],
        Z = source[start + 2 * stride],
        W = source[start + 3 * stride],
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Float4 v, ArrayView<float> d, int start, int stride)
    {
        d[start] = v.X;
        d[start + stride] = v.Y;
        d[start + 2 * stride] = v.Z;
        d[start + 3 * stride] = v.W;
    }
}
