using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <content>Arithmetic on integers and floating-point numbers.</content>
internal sealed partial class Decoder
{
    private bool DecodeArithmetic(Instruction i)
    {
        switch (i.Name)
        {
            case "add" or "sub" or "min" or "max": DecodeBinary(i); return true;
            case "mul" when i.Has("wide"): DecodeWide(i); return true;
            case "mul" or "mul24": DecodeMultiply(i); return true;
            case "mad" or "fma" or "mad24": DecodeMultiplyAdd(i); return true;
            case "div" or "rem": DecodeDivide(i); return true;
            case "neg" or "abs": DecodeUnary(i); return true;
            case "ex2" or "lg2" or "rcp" or "rsqrt" or "sqrt" or "sin" or "cos" or "tanh": DecodeSpecialFunction(i); return true;
            default: return false;
        }
    }

    private static bool IsFloat(string type) => type is "f32" or "f64" or "f16" or "bf16";

    private static InstructionClass PipeOf(string type) => IsFloat(type) ? InstructionClass.Fma : InstructionClass.Alu;

    private void DecodeBinary(Instruction i)
    {
        Only(i, "rn", "ftz");
        string type = i.Type();
        (Slot d, Slot a, Slot b) = (Destination(i.Operands[0], type), Source(i.Operands[1], type), Source(i.Operands[2], type));
        Operation operation = type switch
        {
            "f32" => Contracted(i, d, a, b) ?? (i.Has("ftz") ? BinaryFlush(i.Name, d, a, b) : BinaryOf<float>(i.Name, d, a, b)),
            "f64" => BinaryOf<double>(i.Name, d, a, b),
            "s32" => BinaryOf<int>(i.Name, d, a, b),
            "u32" => BinaryOf<uint>(i.Name, d, a, b),
            "s64" => BinaryOf<long>(i.Name, d, a, b),
            "u64" => BinaryOf<ulong>(i.Name, d, a, b),
            _ => NarrowOperation(i, type, d, [a, b]),
        };
        Add(operation, PipeOf(type));
    }

    private static Operation BinaryOf<T>(string name, Slot d, Slot a, Slot b) where T : unmanaged => name switch
    {
        "add" => new Binary<T, Add<T>>(d, a, b),
        "sub" => new Binary<T, Subtract<T>>(d, a, b),
        "min" => new Binary<T, Minimum<T>>(d, a, b),
        "max" => new Binary<T, Maximum<T>>(d, a, b),
        _ => new Binary<T, Multiply<T>>(d, a, b),
    };

    private static Operation BinaryFlush(string name, Slot d, Slot a, Slot b) => name switch
    {
        "add" => new Binary<float, Flush2<Add<float>>>(d, a, b),
        "sub" => new Binary<float, Flush2<Subtract<float>>>(d, a, b),
        "min" => new Binary<float, Flush2<Minimum<float>>>(d, a, b),
        "max" => new Binary<float, Flush2<Maximum<float>>>(d, a, b),
        _ => new Binary<float, Flush2<Multiply<float>>>(d, a, b),
    };

    /// <summary>Types of 16 bits, whose lanes hold 32: computed wide and cut.</summary>
    private static BitFunction NarrowOperation(Instruction i, string type, Slot d, Slot[] sources)
    {
        Func<ulong, ulong, ulong, ulong> function = type switch
        {
            "f16" => Narrow.Half(i.Name),
            "bf16" => Narrow.BFloat16(i.Name),
            "s16" => Narrow.Integer(i.Name, signed: true),
            "u16" => Narrow.Integer(i.Name, signed: false),
            _ => null,
        } ?? throw i.Error($"unsupported type '{type}'");
        return new BitFunction(d, 4, [.. sources.Select(s => (s, 4))], function);
    }

    private void DecodeMultiply(Instruction i)
    {
        Only(i, "rn", "ftz", "lo", "hi");
        string type = i.Type();
        (Slot d, Slot a, Slot b) = (Destination(i.Operands[0], type), Source(i.Operands[1], type), Source(i.Operands[2], type));
        Operation operation = type switch
        {
            "f32" => i.Has("ftz") ? BinaryFlush("mul", d, a, b) : BinaryOf<float>("mul", d, a, b),
            "f64" => BinaryOf<double>("mul", d, a, b),
            "s32" or "u32" or "s64" or "u64" when i.Has("hi") => new BitFunction(d, Width(type), [(a, Width(type)), (b, Width(type))], Narrow.MultiplyHigh(type)),
            "s32" or "u32" => BinaryOf<uint>("mul", d, a, b),
            "s64" or "u64" => BinaryOf<ulong>("mul", d, a, b),
            _ => NarrowOperation(i, type, d, [a, b]),
        };
        Add(operation, PipeOf(type));
        NoteProduct(i, d, a, b);
    }

    private void DecodeWide(Instruction i)
    {
        Only(i, "wide");
        string type = i.Type();
        if (type is "s16" or "u16")
        {
            Slot narrow = Destination(i.Operands[0], "b32");
            Add(new BitFunction(narrow, 4, [(Source(i.Operands[1], type), 4), (Source(i.Operands[2], type), 4)],
                type == "u16" ? (a, b, _) => a * b : (a, b, _) => (ulong)((short)a * (short)b)), InstructionClass.Alu);
            return;
        }
        Slot d = Destination(i.Operands[0], "b64"), x = Source(i.Operands[1], type), y = Source(i.Operands[2], type);
        Add(type == "u32" ? new ScalarBinary<uint, uint, ulong, WideUnsigned>(d, x, y) : new ScalarBinary<int, int, long, WideSigned>(d, x, y), InstructionClass.Alu);
    }

    private void DecodeMultiplyAdd(Instruction i)
    {
        Only(i, "rn", "ftz", "lo", "hi", "wide");
        string type = i.Type();
        string result = i.Has("wide") ? "b64" : type;
        Slot d = Destination(i.Operands[0], result), a = Source(i.Operands[1], type), b = Source(i.Operands[2], type), c = Source(i.Operands[3], result);
        int w = Width(type);
        Operation operation = type switch
        {
            "f32" => i.Has("ftz") ? new Ternary<float, Flush3<FusedSingle>>(d, a, b, c) : new Ternary<float, FusedSingle>(d, a, b, c),
            "f64" => new Ternary<double, FusedDouble>(d, a, b, c),
            "u32" when i.Has("wide") => new BitFunction(d, 8, [(a, 4), (b, 4), (c, 8)], (x, y, z) => x * y + z),
            "s32" when i.Has("wide") => new BitFunction(d, 8, [(a, 4), (b, 4), (c, 8)], (x, y, z) => (ulong)((long)(int)x * (int)y) + z),
            "s32" or "u32" or "s64" or "u64" when i.Has("hi") => MultiplyHighAdd(d, w, a, b, c, Narrow.MultiplyHigh(type)),
            "s32" or "u32" => new Ternary<uint, MultiplyAdd<uint>>(d, a, b, c),
            "s64" or "u64" => new Ternary<ulong, MultiplyAdd<ulong>>(d, a, b, c),
            _ => NarrowOperation(i, type, d, [a, b, c]),
        };
        Add(operation, PipeOf(type));
    }

    private static BitFunction MultiplyHighAdd(Slot d, int w, Slot a, Slot b, Slot c, Func<ulong, ulong, ulong, ulong> high) =>
        new(d, w, [(a, w), (b, w), (c, w)], (x, y, z) => high(x, y, 0) + z);

    private void DecodeDivide(Instruction i)
    {
        Only(i, "rn", "ftz", "approx", "full");
        string type = i.Type();
        (Slot d, Slot a, Slot b) = (Destination(i.Operands[0], type), Source(i.Operands[1], type), Source(i.Operands[2], type));
        bool divide = i.Name == "div";
        Operation operation = type switch
        {
            "f32" when divide && (i.Has("approx") || i.Has("full")) => new ApproximateDivision(d, a, b, i.Has("ftz")),
            "f32" when divide => i.Has("ftz") ? new ScalarBinary<float, float, float, DivideSingleFlush>(d, a, b) : new ScalarBinary<float, float, float, DivideSingle>(d, a, b),
            "f64" when divide => new ScalarBinary<double, double, double, DivideDouble>(d, a, b),
            "s32" => DivideOf<int>(divide, d, a, b),
            "u32" => DivideOf<uint>(divide, d, a, b),
            "s64" => DivideOf<long>(divide, d, a, b),
            "u64" => DivideOf<ulong>(divide, d, a, b),
            _ => NarrowOperation(i, type, d, [a, b]),
        };
        Add(operation, IsFloat(type) ? InstructionClass.Sfu : InstructionClass.Alu);
    }

    private static Operation DivideOf<T>(bool divide, Slot d, Slot a, Slot b) where T : unmanaged, System.Numerics.IBinaryInteger<T> =>
        divide ? new ScalarBinary<T, T, T, Divide<T>>(d, a, b) : new ScalarBinary<T, T, T, Remainder<T>>(d, a, b);

    private void DecodeUnary(Instruction i)
    {
        Only(i, "ftz");
        string type = i.Type();
        (Slot d, Slot a) = (Destination(i.Operands[0], type), Source(i.Operands[1], type));
        bool negate = i.Name == "neg";
        Operation operation = type switch
        {
            "f32" when i.Has("ftz") => negate ? new Unary<float, Flush1<Negate<float>>>(d, a) : new Unary<float, Flush1<Absolute<float>>>(d, a),
            "f32" => UnaryOf<float>(negate, d, a),
            "f64" => UnaryOf<double>(negate, d, a),
            "s32" => UnaryOf<int>(negate, d, a),
            "s64" => UnaryOf<long>(negate, d, a),
            _ => NarrowOperation(i, type, d, [a]),
        };
        Add(operation, PipeOf(type));
    }

    private static Operation UnaryOf<T>(bool negate, Slot d, Slot a) where T : unmanaged =>
        negate ? new Unary<T, Negate<T>>(d, a) : new Unary<T, Absolute<T>>(d, a);

    /// <summary>Computed in double precision and rounded once; approximate forms with the error that the manual allows them.</summary>
    private void DecodeSpecialFunction(Instruction i)
    {
        Only(i, "approx", "ftz", "rn");
        string type = i.Type();
        if (type is not ("f32" or "f64")) { throw i.Error($"unsupported type '{type}'"); }
        (Slot d, Slot a) = (Destination(i.Operands[0], type), Source(i.Operands[1], type));
        Func<double, double> function = SpecialFunctions.Of(i.Name);
        Operation operation = type == "f64" ? new DoubleFunction(d, a, function)
            : i.Has("approx") ? new ApproximateFunction(d, a, function, Approximation.Of(i.Name), i.Has("ftz"))
            : new SingleFunction(d, a, function, i.Has("ftz"));
        Add(operation, InstructionClass.Sfu);
    }
}
