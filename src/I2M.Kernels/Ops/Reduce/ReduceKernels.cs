using ILGPU;
using ILGPU.Runtime;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Sums in a fixed order: a work item adds at most <see cref="ItemTerms"/> terms, and partial sums are reduced the same way again, so the
/// rounding error grows with the logarithm of the length.
/// </summary>
internal static class ReduceKernels
{
    /// <summary>The most terms that one work item adds up.</summary>
    public const int ItemTerms = 64;

    /// <summary>The most terms that one group adds up.</summary>
    public const int GroupTerms = ItemTerms * IlgpuBackend.GroupSize;

    /// <summary>A group per (row, chunk): d[r, chunk] = scale · Σ x[r, c] over the chunk. The second operand is not read.</summary>
    public static void SumRows(ArrayView<float> x, ArrayView<float> unused, long columns, int chunks, float scale, ArrayView<float> d)
    {
        long row = Grid.IdxX / chunks;
        long chunk = Grid.IdxX % chunks;
        long end = Lesser(columns, (chunk + 1) * GroupTerms);
        float sum = 0f;
        for (long c = chunk * GroupTerms + Group.IdxX; c < end; c += IlgpuBackend.GroupSize) { sum += x[row * columns + c]; }
        WriteGroupSum(sum, scale, d);
    }

    /// <summary>As <see cref="SumRows"/> for x · y.</summary>
    public static void DotRows(ArrayView<float> x, ArrayView<float> y, long columns, int chunks, float scale, ArrayView<float> d)
    {
        long row = Grid.IdxX / chunks;
        long chunk = Grid.IdxX % chunks;
        long end = Lesser(columns, (chunk + 1) * GroupTerms);
        float sum = 0f;
        for (long c = chunk * GroupTerms + Group.IdxX; c < end; c += IlgpuBackend.GroupSize) { sum += x[row * columns + c] * y[row * columns + c]; }
        WriteGroupSum(sum, scale, d);
    }

    /// <summary>As <see cref="SumRows"/> for (x − y)².</summary>
    public static void SquaredErrorRows(ArrayView<float> x, ArrayView<float> y, long columns, int chunks, float scale, ArrayView<float> d)
    {
        long row = Grid.IdxX / chunks;
        long chunk = Grid.IdxX % chunks;
        long end = Lesser(columns, (chunk + 1) * GroupTerms);
        float sum = 0f;
        for (long c = chunk * GroupTerms + Group.IdxX; c < end; c += IlgpuBackend.GroupSize)
        {
            float difference = x[row * columns + c] - y[row * columns + c];
            sum += difference * difference;
        }
        WriteGroupSum(sum, scale, d);
    }

    /// <summary>d[group] = scale · Σ of the group's values.</summary>
    private static void WriteGroupSum(float value, float scale, ArrayView<float> d)
    {
        float sum = GroupReduce.Sum(value, SharedMemory.Allocate<float>(IlgpuBackend.GroupSize));
        if (Group.IdxX == 0) { d[Grid.IdxX] = scale * sum; }
    }

    /// <summary>A work item per (b, chunk, c): d[b, chunk, c] = scale · Σ x[b, r, c] over the chunk's rows. The second operand is not read.</summary>
    public static void SumColumns(ArrayView<float> x, ArrayView<float> unused, ColumnSum s, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= s.Items) { return; }
        long start = s.FirstRow(i);
        long column = s.Column(i);
        int count = s.RowCount(i);
        float sum = 0f;
        for (int r = 0; r < count; r++) { sum += x[(start + r) * s.Columns + column]; }
        s.Write(i, sum, d);
    }

    /// <summary>As <see cref="SumColumns"/> for x · y.</summary>
    public static void DotColumns(ArrayView<float> x, ArrayView<float> y, ColumnSum s, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= s.Items) { return; }
        long start = s.FirstRow(i);
        long column = s.Column(i);
        int count = s.RowCount(i);
        float sum = 0f;
        for (int r = 0; r < count; r++)
        {
            long at = (start + r) * s.Columns + column;
            sum += x[at] * y[at];
        }
        s.Write(i, sum, d);
    }

    /// <summary>As <see cref="SumColumns"/> for (1 − keep[row]) · x.</summary>
    public static void DroppedColumns(ArrayView<float> x, ArrayView<float> keep, ColumnSum s, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= s.Items) { return; }
        long start = s.FirstRow(i);
        long column = s.Column(i);
        int count = s.RowCount(i);
        float sum = 0f;
        for (int r = 0; r < count; r++) { sum += (1f - keep[start + r]) * x[(start + r) * s.Columns + column]; }
        s.Write(i, sum, d);
    }

    public static void BroadcastRows(ArrayView<float> x, long rows, long columns, float scale, int accumulate, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        long row = Quotient(i, columns);
        float value = scale * x[Quotient(row, rows) * columns + i - row * columns];
        if (accumulate != 0) { value += d[i]; }
        d[i] = value;
    }

    public static void SquaredErrorRowsBackward(ArrayView<float> x, ArrayView<float> y, ArrayView<float> dy, long columns, float scale, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = scale * dy[Quotient(i, columns)] * (x[i] - y[i]); }
    }

    private static long Lesser(long a, long b) => a < b ? a : b;
}

/// <summary>One stage of a sum over the rows of [batch, rows, columns], cut into chunks of <see cref="ReduceKernels.ItemTerms"/> rows.</summary>
internal struct ColumnSum
{
    public long Items, Rows, Columns, Chunks, OutputStride;
    public float Scale;
    public int Accumulate;

    /// <summary>Row b · rows + r at which item i starts.</summary>
    public readonly long FirstRow(long i)
    {
        long part = Quotient(i, Columns);
        long b = Quotient(part, Chunks);
        return b * Rows + (part - b * Chunks) * ReduceKernels.ItemTerms;
    }

    public readonly long Column(long i) => i - Quotient(i, Columns) * Columns;

    public readonly int RowCount(long i)
    {
        long part = Quotient(i, Columns);
        long left = Rows - (part - Quotient(part, Chunks) * Chunks) * ReduceKernels.ItemTerms;
        return left < ReduceKernels.ItemTerms ? (int)left : ReduceKernels.ItemTerms;
    }

    public readonly void Write(long i, float sum, ArrayView<float> d)
    {
        long part = Quotient(i, Columns);
        long at = part * OutputStride + i - part * Columns;
        float value = Scale * sum;
        if (Accumulate != 0) { value += d[at]; }
        d[at] = value;
    }
}
