namespace I2M.Kernels;

/// <summary>
/// Cutting a [batch, channels, height, width] picture into patches: tokens row-major over the patch grid, and in a token
/// vector index = (c · patchHeight + py) · patchWidth + px.
/// </summary>
public readonly record struct PatchShape(int Batch, int Channels, int Height, int Width, int PatchHeight, int PatchWidth)
{
    /// <summary>Patches per picture.</summary>
    public int Tokens => Height / PatchHeight * (Width / PatchWidth);
    /// <summary>Length of a token.</summary>
    public int TokenLength => Channels * PatchHeight * PatchWidth;
}

public partial interface IBackend
{
    /// <summary>destination [batch, tokens, tokenLength] from picture [batch, channels, height, width]; the sizes divide evenly.</summary>
    void Patchify(BufferView picture, PatchShape shape, BufferView destination);

    /// <summary>The inverse of <see cref="Patchify"/>, which is also its backward.</summary>
    void Unpatchify(BufferView tokens, PatchShape shape, BufferView destination);

    /// <summary>[batch, tokens, heads, headDim] → [batch, heads, tokens, headDim].</summary>
    void SplitHeads(BufferView x, int batch, int tokens, int heads, int headDim, BufferView destination);

    /// <summary>[batch, heads, tokens, headDim] → [batch, tokens, heads, headDim], the inverse and backward of <see cref="SplitHeads"/>.</summary>
    void MergeHeads(BufferView x, int batch, int tokens, int heads, int headDim, BufferView destination);

    /// <summary>
    /// destination[r · destinationStride + c] = source[r · sourceStride + c] (or += with <paramref name="accumulate"/>) for r &lt; rows, c &lt; columns:
    /// slices and concatenations along the last dimension and their backward.
    /// </summary>
    void CopyStrided(BufferView source, long sourceStride, int rows, int columns, bool accumulate, BufferView destination, long destinationStride);

    /// <summary>[batch, rows, columns] → [batch, columns, rows].</summary>
    void Transpose(BufferView x, int batch, int rows, int columns, BufferView destination);

    /// <summary>destination[i,c] = table[indices[i], c]; indices are 32-bit integers in range, columns = destination.Length / indices.Length.</summary>
    void GatherRows(BufferView table, BufferView indices, BufferView destination);

    /// <summary>Accumulates dtable[indices[i], c] += dy[i,c], in the order of i, with columns = dy.Length / indices.Length.</summary>
    void ScatterAddRows(BufferView dy, BufferView indices, BufferView dtable);
}
