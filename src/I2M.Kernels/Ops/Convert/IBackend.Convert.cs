namespace I2M.Kernels;

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
}
