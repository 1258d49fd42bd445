namespace I2M.Kernels;

/// <summary>Batch items of so many rows of so many elements; counts in elements, so that a block has the same places in views of different types.</summary>
/// <param name="Batch">Items.</param>
/// <param name="Stride">Elements between two items.</param>
/// <param name="Rows">Rows of an item.</param>
/// <param name="Leading">Elements between two rows.</param>
/// <param name="Width">Elements of a row.</param>
public readonly record struct RowBlock(long Batch, long Stride, long Rows, long Leading, long Width)
{
    /// <summary>Elements from the first to the last one.</summary>
    public long Extent => Batch == 0 || Rows == 0 || Width == 0 ? 0 : (Batch - 1) * Stride + (Rows - 1) * Leading + Width;
}

public partial interface IBackend
{
    /// <summary>
    /// destination[i] = source[i] for i &lt; elements, between the element types of the two views: float32 → bfloat16 rounds to nearest even
    /// (a NaN stays a NaN), bfloat16 → float32 is exact. The last word of an odd number of bfloat16 elements holds a zero above it.
    /// </summary>
    /// <param name="source">elements, float32 or bfloat16</param>
    /// <param name="elements">How many.</param>
    /// <param name="destination">elements of the other type</param>
    void Convert(BufferView source, long elements, BufferView destination);

    /// <summary>As <see cref="Convert"/> for the elements of a block, each at the same place in both views; nothing between the rows is written.</summary>
    /// <exception cref="ArgumentException">Both views are of one type, or one is too short; names it.</exception>
    void ConvertRows(BufferView source, in RowBlock block, BufferView destination);
}
