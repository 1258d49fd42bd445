using System.Numerics;
using System.Runtime.InteropServices;
using I2M.Kernels;

namespace I2M.Model.Io;

/// <summary>
/// A tensor of a PyTorch file, or one to be saved to such a file. A loaded tensor knows its place in the file and is read, in
/// row-major order whatever its strides, when its values are asked for. Compared by reference.
/// </summary>
public sealed record TorchTensor : TorchValue
{
    /// <summary>Fills memory of exactly the tensor's size with its row-major bytes.</summary>
    internal delegate void ByteSource(Span<byte> destination);

    private readonly string _owner;
    private readonly ByteSource _source;
    private readonly long[] _shape;

    internal TorchTensor(DType dtype, long[] shape, string owner, ByteSource source)
    {
        DType = dtype;
        _shape = shape;
        Count = shape.Aggregate(1L, (product, dimension) => checked(product * dimension));
        _owner = owner;
        _source = source;
    }

    /// <summary>The stored element type.</summary>
    public DType DType { get; }

    /// <summary>The dimensions; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape => _shape;

    /// <summary>Number of elements.</summary>
    public long Count { get; }

    /// <summary>A float32 tensor over the caller's array (kept, not copied).</summary>
    /// <exception cref="ArgumentException">Shape and values differ in count.</exception>
    public static TorchTensor FromSingles(long[] shape, float[] values) => FromArray(DType.F32, shape, values);

    /// <summary>A float64 tensor over the caller's array (kept, not copied).</summary>
    /// <exception cref="ArgumentException">Shape and values differ in count.</exception>
    public static TorchTensor FromDoubles(long[] shape, double[] values) => FromArray(DType.F64, shape, values);

    /// <summary>An int64 tensor over the caller's array (kept, not copied).</summary>
    /// <exception cref="ArgumentException">Shape and values differ in count.</exception>
    public static TorchTensor FromInt64s(long[] shape, long[] values) => FromArray(DType.I64, shape, values);

    /// <summary>The values as singles, row-major; F64 rounds to nearest.</summary>
    /// <exception cref="BadFileException">The file can no longer be read, or the tensor takes more than 2 GB.</exception>
    public float[] ToSingles() => ToArray<float>();

    /// <summary>The values as doubles, row-major.</summary>
    /// <exception cref="BadFileException">The file can no longer be read, or the tensor takes more than 2 GB.</exception>
    public double[] ToDoubles() => ToArray<double>();

    /// <summary>The values of an integer or boolean tensor, row-major.</summary>
    /// <exception cref="BadFileException">The tensor holds fractions, takes more than 2 GB, or the file can no longer be read.</exception>
    public long[] ToInt64s() =>
        DType.IsFloating() ? throw new BadFileException(_owner, $"tensor of {DType}: expected integers") : ToArray<long>();

    /// <inheritdoc/>
    public bool Equals(TorchTensor? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    /// <summary>The row-major bytes, for writing.</summary>
    internal byte[] ToBytes()
    {
        byte[] bytes = new byte[ByteCount()];
        _source(bytes);
        return bytes;
    }

    private int ByteCount()
    {
        long bytes = checked(Count * DType.SizeInBytes());
        return bytes <= Array.MaxLength ? (int)bytes : throw new BadFileException(_owner, $"a tensor takes {bytes} bytes; expected at most {Array.MaxLength}");
    }

    private T[] ToArray<T>() where T : unmanaged, INumberBase<T>
    {
        T[] values = new T[ByteCount() / DType.SizeInBytes()];
        if (DTypes.NativeOf<T>() == DType) _source(MemoryMarshal.AsBytes(values.AsSpan()));
        else DTypes.Convert(DType, ToBytes(), values.AsSpan());
        return values;
    }

    private static TorchTensor FromArray<T>(DType dtype, long[] shape, T[] values) where T : unmanaged
    {
        var tensor = new TorchTensor(dtype, [.. shape], "tensor in memory", destination => MemoryMarshal.AsBytes(values.AsSpan()).CopyTo(destination));
        if (tensor.Count != values.Length)
            throw new ArgumentException($"shape [{string.Join(", ", shape)}] has {tensor.Count} elements, {values.Length} values are given");
        return tensor;
    }
}
