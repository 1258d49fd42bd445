using ILGPU;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void SumRows(BufferView x, BufferView destination)
    {
        long columns = ColumnsOf(x, destination.Length);
        ReduceRows(ReduceKernels.SumRows, View(x), View(x), columns, 1f, destination);
    }

    /// <inheritdoc/>
    public void SumColumns(BufferView x, ReduceShape shape, float scale, bool accumulate, BufferView destination)
    {
        long elements = (long)shape.Batch * shape.Rows * shape.Columns;
        RequireLength(x, x.Type.Words(elements));
        RequireLength(destination, (long)shape.Batch * shape.Columns);
        int width = x.Type == ElementType.BFloat16 ? Float8.Width : 4;
        if (shape.Columns % width == 0 && AreVectors(x, destination))
        {
            SumVectorColumns(x, width, shape, scale, accumulate, destination);
            return;
        }
        using var wide = new WideOperands(this);
        x = wide.Read(x, elements);
        ReduceColumns(ReduceKernels.SumColumns, View(x), View(x), shape, scale, accumulate, destination, shape.Columns);
    }

    /// <summary>The first stage by the kernels with 16-byte loads, the others as everywhere.</summary>
    private void SumVectorColumns(BufferView x, int width, ReduceShape shape, float scale, bool accumulate, BufferView destination)
    {
        if (destination.Length == 0) { return; }
        using var scope = new BufferScope(Pool);
        int chunks = Math.Max(1, (shape.Rows + ReduceKernels.ItemTerms - 1) / ReduceKernels.ItemTerms);
        bool last = chunks == 1;
        BufferView sums = last ? destination : scope.Rent(destination.Length * chunks);
        var stage = new ColumnSum
        {
            Items = destination.Length / width * chunks,
            Rows = shape.Rows,
            Columns = shape.Columns / width,
            Chunks = chunks,
            OutputStride = shape.Columns,
            Scale = last ? scale : 1f,
            Accumulate = last && accumulate ? 1 : 0,
        };
        if (x.Type == ElementType.BFloat16) { Launch(CudaReduceKernels.SumNarrowColumns, Grid(stage.Items), View(x), stage, View(sums)); }
        else { Launch(CudaReduceKernels.SumColumns, Grid(stage.Items), View(x), stage, View(sums)); }
        if (!last) { ReduceColumns(ReduceKernels.SumColumns, View(sums), View(sums), shape with { Rows = chunks }, scale, accumulate, destination, shape.Columns); }
    }

    /// <inheritdoc/>
    public void BroadcastRows(BufferView x, ReduceShape shape, float scale, bool accumulate, BufferView destination)
    {
        RequireLength(x, (long)shape.Batch * shape.Columns);
        RequireLength(destination, (long)shape.Batch * shape.Rows * shape.Columns);
        if (destination.Length == 0) { return; }
        Launch(ReduceKernels.BroadcastRows, Grid(destination.Length), View(x), (long)shape.Rows, (long)shape.Columns, scale, accumulate ? 1 : 0, View(destination));
    }

    /// <inheritdoc/>
    public void SumSquares(BufferView x, BufferView destination)
    {
        if (!AreWarpVectors(x))
        {
            Dot(x, x, destination);
            return;
        }
        RequireLength(destination, 1);
        // At most as many partial sums as one group adds up, so that there are two stages at every length.
        const int FewestTiles = 2;
        long tiles = Math.Max(1, (x.Length + CudaReduceKernels.Tile - 1) / CudaReduceKernels.Tile);
        long groupTiles = Math.Max(FewestTiles, (tiles + ReduceKernels.GroupTerms - 1) / ReduceKernels.GroupTerms);
        long groups = (tiles + groupTiles - 1) / groupTiles;
        using var scope = new BufferScope(Pool);
        BufferView partial = groups == 1 ? destination : scope.Rent(groups);
        Launch(CudaReduceKernels.SumSquares, Groups(groups, CudaReduceKernels.Items), View(x), checked((int)groupTiles), View(partial));
        if (groups > 1) { SumRows(partial, destination); }
    }

    /// <inheritdoc/>
    public void Dot(BufferView x, BufferView y, BufferView destination)
    {
        RequireLength(y, x.Length);
        RequireLength(destination, 1);
        ReduceRows(ReduceKernels.DotRows, View(x), View(y), x.Length, 1f, destination);
    }

    /// <inheritdoc/>
    public void SquaredErrorRows(BufferView x, BufferView y, BufferView destination)
    {
        RequireLength(y, x.Length);
        long columns = ColumnsOf(x, destination.Length);
        ReduceRows(ReduceKernels.SquaredErrorRows, View(x), View(y), columns, (float)(1.0 / columns), destination);
    }

    /// <inheritdoc/>
    public void SquaredErrorRowsBackward(BufferView x, BufferView y, BufferView dy, BufferView dx)
    {
        RequireLength(y, x.Length);
        RequireLength(dx, x.Length);
        long columns = ColumnsOf(x, dy.Length);
        if (x.Length == 0) { return; }
        Launch(ReduceKernels.SquaredErrorRowsBackward, Grid(x.Length), View(x), View(y), View(dy), columns, (float)(2.0 / columns), View(dx));
    }

    /// <summary>
    /// destination[r] = scale · Σ_c of what <paramref name="kernel"/> makes of x[r,c] and y[r,c]. Rows of more than
    /// <see cref="ReduceKernels.GroupTerms"/> terms leave partial sums in scratch memory, which are rows to sum again.
    /// </summary>
    private void ReduceRows(Action<ArrayView<float>, ArrayView<float>, long, int, float, ArrayView<float>> kernel,
        ArrayView<float> x, ArrayView<float> y, long columns, float scale, BufferView destination)
    {
        using var scope = new BufferScope(Pool);
        long rows = destination.Length;
        if (rows == 0) { return; }
        for (; ; )
        {
            int chunks = checked((int)Math.Max(1, (columns + ReduceKernels.GroupTerms - 1) / ReduceKernels.GroupTerms));
            if (chunks == 1)
            {
                Launch(kernel, Groups(rows, GroupSize), x, y, columns, 1, scale, View(destination));
                return;
            }
            ArrayView<float> partial = View(scope.Rent(rows * chunks));
            Launch(kernel, Groups(rows * chunks, GroupSize), x, y, columns, chunks, 1f, partial);
            (kernel, x, y, columns) = (ReduceKernels.SumRows, partial, partial, chunks);
        }
    }

    /// <summary>
    /// destination[b · outputStride + c] = (or +=) scale · Σ_r of what <paramref name="kernel"/> makes of x[b,r,c] and y, in stages of
    /// <see cref="ReduceKernels.ItemTerms"/> rows.
    /// </summary>
    private void ReduceColumns(Action<ArrayView<float>, ArrayView<float>, ColumnSum, ArrayView<float>> kernel,
        ArrayView<float> x, ArrayView<float> y, ReduceShape shape, float scale, bool accumulate, BufferView destination, long outputStride)
    {
        using var scope = new BufferScope(Pool);
        long outputs = (long)shape.Batch * shape.Columns;
        if (outputs == 0) { return; }
        for (long rows = shape.Rows; ;)
        {
            long chunks = Math.Max(1, (rows + ReduceKernels.ItemTerms - 1) / ReduceKernels.ItemTerms);
            var stage = new ColumnSum { Items = outputs * chunks, Rows = rows, Columns = shape.Columns, Chunks = chunks, OutputStride = shape.Columns, Scale = 1f };
            if (chunks == 1)
            {
                stage.OutputStride = outputStride;
                stage.Scale = scale;
                stage.Accumulate = accumulate ? 1 : 0;
                Launch(kernel, Grid(outputs), x, y, stage, View(destination));
                return;
            }
            ArrayView<float> partial = View(scope.Rent(stage.Items));
            Launch(kernel, Grid(stage.Items), x, y, stage, partial);
            (kernel, x, y, rows) = (ReduceKernels.SumColumns, partial, partial, chunks);
        }
    }
}
