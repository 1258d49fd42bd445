using I2M.PtxEmulator.Parsing;

namespace I2M.PtxEmulator.Execution;

/// <content>Loads, stores, atomics, addresses.</content>
internal sealed partial class Decoder
{
    private readonly Dictionary<(MemoryVariable Variable, int Offset), (Slot Slot, int Size)> _passed = [];

    private bool DecodeMemory(Instruction i)
    {
        switch (i.Name)
        {
            case "ld" or "ldu": DecodeLoad(i); return true;
            case "st": DecodeStore(i); return true;
            case "cvta": DecodeAddress(i); return true;
            case "atom" or "red": DecodeAtomic(i); return true;
            case "prefetch" or "prefetchu" or "discard": Add(new NoOperation(), InstructionClass.Alu); return true;
            default: return false;
        }
    }

    private static Space SpaceOf(Instruction i) => i.Has("global") ? Space.Global : i.Has("shared") || i.Has("shared::cta") ? Space.Shared : i.Has("local") ? Space.Local : i.Has("param") ? Space.Param : Space.Generic;

    private static Operand[] Elements(Operand operand) => operand is ListOperand list ? [.. list.Items] : [operand];

    private AddressSlot Address(Operand operand)
    {
        if (operand is not AddressOperand address) { throw _current.Error("expected an address in brackets"); }
        switch (address.Base)
        {
            case RegisterOperand register:
                bool wide = register.Register.Width == 8;
                return new AddressSlot(Source(register, wide ? "b64" : "b32"), wide ? 8 : 4, address.Offset);
            case VariableOperand variable: return new AddressSlot(Constant(8, 0), 8, AddressOf(variable.Variable) + address.Offset);
            case ImmediateOperand immediate: return new AddressSlot(Constant(8, immediate.Bits), 8, address.Offset);
            default: throw _current.Error("the base of the address is not declared");
        }
    }

    private static void CheckCount(Instruction i, int count)
    {
        int expected = i.Has("v2") ? 2 : i.Has("v4") ? 4 : 1;
        if (count != expected) { throw i.Error($"{expected} elements expected"); }
    }

    private void NoteGrain(Space space, int bytes)
    {
        if (space is Space.Shared or Space.Generic) { _sharedGrain = Math.Min(_sharedGrain, bytes); }
        if (space is Space.Global or Space.Generic) { _globalGrain = Math.Min(_globalGrain, bytes); }
    }

    private void DecodeLoad(Instruction i)
    {
        string type = i.Type();
        int size = PtxParser.TypeSize(type) is var s && s > 0 ? s : throw i.Error($"unknown type '{type}'");
        Space space = SpaceOf(i);
        Operand[] elements = Elements(i.Operands[0]);
        CheckCount(i, elements.Length);
        if (space == Space.Param) { DecodeLoadParameter(i, elements, type, size); return; }
        AddressSlot address = Address(i.Operands[1]);
        bool wide = elements[0] is RegisterOperand { Register.Width: 8 };
        Slot?[] destinations = [.. elements.Select(e => e is SinkOperand ? (Slot?)null : Destination(e, wide ? "b64" : "b32"))];
        NoteGrain(space, size * elements.Length);
        InstructionClass kind = space switch { Space.Shared => InstructionClass.LoadShared, Space.Local => InstructionClass.LoadLocal, _ => InstructionClass.LoadGlobal };
        Add(new LoadOperation(space, address, size, type[0] == 's', destinations, wide ? 8 : 4), kind);
    }

    private void DecodeStore(Instruction i)
    {
        string type = i.Type();
        int size = PtxParser.TypeSize(type) is var s && s > 0 ? s : throw i.Error($"unknown type '{type}'");
        Space space = SpaceOf(i);
        Operand[] elements = Elements(i.Operands[1]);
        CheckCount(i, elements.Length);
        if (space == Space.Param) { DecodeStoreParameter(i, elements, type, size); return; }
        AddressSlot address = Address(i.Operands[0]);
        bool wide = size == 8 || size < 4 && elements[0] is RegisterOperand { Register.Width: 8 };
        Slot[] sources = [.. elements.Select(e => Source(e, e is ImmediateOperand || !wide ? type : "b64"))];
        NoteGrain(space, size * elements.Length);
        InstructionClass kind = space switch { Space.Shared => InstructionClass.StoreShared, Space.Local => InstructionClass.StoreLocal, _ => InstructionClass.StoreGlobal };
        Add(new StoreOperation(space, address, size, sources, wide ? 8 : 4), kind);
    }

    private (MemoryVariable Variable, int Offset) Parameter(Operand operand)
    {
        if (operand is not AddressOperand { Base: VariableOperand { Variable.Space: Space.Param } variable } address) { throw _current.Error("expected a parameter in brackets"); }
        MemoryVariable bound = variable.Variable;
        for (int caller = _callers.Count - 1; caller >= 0 && _callers[caller].Bindings.TryGetValue(bound, out MemoryVariable? actual); caller--) { bound = actual; }
        return (bound, (int)address.Offset);
    }

    private void DecodeLoadParameter(Instruction i, Operand[] elements, string type, int size)
    {
        (MemoryVariable variable, int offset) = Parameter(i.Operands[1]);
        bool wide = elements[0] is RegisterOperand { Register.Width: 8 };
        if (_kernelParameters.TryGetValue(variable, out int start))
        {
            if (offset < 0 || offset + size * elements.Length > variable.Size) { throw i.Error($"outside of parameter '{variable.Name}'"); }
            Slot?[] destinations = [.. elements.Select(e => (Slot?)Destination(e, wide ? "b64" : "b32"))];
            Add(new LoadParameterOperation(start + offset, size, type[0] == 's', destinations, wide ? 8 : 4), InstructionClass.LoadParameter);
            return;
        }
        for (int n = 0; n < elements.Length; n++)
        {
            if (!_passed.TryGetValue((variable, offset + n * size), out (Slot Slot, int Size) passed) || passed.Size != size) { throw i.Error($"'{variable.Name}' was not passed like this"); }
            _reads.Add(passed.Slot.Id);
            AddMove(Destination(elements[n], wide ? "b64" : "b32"), passed.Slot, wide);
        }
    }

    /// <summary>Parameters of device functions are registers: one per place where something is stored.</summary>
    private void DecodeStoreParameter(Instruction i, Operand[] elements, string type, int size)
    {
        (MemoryVariable variable, int offset) = Parameter(i.Operands[0]);
        for (int n = 0; n < elements.Length; n++)
        {
            var key = (variable, offset + n * size);
            if (!_passed.TryGetValue(key, out (Slot Slot, int Size) passed) || passed.Size != size) { _passed[key] = passed = (Allocate(Width(type), variable.Name), size); }
            Slot source = Source(elements[n], type);
            _writes.Add(passed.Slot.Id);
            AddMove(passed.Slot, source, Is64(type));
        }
    }

    private void AddMove(Slot to, Slot from, bool wide) => Add(wide ? new Unary<ulong, Move<ulong>>(to, from) : new Unary<uint, Move<uint>>(to, from), InstructionClass.Alu);

    /// <summary>cvta[.to].space: global addresses are generic as they are, the others lie in their windows.</summary>
    private void DecodeAddress(Instruction i)
    {
        Only(i, "to", "global", "shared", "local", "const", "param");
        string type = i.Type();
        Slot d = Destination(i.Operands[0], type), a = Source(i.Operands[1], type);
        ulong window = SpaceOf(i) switch { Space.Shared => MemoryUnit.SharedWindow, Space.Local => MemoryUnit.LocalWindow, _ => 0 };
        if (window == 0) { AddMove(d, a, wide: Is64(type)); return; }
        if (!Is64(type)) { throw i.Error("generic addresses have 64 bits"); }
        Slot constant = Constant(8, window);
        Add(i.Has("to") ? new Binary<ulong, Subtract<ulong>>(d, a, constant) : new Binary<ulong, Add<ulong>>(d, a, constant), InstructionClass.Alu);
    }

    private void DecodeAtomic(Instruction i)
    {
        string type = i.Type();
        int size = PtxParser.TypeSize(type);
        if (size < 4) { throw i.Error($"unsupported type '{type}'"); }
        int first = i.Name == "atom" ? 1 : 0;
        Slot? result = first == 1 && i.Operands[0] is not SinkOperand ? Destination(i.Operands[0], type) : null;
        AddressSlot address = Address(i.Operands[first]);
        Slot b = Source(i.Operands[first + 1], type);
        Slot? c = i.Has("cas") ? Source(i.Operands[first + 2], type) : null;
        NoteGrain(SpaceOf(i), size);
        Add(new AtomicOperation(SpaceOf(i), address, size, result, b, c, Atomics.Of(i, type)), InstructionClass.Atomic);
    }
}
