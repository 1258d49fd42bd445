using System.Numerics;
using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <content>Moves, logic, shifts, comparisons, selections and conversions.</content>
internal sealed partial class Decoder
{
    private bool DecodeBits(Instruction i)
    {
        switch (i.Name)
        {
            case "mov": DecodeMove(i); return true;
            case "and" or "or" or "xor" or "not" or "cnot": DecodeLogic(i); return true;
            case "shl" or "shr": DecodeShift(i); return true;
            case "setp": DecodeCompare(i); return true;
            case "selp": DecodeSelect(i); return true;
            case "testp": DecodeTest(i); return true;
            case "cvt": DecodeConvert(i); return true;
            case "popc" or "clz" or "brev" or "bfe" or "bfi" or "prmt" or "shf" or "lop3" or "bfind": DecodeBitField(i); return true;
            default: return false;
        }
    }

    private void DecodeMove(Instruction i)
    {
        Only(i);
        string type = i.Type();
        switch (i.Operands[0], i.Operands[1])
        {
            case (ListOperand parts, _): DecodeUnpack(parts, i.Operands[1], type); return;
            case (_, ListOperand parts): DecodePack(i.Operands[0], parts, type); return;
        }
        (Slot d, Slot a) = (Destination(i.Operands[0], type), Source(i.Operands[1], type));
        Operation operation = Width(type) switch { RegisterVariable.Predicate => new PredicateLogic(d, a, a, static (x, _) => x), 8 => new Unary<ulong, Move<ulong>>(d, a), _ => new Unary<uint, Move<uint>>(d, a) };
        Add(operation, InstructionClass.Alu);
    }

    private void DecodePack(Operand destination, ListOperand parts, string type)
    {
        int bits = PtxParser.TypeSize(type) * 8 / parts.Items.Count;
        string part = bits == 32 ? "b32" : bits == 16 ? "b16" : throw _current.Error("only parts of 16 and 32 bits are supported");
        Slot[] sources = [.. parts.Items.Select(p => Source(p, part))];
        Slot d = Destination(destination, type);
        if (sources.Length > 2) { Add(new PackOperation(d, sources), InstructionClass.Alu); return; }
        ulong mask = (1ul << bits) - 1;
        Add(new BitFunction(d, Width(type), [(sources[0], 4), (sources[1], 4)], (a, b, _) => a & mask | (b & mask) << bits), InstructionClass.Alu);
    }

    private void DecodeUnpack(ListOperand parts, Operand source, string type)
    {
        int bits = PtxParser.TypeSize(type) * 8 / parts.Items.Count;
        ulong mask = (1ul << bits) - 1;
        for (int n = 0; n < parts.Items.Count; n++)
        {
            int shift = n * bits;
            Slot a = Source(source, type);
            Slot d = Destination(parts.Items[n], bits == 32 ? "b32" : "b16");
            Add(new BitFunction(d, 4, [(a, Width(type))], (x, _, _) => x >> shift & mask), InstructionClass.Alu);
        }
    }

    private void DecodeLogic(Instruction i)
    {
        Only(i);
        string type = i.Type();
        Slot d = Destination(i.Operands[0], type), a = Source(i.Operands[1], type), b = i.Operands.Length > 2 ? Source(i.Operands[2], type) : a;
        Operation operation = Width(type) switch
        {
            RegisterVariable.Predicate => new PredicateLogic(d, a, b, i.Name switch { "and" => static (x, y) => x & y, "or" => static (x, y) => x | y, "xor" => static (x, y) => x ^ y, _ => static (x, _) => ~x }),
            8 => LogicOf<ulong>(i.Name, d, a, b),
            _ when PtxParser.TypeSize(type) == 2 && i.Name == "not" => new BitFunction(d, 4, [(a, 4)], static (x, _, _) => (ushort)~x),
            _ => LogicOf<uint>(i.Name, d, a, b),
        };
        Add(operation, InstructionClass.Alu);
    }

    private static Operation LogicOf<T>(string name, Slot d, Slot a, Slot b) where T : unmanaged => name switch
    {
        "and" => new Binary<T, And<T>>(d, a, b),
        "or" => new Binary<T, Or<T>>(d, a, b),
        "xor" => new Binary<T, Xor<T>>(d, a, b),
        "not" => new Unary<T, Not<T>>(d, a),
        _ => new Binary<T, And<T>>(d, a, b),
    };

    private void DecodeShift(Instruction i)
    {
        Only(i);
        string type = i.Type();
        (Slot d, Slot a, Slot n) = (Destination(i.Operands[0], type), Source(i.Operands[1], type), Source(i.Operands[2], "u32"));
        Operation operation = (i.Name, type) switch
        {
            ("shl", "b64" or "u64" or "s64") => new ScalarBinary<ulong, uint, ulong, ShiftLeft<ulong>>(d, a, n),
            ("shl", "b32" or "u32" or "s32") => new ScalarBinary<uint, uint, uint, ShiftLeft<uint>>(d, a, n),
            ("shr", "s64") => new ScalarBinary<long, uint, long, ShiftRight<long>>(d, a, n),
            ("shr", "b64" or "u64") => new ScalarBinary<ulong, uint, ulong, ShiftRight<ulong>>(d, a, n),
            ("shr", "s32") => new ScalarBinary<int, uint, int, ShiftRight<int>>(d, a, n),
            ("shr", "b32" or "u32") => new ScalarBinary<uint, uint, uint, ShiftRight<uint>>(d, a, n),
            ("shl", _) => new BitFunction(d, 4, [(a, 4), (n, 4)], static (x, s, _) => s > 15 ? 0ul : (ushort)(x << (int)s)),
            ("shr", "s16") => new BitFunction(d, 4, [(a, 4), (n, 4)], static (x, s, _) => (ushort)((short)x >> (int)Math.Min(s, 15))),
            _ => new BitFunction(d, 4, [(a, 4), (n, 4)], static (x, s, _) => s > 15 ? 0 : (ulong)((ushort)x >> (int)s)),
        };
        Add(operation, InstructionClass.Alu);
    }

    /// <summary>setp.compare[.boolean].type p[|q], a, b[, c].</summary>
    private void DecodeCompare(Instruction i)
    {
        string type = i.Type();
        bool flush = i.Has("ftz");
        string? boolean = Array.Find(i.Parts, p => p is "and" or "or" or "xor");
        Only(i, i.Parts[1], "ftz", "and", "or", "xor");
        (Operand first, Operand? second) = i.Operands[0] is PairOperand pair ? (pair.First, pair.Second) : (i.Operands[0], null);
        Slot p = Destination(first, "pred");
        Slot? q = second is null or SinkOperand ? null : Destination(second, "pred");
        Slot a = Source(i.Operands[1], type), b = Source(i.Operands[2], type);
        Slot? c = boolean is null ? null : Source(i.Operands[3], "pred");
        bool negated = boolean is not null && i.Operands[3] is RegisterOperand { Negated: true };
        var targets = new CompareTargets(p, q, boolean, c, negated);
        Operation operation = type switch
        {
            "f32" => flush ? Comparison.Create<float>(i, a, b, targets, flush: true) : Comparison.Create<float>(i, a, b, targets),
            "f64" => Comparison.Create<double>(i, a, b, targets),
            "s32" => Comparison.Create<int>(i, a, b, targets),
            "u32" or "b32" => Comparison.Create<uint>(i, a, b, targets),
            "s64" => Comparison.Create<long>(i, a, b, targets),
            "u64" or "b64" => Comparison.Create<ulong>(i, a, b, targets),
            "s16" => Comparison.CreateNarrow(i, a, b, targets, signed: true),
            "u16" or "b16" => Comparison.CreateNarrow(i, a, b, targets, signed: false),
            _ => throw i.Error($"unsupported type '{type}'"),
        };
        Add(operation, InstructionClass.Alu);
    }

    private void DecodeSelect(Instruction i)
    {
        Only(i);
        string type = i.Type();
        Slot d = Destination(i.Operands[0], type), a = Source(i.Operands[1], type), b = Source(i.Operands[2], type), p = Source(i.Operands[3], "pred");
        Add(Width(type) == 8 ? new SelectOperation<ulong>(d, a, b, p) : new SelectOperation<uint>(d, a, b, p), InstructionClass.Alu);
    }

    private void DecodeTest(Instruction i)
    {
        string type = i.Type();
        if (type is not ("f32" or "f64")) { throw i.Error($"unsupported type '{type}'"); }
        Func<double, bool> test = i.Parts[1] switch
        {
            "notanumber" => double.IsNaN,
            "number" => static x => !double.IsNaN(x),
            "infinite" => double.IsInfinity,
            "finite" => double.IsFinite,
            _ => throw i.Error($"unsupported modifier '.{i.Parts[1]}'"),
        };
        Slot p = Destination(i.Operands[0], "pred"), a = Source(i.Operands[1], type);
        Add(new TestOperation(p, a, Width(type), test), InstructionClass.Alu);
    }

    private void DecodeConvert(Instruction i)
    {
        string from = i.Type(), to = i.Type(1);
        if (to == "bf16x2" || to == "f16x2")
        {
            Only(i, "rn", "relu");
            bool brain = to == "bf16x2", relu = i.Has("relu");
            Slot d = Destination(i.Operands[0], "b32"), high = Source(i.Operands[1], "f32"), low = Source(i.Operands[2], "f32");
            Add(new PackPairOperation(d, high, low, brain, relu), InstructionClass.Convert);
            return;
        }
        Slot destination = Destination(i.Operands[0], to), source = Source(i.Operands[1], from);
        Operation? fast = i.Parts.Length > 3 && !(from == "s32" && to == "f32") ? null : (to, from) switch
        {
            ("s64" or "u64", "s32") => new ScalarUnary<int, long, SignExtend>(destination, source),
            ("s64" or "u64", "u32") => new ScalarUnary<uint, ulong, ZeroExtend>(destination, source),
            ("s32" or "u32", "s64" or "u64") => new ScalarUnary<ulong, uint, Truncate>(destination, source),
            ("f32", "s32") when i.Has("rn") && i.Parts.Length == 4 => new ScalarUnary<int, float, SignedToSingle>(destination, source),
            _ => null,
        };
        Func<ulong, ulong> function = fast is null ? Conversion.Of(i, from, to) : null!;
        Add(fast ?? new BitFunction(destination, Width(to), [(source, Width(from))], (x, _, _) => function(x)), InstructionClass.Convert);
    }

    private void DecodeBitField(Instruction i)
    {
        string type = i.Type();
        string result = i.Name is "popc" or "clz" or "bfind" ? "b32" : type;
        int w = Width(type);
        Slot d = Destination(i.Operands[0], result);
        if (i.Name == "bfi")
        {
            Slot from = Source(i.Operands[1], type), into = Source(i.Operands[2], type), at = Source(i.Operands[3], "u32"), length = Source(i.Operands[4], "u32");
            Add(new InsertOperation(d, w, from, into, at, length), InstructionClass.Alu);
            return;
        }
        var sources = new List<(Slot, int)>();
        for (int n = 1; n < Math.Min(i.Operands.Length, 4); n++)
        {
            string t = n > 1 && i.Name is "bfe" || n == 3 && i.Name is "shf" ? "u32" : type;
            sources.Add((Source(i.Operands[n], t), Width(t)));
        }
        Add(new BitFunction(d, Width(result), [.. sources], BitFields.Of(i, type, w)), InstructionClass.Alu);
    }
}
