using System.Globalization;
using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <summary>
/// Turns a kernel's statements into operations. Every operand gets a place in the register file, constants and special registers too, so
/// operations know one kind of operand only. Device functions are expanded where they are called: PTX of ILGPU has no recursion.
/// </summary>
/// <param name="functions">The module's functions.</param>
/// <param name="contract">Fuse products and sums, as the assembler does.</param>
internal sealed partial class Decoder(IReadOnlyDictionary<string, Function> functions, bool contract)
{
    private readonly List<Operation> _operations = [];
    private readonly List<string> _slotNames = ["constant"];
    private readonly Dictionary<RegisterVariable, Slot> _registers = [];
    private readonly Dictionary<(int Width, ulong Value), Slot> _constants = [];
    private readonly Dictionary<string, Slot> _specials = [];
    private readonly Dictionary<MemoryVariable, int> _layout = [];
    private readonly Dictionary<Space, int> _spaceBytes = new() { [Space.Shared] = 0, [Space.Local] = 0 };
    private readonly Dictionary<MemoryVariable, int> _kernelParameters = [];
    private readonly List<int> _reads = [];
    private readonly List<int> _writes = [];
    private readonly List<Expansion> _callers = [];
    private int _registerBytes;
    private int _sharedGrain = 4, _globalGrain = 4;
    private bool _hasPartialBarriers;
    private Instruction _current = null!;

    /// <summary>One use of a function: where its labels stand and what its parameters are bound to.</summary>
    private sealed class Expansion(Function function)
    {
        public Function Function => function;

        public Dictionary<MemoryVariable, MemoryVariable> Bindings { get; } = [];

        public List<(Action<int> Set, string Label, Instruction Source)> Jumps { get; } = [];

        public List<BranchOperation> Returns { get; } = [];
    }

    public KernelProgram Decode(Function kernel)
    {
        int parameterBytes = LayOutParameters(kernel, out List<PtxParameter> parameters);
        int dynamicAlignment = 16;
        foreach (MemoryVariable dynamic in functions.Values.SelectMany(f => f.Memory).Where(m => m.Size < 0)) { dynamicAlignment = Math.Max(dynamicAlignment, dynamic.Alignment); }
        LayOut(kernel);
        int dynamicOffset = Align(_spaceBytes[Space.Shared], dynamicAlignment);
        foreach (MemoryVariable dynamic in kernel.Memory.Where(m => m.Size < 0)) { _layout[dynamic] = dynamicOffset; }
        Expand(new Expansion(kernel));
        Add(new ExitOperation(), InstructionClass.Branch, new Instruction(_current?.Line ?? 0, "end of kernel", ["exit"], [], null, false));
        Reconverge();
        return new KernelProgram
        {
            Name = kernel.Name,
            Parameters = parameters,
            ParameterBytes = parameterBytes,
            StaticSharedBytes = _spaceBytes[Space.Shared],
            DynamicSharedAlignment = dynamicAlignment,
            LocalBytes = _spaceBytes[Space.Local],
            MaxThreads = kernel.MaxThreads,
            Operations = [.. _operations],
            RegisterBytes = _registerBytes,
            SlotNames = [.. _slotNames],
            Constants = [.. _constants.Select(c => (c.Value, c.Key.Width, c.Key.Value))],
            Specials = [.. _specials.Select(s => (s.Value, s.Key))],
            SharedGrain = _sharedGrain,
            GlobalGrain = _globalGrain,
            HasPartialBarriers = _hasPartialBarriers,
        };
    }

    private int LayOutParameters(Function kernel, out List<PtxParameter> parameters)
    {
        int bytes = 0;
        parameters = [];
        foreach (MemoryVariable parameter in kernel.Parameters)
        {
            bytes = Align(bytes, parameter.Alignment);
            _kernelParameters[parameter] = bytes;
            parameters.Add(new PtxParameter(parameter.Name, bytes, parameter.Size, parameter.Alignment));
            bytes += parameter.Size;
        }
        return bytes;
    }

    /// <summary>Static shared and local arrays of the kernel and of every function that it may call.</summary>
    private void LayOut(Function kernel)
    {
        foreach (MemoryVariable variable in kernel.Memory.Concat(functions.Values.Where(f => !f.IsEntry).SelectMany(f => f.Memory)).Where(m => m.Size >= 0).Distinct())
        {
            int offset = Align(_spaceBytes[variable.Space], variable.Alignment);
            _layout[variable] = offset;
            _spaceBytes[variable.Space] = offset + variable.Size;
        }
    }

    private static int Align(int offset, int alignment) => (offset + alignment - 1) / alignment * alignment;

    private void Expand(Expansion expansion)
    {
        if (_callers.Exists(c => c.Function == expansion.Function)) { throw _current.Error("recursion is not supported"); }
        _callers.Add(expansion);
        List<Instruction> instructions = expansion.Function.Instructions;
        int[] starts = new int[instructions.Count + 1];
        HashSet<int> labels = [.. expansion.Function.Labels.Values];
        for (int i = 0; i < instructions.Count; i++)
        {
            starts[i] = _operations.Count;
            if (labels.Contains(i)) { _products.Clear(); }
            _current = instructions[i];
            DecodeInstruction(_current);
        }
        starts[^1] = _operations.Count;
        foreach ((Action<int> set, string label, Instruction source) in expansion.Jumps)
        {
            set(expansion.Function.Labels.TryGetValue(label, out int index) ? starts[index] : throw source.Error($"there is no label '{label}'"));
        }
        foreach (BranchOperation back in expansion.Returns) { back.Target = _operations.Count; }
        _callers.RemoveAt(_callers.Count - 1);
    }

    private void DecodeInstruction(Instruction instruction)
    {
        try
        {
            if (!DecodeArithmetic(instruction) && !DecodeBits(instruction) && !DecodeMemory(instruction) && !DecodeControl(instruction) && !DecodeMatrix(instruction))
            {
                throw instruction.Error("unsupported instruction");
            }
        }
        catch (IndexOutOfRangeException) { throw instruction.Error("too few operands"); }
    }

    private void Add(Operation operation, InstructionClass kind, Instruction? source = null)
    {
        operation.Source = source ?? _current;
        operation.Class = kind;
        if (operation.Source.Predicate is { } guard)
        {
            Slot slot = SlotOf(guard);
            operation.Guard = slot.Offset;
            operation.GuardNegated = operation.Source.PredicateNegated;
            _reads.Add(slot.Id);
        }
        operation.Reads = [.. _reads.Where(id => id != 0).Distinct()];
        operation.Writes = [.. _writes];
        foreach (int id in _writes) { ForgetProducts(id); }
        _reads.Clear();
        _writes.Clear();
        _operations.Add(operation);
    }

    /// <summary>Finds where each branch's lanes meet again.</summary>
    private void Reconverge()
    {
        var successors = new List<int[]>(_operations.Count);
        for (int i = 0; i < _operations.Count; i++)
        {
            int[] next = _operations[i] switch
            {
                BranchOperation branch => [branch.Target],
                IndexedBranchOperation indexed => [.. indexed.Targets.Distinct()],
                ExitOperation => [_operations.Count],
                _ => [i + 1],
            };
            bool guarded = _operations[i] is (BranchOperation or IndexedBranchOperation or ExitOperation) && _operations[i].Guard >= 0;
            successors.Add(guarded ? [.. next, i + 1] : next);
        }
        int[] meeting = ControlFlow.PostDominators(successors);
        for (int i = 0; i < _operations.Count; i++)
        {
            if (_operations[i] is BranchOperation branch) { branch.Reconverge = meeting[i]; }
            if (_operations[i] is IndexedBranchOperation indexed) { indexed.Reconverge = meeting[i]; }
        }
    }

    private static bool Is64(string type) => PtxParser.TypeSize(type) == 8;

    /// <summary>The width of the slots that hold a type.</summary>
    private static int Width(string type) => type == "pred" ? RegisterVariable.Predicate : Is64(type) ? 8 : 4;

    private Slot Allocate(int width, string name)
    {
        int bytes = width == RegisterVariable.Predicate ? sizeof(uint) : width * Lanes.Count;
        _registerBytes = Align(_registerBytes, bytes > 4 ? 32 : 4);
        var slot = new Slot(_registerBytes, _slotNames.Count);
        _slotNames.Add(name);
        _registerBytes += bytes;
        return slot;
    }

    private Slot SlotOf(RegisterVariable register)
    {
        if (!_registers.TryGetValue(register, out Slot slot))
        {
            int width = register.Width is RegisterVariable.Predicate or 8 ? register.Width : 4;
            _registers[register] = slot = Allocate(width, register.Name);
        }
        return slot;
    }

    private Slot Constant(int width, ulong value)
    {
        if (width == 4) { value = (uint)value; }
        if (!_constants.TryGetValue((width, value), out Slot slot))
        {
            slot = Allocate(width, "constant") with { Id = 0 };
            _constants[(width, value)] = slot;
        }
        return slot;
    }

    /// <summary>The slot that an operand of a type is read from.</summary>
    private Slot Source(Operand operand, string type)
    {
        int width = Width(type);
        switch (operand)
        {
            case RegisterOperand register:
                Slot slot = SlotOf(register.Register);
                Check(register.Register, width);
                _reads.Add(slot.Id);
                return slot;
            case ImmediateOperand immediate: return Constant(width, width == RegisterVariable.Predicate ? immediate.Bits : Bits(immediate, type));
            case VariableOperand variable when width != RegisterVariable.Predicate: return Constant(width, (ulong)(AddressOf(variable.Variable) + variable.Offset));
            case SpecialOperand special: return Special(special.Name, width);
            case NameOperand name: throw _current.Error($"'{name.Name}' is not declared");
            default: throw _current.Error("an operand of this kind is not expected here");
        }
    }

    private Slot Special(string name, int width)
    {
        if (!Block.IsSpecial(name)) { throw _current.Error($"'{name}' is not declared"); }
        if (width != 4) { throw _current.Error("special registers have 32 bits"); }
        if (!_specials.TryGetValue(name, out Slot slot)) { _specials[name] = slot = Allocate(4, name) with { Id = 0 }; }
        return slot;
    }

    private Slot Destination(Operand operand, string type)
    {
        switch (operand)
        {
            case RegisterOperand register:
                Slot slot = SlotOf(register.Register);
                Check(register.Register, Width(type));
                _writes.Add(slot.Id);
                return slot;
            case SinkOperand: return Allocate(Width(type), "_");
            case NameOperand name: throw _current.Error($"'{name.Name}' is not declared");
            default: throw _current.Error("the destination is not a register");
        }
    }

    private void Check(RegisterVariable register, int width)
    {
        bool fits = width == RegisterVariable.Predicate ? register.Width == width : register.Width != RegisterVariable.Predicate && register.Width == 8 == (width == 8);
        if (!fits) { throw _current.Error($"register '{register.Name}' has the wrong width"); }
    }

    private static ulong Bits(ImmediateOperand immediate, string type) => (immediate.Kind, type) switch
    {
        (ImmediateKind.Float64, "f32") => BitConverter.SingleToUInt32Bits((float)BitConverter.UInt64BitsToDouble(immediate.Bits)),
        _ => PtxParser.TypeSize(type) switch { 1 => (byte)immediate.Bits, 2 => (ushort)immediate.Bits, 4 => (uint)immediate.Bits, _ => immediate.Bits },
    };

    private int AddressOf(MemoryVariable variable) =>
        _layout.TryGetValue(variable, out int offset) ? offset : throw _current.Error(string.Create(CultureInfo.InvariantCulture, $"'{variable.Name}' has no address"));

    /// <summary>Refuses modifiers that this emulator would silently ignore.</summary>
    private static void Only(Instruction instruction, params ReadOnlySpan<string> known)
    {
        foreach (string part in instruction.Parts.AsSpan(1))
        {
            if (PtxParser.TypeSize(part) == 0 && part != "pred" && !known.Contains(part)) { throw instruction.Error($"unsupported modifier '.{part}'"); }
        }
    }
}
