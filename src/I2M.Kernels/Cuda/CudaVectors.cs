using System.Runtime.CompilerServices;
using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>Four bfloat16 numbers in two words, moved by one access of 8 bytes.</summary>
internal struct BFloat16x4
{
    public uint Low, High;

    /// <summary>Rounds to nearest even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static BFloat16x4 Narrow(Float4 v) => new()
    {
        Low = RoundToBFloat16(v.X) | (RoundToBFloat16(v.Y) << 16),
        High = RoundToBFloat16(v.Z) | (RoundToBFloat16(v.W) << 16),
    };

    /// <summary>The same numbers in float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Widen(BFloat16x4 v) => new()
    {
        X = Interop.IntAsFloat(v.Low << 16),
        Y = Interop.IntAsFloat(v.Low & 0xFFFF0000u),
        Z = Interop.IntAsFloat(v.High << 16),
        W = Interop.IntAsFloat(v.High & 0xFFFF0000u),
    };
}

/// <summary>What the CUDA kernels do with the lanes of a warp.</summary>
internal static class CudaWarp
{
    /// <summary>Lanes.</summary>
    public const int Lanes = 32;

    /// <summary>The sum over the warp, equal to the bit in all lanes: a butterfly adds the same pairs everywhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(float value)
    {
        value += Warp.ShuffleXor(value, 16);
        value += Warp.ShuffleXor(value, 8);
        value += Warp.ShuffleXor(value, 4);
        value += Warp.ShuffleXor(value, 2);
        return value + Warp.ShuffleXor(value, 1);
    }
}

/// <summary>
/// A lane's part of a row of up to 1024 channels: vectors lane, lane + 32, … of the row's vectors of four. In named fields, which ILGPU 1.5.3 keeps in
/// registers. Vectors past the row's end are zero and are neither read nor written.
/// </summary>
internal struct LaneRow
{
    /// <summary>The most channels of a row.</summary>
    public const int MaxChannels = 8 * 4 * CudaWarp.Lanes;

    public Float4 V0, V1, V2, V3, V4, V5, V6, V7;

    /// <summary>Reads <paramref name="count"/> vectors from vector <paramref name="start"/> of float32 memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LaneRow Load(ArrayView<Float4> x, long start, int lane, int count) => new()
    {
        V0 = LoadOrZero(x, start, lane, count),
        V1 = LoadOrZero(x, start, lane + 32, count),
        V2 = LoadOrZero(x, start, lane + 64, count),
        V3 = LoadOrZero(x, start, lane + 96, count),
        V4 = LoadOrZero(x, start, lane + 128, count),
        V5 = LoadOrZero(x, start, lane + 160, count),
        V6 = LoadOrZero(x, start, lane + 192, count),
        V7 = LoadOrZero(x, start, lane + 224, count),
    };

    /// <summary>The same of bfloat16 memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LaneRow Load(ArrayView<BFloat16x4> x, long start, int lane, int count) => new()
    {
        V0 = LoadOrZero(x, start, lane, count),
        V1 = LoadOrZero(x, start, lane + 32, count),
        V2 = LoadOrZero(x, start, lane + 64, count),
        V3 = LoadOrZero(x, start, lane + 96, count),
        V4 = LoadOrZero(x, start, lane + 128, count),
        V5 = LoadOrZero(x, start, lane + 160, count),
        V6 = LoadOrZero(x, start, lane + 192, count),
        V7 = LoadOrZero(x, start, lane + 224, count),
    };

    /// <summary>Writes the vectors that exist as float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(LaneRow r, ArrayView<Float4> d, long start, int lane, int count)
    {
        if (lane < count) { d[start + lane] = r.V0; }
        if (lane + 32 < count) { d[start + lane + 32] = r.V1; }
        if (lane + 64 < count) { d[start + lane + 64] = r.V2; }
        if (lane + 96 < count) { d[start + lane + 96] = r.V3; }
        if (lane + 128 < count) { d[start + lane + 128] = r.V4; }
        if (lane + 160 < count) { d[start + lane + 160] = r.V5; }
        if (lane + 192 < count) { d[start + lane + 192] = r.V6; }
        if (lane + 224 < count) { d[start + lane + 224] = r.V7; }
    }

    /// <summary>Writes the vectors that exist as bfloat16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(LaneRow r, ArrayView<BFloat16x4> d, long start, int lane, int count)
    {
        if (lane < count) { d[start + lane] = BFloat16x4.Narrow(r.V0); }
        if (lane + 32 < count) { d[start + lane + 32] = BFloat16x4.Narrow(r.V1); }
        if (lane + 64 < count) { d[start + lane + 64] = BFloat16x4.Narrow(r.V2); }
        if (lane + 96 < count) { d[start + lane + 96] = BFloat16x4.Narrow(r.V3); }
        if (lane + 128 < count) { d[start + lane + 128] = BFloat16x4.Narrow(r.V4); }
        if (lane + 160 < count) { d[start + lane + 160] = BFloat16x4.Narrow(r.V5); }
        if (lane + 192 < count) { d[start + lane + 192] = BFloat16x4.Narrow(r.V6); }
        if (lane + 224 < count) { d[start + lane + 224] = BFloat16x4.Narrow(r.V7); }
    }

    /// <summary>The lane's sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(LaneRow r) =>
        Sum(Float4.Add(Float4.Add(Float4.Add(r.V0, r.V1), Float4.Add(r.V2, r.V3)), Float4.Add(Float4.Add(r.V4, r.V5), Float4.Add(r.V6, r.V7))));

    /// <summary>The lane's sum of products.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Dot(LaneRow a, LaneRow b) => Sum(Multiply(a, b));

    /// <summary>a · b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LaneRow Multiply(LaneRow a, LaneRow b) => new()
    {
        V0 = Float4.Multiply(a.V0, b.V0),
        V1 = Float4.Multiply(a.V1, b.V1),
        V2 = Float4.Multiply(a.V2, b.V2),
        V3 = Float4.Multiply(a.V3, b.V3),
        V4 = Float4.Multiply(a.V4, b.V4),
        V5 = Float4.Multiply(a.V5, b.V5),
        V6 = Float4.Multiply(a.V6, b.V6),
        V7 = Float4.Multiply(a.V7, b.V7),
    };

    /// <summary>c + a · b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LaneRow MultiplyAdd(LaneRow a, LaneRow b, LaneRow c) => new()
    {
        V0 = Float4.MultiplyAdd(a.V0, b.V0, c.V0),
        V1 = Float4.MultiplyAdd(a.V1, b.V1, c.V1),
        V2 = Float4.MultiplyAdd(a.V2, b.V2, c.V2),
        V3 = Float4.MultiplyAdd(a.V3, b.V3, c.V3),
        V4 = Float4.MultiplyAdd(a.V4, b.V4, c.V4),
        V5 = Float4.MultiplyAdd(a.V5, b.V5, c.V5),
        V6 = Float4.MultiplyAdd(a.V6, b.V6, c.V6),
        V7 = Float4.MultiplyAdd(a.V7, b.V7, c.V7),
    };

    /// <summary>a + b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LaneRow Add(LaneRow a, LaneRow b) => new()
    {
        V0 = Float4.Add(a.V0, b.V0),
        V1 = Float4.Add(a.V1, b.V1),
        V2 = Float4.Add(a.V2, b.V2),
        V3 = Float4.Add(a.V3, b.V3),
        V4 = Float4.Add(a.V4, b.V4),
        V5 = Float4.Add(a.V5, b.V5),
        V6 = Float4.Add(a.V6, b.V6),
        V7 = Float4.Add(a.V7, b.V7),
    };

    /// <summary>(r − center) · factor; vectors past the end stay zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LaneRow Standardize(LaneRow r, float center, float factor, int lane, int count) => new()
    {
        V0 = Standardize(r.V0, center, factor, lane, count),
        V1 = Standardize(r.V1, center, factor, lane + 32, count),
        V2 = Standardize(r.V2, center, factor, lane + 64, count),
        V3 = Standardize(r.V3, center, factor, lane + 96, count),
        V4 = Standardize(r.V4, center, factor, lane + 128, count),
        V5 = Standardize(r.V5, center, factor, lane + 160, count),
        V6 = Standardize(r.V6, center, factor, lane + 192, count),
        V7 = Standardize(r.V7, center, factor, lane + 224, count),
    };

    /// <summary>factor · r + addend.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static LaneRow Scale(LaneRow r, float factor, float addend) => new()
    {
        V0 = Scale(r.V0, factor, addend),
        V1 = Scale(r.V1, factor, addend),
        V2 = Scale(r.V2, factor, addend),
        V3 = Scale(r.V3, factor, addend),
        V4 = Scale(r.V4, factor, addend),
        V5 = Scale(r.V5, factor, addend),
        V6 = Scale(r.V6, factor, addend),
        V7 = Scale(r.V7, factor, addend),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 LoadOrZero(ArrayView<Float4> x, long start, int vector, int count)
    {
        var v = default(Float4);
        if (vector < count) { v = x[start + vector]; }
        return v;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 LoadOrZero(ArrayView<BFloat16x4> x, long start, int vector, int count)
    {
        var v = default(BFloat16x4);
        if (vector < count) { v = x[start + vector]; }
        return BFloat16x4.Widen(v);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Sum(Float4 v) => v.X + v.Y + (v.Z + v.W);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Standardize(Float4 v, float center, float factor, int vector, int count)
    {
        if (vector >= count) { factor = 0f; }
        return new Float4 { X = (v.X - center) * factor, Y = (v.Y - center) * factor, Z = (v.Z - center) * factor, W = (v.W - center) * factor };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Scale(Float4 v, float factor, float addend) =>
        new() { X = factor * v.X + addend, Y = factor * v.Y + addend, Z = factor * v.Z + addend, W = factor * v.W + addend };
}
