namespace I2M.PtxEmulator.Parsing;

/// <summary>A declared register: its width in bytes, or <see cref="Predicate"/>.</summary>
internal sealed class RegisterVariable(string name, int width)
{
    /// <summary>The width of predicate registers, of which a warp keeps one bit per lane.</summary>
    public const int Predicate = 0;

    public string Name => name;

    public int Width => width;
}

internal enum Space { Generic, Global, Shared, Local, Param, Const }

/// <summary>A named piece of memory: a parameter, a shared or local array. A dynamic shared array has size −1.</summary>
internal sealed class MemoryVariable(string name, Space space, int size, int alignment)
{
    public string Name => name;

    public Space Space => space;

    public int Size => size;

    public int Alignment => alignment;
}

internal abstract record Operand;

internal sealed record RegisterOperand(RegisterVariable Register, bool Negated = false) : Operand;

internal enum ImmediateKind { Integer, Float32, Float64 }

internal sealed record ImmediateOperand(ulong Bits, ImmediateKind Kind) : Operand;

internal sealed record VariableOperand(MemoryVariable Variable, int Offset = 0) : Operand;

/// <summary>A special register such as <c>%tid.x</c>.</summary>
internal sealed record SpecialOperand(string Name) : Operand;

/// <summary>A label, the name of a function or anything else that is not declared.</summary>
internal sealed record NameOperand(string Name) : Operand;

/// <summary>[base + offset].</summary>
internal sealed record AddressOperand(Operand Base, long Offset) : Operand;

/// <summary>{a, b, …} or (a, b, …).</summary>
internal sealed record ListOperand(IReadOnlyList<Operand> Items) : Operand;

/// <summary>a|b: a result and a predicate that tells whether it is valid.</summary>
internal sealed record PairOperand(Operand First, Operand Second) : Operand;

/// <summary>The destination <c>_</c>, which is not kept.</summary>
internal sealed record SinkOperand : Operand;

/// <summary>One statement as written. The opcode is cut at its dots.</summary>
internal sealed record Instruction(int Line, string Text, string[] Parts, Operand[] Operands, RegisterVariable? Predicate, bool PredicateNegated)
{
    public string Name => Parts[0];

    public bool Has(string modifier) => Array.IndexOf(Parts, modifier, 1) > 0;

    /// <summary>The i-th part from the end, 0 the last; types stand at the end.</summary>
    public string Type(int fromEnd = 0) => Parts[^(1 + fromEnd)];

    public PtxParseException Error(string reason) => new(Line, Text, reason);
}

/// <summary>A kernel or a device function.</summary>
internal sealed class Function(string name, bool isEntry)
{
    public string Name => name;

    public bool IsEntry => isEntry;

    public List<MemoryVariable> Parameters { get; } = [];

    public List<MemoryVariable> Results { get; } = [];

    public List<Instruction> Instructions { get; } = [];

    /// <summary>The index of the instruction that follows each label.</summary>
    public Dictionary<string, int> Labels { get; } = [];

    /// <summary>The labels of each <c>.branchtargets</c> list.</summary>
    public Dictionary<string, string[]> BranchTargets { get; } = [];

    public List<MemoryVariable> Memory { get; } = [];

    /// <summary>From <c>.maxntid</c>; 1024 without it.</summary>
    public int MaxThreads { get; set; } = 1024;
}
