using System.Globalization;

namespace I2M.PtxEmulator.Parsing;

/// <content>The statements of a function's body.</content>
internal sealed partial class PtxParser
{
    private void ParseBody(Function function)
    {
        Expect("{");
        int depth = 1;
        while (depth > 0)
        {
            if (Accept("{")) { depth++; _scopes.Add([]); }
            else if (Accept("}"))
            {
                depth--;
                if (depth > 0) { _scopes.RemoveAt(_scopes.Count - 1); }
            }
            else if (!Accept(";")) { ParseStatement(function); }
        }
    }

    private void ParseStatement(Function function)
    {
        Token first = Current;
        if (first.Kind == TokenKind.Word && _tokens[_at + 1].Is(":"))
        {
            _at += 2;
            if (!function.Labels.TryAdd(first.Text, function.Instructions.Count)) { throw new PtxParseException(first.Line, first.Text, "the label is declared twice"); }
            if (Accept(".branchtargets")) { function.BranchTargets[first.Text] = ParseNames(); }
            return;
        }
        switch (first.Text)
        {
            case ".reg": Take(); ParseRegisters(); break;
            case ".shared" or ".local" or ".param": ParseBodyMemory(function, Take().Text); break;
            case ".loc" or ".pragma": do { Take(); } while (Current.Line == first.Line && !Current.Is(";")); break;
            default: function.Instructions.Add(ParseInstruction()); break;
        }
    }

    private string[] ParseNames()
    {
        var names = new List<string>();
        do { names.Add(Take().Text); } while (Accept(","));
        Expect(";");
        return [.. names];
    }

    private void ParseBodyMemory(Function function, string directive)
    {
        Space space = directive switch { ".shared" => Space.Shared, ".local" => Space.Local, _ => Space.Param };
        List<MemoryVariable> variables = ParseMemory(space);
        if (space != Space.Param) { function.Memory.AddRange(variables); }
        Expect(";");
    }

    /// <summary>.reg .type a, b, c&lt;n&gt;; the last declares c0 … c(n−1).</summary>
    private void ParseRegisters()
    {
        Token type = Take();
        int width = type.Is(".pred") ? RegisterVariable.Predicate : TypeSize(type.Text[1..]);
        if (width == 0 && !type.Is(".pred")) { throw new PtxParseException(type.Line, type.Text, "unknown register type"); }
        do
        {
            string name = Take().Text;
            if (!Accept("<")) { Declare(name, new RegisterVariable(name, width)); continue; }
            long count = ParseInteger(Take());
            Expect(">");
            for (int i = 0; i < count; i++) { Declare(name + i.ToString(CultureInfo.InvariantCulture), new RegisterVariable(name + i, width)); }
        }
        while (Accept(","));
        Expect(";");
    }

    private Instruction ParseInstruction()
    {
        Token first = Current;
        RegisterVariable? predicate = null;
        bool negated = false;
        if (Accept("@"))
        {
            negated = Accept("!");
            Token name = Take();
            predicate = Find(name.Text) as RegisterVariable;
            if (predicate is null || predicate.Width != RegisterVariable.Predicate) { throw new PtxParseException(name.Line, name.Text, "not a declared predicate"); }
        }
        Token opcode = Take();
        if (opcode.Kind != TokenKind.Word) { throw new PtxParseException(opcode.Line, opcode.Text, "expected an instruction"); }
        var operands = new List<Operand>();
        while (!Current.Is(";"))
        {
            operands.Add(ParseOperand());
            if (!Accept(",") && !Current.Is(";")) { throw Error("expected ',' or ';'"); }
        }
        int end = Take().Start;
        string text = string.Join(' ', _source[first.Start..end].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return new Instruction(first.Line, text, opcode.Text.Split('.'), [.. operands], predicate, negated);
    }

    private Operand ParseOperand()
    {
        Operand operand = ParseSingle();
        return Accept("|") ? new PairOperand(operand, ParseSingle()) : operand;
    }

    private Operand ParseSingle()
    {
        if (Accept("{")) { return ParseList("}"); }
        if (Accept("(")) { return ParseList(")"); }
        if (Accept("["))
        {
            Operand at = ParseSingle();
            long offset = 0;
            while (!Accept("]"))
            {
                bool minus = Accept("-");
                if (!minus)
                {
                    Expect("+");
                    minus = Accept("-");
                }
                long amount = ParseInteger(Take());
                offset += minus ? -amount : amount;
            }
            return new AddressOperand(at, offset);
        }
        if (Accept("!")) { return ParseSingle() is RegisterOperand register ? register with { Negated = true } : throw Error("only a predicate can be negated"); }
        if (Accept("-")) { return new ImmediateOperand((ulong)-ParseInteger(Take()), ImmediateKind.Integer); }
        return Current.Kind == TokenKind.Number ? ParseImmediate(Take()) : ParseName(Take());
    }

    private ListOperand ParseList(string end)
    {
        var items = new List<Operand>();
        while (!Accept(end))
        {
            items.Add(ParseOperand());
            Accept(",");
        }
        return new ListOperand(items);
    }

    private Operand ParseName(Token token)
    {
        if (token.Kind != TokenKind.Word) { throw new PtxParseException(token.Line, token.Text, "expected an operand"); }
        if (token.Is("_")) { return new SinkOperand(); }
        switch (Find(token.Text))
        {
            case RegisterVariable register: return new RegisterOperand(register);
            case MemoryVariable memory:
                int offset = 0;
                if (Current.Is("+") && _tokens[_at + 1].Kind == TokenKind.Number && _tokens[_at + 2].Text is "," or ";")
                {
                    Take();
                    offset = (int)ParseInteger(Take());
                }
                return new VariableOperand(memory, offset);
        }
        if (token.Text.StartsWith('%')) { return new SpecialOperand(token.Text); }
        return token.Text switch
        {
            "WARP_SZ" => new ImmediateOperand(32, ImmediateKind.Integer),
            _ => new NameOperand(token.Text),
        };
    }

    /// <summary>An integer, 0f or 0d with the bits in hexadecimal, or a decimal number with a point, which is a double.</summary>
    private static ImmediateOperand ParseImmediate(Token token)
    {
        string text = token.Text;
        if (text.StartsWith("0f", StringComparison.OrdinalIgnoreCase) || text.StartsWith("0d", StringComparison.OrdinalIgnoreCase))
        {
            bool single = char.ToLowerInvariant(text[1]) == 'f';
            if (text.Length != (single ? 10 : 18) || !ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong bits))
            {
                throw new PtxParseException(token.Line, text, "not a floating-point constant");
            }
            return new ImmediateOperand(bits, single ? ImmediateKind.Float32 : ImmediateKind.Float64);
        }
        if (text.Contains('.') && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value))
        {
            return new ImmediateOperand(BitConverter.DoubleToUInt64Bits(value), ImmediateKind.Float64);
        }
        return new ImmediateOperand((ulong)ParseInteger(token), ImmediateKind.Integer);
    }
}
