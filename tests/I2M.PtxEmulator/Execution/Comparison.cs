using System.Numerics;
using System.Runtime.Intrinsics;
using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <summary>Where a comparison goes: p = r ∘ c and q = ¬r ∘ c, with ∘ one of and, or, xor, or p = r alone.</summary>
internal sealed record CompareTargets(Slot P, Slot? Q, string? Boolean, Slot? C, bool CNegated)
{
    public unsafe void Store(Warp warp, uint mask, uint result)
    {
        uint c = C is { } slot ? *(uint*)(warp.Registers + slot.Offset) : 0;
        if (CNegated) { c = ~c; }
        Put(warp, P, mask, Combine(result, c));
        if (Q is { } q) { Put(warp, q, mask, Combine(~result, c)); }
    }

    private uint Combine(uint result, uint c) => Boolean switch { "and" => result & c, "or" => result | c, "xor" => result ^ c, _ => result };

    public static unsafe void Put(Warp warp, Slot slot, uint mask, uint value)
    {
        uint* to = (uint*)(warp.Registers + slot.Offset);
        *to = *to & ~mask | value & mask;
    }
}

/// <summary>Relations over vectors; those of PTX follow by exchanging operands and negation.</summary>
internal interface IRelation<T>
{
    static abstract Vector256<T> Apply(Vector256<T> a, Vector256<T> b);
}

internal readonly struct IsEqual<T> : IRelation<T> { public static Vector256<T> Apply(Vector256<T> a, Vector256<T> b) => Vector256.Equals(a, b); }

internal readonly struct IsLess<T> : IRelation<T> { public static Vector256<T> Apply(Vector256<T> a, Vector256<T> b) => Vector256.LessThan(a, b); }

internal readonly struct IsLessOrEqual<T> : IRelation<T> { public static Vector256<T> Apply(Vector256<T> a, Vector256<T> b) => Vector256.LessThanOrEqual(a, b); }

/// <summary>Smaller or greater: unlike "not equal" false for NaN.</summary>
internal readonly struct IsLessOrGreater<T> : IRelation<T>
{
    public static Vector256<T> Apply(Vector256<T> a, Vector256<T> b) => Vector256.LessThan(a, b) | Vector256.GreaterThan(a, b);
}

internal readonly struct IsOrdered<T> : IRelation<T>
{
    public static Vector256<T> Apply(Vector256<T> a, Vector256<T> b) => Vector256.Equals(a, a) & Vector256.Equals(b, b);
}

internal readonly struct FlushRelation<TRelation> : IRelation<float> where TRelation : struct, IRelation<float>
{
    public static Vector256<float> Apply(Vector256<float> a, Vector256<float> b) => TRelation.Apply(Flush.Apply(a), Flush.Apply(b));
}

/// <summary>setp.</summary>
internal sealed unsafe class CompareOperation<T, TRelation>(Slot a, Slot b, bool negate, CompareTargets targets) : Operation
    where T : unmanaged where TRelation : struct, IRelation<T>
{
    public override void Execute(Warp warp, uint mask)
    {
        T* x = (T*)(warp.Registers + a.Offset), y = (T*)(warp.Registers + b.Offset);
        uint result = 0;
        for (int i = 0; i < Lanes.Count; i += Vector256<T>.Count)
        {
            result |= TRelation.Apply(Vector256.Load(x + i), Vector256.Load(y + i)).ExtractMostSignificantBits() << i;
        }
        targets.Store(warp, mask, negate ? ~result : result);
    }
}

/// <summary>setp on 16 bits.</summary>
internal sealed unsafe class NarrowCompareOperation(Slot a, Slot b, bool signed, Func<int, bool> test, CompareTargets targets) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        uint* x = (uint*)(warp.Registers + a.Offset), y = (uint*)(warp.Registers + b.Offset);
        uint result = 0;
        for (int lane = 0; lane < Lanes.Count; lane++)
        {
            int difference = signed ? (short)x[lane] - (short)y[lane] : (ushort)x[lane] - (ushort)y[lane];
            if (test(difference)) { result |= 1u << lane; }
        }
        targets.Store(warp, mask, result);
    }
}

/// <summary>Chooses the relation for a comparison's name.</summary>
internal static class Comparison
{
    public static Operation Create<T>(Instruction i, Slot a, Slot b, CompareTargets targets, bool flush = false) where T : unmanaged => i.Parts[1] switch
    {
        "eq" => Of<T, IsEqual<T>>(a, b, false, targets, flush),
        "ne" => typeof(T) == typeof(float) || typeof(T) == typeof(double) ? Of<T, IsLessOrGreater<T>>(a, b, false, targets, flush) : Of<T, IsEqual<T>>(a, b, true, targets, flush),
        "lt" or "lo" => Of<T, IsLess<T>>(a, b, false, targets, flush),
        "le" or "ls" => Of<T, IsLessOrEqual<T>>(a, b, false, targets, flush),
        "gt" or "hi" => Of<T, IsLess<T>>(b, a, false, targets, flush),
        "ge" or "hs" => Of<T, IsLessOrEqual<T>>(b, a, false, targets, flush),
        "equ" => Of<T, IsLessOrGreater<T>>(a, b, true, targets, flush),
        "neu" => Of<T, IsEqual<T>>(a, b, true, targets, flush),
        "ltu" => Of<T, IsLessOrEqual<T>>(b, a, true, targets, flush),
        "leu" => Of<T, IsLess<T>>(b, a, true, targets, flush),
        "gtu" => Of<T, IsLessOrEqual<T>>(a, b, true, targets, flush),
        "geu" => Of<T, IsLess<T>>(a, b, true, targets, flush),
        "num" => Of<T, IsOrdered<T>>(a, b, false, targets, flush),
        "nan" => Of<T, IsOrdered<T>>(a, b, true, targets, flush),
        _ => throw i.Error($"unsupported comparison '.{i.Parts[1]}'"),
    };

    private static Operation Of<T, TRelation>(Slot a, Slot b, bool negate, CompareTargets targets, bool flush) where T : unmanaged where TRelation : struct, IRelation<T>
    {
        if (!flush) { return new CompareOperation<T, TRelation>(a, b, negate, targets); }
        return default(TRelation) switch
        {
            IsEqual<float> => new CompareOperation<float, FlushRelation<IsEqual<float>>>(a, b, negate, targets),
            IsLess<float> => new CompareOperation<float, FlushRelation<IsLess<float>>>(a, b, negate, targets),
            IsLessOrEqual<float> => new CompareOperation<float, FlushRelation<IsLessOrEqual<float>>>(a, b, negate, targets),
            IsLessOrGreater<float> => new CompareOperation<float, FlushRelation<IsLessOrGreater<float>>>(a, b, negate, targets),
            _ => new CompareOperation<float, FlushRelation<IsOrdered<float>>>(a, b, negate, targets),
        };
    }

    public static Operation CreateNarrow(Instruction i, Slot a, Slot b, CompareTargets targets, bool signed)
    {
        Func<int, bool> test = i.Parts[1] switch
        {
            "eq" => static d => d == 0,
            "ne" => static d => d != 0,
            "lt" or "lo" => static d => d < 0,
            "le" or "ls" => static d => d <= 0,
            "gt" or "hi" => static d => d > 0,
            "ge" or "hs" => static d => d >= 0,
            _ => throw i.Error($"unsupported comparison '.{i.Parts[1]}'"),
        };
        return new NarrowCompareOperation(a, b, signed, test, targets);
    }
}

/// <summary>and, or, xor, not and mov of predicates, 32 lanes in one word.</summary>
internal sealed unsafe class PredicateLogic(Slot d, Slot a, Slot b, Func<uint, uint, uint> function) : Operation
{
    public override void Execute(Warp warp, uint mask) =>
        CompareTargets.Put(warp, d, mask, function(*(uint*)(warp.Registers + a.Offset), *(uint*)(warp.Registers + b.Offset)));
}

/// <summary>selp.</summary>
internal sealed unsafe class SelectOperation<T>(Slot d, Slot a, Slot b, Slot p) : Operation where T : unmanaged
{
    public override void Execute(Warp warp, uint mask)
    {
        T* x = (T*)(warp.Registers + a.Offset), y = (T*)(warp.Registers + b.Offset), to = (T*)(warp.Registers + d.Offset);
        uint which = *(uint*)(warp.Registers + p.Offset);
        for (int i = 0; i < Lanes.Count; i += Vector256<T>.Count)
        {
            Lanes.Store(to, i, Vector256.ConditionalSelect(Lanes.Mask<T>(which, i), Vector256.Load(x + i), Vector256.Load(y + i)), mask);
        }
    }
}

/// <summary>testp.</summary>
internal sealed unsafe class TestOperation(Slot p, Slot a, int width, Func<double, bool> test) : Operation
{
    public override void Execute(Warp warp, uint mask)
    {
        uint result = 0;
        for (uint rest = mask; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            byte* at = warp.Registers + a.Offset;
            if (test(width == 8 ? ((double*)at)[lane] : ((float*)at)[lane])) { result |= 1u << lane; }
        }
        CompareTargets.Put(warp, p, mask, result);
    }
}
