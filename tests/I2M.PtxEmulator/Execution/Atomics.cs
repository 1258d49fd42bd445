using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <summary>What atom and red do to a value in memory.</summary>
internal static class Atomics
{
    public static Func<ulong, ulong, ulong, ulong> Of(Instruction i, string type)
    {
        string name = Array.Find(i.Parts, p => p is "add" or "min" or "max" or "and" or "or" or "xor" or "exch" or "cas" or "inc" or "dec") ?? throw i.Error("unsupported operation");
        return (name, type) switch
        {
            ("add", "f32") => static (a, b, _) => BitConverter.SingleToUInt32Bits(Single(a) + Single(b)),
            ("add", "f64") => static (a, b, _) => BitConverter.DoubleToUInt64Bits(BitConverter.UInt64BitsToDouble(a) + BitConverter.UInt64BitsToDouble(b)),
            ("add", _) => static (a, b, _) => a + b,
            ("and", _) => static (a, b, _) => a & b,
            ("or", _) => static (a, b, _) => a | b,
            ("xor", _) => static (a, b, _) => a ^ b,
            ("exch", _) => static (_, b, _) => b,
            ("cas", _) => static (a, b, c) => a == b ? c : a,
            ("inc", _) => static (a, b, _) => a >= b ? 0 : a + 1,
            ("dec", _) => static (a, b, _) => a == 0 || a > b ? b : a - 1,
            ("min", "s32") => static (a, b, _) => (uint)Math.Min((int)a, (int)b),
            ("max", "s32") => static (a, b, _) => (uint)Math.Max((int)a, (int)b),
            ("min", "s64") => static (a, b, _) => (ulong)Math.Min((long)a, (long)b),
            ("max", "s64") => static (a, b, _) => (ulong)Math.Max((long)a, (long)b),
            ("min", "u32" or "u64") => static (a, b, _) => Math.Min(a, b),
            ("max", "u32" or "u64") => static (a, b, _) => Math.Max(a, b),
            _ => throw i.Error($"unsupported type '{type}'"),
        };
    }

    private static float Single(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);
}
