using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace I2M.Model.Io;

/// <summary>Writes the pickle (protocol 2, no memo) of a tree of values, with tensors as torch.save writes them.</summary>
internal sealed class PickleWriter
{
    private readonly ArrayBufferWriter<byte> _out = new();
    private readonly List<TorchTensor> _tensors = [];
    private readonly Dictionary<TorchTensor, int> _keys = [];

    private PickleWriter() { }

    /// <summary>Gives the pickle and the tensors in the order of their storage keys "0", "1", …</summary>
    /// <exception cref="ArgumentException">The values are nested too deep, or contain themselves.</exception>
    public static (byte[] Pickle, IReadOnlyList<TorchTensor> Tensors) Write(TorchValue root)
    {
        var writer = new PickleWriter();
        writer.Emit(0x80, 2);
        writer.Value(root, 0);
        writer.Emit((byte)'.');
        return (writer._out.WrittenSpan.ToArray(), writer._tensors);
    }

    private void Value(TorchValue value, int depth)
    {
        if (depth > TorchValue.MaxDepth) throw new ArgumentException($"values are nested more than {TorchValue.MaxDepth} deep");
        switch (value)
        {
            case TorchNone: Emit((byte)'N'); break;
            case TorchBool flag: Emit(flag.Value ? (byte)0x88 : (byte)0x89); break;
            case TorchInt number: Integer(number.Value); break;
            case TorchWideInt wide: WideInteger(Convert.FromHexString(wide.LittleEndianHex)); break;
            case TorchFloat number: Float(number.Value); break;
            case TorchString text: String(text.Value); break;
            case TorchTensor tensor: Tensor(tensor); break;
            case TorchList list: Items(list, (byte)']', (byte)'e', depth); break;
            case TorchTuple tuple: Items(tuple, null, (byte)'t', depth); break;
            case TorchDict dict: Dict(dict, depth); break;
            default: throw new ArgumentException($"a {value.GetType().Name} cannot be saved");
        }
    }

    private void Items(TorchSequence items, byte? start, byte end, int depth)
    {
        if (start is byte opcode) Emit(opcode);
        Emit((byte)'(');
        foreach (TorchValue item in items) Value(item, depth + 1);
        Emit(end);
    }

    private void Dict(TorchDict dict, int depth)
    {
        if (dict.IsOrdered) EmptyOrderedDict();
        else Emit((byte)'}');
        Emit((byte)'(');
        foreach ((TorchValue key, TorchValue item) in dict)
        {
            Value(key, depth + 1);
            Value(item, depth + 1);
        }
        Emit((byte)'u');
    }

    /// <summary>_rebuild_tensor_v2(storage, 0, size, row-major stride, requires_grad=False, hooks=OrderedDict()).</summary>
    private void Tensor(TorchTensor tensor)
    {
        Global("torch._utils", "_rebuild_tensor_v2");
        Emit((byte)'(');
        Storage(tensor);
        Integer(0);
        long[] stride = new long[tensor.Shape.Count];
        for (int d = stride.Length - 1; d >= 0; d--) stride[d] = d == stride.Length - 1 ? 1 : stride[d + 1] * Math.Max(tensor.Shape[d + 1], 1);
        Integers(tensor.Shape);
        Integers(stride);
        Emit(0x89);
        EmptyOrderedDict();
        Emit((byte)'t', (byte)'R');
    }

    /// <summary>The persistent id ("storage", class, key, "cpu", element count).</summary>
    private void Storage(TorchTensor tensor)
    {
        if (!_keys.TryGetValue(tensor, out int key))
        {
            key = _tensors.Count;
            _keys.Add(tensor, key);
            _tensors.Add(tensor);
        }
        Emit((byte)'(');
        String("storage");
        Global("torch", TorchGlobal.StorageOf(tensor.DType).Name["torch.".Length..]);
        String(key.ToString(System.Globalization.CultureInfo.InvariantCulture));
        String("cpu");
        Integer(tensor.Count);
        Emit((byte)'t', (byte)'Q');
    }

    private void Integers(IReadOnlyList<long> values)
    {
        Emit((byte)'(');
        foreach (long value in values) Integer(value);
        Emit((byte)'t');
    }

    private void EmptyOrderedDict()
    {
        Global("collections", "OrderedDict");
        Emit((byte)')', (byte)'R');
    }

    private void Global(string module, string name)
    {
        Emit((byte)'c');
        _out.Write(Encoding.ASCII.GetBytes($"{module}\n{name}\n"));
    }

    private void Integer(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        if (value is >= int.MinValue and <= int.MaxValue)
        {
            Emit((byte)'J');
            _out.Write(bytes[..4]);
        }
        else
        {
            WideInteger(bytes);
        }
    }

    private void WideInteger(ReadOnlySpan<byte> littleEndian)
    {
        Emit(0x8A, (byte)littleEndian.Length);
        _out.Write(littleEndian);
    }

    private void Float(double value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteDoubleBigEndian(bytes, value);
        Emit((byte)'G');
        _out.Write(bytes);
    }

    private void String(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        Emit((byte)'X');
        _out.Write(length);
        _out.Write(bytes);
    }

    private void Emit(params ReadOnlySpan<byte> opcodes) => _out.Write(opcodes);
}
