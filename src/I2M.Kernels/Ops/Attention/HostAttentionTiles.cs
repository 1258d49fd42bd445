namespace I2M.Kernels.Host;

/// <summary>A score tile as left factor whose rows are keys: the depth, queries, is contiguous.</summary>
internal readonly struct KeyRows : ILeftLayout
{
    /// <summary>A tile's 96 columns and one cache line: an odd number of lines, so that a column's rows do not share a cache set.</summary>
    public const int Words = 112;
    public static int RowStride => Words;
    public static int DepthStride(int panelRows) => 1;
}

/// <summary>The same tile as left factor whose rows are queries: it is read transposed as it lies.</summary>
internal readonly struct QueryRows : ILeftLayout
{
    public static int RowStride => 1;
    public static int DepthStride(int panelRows) => KeyRows.Words;
}

/// <summary>Rows of one head in a [batch, rows, stride] buffer.</summary>
internal readonly unsafe struct HeadRows(float* memory, int rows, int stride, int headDim)
{
    public int Stride => stride;

    /// <summary>First word of row <paramref name="row"/>.</summary>
    public float* At(int sample, int head, int row) => memory + ((long)sample * rows + row) * stride + (long)head * headDim;
}

/// <summary>
/// The tile products of attention. A score tile lies in cache as [keys, 96 queries] with <see cref="KeyRows.Words"/>: a softmax over
/// keys then needs no sum across a register, and both products with the tile, transposed or not, read it where it lies.
/// </summary>
internal static unsafe class HostAttentionTiles<TWidth, TVector>
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    /// <summary>Queries of a tile: a multiple of every width's panels.</summary>
    public const int Queries = 96;

    private static readonly int s_panelRows = TWidth.PanelRows;
    private static readonly int s_panelColumns = 2 * TWidth.Count;

    /// <summary>Words between two rows of a tile of sums: the head dimension rounded up to panels.</summary>
    public static int SumStride(int headDim) => (headDim + s_panelColumns - 1) / s_panelColumns * s_panelColumns;

    /// <summary>Packs rows, multiplied by <paramref name="factor"/>, as the left factor of a score tile.</summary>
    public static void PackLeft(float* source, int stride, int rows, int headDim, float factor, float* destination)
    {
        int words = 0;
        for (int row = 0; row < rows; row += s_panelRows, words += s_panelRows * headDim)
        {
            HostPacking.PackRows(source + (long)row * stride, stride, Math.Min(s_panelRows, rows - row), headDim, s_panelRows, destination + words);
        }
        if (factor != 1) { Scale(destination, words, factor); }
    }

    /// <summary>Packs rows as the transposed right factor of a score tile.</summary>
    public static void PackTransposed(float* source, int stride, int rows, int headDim, float* destination)
    {
        for (int row = 0; row < rows; row += s_panelColumns, destination += s_panelColumns * headDim)
        {
            HostPacking.PackRows(source + (long)row * stride, stride, Math.Min(s_panelColumns, rows - row), headDim, s_panelColumns, destination);
        }
    }

    /// <summary>Packs rows as the right factor of a product with a score tile.</summary>
    public static void PackRight(float* source, int stride, int rows, int headDim, float* destination)
    {
        for (int column = 0; column < headDim; column += s_panelColumns, destination += s_panelColumns * rows)
        {
            HostPacking.PackColumns(source + column, stride, Math.Min(s_panelColumns, headDim - column), rows, s_panelColumns, destination);
        }
    }

    /// <summary>scores[key, query] = left · right over the head dimension.</summary>
    public static void Scores(float* left, float* right, int keys, int queries, int headDim, float* scores)
    {
        for (int n = 0; n < queries; n += s_panelColumns, right += s_panelColumns * headDim)
        {
            for (int m = 0; m < keys; m += s_panelRows)
            {
                HostMicroKernel<TWidth, TVector>.Multiply<PackedPanel>(Math.Min(s_panelRows, keys - m), Math.Min(s_panelColumns, queries - n), headDim,
                    left + m * headDim, right, s_panelColumns, scores + m * KeyRows.Words + n, KeyRows.Words, null, false);
            }
        }
    }

    /// <summary>sums = or += scores · right, where <typeparamref name="TLeft"/> says whether the rows are keys or queries.</summary>
    public static void AddProduct<TLeft>(float* scores, float* right, int rows, int depth, int headDim, float* sums, bool accumulate)
        where TLeft : struct, ILeftLayout
    {
        int stride = SumStride(headDim);
        for (int n = 0; n < headDim; n += s_panelColumns, right += s_panelColumns * depth)
        {
            for (int m = 0; m < rows; m += s_panelRows)
            {
                HostMicroKernel<TWidth, TVector>.Multiply<TLeft>(Math.Min(s_panelRows, rows - m), Math.Min(s_panelColumns, headDim - n), depth,
                    scores + m * TLeft.RowStride, right, s_panelColumns, sums + m * stride + n, stride, null, accumulate);
            }
        }
    }

    /// <summary>Writes factor · sums to rows of the output and nothing beside them.</summary>
    public static void StoreRows(float* sums, int rows, int headDim, float factor, float* destination, int destinationStride)
    {
        int stride = SumStride(headDim);
        for (int r = 0; r < rows; r++) { StoreRow(sums + r * stride, headDim, factor, destination + (long)r * destinationStride); }
    }

    /// <summary>destination = factor · source, exactly <paramref name="words"/> words.</summary>
    public static void StoreRow(float* source, int words, float factor, float* destination)
    {
        TVector factors = TWidth.Broadcast(factor);
        int i = 0;
        for (; i + TWidth.Count <= words; i += TWidth.Count) { TWidth.Store(destination + i, TWidth.Multiply(TWidth.Load(source + i), factors)); }
        for (; i < words; i++) { destination[i] = source[i] * factor; }
    }

    /// <summary>Multiplies words in place.</summary>
    public static void Scale(float* memory, int words, float factor) => StoreRow(memory, words, factor, memory);
}
