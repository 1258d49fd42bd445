using System.Runtime.CompilerServices;
using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>Eight numbers: those of 16 bytes of bfloat16, or of two 16-byte accesses of float32.</summary>
internal struct Float8
{
    /// <summary>Numbers.</summary>
    public const int Width = 8;

    public Float4 Low, High;

    /// <summary>a + b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 Add(Float8 a, Float8 b) => new() { Low = Float4.Add(a.Low, b.Low), High = Float4.Add(a.High, b.High) };

    /// <summary>The eight bfloat16 numbers in four words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float8 Widen(Float4 words) => new()
    {
        Low = new Float4 { X = Lower(words.X), Y = Upper(words.X), Z = Lower(words.Y), W = Upper(words.Y) },
        High = new Float4 { X = Lower(words.Z), Y = Upper(words.Z), Z = Lower(words.W), W = Upper(words.W) },
    };

    /// <summary>Rounds to nearest even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Narrow(Float8 v) => new()
    {
        X = Pair(v.Low.X, v.Low.Y),
        Y = Pair(v.Low.Z, v.Low.W),
        Z = Pair(v.High.X, v.High.Y),
        W = Pair(v.High.Z, v.High.W),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Lower(float pair) => Interop.IntAsFloat(Interop.FloatAsInt(pair) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Upper(float pair) => Interop.IntAsFloat(Interop.FloatAsInt(pair) & 0xFFFF0000u);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Pair(float lower, float upper) => Interop.IntAsFloat(RoundToBFloat16(upper) << 16 | RoundToBFloat16(lower));
}
