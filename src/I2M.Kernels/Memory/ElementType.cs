namespace I2M.Kernels;

/// <summary>How the elements of a buffer are stored.</summary>
public enum ElementType
{
    /// <summary>IEEE single precision, one element a word.</summary>
    Float32,

    /// <summary>
    /// bfloat16: the upper half of a float32 (8 exponent bits, 7 mantissa bits), rounded to nearest even; two elements a word, the even
    /// one in the lower half. Storage only: every sum is kept in float32.
    /// Of an odd number of elements the upper half of the last word belongs to nobody: operations neither read it nor rely on it, and may leave it as it was;
    /// <see cref="IBackend.Convert"/> alone promises a zero there.
    /// </summary>
    BFloat16,
}

/// <summary>Sizes of element types.</summary>
public static class ElementTypes
{
    /// <summary>32-bit words that so many elements take.</summary>
    public static long Words(this ElementType type, long elements) => type == ElementType.BFloat16 ? (elements + 1) / 2 : elements;
}
