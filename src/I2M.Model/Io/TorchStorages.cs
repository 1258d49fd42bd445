using I2M.Kernels;
using Microsoft.Win32.SafeHandles;

namespace I2M.Model.Io;

/// <summary>A value that exists only while a pickle is read: a mark, a global's name or a storage.</summary>
internal abstract record TorchValueInternal : TorchValue;

/// <summary>What an allowed global stands for.</summary>
internal enum TorchGlobalKind { OrderedDict, RebuildTensor, RebuildParameter, Size, Storage }

/// <summary>An allowed global; it is a name with a meaning here, never a Python object.</summary>
internal sealed record TorchGlobal(string Name, TorchGlobalKind Kind, DType DType = default) : TorchValueInternal
{
    private static readonly Dictionary<string, TorchGlobal> Allowed = new TorchGlobal[]
    {
        new("collections.OrderedDict", TorchGlobalKind.OrderedDict),
        new("torch._utils._rebuild_tensor_v2", TorchGlobalKind.RebuildTensor),
        new("torch._utils._rebuild_parameter", TorchGlobalKind.RebuildParameter),
        new("torch.Size", TorchGlobalKind.Size),
        new("torch.DoubleStorage", TorchGlobalKind.Storage, DType.F64),
        new("torch.FloatStorage", TorchGlobalKind.Storage, DType.F32),
        new("torch.HalfStorage", TorchGlobalKind.Storage, DType.F16),
        new("torch.BFloat16Storage", TorchGlobalKind.Storage, DType.BF16),
        new("torch.LongStorage", TorchGlobalKind.Storage, DType.I64),
        new("torch.IntStorage", TorchGlobalKind.Storage, DType.I32),
        new("torch.ShortStorage", TorchGlobalKind.Storage, DType.I16),
        new("torch.CharStorage", TorchGlobalKind.Storage, DType.I8),
        new("torch.ByteStorage", TorchGlobalKind.Storage, DType.U8),
        new("torch.BoolStorage", TorchGlobalKind.Storage, DType.BOOL),
    }.ToDictionary(each => each.Name);

    /// <summary>The global of that full name, null when it is not on the list.</summary>
    public static TorchGlobal? Find(string name) => Allowed.GetValueOrDefault(name);

    /// <summary>The storage class of an element type, for writing.</summary>
    public static TorchGlobal StorageOf(DType type) => Allowed.Values.First(each => each.Kind == TorchGlobalKind.Storage && each.DType == type);
}

/// <summary>A run of elements in the file, which several tensors may share.</summary>
internal sealed record TorchStorage(DType DType, long FileOffset, long Count) : TorchValueInternal;

/// <summary>Turns persistent ids and _rebuild_tensor_v2 calls into tensors over byte ranges of the file, all bounds checked.</summary>
internal sealed class TorchStorages(string path, long fileLength, string dataPrefix, IReadOnlyDictionary<string, TorchZip.Entry> entries)
{
    private const int MaxRank = 64;

    /// <summary>Resolves ("storage", class, key, location, element count); the location (cpu, cuda:0) does not matter here.</summary>
    public TorchStorage Load(TorchValue id)
    {
        if (id is not TorchTuple { Count: 5 or 6 } tuple
            || tuple[0] is not TorchString { Value: "storage" }
            || tuple[1] is not TorchGlobal { Kind: TorchGlobalKind.Storage } type
            || tuple[2] is not TorchString key
            || tuple[3] is not TorchString
            || tuple[4] is not TorchInt { Value: >= 0 and long count }
            || (tuple.Count == 6 && tuple[5] is not TorchNone))
            throw Bad("persistent id: expected ('storage', type, key, location, count)");
        string label = $"storage '{InputFile.OneLine(key.Value)}'";
        if (!entries.TryGetValue(dataPrefix + key.Value, out TorchZip.Entry entry)) throw Bad($"{label}: expected in the archive, but absent");
        if (count > entry.Length / type.DType.SizeInBytes())
            throw Bad($"{label}: {count} elements of {type.DType} do not fit its {entry.Length} bytes");
        return new TorchStorage(type.DType, entry.Offset, count);
    }

    /// <summary>Builds a tensor from (storage, offset, size, stride, requires_grad, hooks[, metadata]).</summary>
    public TorchTensor Tensor(TorchTuple arguments)
    {
        if (arguments.Count is not (6 or 7) || arguments[0] is not TorchStorage storage || arguments[1] is not TorchInt { Value: >= 0 and long offset })
            throw Bad("tensor: expected a storage, an offset, a size and a stride");
        long[] shape = Integers(arguments[2], "size"), stride = Integers(arguments[3], "stride");
        if (shape.Length != stride.Length) throw Bad($"tensor: size has {shape.Length} dimensions, stride {stride.Length}");
        long span;
        try
        {
            span = CheckedSpan(shape, stride, offset, storage.Count);
        }
        catch (OverflowException e)
        {
            throw new BadFileException(path, $"tensor of size [{string.Join(", ", shape)}], stride [{string.Join(", ", stride)}]: overflows 64 bits", e);
        }
        var view = new StridedView(storage.DType, storage.FileOffset + offset * storage.DType.SizeInBytes(), span, shape, stride);
        return new TorchTensor(storage.DType, shape, path, destination => Read(view, destination));
    }

    /// <summary>Elements from the tensor's first to its last in the storage; 0 for an empty tensor.</summary>
    private long CheckedSpan(long[] shape, long[] stride, long offset, long storageCount)
    {
        long count = 1, last = 0;
        foreach (long dimension in shape) count = checked(count * dimension);
        if (offset > storageCount) throw Bad($"tensor: offset {offset} lies past its storage of {storageCount} elements");
        if (count == 0) return 0;
        for (int d = 0; d < shape.Length; d++) last = checked(last + (shape[d] - 1) * stride[d]);
        if (last >= storageCount - offset)
            throw Bad($"tensor of size [{string.Join(", ", shape)}], stride [{string.Join(", ", stride)}], offset {offset}: reaches past its storage of {storageCount} elements");
        // An expanded view (stride 0) could claim far more elements than the file has bytes.
        if (count > storageCount) throw Bad($"tensor of size [{string.Join(", ", shape)}]: more elements than its storage of {storageCount} (expanded views are not read)");
        return last + 1;
    }

    private long[] Integers(TorchValue value, string field)
    {
        if (value is not TorchTuple { Count: <= MaxRank } tuple) throw Bad($"tensor: {field}: expected a tuple of at most {MaxRank} integers");
        return [.. tuple.Select(item => item is TorchInt { Value: >= 0 and long number } ? number : throw Bad($"tensor: {field}: expected integers not below 0"))];
    }

    private sealed record StridedView(DType DType, long FileOffset, long Span, long[] Shape, long[] Stride)
    {
        public bool IsContiguous()
        {
            long expected = 1;
            for (int d = Shape.Length - 1; d >= 0; d--)
            {
                if (Shape[d] != 1 && Stride[d] != expected) return false;
                expected *= Shape[d];
            }
            return true;
        }
    }

    /// <summary>Reads a tensor's bytes in row-major order. The file is opened anew, so that a loaded tree holds no handle.</summary>
    private void Read(StridedView view, Span<byte> destination)
    {
        using SafeFileHandle handle = InputFile.Open(path);
        if (RandomAccess.GetLength(handle) != fileLength) throw Bad("has another length than when it was opened");
        if (destination.IsEmpty) return;
        if (view.IsContiguous())
        {
            InputFile.ReadExactly(handle, path, view.FileOffset, destination);
            return;
        }
        long bytes = view.Span * view.DType.SizeInBytes();
        if (bytes > Array.MaxLength) throw Bad($"a strided tensor spans {bytes} bytes; expected at most {Array.MaxLength}");
        byte[] source = new byte[bytes];
        InputFile.ReadExactly(handle, path, view.FileOffset, source);
        Gather(view, source, destination);
    }

    /// <summary>Copies element by element, counting the row-major index like an odometer.</summary>
    private static void Gather(StridedView view, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        int size = view.DType.SizeInBytes();
        long[] index = new long[view.Shape.Length];
        long position = 0;
        for (int at = 0; at < destination.Length; at += size)
        {
            source.Slice((int)(position * size), size).CopyTo(destination[at..]);
            for (int d = index.Length - 1; d >= 0; d--)
            {
                position += view.Stride[d];
                if (++index[d] < view.Shape[d]) break;
                position -= view.Stride[d] * view.Shape[d];
                index[d] = 0;
            }
        }
    }

    private BadFileException Bad(string problem) => new(path, problem);
}
