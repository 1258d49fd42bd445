using System.Numerics;
using System.Runtime.Intrinsics;

namespace I2M.PtxEmulator.Execution;

internal readonly struct Move<T> : IUnary<T> { public static Vector256<T> Apply(Vector256<T> a) => a; }

internal readonly struct Negate<T> : IUnary<T> { public static Vector256<T> Apply(Vector256<T> a) => -a; }

internal readonly struct Absolute<T> : IUnary<T> { public static Vector256<T> Apply(Vector256<T> a) => Vector256.Abs(a); }

internal readonly struct Not<T> : IUnary<T> { public static Vector256<T> Apply(Vector256<T> a) => ~a; }

internal readonly struct Add<T> : IBinary<T> { public static Vector256<T> Apply(Vector256<T> a, Vector256<T> b) => a + b; }

internal readonly struct Subtract<T> : IBinary<T> { public static Vector256<T> Apply(Vector256<T> a, Vector256<T> b) => a - b; }

internal readonly struct Multiply<T> : IBinary<T> { public static Vector256<T> Apply(Vector256<T> a, Vector256<T> b) => a * b; }

internal readonly struct And<T> : IBinary<T> { public static Vector256<T> Apply(Vector256<T> a, Vector256<T> b) => a & b; }

internal readonly struct Or<T> : IBinary<T> { public static Vector256<T> Apply(Vector256<T> a, Vector256<T> b) => a | b; }

internal readonly struct Xor<T> : IBinary<T> { public static Vector256<T> Apply(Vector256<T> a, Vector256<T> b) => a ^ b; }

/// <summary>The smaller; of a number and NaN the number, as PTX has it for floating point.</summary>
internal readonly struct Minimum<T> : IBinary<T> { public static Vector256<T> Apply(Vector256<T> a, Vector256<T> b) => Vector256.MinNumber(a, b); }

internal readonly struct Maximum<T> : IBinary<T> { public static Vector256<T> Apply(Vector256<T> a, Vector256<T> b) => Vector256.MaxNumber(a, b); }

internal readonly struct MultiplyAdd<T> : ITernary<T> { public static Vector256<T> Apply(Vector256<T> a, Vector256<T> b, Vector256<T> c) => a * b + c; }

internal readonly struct FusedSingle : ITernary<float>
{
    public static Vector256<float> Apply(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Vector256.FusedMultiplyAdd(a, b, c);
}

/// <summary>a · b − c.</summary>
internal readonly struct FusedMinus : ITernary<float>
{
    public static Vector256<float> Apply(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Vector256.FusedMultiplyAdd(a, b, -c);
}

/// <summary>c − a · b.</summary>
internal readonly struct FusedFrom : ITernary<float>
{
    public static Vector256<float> Apply(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Vector256.FusedMultiplyAdd(-a, b, c);
}

internal readonly struct FusedDouble : ITernary<double>
{
    public static Vector256<double> Apply(Vector256<double> a, Vector256<double> b, Vector256<double> c) => Vector256.FusedMultiplyAdd(a, b, c);
}

/// <summary>.ftz: subnormal inputs and results become zero of the same sign.</summary>
internal static class Flush
{
    public static Vector256<float> Apply(Vector256<float> a)
    {
        Vector256<uint> bits = a.AsUInt32();
        Vector256<uint> sign = bits & Vector256.Create(0x80000000u);
        Vector256<uint> zero = Vector256.Equals(bits & Vector256.Create(0x7F800000u), Vector256<uint>.Zero);
        return Vector256.ConditionalSelect(zero, sign, bits).AsSingle();
    }

    public static float Apply(float a) => float.IsSubnormal(a) ? MathF.CopySign(0f, a) : a;
}

internal readonly struct Flush1<TOp> : IUnary<float> where TOp : struct, IUnary<float>
{
    public static Vector256<float> Apply(Vector256<float> a) => Flush.Apply(TOp.Apply(Flush.Apply(a)));
}

internal readonly struct Flush2<TOp> : IBinary<float> where TOp : struct, IBinary<float>
{
    public static Vector256<float> Apply(Vector256<float> a, Vector256<float> b) => Flush.Apply(TOp.Apply(Flush.Apply(a), Flush.Apply(b)));
}

internal readonly struct Flush3<TOp> : ITernary<float> where TOp : struct, ITernary<float>
{
    public static Vector256<float> Apply(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
        Flush.Apply(TOp.Apply(Flush.Apply(a), Flush.Apply(b), Flush.Apply(c)));
}

/// <summary>Integer division; a divisor of 0 gives all ones, as devices do, and the lowest value divided by −1 itself.</summary>
internal readonly struct Divide<T> : IScalar<T, T, T> where T : IBinaryInteger<T>
{
    public static T Apply(T a, T b) => T.IsZero(b) ? T.AllBitsSet : b == T.AllBitsSet && T.IsNegative(b) ? T.Zero - a : a / b;
}

/// <summary>The remainder has the dividend's sign; a divisor of 0 gives the dividend.</summary>
internal readonly struct Remainder<T> : IScalar<T, T, T> where T : IBinaryInteger<T>
{
    public static T Apply(T a, T b) => T.IsZero(b) ? a : b == T.AllBitsSet && T.IsNegative(b) ? T.Zero : a % b;
}

internal readonly struct DivideSingle : IScalar<float, float, float> { public static float Apply(float a, float b) => a / b; }

internal readonly struct DivideSingleFlush : IScalar<float, float, float>
{
    public static float Apply(float a, float b) => Flush.Apply(Flush.Apply(a) / Flush.Apply(b));
}

internal readonly struct DivideDouble : IScalar<double, double, double> { public static double Apply(double a, double b) => a / b; }

internal readonly struct WideUnsigned : IScalar<uint, uint, ulong> { public static ulong Apply(uint a, uint b) => (ulong)a * b; }

internal readonly struct WideSigned : IScalar<int, int, long> { public static long Apply(int a, int b) => (long)a * b; }

/// <summary>Shifts clamp the amount to the width: everything is shifted out, and an arithmetic shift leaves the sign.</summary>
internal readonly struct ShiftLeft<T> : IScalar<T, uint, T> where T : IBinaryInteger<T>
{
    public static T Apply(T a, uint n) => n >= (uint)System.Runtime.CompilerServices.Unsafe.SizeOf<T>() * 8 ? T.Zero : a << (int)n;
}

internal readonly struct ShiftRight<T> : IScalar<T, uint, T> where T : IBinaryInteger<T>
{
    public static T Apply(T a, uint n) => n >= (uint)System.Runtime.CompilerServices.Unsafe.SizeOf<T>() * 8
        ? T.IsNegative(a) ? T.AllBitsSet : T.Zero
        : a >> (int)n;
}

internal readonly struct SignExtend : IScalar<int, long> { public static long Apply(int a) => a; }

internal readonly struct ZeroExtend : IScalar<uint, ulong> { public static ulong Apply(uint a) => a; }

internal readonly struct Truncate : IScalar<ulong, uint> { public static uint Apply(ulong a) => (uint)a; }

internal readonly struct SignedToSingle : IScalar<int, float> { public static float Apply(int a) => a; }
