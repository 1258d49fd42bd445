using System.Numerics;
using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <summary>cvt between integers, f16, bf16, tf32, f32 and f64, on bits widened to 64.</summary>
internal static class Conversion
{
    public static Func<ulong, ulong> Of(Instruction i, string from, string to)
    {
        bool toFloat = IsFloat(to), fromFloat = IsFloat(from), saturate = i.Has("sat"), flush = i.Has("ftz");
        Func<double, double> round = Rounding(i);
        foreach (string part in i.Parts.AsSpan(1, i.Parts.Length - 3))
        {
            if (part is not ("rn" or "rz" or "rni" or "rzi" or "rmi" or "rpi" or "rna" or "ftz" or "sat")) { throw i.Error($"unsupported modifier '.{part}'"); }
        }
        if (toFloat && i.Has("rz") && to != from) { throw i.Error("unsupported rounding '.rz'"); }
        if (!fromFloat && !toFloat) { return bits => Cut(Saturate(Extend(bits, from), to, saturate, from is "u64" or "b64"), to); }
        if (!fromFloat) { return bits => FromInteger(bits, from, to); }
        if (!toFloat) { return bits => ToInteger(round(Read(bits, from, flush)), to); }
        return bits =>
        {
            double value = round(Read(bits, from, flush));
            return Write(saturate ? double.IsNaN(value) ? 0 : Math.Clamp(value, 0, 1) : value, to, flush);
        };
    }

    private static bool IsFloat(string type) => type is "f16" or "bf16" or "tf32" or "f32" or "f64";

    private static Func<double, double> Rounding(Instruction i) =>
        i.Has("rni") ? static x => Math.Round(x, MidpointRounding.ToEven)
        : i.Has("rzi") ? Math.Truncate
        : i.Has("rmi") ? Math.Floor
        : i.Has("rpi") ? Math.Ceiling
        : static x => x;

    private static double Read(ulong bits, string type, bool flush) => type switch
    {
        "f16" => (double)BitConverter.UInt16BitsToHalf((ushort)bits),
        "bf16" => NumberFormats.FromBFloat16((ushort)bits),
        "f64" => BitConverter.UInt64BitsToDouble(bits),
        _ => flush ? Flush.Apply(BitConverter.UInt32BitsToSingle((uint)bits)) : BitConverter.UInt32BitsToSingle((uint)bits),
    };

    private static ulong Write(double value, string type, bool flush) => type switch
    {
        "f16" => BitConverter.HalfToUInt16Bits((Half)value),
        "bf16" => NumberFormats.ToBFloat16((float)value),
        "tf32" => NumberFormats.ToTf32((float)value),
        "f64" => BitConverter.DoubleToUInt64Bits(value),
        _ => BitConverter.SingleToUInt32Bits(flush ? Flush.Apply((float)value) : (float)value),
    };

    /// <summary>Out of range gives the nearest value of the type, NaN gives 0.</summary>
    private static ulong ToInteger(double value, string type)
    {
        if (double.IsNaN(value)) { return 0; }
        if (type == "u64") { return ulong.CreateSaturating(value); }
        (long low, long high) = Range(type);
        return Cut(Math.Clamp(long.CreateSaturating(value), low, high), type);
    }

    private static ulong FromInteger(ulong bits, string from, string to)
    {
        if (to == "f64") { return BitConverter.DoubleToUInt64Bits(from is "u64" ? bits : Extend(bits, from)); }
        float value = from is "u64" ? bits : Extend(bits, from);
        return Write(value, to, flush: false);
    }

    private static long Extend(ulong bits, string type) => type switch
    {
        "s8" => (sbyte)bits,
        "s16" => (short)bits,
        "s32" => (int)bits,
        "u8" or "b8" => (byte)bits,
        "u16" or "b16" => (ushort)bits,
        "u32" or "b32" => (uint)bits,
        _ => (long)bits,
    };

    private static long Saturate(long value, string to, bool saturate, bool fromUnsigned64)
    {
        if (!saturate) { return value; }
        if (fromUnsigned64 && value < 0) { value = long.MaxValue; }
        (long low, long high) = Range(to);
        return Math.Clamp(value, low, high);
    }

    private static (long Low, long High) Range(string type) => type switch
    {
        "s8" => (sbyte.MinValue, sbyte.MaxValue),
        "u8" => (0, byte.MaxValue),
        "s16" => (short.MinValue, short.MaxValue),
        "u16" => (0, ushort.MaxValue),
        "s32" => (int.MinValue, int.MaxValue),
        "u32" => (0, uint.MaxValue),
        "u64" => (0, long.MaxValue),
        _ => (long.MinValue, long.MaxValue),
    };

    /// <summary>The bits of a register of the type; small signed types are extended to the register's 32 bits.</summary>
    private static ulong Cut(long value, string type) => type switch
    {
        "s8" => (uint)(sbyte)value,
        "u8" or "b8" => (byte)value,
        "s16" or "u16" or "b16" => (ushort)value,
        "s32" or "u32" or "b32" => (uint)value,
        _ => (ulong)value,
    };
}

/// <summary>cvt.rn.bf16x2.f32 and cvt.rn.f16x2.f32: the first source in the upper half.</summary>
internal sealed unsafe class PackPairOperation(Slot d, Slot high, Slot low, bool brain, bool relu) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        float* a = (float*)(warp.Registers + high.Offset), b = (float*)(warp.Registers + low.Offset);
        uint* to = (uint*)(warp.Registers + d.Offset);
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            to[lane] = (uint)Convert(a[lane]) << 16 | Convert(b[lane]);
        }
    }

    private ushort Convert(float value)
    {
        if (relu && value < 0) { value = 0; }
        return brain ? NumberFormats.ToBFloat16(value) : BitConverter.HalfToUInt16Bits((Half)value);
    }
}

/// <summary>mov of four 16-bit parts into 64 bits.</summary>
internal sealed unsafe class PackOperation(Slot d, Slot[] parts) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            ulong value = 0;
            for (int n = 0; n < parts.Length; n++) { value |= (Lanes.Get(warp.Registers, parts[n].Offset, 4, lane) & 0xFFFF) << 16 * n; }
            Lanes.Set(warp.Registers, d.Offset, 8, lane, value);
        }
    }
}

/// <summary>bfi: the low bits of one value go into a field of another.</summary>
internal sealed unsafe class InsertOperation(Slot d, int width, Slot from, Slot into, Slot at, Slot length) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            int bits = width * 8, position = (byte)Lanes.Get(warp.Registers, at.Offset, 4, lane), count = (byte)Lanes.Get(warp.Registers, length.Offset, 4, lane);
            ulong target = Lanes.Get(warp.Registers, into.Offset, width, lane);
            count = Math.Min(count, bits - Math.Min(position, bits));
            ulong field = count == 64 ? ulong.MaxValue : (1ul << count) - 1;
            ulong value = Lanes.Get(warp.Registers, from.Offset, width, lane);
            Lanes.Set(warp.Registers, d.Offset, width, lane, count <= 0 ? target : target & ~(field << position) | (value & field) << position);
        }
    }
}

/// <summary>Rare instructions on bits.</summary>
internal static class BitFields
{
    public static Func<ulong, ulong, ulong, ulong> Of(Instruction i, string type, int width) => i.Name switch
    {
        "popc" => static (a, _, _) => (ulong)BitOperations.PopCount(a),
        "clz" => (a, _, _) => (ulong)(BitOperations.LeadingZeroCount(a) - (64 - 8 * width)),
        "brev" => (a, _, _) => Reverse(a) >> (64 - 8 * width),
        "bfind" => (a, _, _) => FindTop(a, type, i.Has("shiftamt") ? 8 * width - 1 : -1),
        "bfe" => (a, position, length) => Extract(a, (int)(position & 255), (int)(length & 255), width * 8, type[0] == 's'),
        "prmt" when i.Parts.Length == 2 => Permute,
        "shf" => (a, b, c) => Funnel(a, b, c, i.Has("l"), i.Has("clamp")),
        "lop3" when i.Operands.Length == 5 && i.Operands[4] is ImmediateOperand table => (a, b, c) => Lookup((uint)a, (uint)b, (uint)c, (uint)table.Bits),
        _ => throw i.Error("unsupported form"),
    };

    private static ulong Reverse(ulong a)
    {
        ulong reversed = 0;
        for (int n = 0; n < 64; n++) { reversed |= (a >> n & 1) << (63 - n); }
        return reversed;
    }

    private static ulong FindTop(ulong a, string type, int shift)
    {
        long value = type switch { "s32" => (int)a, _ => (long)a };
        ulong bits = type[0] == 's' && value < 0 ? ~(ulong)value : (ulong)value;
        if (bits == 0) { return uint.MaxValue; }
        int top = 63 - BitOperations.LeadingZeroCount(bits);
        return (ulong)(shift < 0 ? top : shift - top);
    }

    private static ulong Extract(ulong a, int position, int length, int bits, bool signed)
    {
        ulong sign = signed && length > 0 ? a >> Math.Min(position + length - 1, bits - 1) & 1 : 0;
        ulong result = 0;
        for (int n = 0; n < bits; n++)
        {
            ulong bit = n < length && position + n < bits ? a >> (position + n) & 1 : sign;
            result |= bit << n;
        }
        return result;
    }

    private static ulong Permute(ulong a, ulong b, ulong selector)
    {
        ulong bytes = a & uint.MaxValue | b << 32, result = 0;
        for (int n = 0; n < 4; n++)
        {
            ulong select = selector >> 4 * n & 15;
            ulong value = bytes >> (int)(8 * (select & 7)) & 255;
            if (select > 7) { value = (value & 128) != 0 ? 255ul : 0; }
            result |= value << 8 * n;
        }
        return result;
    }

    private static ulong Funnel(ulong a, ulong b, ulong c, bool left, bool clamp)
    {
        int n = clamp ? (int)Math.Min(c, 32) : (int)(c & 31);
        ulong pair = a & uint.MaxValue | b << 32;
        return left ? pair << n >> 32 & uint.MaxValue : n == 32 ? b & uint.MaxValue : pair >> n & uint.MaxValue;
    }

    private static ulong Lookup(uint a, uint b, uint c, uint table)
    {
        uint result = 0;
        for (uint n = 0; n < 8; n++)
        {
            if ((table >> (int)n & 1) != 0) { result |= ((n & 4) != 0 ? a : ~a) & ((n & 2) != 0 ? b : ~b) & ((n & 1) != 0 ? c : ~c); }
        }
        return result;
    }
}
