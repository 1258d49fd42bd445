using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Sums over the rows of a matrix in two stages with a fixed order: each chunk of rows is summed to one row of partial sums, then the
/// partial sums of all chunks are added up in order. Gives enough parallel work without atomics.
/// </summary>
internal static class ColumnSumKernels
{
    private const int MaxChunks = 64;
    private const int MinChunkRows = 32;

    /// <summary>Rows in a chunk: depends on the row count alone, so the order of summation does too.</summary>
    public static int ChunkRows(int rows) => Math.Max(MinChunkRows, (rows + MaxChunks - 1) / MaxChunks);

    /// <summary>Chunks that so many rows make.</summary>
    public static int Chunks(int rows) => (rows + ChunkRows(rows) - 1) / ChunkRows(rows);

    /// <summary>partial[chunk, c] = Σ x[r, c] over the chunk's rows; one item per column and chunk.</summary>
    public static void SumChunks(ArrayView<float> x, int rows, int columns, int chunkRows, int columnGroups, ArrayView<float> partial)
    {
        int column = Grid.IdxX % columnGroups * Group.DimX + Group.IdxX;
        int chunk = Grid.IdxX / columnGroups;
        if (column >= columns) { return; }
        int end = IntrinsicMath.Min((chunk + 1) * chunkRows, rows);
        float sum = 0f;
        for (int row = chunk * chunkRows; row < end; row++) { sum += x[(long)row * columns + column]; }
        partial[(long)chunk * columns + column] = sum;
    }

    /// <summary>destination[b · stride + c] += Σ_chunk partial[b, chunk, c]; one item per sample and column.</summary>
    public static void AddChunks(ArrayView<float> partial, int batch, int chunks, int columns, int stride, ArrayView<float> destination)
    {
        long item = (long)Grid.IdxX * Group.DimX + Group.IdxX;
        if (item >= (long)batch * columns) { return; }
        long sample = item / columns;
        long column = item % columns;
        float sum = 0f;
        for (int chunk = 0; chunk < chunks; chunk++) { sum += partial[(sample * chunks + chunk) * columns + column]; }
        destination[sample * stride + column] += sum;
    }
}
