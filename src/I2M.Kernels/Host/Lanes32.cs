using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

/// <summary>One lane: tails, and processors without vectors.</summary>
internal readonly unsafe struct Lanes32 : ILanes<Lanes32>
{
    private readonly float _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Lanes32(float value) => _value = value;

    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Load(float* source) => new(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* destination) => *destination = _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreStreaming(float* aligned) => *aligned = _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 All(float value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator +(Lanes32 a, Lanes32 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator -(Lanes32 a, Lanes32 b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator *(Lanes32 a, Lanes32 b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator /(Lanes32 a, Lanes32 b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator -(Lanes32 a) => new(-a._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 MulAdd(Lanes32 a, Lanes32 b, Lanes32 c) =>
        new(Lanes.IsFused ? MathF.FusedMultiplyAdd(a._value, b._value, c._value) : a._value * b._value + c._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Min(Lanes32 bound, Lanes32 value) => new(bound._value < value._value ? bound._value : value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Max(Lanes32 bound, Lanes32 value) => new(bound._value > value._value ? bound._value : value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Abs(Lanes32 x) => new(MathF.Abs(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Sqrt(Lanes32 x) => new(MathF.Sqrt(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 WhereLess(Lanes32 a, Lanes32 b, Lanes32 then, Lanes32 otherwise) => a._value < b._value ? then : otherwise;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AnyGreater(Lanes32 a, Lanes32 b) => a._value > b._value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 PowerOfTwo(Lanes32 k) =>
        new(BitConverter.Int32BitsToSingle((int)k._value + Lanes.ExponentBias << Lanes.MantissaBits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Split(Lanes32 x, out Lanes32 e)
    {
        int bits = BitConverter.SingleToInt32Bits(x._value);
        int exponent = bits - Lanes.RootHalfBits >> Lanes.MantissaBits;
        e = new(exponent);
        return new(BitConverter.Int32BitsToSingle(bits - (exponent << Lanes.MantissaBits)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Turn(Lanes32 k, ref Lanes32 cos, ref Lanes32 sin)
    {
        int quarter = (int)k._value;
        float c = (quarter & 1) != 0 ? sin._value : cos._value, s = (quarter & 1) != 0 ? cos._value : sin._value;
        cos = new((quarter + 1 & 2) != 0 ? -c : c);
        sin = new((quarter & 2) != 0 ? -s : s);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes32 x) => x._value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxLane(Lanes32 x) => x._value;
}
