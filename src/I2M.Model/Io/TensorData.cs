using System.Runtime.InteropServices;

namespace I2M.Model.Io;

/// <summary>Fills one piece of a tensor while it is written.</summary>
/// <param name="firstElement">Row-major index of the piece's first element.</param>
/// <param name="destination">The piece's bytes, whole elements, little-endian; filled to its end.</param>
public delegate void TensorFiller(long firstElement, Span<byte> destination);

/// <summary>
/// A tensor to be written. Values are fetched piece by piece while the file is written, so that a large model is never
/// copied as a whole: from the caller's memory, or by a callback that copies from a device.
/// </summary>
public sealed class TensorData
{
    /// <summary>The name in the file; unique there.</summary>
    public string Name { get; }

    /// <summary>The element type in the file.</summary>
    public DType DType { get; }

    /// <summary>The dimensions, row-major; empty for a scalar.</summary>
    public long[] Shape { get; }

    /// <summary>Number of elements.</summary>
    public long Count { get; }

    /// <summary>Bytes in the file.</summary>
    public long ByteCount => Count * DType.SizeInBytes();

    internal TensorFiller Fill { get; }

    /// <summary>A tensor whose bytes a callback delivers.</summary>
    /// <param name="name">Its name; not "__metadata__", which the format reserves.</param>
    /// <param name="dtype">The element type the callback writes.</param>
    /// <param name="shape">Dimensions, none negative.</param>
    /// <param name="fill">Called with consecutive pieces from the first element to the last.</param>
    /// <exception cref="ArgumentException">The name is reserved, or the shape is negative or too large.</exception>
    public TensorData(string name, DType dtype, long[] shape, TensorFiller fill)
    {
        if (name == "__metadata__") throw new ArgumentException("the name __metadata__ is reserved", nameof(name));
        if (shape.Any(dimension => dimension < 0)) throw new ArgumentException($"tensor '{name}': a dimension is negative", nameof(shape));
        Name = name;
        DType = dtype;
        Shape = [.. shape];
        Count = shape.Aggregate(1L, (product, dimension) => checked(product * dimension));
        _ = checked(Count * dtype.SizeInBytes());
        Fill = fill;
    }

    /// <summary>A tensor of F32.</summary>
    public static TensorData Singles(string name, long[] shape, ReadOnlyMemory<float> values) => FromMemory(name, DType.F32, shape, values);

    /// <summary>A tensor of F64.</summary>
    public static TensorData Doubles(string name, long[] shape, ReadOnlyMemory<double> values) => FromMemory(name, DType.F64, shape, values);

    /// <summary>A tensor of I64.</summary>
    public static TensorData Int64s(string name, long[] shape, ReadOnlyMemory<long> values) => FromMemory(name, DType.I64, shape, values);

    /// <summary>A tensor of I32.</summary>
    public static TensorData Int32s(string name, long[] shape, ReadOnlyMemory<int> values) => FromMemory(name, DType.I32, shape, values);

    /// <summary>A tensor of U8.</summary>
    public static TensorData Bytes(string name, long[] shape, ReadOnlyMemory<byte> values) => FromMemory(name, DType.U8, shape, values);

    /// <summary>A tensor of BF16, rounded from singles to nearest, ties to even.</summary>
    public static TensorData BFloat16s(string name, long[] shape, ReadOnlyMemory<float> values)
    {
        var tensor = new TensorData(name, DType.BF16, shape, (first, destination) =>
        {
            Span<ushort> halves = MemoryMarshal.Cast<byte, ushort>(destination);
            ReadOnlySpan<float> source = values.Span.Slice((int)first, halves.Length);
            for (int i = 0; i < halves.Length; i++) halves[i] = DTypes.ToBFloat16(source[i]);
        });
        tensor.CheckCount(values.Length);
        return tensor;
    }

    private static TensorData FromMemory<T>(string name, DType dtype, long[] shape, ReadOnlyMemory<T> values) where T : unmanaged
    {
        var tensor = new TensorData(name, dtype, shape, (first, destination) =>
        {
            Span<T> target = MemoryMarshal.Cast<byte, T>(destination);
            values.Span.Slice((int)first, target.Length).CopyTo(target);
        });
        tensor.CheckCount(values.Length);
        return tensor;
    }

    private void CheckCount(int values)
    {
        if (values != Count) throw new ArgumentException($"tensor '{Name}': shape [{string.Join(", ", Shape)}] has {Count} elements, {values} values are given");
    }
}
