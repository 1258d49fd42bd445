using System.Numerics;

namespace I2M.PtxEmulator.Execution;

/// <summary>Functions of the special-function units.</summary>
internal static class SpecialFunctions
{
    public static Func<double, double> Of(string name) => name switch
    {
        "ex2" => static x => Math.Pow(2, x),
        "lg2" => Math.Log2,
        "rcp" => static x => 1 / x,
        "rsqrt" => static x => 1 / Math.Sqrt(x),
        "sqrt" => Math.Sqrt,
        "sin" => Math.Sin,
        "cos" => Math.Cos,
        _ => Math.Tanh,
    };
}

/// <summary>A function of one f32, computed in double precision and rounded; with ftz, subnormal inputs and results are zero.</summary>
internal sealed unsafe class SingleFunction(Slot d, Slot a, Func<double, double> function, bool flush) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        float* x = (float*)(warp.Registers + a.Offset), to = (float*)(warp.Registers + d.Offset);
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            float value = (float)function(flush ? Flush.Apply(x[lane]) : x[lane]);
            to[lane] = flush ? Flush.Apply(value) : value;
        }
    }
}

/// <summary>A function of one f64.</summary>
internal sealed unsafe class DoubleFunction(Slot d, Slot a, Func<double, double> function) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        double* x = (double*)(warp.Registers + a.Offset), to = (double*)(warp.Registers + d.Offset);
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            to[lane] = function(x[lane]);
        }
    }
}

/// <summary>Arithmetic on types of 16 bits, and the high half of products, on bits widened to 64.</summary>
internal static class Narrow
{
    public static Func<ulong, ulong, ulong, ulong>? Half(string name) =>
        Number(name) is { } f ? (a, b, c) => BitConverter.HalfToUInt16Bits((Half)f(FromHalf(a), FromHalf(b), FromHalf(c))) : null;

    public static Func<ulong, ulong, ulong, ulong>? BFloat16(string name) =>
        Number(name) is { } f ? (a, b, c) => NumberFormats.ToBFloat16((float)f(FromBFloat16(a), FromBFloat16(b), FromBFloat16(c))) : null;

    private static double FromHalf(ulong bits) => (double)BitConverter.UInt16BitsToHalf((ushort)bits);

    private static double FromBFloat16(ulong bits) => NumberFormats.FromBFloat16((ushort)bits);

    private static Func<double, double, double, double>? Number(string name) => name switch
    {
        "add" => static (a, b, _) => a + b,
        "sub" => static (a, b, _) => a - b,
        "mul" => static (a, b, _) => a * b,
        "fma" => static (a, b, c) => Math.FusedMultiplyAdd(a, b, c),
        "min" => static (a, b, _) => double.MinNumber(a, b),
        "max" => static (a, b, _) => double.MaxNumber(a, b),
        "neg" => static (a, _, _) => -a,
        "abs" => static (a, _, _) => Math.Abs(a),
        _ => null,
    };

    public static Func<ulong, ulong, ulong, ulong>? Integer(string name, bool signed)
    {
        Func<long, long, long, long>? function = name switch
        {
            "add" => static (a, b, _) => a + b,
            "sub" => static (a, b, _) => a - b,
            "mul" => static (a, b, _) => a * b,
            "mad" => static (a, b, c) => a * b + c,
            "min" => static (a, b, _) => Math.Min(a, b),
            "max" => static (a, b, _) => Math.Max(a, b),
            "neg" => static (a, _, _) => -a,
            "abs" => static (a, _, _) => Math.Abs(a),
            "div" => static (a, b, _) => b == 0 ? -1 : a / b,
            "rem" => static (a, b, _) => b == 0 ? a : a % b,
            _ => null,
        };
        if (function is null) { return null; }
        return signed ? (a, b, c) => (ushort)function((short)a, (short)b, (short)c) : (a, b, c) => (ushort)function((ushort)a, (ushort)b, (ushort)c);
    }

    public static Func<ulong, ulong, ulong, ulong> MultiplyHigh(string type) => type switch
    {
        "u32" => static (a, b, _) => a * b >> 32,
        "s32" => static (a, b, _) => (ulong)((long)(int)a * (int)b >> 32),
        "u64" => static (a, b, _) => Math.BigMul(a, b, out _),
        _ => static (a, b, _) => (ulong)Math.BigMul((long)a, (long)b, out long _),
    };
}

/// <summary>bf16 and tf32, which .NET does not have.</summary>
internal static class NumberFormats
{
    public static float FromBFloat16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>Rounded to nearest, ties to even; NaN stays NaN.</summary>
    public static ushort ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0x7FFF : (ushort)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    }

    /// <summary>Rounded to 10 bits of mantissa, ties away from zero, as cvt.rna.tf32 does.</summary>
    public static uint ToTf32(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (bits & 0x7F800000) == 0x7F800000 ? bits : (bits + 0x1000) & ~0x1FFFu;
    }
}
