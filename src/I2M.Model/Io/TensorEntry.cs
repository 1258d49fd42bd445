namespace I2M.Model.Io;

/// <summary>Where and what a tensor in a safetensors file is.</summary>
/// <param name="DType">Its element type.</param>
/// <param name="Shape">Its dimensions, row-major; empty for a scalar.</param>
/// <param name="Begin">First byte of its data, from the start of the data section.</param>
/// <param name="End">One past its last byte; End - Begin = elements · element size.</param>
public sealed record TensorEntry(DType DType, long[] Shape, long Begin, long End)
{
    /// <summary>Number of elements: the product of the dimensions.</summary>
    public long Count => (End - Begin) / DType.SizeInBytes();
}
