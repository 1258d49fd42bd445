using System.Buffers.Binary;
using System.Text;
using I2M.Kernels;

namespace I2M.Model.Io;

/// <summary>
/// Interprets the part of Python's pickle language that torch.save needs for tensors and plain containers. It is a stack
/// machine over data: no import is looked up, no class is constructed, no code can run. An opcode or global that is not on
/// the lists below ends the reading with its name. Work and memory are bounded by the limits on objects and nesting.
/// </summary>
internal sealed class PickleReader
{
    private const int MaxObjects = 1_000_000;
    private const int MaxGlobalName = 200;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Opcodes that attacks and newer protocols use, by name, so that the refusal can be looked up.</summary>
    private static readonly Dictionary<byte, string> ForbiddenOpcodes = new()
    {
        [(byte)'i'] = "INST",
        [(byte)'o'] = "OBJ",
        [0x81] = "NEWOBJ",
        [0x92] = "NEWOBJ_EX",
        [0x93] = "STACK_GLOBAL",
        [0x82] = "EXT1",
        [0x83] = "EXT2",
        [0x84] = "EXT4",
        [(byte)'P'] = "PERSID",
        [(byte)'0'] = "POP",
        [(byte)'1'] = "POP_MARK",
        [(byte)'2'] = "DUP",
        [0x94] = "MEMOIZE",
        [0x95] = "FRAME",
        [0x97] = "NEXT_BUFFER",
        [0x8C] = "SHORT_BINUNICODE",
        [(byte)'I'] = "INT",
        [(byte)'L'] = "LONG",
        [(byte)'F'] = "FLOAT",
        [(byte)'S'] = "STRING",
        [(byte)'U'] = "SHORT_BINSTRING",
        [(byte)'V'] = "UNICODE",
        [(byte)'p'] = "PUT",
        [(byte)'g'] = "GET",
        [(byte)'d'] = "DICT",
        [(byte)'l'] = "LIST",
    };

    private sealed record Mark : TorchValueInternal;

    private readonly string _path;
    private readonly byte[] _code;
    private readonly TorchStorages _storages;
    private readonly List<TorchValue> _stack = [];
    private readonly Dictionary<uint, TorchValue> _memo = [];
    private readonly Mark _mark = new();
    private int _at, _objects;

    private PickleReader(string path, byte[] code, TorchStorages storages) => (_path, _code, _storages) = (path, code, storages);

    /// <summary>Runs a pickle to its end.</summary>
    /// <param name="path">The file's name for messages.</param>
    /// <param name="code">The pickle.</param>
    /// <param name="storages">Finds the bytes behind the tensors.</param>
    /// <exception cref="BadFileException">It asks for anything but tensors and plain values, is damaged, or exceeds a limit.</exception>
    public static TorchValue Run(string path, byte[] code, TorchStorages storages)
    {
        var reader = new PickleReader(path, code, storages);
        TorchValue root = reader.Interpret();
        int nodes = 0;
        reader.CheckTree(root, 0, ref nodes);
        return root;
    }

    private TorchValue Interpret()
    {
        if (Next() != 0x80 || Next() != 2) throw Bad("expected pickle protocol 2 (torch.save's default)");
        while (true)
        {
            byte opcode = Next();
            if (opcode == (byte)'.') return _stack.Count == 1 ? Pop() : throw Bad($"expected one value at the end, found {_stack.Count}");
            if (!TryScalar(opcode) && !TryContainer(opcode) && !TryCall(opcode)) throw Refuse(opcode);
        }
    }

    private bool TryScalar(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'N': Push(new TorchNone()); return true;
            case 0x88: Push(new TorchBool(true)); return true;
            case 0x89: Push(new TorchBool(false)); return true;
            case (byte)'J': Push(new TorchInt(BinaryPrimitives.ReadInt32LittleEndian(Take(4)))); return true;
            case (byte)'K': Push(new TorchInt(Next())); return true;
            case (byte)'M': Push(new TorchInt(BinaryPrimitives.ReadUInt16LittleEndian(Take(2)))); return true;
            case 0x8A: Push(LongInteger(Take(Next()))); return true;
            case (byte)'G': Push(new TorchFloat(BinaryPrimitives.ReadDoubleBigEndian(Take(8)))); return true;
            case (byte)'X': Push(new TorchString(Text(Take(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))))); return true;
            default: return false;
        }
    }

    private bool TryContainer(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'}': Push(new TorchDict()); return true;
            case (byte)']': Push(new TorchList()); return true;
            case (byte)')': Push(new TorchTuple()); return true;
            case (byte)'(': Push(_mark); return true;
            case (byte)'t': Push(new TorchTuple([.. PopToMark()])); return true;
            case 0x85 or 0x86 or 0x87: Push(new TorchTuple([.. PopMany(opcode - 0x84)])); return true;
            case (byte)'a': Append(PopMany(1)); return true;
            case (byte)'e': Append(PopToMark()); return true;
            case (byte)'s': SetItems(PopMany(2)); return true;
            case (byte)'u': SetItems(PopToMark()); return true;
            case (byte)'q': Memoize(Next()); return true;
            case (byte)'r': Memoize(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); return true;
            case (byte)'h': Recall(Next()); return true;
            case (byte)'j': Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); return true;
            default: return false;
        }
    }

    private bool TryCall(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'c': Push(Global(Line(), Line())); return true;
            case (byte)'Q': Push(_storages.Load(Pop())); return true;
            case (byte)'R': Reduce(); return true;
            case (byte)'b': Build(); return true;
            default: return false;
        }
    }

    private TorchGlobal Global(string module, string name) => TorchGlobal.Find($"{module}.{name}")
        ?? throw Bad($"global '{InputFile.OneLine($"{module}.{name}")}' is not allowed: only tensors and plain containers are read (nothing was executed)");

    /// <summary>REDUCE: the few constructors a tensor file needs, each on checked arguments.</summary>
    private void Reduce()
    {
        if (Pop() is not TorchTuple arguments) throw Bad("REDUCE: expected a tuple of arguments");
        if (Pop() is not TorchGlobal callee) throw Bad("REDUCE: expected one of the known constructors");
        Push(callee.Kind switch
        {
            TorchGlobalKind.OrderedDict when arguments.Count == 0 => new TorchDict(isOrdered: true),
            TorchGlobalKind.RebuildTensor => _storages.Tensor(arguments),
            TorchGlobalKind.RebuildParameter when arguments.Count == 3 && arguments[0] is TorchTensor tensor => tensor,
            TorchGlobalKind.Size when arguments.Count == 1 && arguments[0] is TorchTuple size => size,
            _ => throw Bad($"REDUCE: unexpected arguments for {callee.Name}"),
        });
    }

    /// <summary>BUILD: a state dict carries attributes (its _metadata), which are dropped; on anything else it is refused.</summary>
    private void Build()
    {
        Pop();
        if (_stack.Count == 0 || _stack[^1] is not TorchDict { IsOrdered: true }) throw Bad("BUILD: allowed on an OrderedDict alone (nothing was executed)");
    }

    private void Append(List<TorchValue> items)
    {
        if (_stack.Count == 0 || _stack[^1] is not TorchList list) throw Bad("APPEND: expected a list");
        foreach (TorchValue item in items) list.Append(item);
    }

    private void SetItems(List<TorchValue> pairs)
    {
        if (_stack.Count == 0 || _stack[^1] is not TorchDict dict) throw Bad("SETITEM: expected a dict");
        if (pairs.Count % 2 != 0) throw Bad("SETITEMS: expected pairs of key and value");
        for (int i = 0; i < pairs.Count; i += 2)
        {
            if (pairs[i] is not (TorchString or TorchInt or TorchBool or TorchNone)) throw Bad("dict key: expected a string or integer");
            dict.Set(pairs[i], pairs[i + 1]);
        }
    }

    private void Memoize(uint slot)
    {
        if (_stack.Count == 0 || _stack[^1] is Mark) throw Bad("BINPUT: the stack is empty");
        _memo[slot] = _stack[^1];
        if (_memo.Count > MaxObjects) throw Bad($"more than {MaxObjects} memo entries");
    }

    private void Recall(uint slot) => Push(_memo.TryGetValue(slot, out TorchValue? value) ? value : throw Bad($"BINGET: memo entry {slot} is empty"));

    private void Push(TorchValue value)
    {
        if (++_objects > MaxObjects) throw Bad($"more than {MaxObjects} objects");
        _stack.Add(value);
    }

    private TorchValue Pop()
    {
        if (_stack.Count == 0 || _stack[^1] is Mark) throw Bad("stack underflow");
        TorchValue value = _stack[^1];
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private List<TorchValue> PopMany(int count)
    {
        if (_stack.Count < count) throw Bad("stack underflow");
        List<TorchValue> values = _stack.GetRange(_stack.Count - count, count);
        if (values.Exists(value => value is Mark)) throw Bad("stack underflow: a mark where a value was expected");
        _stack.RemoveRange(_stack.Count - count, count);
        return values;
    }

    private List<TorchValue> PopToMark()
    {
        int mark = _stack.LastIndexOf(_mark);
        if (mark < 0) throw Bad("stack underflow: no mark");
        List<TorchValue> values = _stack.GetRange(mark + 1, _stack.Count - mark - 1);
        _stack.RemoveRange(mark, _stack.Count - mark);
        return values;
    }

    /// <summary>
    /// The result must be plain values, nested at most <see cref="TorchValue.MaxDepth"/> deep. A value reached twice counts
    /// twice: so neither a cycle nor a "billion laughs" of shared lists passes to code that walks the tree.
    /// </summary>
    private void CheckTree(TorchValue value, int depth, ref int nodes)
    {
        if (depth > TorchValue.MaxDepth) throw Bad($"nested more than {TorchValue.MaxDepth} deep");
        if (++nodes > MaxObjects) throw Bad($"unfolds to more than {MaxObjects} values");
        switch (value)
        {
            case TorchSequence items:
                foreach (TorchValue item in items) CheckTree(item, depth + 1, ref nodes);
                break;
            case TorchDict dict:
                foreach (KeyValuePair<TorchValue, TorchValue> pair in dict) CheckTree(pair.Value, depth + 1, ref nodes);
                break;
            case TorchValueInternal:
                throw Bad("a class or storage stands where a value was expected");
        }
    }

    private byte Next() => Take(1)[0];

    private ReadOnlySpan<byte> Take(uint count)
    {
        if (count > (uint)(_code.Length - _at)) throw Bad("ends too soon");
        ReadOnlySpan<byte> bytes = _code.AsSpan(_at, (int)count);
        _at += (int)count;
        return bytes;
    }

    /// <summary>One half of a global's name: text up to a line feed.</summary>
    private string Line()
    {
        int length = _code.AsSpan(_at, Math.Min(MaxGlobalName, _code.Length - _at)).IndexOf((byte)'\n');
        if (length < 0) throw Bad($"GLOBAL: expected a name of at most {MaxGlobalName} bytes");
        string line = Text(Take((uint)length));
        _at++;
        return line;
    }

    private string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (ArgumentException)
        {
            throw Bad("a string is not valid UTF-8");
        }
    }

    /// <summary>LONG1: little-endian two's complement of any length.</summary>
    private static TorchValue LongInteger(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 8) return new TorchWideInt(Convert.ToHexString(bytes));
        Span<byte> wide = stackalloc byte[8];
        wide.Fill(bytes.IsEmpty || bytes[^1] < 0x80 ? (byte)0 : (byte)0xFF);
        bytes.CopyTo(wide);
        return new TorchInt(BinaryPrimitives.ReadInt64LittleEndian(wide));
    }

    private BadFileException Refuse(byte opcode)
    {
        string name = ForbiddenOpcodes.TryGetValue(opcode, out string? known) ? $"{known} (0x{opcode:x2})" : $"0x{opcode:x2}";
        string about = opcode == (byte)'i' ? $" of '{InputFile.OneLine($"{Line()}.{Line()}")}'" : "";
        return Bad($"opcode {name}{about} is not allowed: only tensors and plain containers are read (nothing was executed)");
    }

    private BadFileException Bad(string problem) => new(_path, $"data.pkl, byte {_at}: {problem}");
}
