using System.Globalization;

namespace I2M.PtxEmulator.Parsing;

/// <summary>
/// Reads a module: kernels, device functions and shared arrays. Registers may be declared anywhere in a body and live to the end of the
/// enclosing braces, so names are resolved while reading.
/// </summary>
internal sealed partial class PtxParser
{
    private readonly string _source;
    private readonly List<Token> _tokens;
    private readonly List<Dictionary<string, object>> _scopes = [[]];
    private readonly List<MemoryVariable> _moduleMemory = [];
    private int _at;

    public PtxParser(string source)
    {
        _source = source;
        _tokens = new PtxLexer(source).ReadAll();
    }

    public Dictionary<string, Function> Functions { get; } = [];

    private Token Current => _tokens[_at];

    private Token Take() => _tokens[_at].Kind == TokenKind.End ? throw Error("the text ends inside a statement") : _tokens[_at++];

    private bool Accept(string text)
    {
        if (!Current.Is(text)) { return false; }
        _at++;
        return true;
    }

    private void Expect(string text)
    {
        if (!Accept(text)) { throw Error($"expected '{text}'"); }
    }

    private PtxParseException Error(string reason) => new(Current.Line, Current.Text, reason);

    /// <summary>The whole module.</summary>
    public void ParseModule()
    {
        while (Current.Kind != TokenKind.End)
        {
            Token token = Take();
            switch (token.Text)
            {
                case ".version" or ".address_size": Take(); break;
                case ".target": do { Take(); } while (Accept(",")); break;
                case ".visible" or ".weak" or ".extern" or ".common": break;
                case ".file": while (Current.Line == token.Line) { Take(); } break;
                case ".entry" or ".func": ParseFunction(token.Is(".entry")); break;
                case ".shared" or ".global" or ".const": ParseModuleMemory(token); break;
                case ";": break;
                default: throw new PtxParseException(token.Line, token.Text, "unknown directive");
            }
        }
    }

    private void ParseModuleMemory(Token directive)
    {
        if (!directive.Is(".shared")) { throw new PtxParseException(directive.Line, directive.Text, "only shared arrays are supported outside a function"); }
        foreach (MemoryVariable variable in ParseMemory(Space.Shared)) { _moduleMemory.Add(variable); }
        Expect(";");
    }

    private void ParseFunction(bool entry)
    {
        List<MemoryVariable> results = !entry && Current.Is("(") ? ParseParameters() : [];
        Token name = Take();
        List<MemoryVariable> parameters = Current.Is("(") ? ParseParameters() : [];
        var function = new Function(name.Text, entry);
        function.Results.AddRange(results);
        function.Parameters.AddRange(parameters);
        function.Memory.AddRange(_moduleMemory);
        while (!Current.Is("{") && !Current.Is(";")) { ParseBounds(function); }
        if (Accept(";")) { return; }
        _scopes.Add([]);
        foreach (MemoryVariable variable in results.Concat(parameters)) { Declare(variable.Name, variable); }
        ParseBody(function);
        _scopes.RemoveAt(_scopes.Count - 1);
        Functions[name.Text] = function;
    }

    /// <summary>.maxntid, .minnctapersm and the like between the parameters and the body.</summary>
    private void ParseBounds(Function function)
    {
        Token directive = Take();
        var numbers = new List<int>();
        while (Current.Kind == TokenKind.Number)
        {
            numbers.Add((int)ParseInteger(Take()));
            Accept(",");
        }
        if (directive.Is(".maxntid") || directive.Is(".reqntid")) { function.MaxThreads = numbers.Aggregate(1, (a, b) => a * b); }
        else if (directive.Text is not (".minnctapersm" or ".maxnreg" or ".noreturn" or ".pragma")) { throw new PtxParseException(directive.Line, directive.Text, "unknown directive"); }
    }

    private List<MemoryVariable> ParseParameters()
    {
        Expect("(");
        var parameters = new List<MemoryVariable>();
        while (!Accept(")"))
        {
            Expect(".param");
            parameters.AddRange(ParseMemory(Space.Param, single: true));
            Accept(",");
        }
        return parameters;
    }

    /// <summary>[.align n] type name[count], … after the space's directive.</summary>
    private List<MemoryVariable> ParseMemory(Space space, bool single = false)
    {
        int alignment = 0, vector = 1;
        string type = "";
        while (Current.Kind == TokenKind.Word && Current.Text.StartsWith('.'))
        {
            string word = Take().Text;
            switch (word)
            {
                case ".align": alignment = (int)ParseInteger(Take()); break;
                case ".v2": vector = 2; break;
                case ".v4": vector = 4; break;
                case ".ptr" or ".global" or ".shared" or ".local": break;
                default: type = word[1..]; break;
            }
        }
        int size = TypeSize(type) is var s && s > 0 ? s * vector : throw Error($"unknown type '{type}'");
        var variables = new List<MemoryVariable>();
        do
        {
            string name = Take().Text;
            int count = 1;
            while (Accept("["))
            {
                count = Current.Is("]") ? -1 : count * (int)ParseInteger(Take());
                Expect("]");
            }
            var variable = new MemoryVariable(name, space, count < 0 ? -1 : count * size, Math.Max(alignment, size));
            variables.Add(variable);
            if (space != Space.Param || !single) { Declare(name, variable); }
        }
        while (!single && Accept(","));
        return variables;
    }

    /// <summary>The size in bytes of a fundamental type; 0 if there is none of this name.</summary>
    public static int TypeSize(string type) => type switch
    {
        "b8" or "u8" or "s8" => 1,
        "b16" or "u16" or "s16" or "f16" or "bf16" => 2,
        "b32" or "u32" or "s32" or "f32" or "f16x2" or "bf16x2" or "tf32" => 4,
        "b64" or "u64" or "s64" or "f64" => 8,
        _ => 0,
    };

    private void Declare(string name, object what)
    {
        if (!_scopes[^1].TryAdd(name, what)) { throw Error($"'{name}' is declared twice"); }
    }

    private object? Find(string name)
    {
        for (int i = _scopes.Count - 1; i >= 0; i--)
        {
            if (_scopes[i].TryGetValue(name, out object? found)) { return found; }
        }
        return null;
    }

    private static long ParseInteger(Token token)
    {
        string text = token.Text.TrimEnd('U', 'u');
        bool hex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        bool binary = text.StartsWith("0b", StringComparison.OrdinalIgnoreCase);
        ulong value;
        bool valid = hex ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            : binary ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowBinarySpecifier, CultureInfo.InvariantCulture, out value)
            : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        return valid ? (long)value : throw new PtxParseException(token.Line, token.Text, "not an integer");
    }
}
