namespace I2M.Kernels.Host;

/// <summary>Left factor in rows of a score tile, the depth contiguous.</summary>
internal readonly struct ScoreRows : ILeftLayout
{
    /// <summary>A tile's 128 columns and one cache line, so that a column's rows do not share a cache set.</summary>
    public static int RowStride => 144;
    public static int DepthStride(int panelRows) => 1;
}

/// <summary>Rows of one head in a [batch, rows, stride] buffer.</summary>
internal readonly unsafe struct HeadRows(float* memory, int rows, int stride, int headDim)
{
    public int Rows => rows;
    public int Stride => stride;

    /// <summary>First word of row <paramref name="row"/>.</summary>
    public float* At(int sample, int head, int row) => memory + ((long)sample * rows + row) * stride + (long)head * headDim;
}

/// <summary>
/// The tile products of attention. A score tile [48, 128] lies in cache with <see cref="ScoreRows.RowStride"/>; it is the product of
/// left rows (packed per tile) and right rows (packed once for all tiles), and then itself the left factor of the next product.
/// </summary>
internal static unsafe class HostAttentionTiles<TWidth, TVector>
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    /// <summary>Rows of a tile: a multiple of every width's panel.</summary>
    public const int TileRows = 48;
    /// <summary>Columns of a tile: a multiple of every width's panel.</summary>
    public const int TileColumns = 128;
    /// <summary>Words of a score tile.</summary>
    public const int ScoreWords = TileRows * 144;
    /// <summary>Words of a packed left factor or of a tile of sums at the largest head dimension.</summary>
    public const int RowWords = TileRows * 128;

    private static readonly int s_panelRows = TWidth.PanelRows;
    private static readonly int s_panelColumns = 2 * TWidth.Count;

    /// <summary>Words between two rows of a tile of sums: the head dimension rounded up to panels.</summary>
    public static int SumStride(int headDim) => (headDim + s_panelColumns - 1) / s_panelColumns * s_panelColumns;

    /// <summary>Words of <paramref name="rows"/> rows packed by <see cref="PackKeys"/> or <see cref="PackValues"/>.</summary>
    public static long PackedWords(int rows, int headDim) => (long)(rows + TileColumns) * SumStride(headDim);

    /// <summary>Packs rows as the transposed right factor of a score tile.</summary>
    public static void PackKeys(float* source, int stride, int rows, int headDim, float* destination)
    {
        for (int row = 0; row < rows; row += s_panelColumns, destination += s_panelColumns * headDim)
        {
            HostPacking.PackRows(source + (long)row * stride, stride, Math.Min(s_panelColumns, rows - row), headDim, s_panelColumns, destination);
        }
    }

    /// <summary>Packs rows as the right factor of a product with a score tile.</summary>
    public static void PackValues(float* source, int stride, int rows, int headDim, float* destination)
    {
        for (int column = 0; column < headDim; column += s_panelColumns, destination += (long)s_panelColumns * rows)
        {
            HostPacking.PackColumns(source + column, stride, Math.Min(s_panelColumns, headDim - column), rows, s_panelColumns, destination);
        }
    }

    /// <summary>Packs a tile's rows, multiplied by <paramref name="factor"/>, as the left factor of a score tile.</summary>
    public static void PackTile(float* source, int stride, int rows, int headDim, float factor, float* destination)
    {
        int words = 0;
        for (int row = 0; row < rows; row += s_panelRows, words += s_panelRows * headDim)
        {
            HostPacking.PackRows(source + (long)row * stride, stride, Math.Min(s_panelRows, rows - row), headDim, s_panelRows, destination + words);
        }
        if (factor != 1) { Scale(destination, words, factor); }
    }

    /// <summary>scores = left · rightᵀ over the head dimension; <paramref name="column"/> is a multiple of <see cref="TileColumns"/>.</summary>
    public static void Scores(float* left, float* keys, int rows, int column, int columns, int headDim, float* scores)
    {
        for (int n = 0; n < columns; n += s_panelColumns)
        {
            float* right = keys + (long)(column + n) * headDim;
            for (int m = 0; m < rows; m += s_panelRows)
            {
                HostMicroKernel<TWidth, TVector>.Multiply<PackedPanel>(Math.Min(s_panelRows, rows - m), Math.Min(s_panelColumns, columns - n), headDim,
                    left + m * headDim, right, s_panelColumns, scores + m * ScoreRows.RowStride + n, ScoreRows.RowStride, null, false);
            }
        }
    }

    /// <summary>sums = or += scores · values, where <paramref name="row"/> is the first of the <paramref name="depth"/> value rows among all <paramref name="valueRows"/>.</summary>
    public static void AddProduct(float* scores, float* values, int valueRows, int row, int rows, int depth, int headDim, float* sums, bool accumulate)
    {
        int stride = SumStride(headDim);
        for (int n = 0; n < headDim; n += s_panelColumns)
        {
            float* right = values + (long)n * valueRows + (long)row * s_panelColumns;
            for (int m = 0; m < rows; m += s_panelRows)
            {
                HostMicroKernel<TWidth, TVector>.Multiply<ScoreRows>(Math.Min(s_panelRows, rows - m), Math.Min(s_panelColumns, headDim - n), depth,
                    scores + m * ScoreRows.RowStride, right, s_panelColumns, sums + m * stride + n, stride, null, accumulate);
            }
        }
    }

    /// <summary>Writes factor · sums to a row of the output and nothing beside it.</summary>
    public static void StoreRow(float* sums, int headDim, float factor, float* destination)
    {
        TVector factors = TWidth.Broadcast(factor);
        int i = 0;
        for (; i + TWidth.Count <= headDim; i += TWidth.Count) { TWidth.Store(destination + i, TWidth.Multiply(TWidth.Load(sums + i), factors)); }
        for (; i < headDim; i++) { destination[i] = sums[i] * factor; }
    }

    /// <summary>Multiplies words in place.</summary>
    public static void Scale(float* memory, int words, float factor) => StoreRow(memory, words, factor, memory);
}
