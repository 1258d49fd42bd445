namespace I2M.Kernels.Host;

public sealed unsafe partial class HostBackend
{
    /// <summary>Words of a double in scratch memory.</summary>
    private const int DoubleWords = sizeof(double) / sizeof(float);

    /// <summary>Columns whose sums stay in the first cache while rows are added: few rows of many columns are work for all threads, too.</summary>
    private const long SumTile = 1024;

    /// <inheritdoc cref="IBackend.SumRows"/>
    public void SumRows(BufferView x, BufferView destination)
    {
        long columns = ColumnsOf(x, destination.Length);
        float* px = Pointer(x), pd = Pointer(destination);
        _rows.Run(destination.Length, RowGrain(MemoryGrain, columns), (start, end) =>
        {
            for (long r = start; r < end; r++) { pd[r] = (float)Reductions.Sum(new Identity(), px + r * columns, columns); }
        });
    }

    /// <inheritdoc cref="IBackend.SumColumns"/>
    public void SumColumns(BufferView x, ReduceShape shape, float scale, bool accumulate, BufferView destination)
    {
        long columns = shape.Columns, groups = RowGroups(shape.Rows), elements = (long)shape.Batch * shape.Rows * columns;
        RequireLength(x.Type.Words(elements), x);
        RequireLength(shape.Batch * columns, destination);
        using var wide = new WideOperands(this);
        using var scope = new BufferScope(Pool);
        float* px = Pointer(wide.Read(x, elements)), pd = Pointer(destination), partial = Pointer(scope.Rent(shape.Batch * groups * columns));
        AddGroups(px, new RowBlock(shape.Batch, shape.Rows * columns, shape.Rows, columns, columns), partial);
        CombineGroups(partial, shape.Batch, groups, columns, scale, accumulate, pd, columns);
    }

    /// <summary>The first half of a sum over rows: partial[b, g, c] = Σ x[b, r, c] over the rows of group g.</summary>
    private void AddGroups(float* x, RowBlock block, float* partial)
    {
        long rows = block.Rows, columns = block.Width, groups = RowGroups(rows), tiles = (columns + SumTile - 1) / SumTile;
        _rows.Run(block.Batch * groups * tiles, RowGrain(MemoryGrain, Math.Min(rows, PartialRows) * Math.Min(columns, SumTile)), (start, end) =>
        {
            for (long t = start; t < end; t++)
            {
                long group = t / tiles, column = t % tiles * SumTile, first = group % groups * PartialRows;
                Reductions.AddRows(x + group / groups * block.Stride + first * block.Leading + column, Math.Min(PartialRows, rows - first), block.Leading,
                    Math.Min(SumTile, columns - column), partial + group * columns + column);
            }
        });
    }

    /// <inheritdoc cref="IBackend.BroadcastRows"/>
    public void BroadcastRows(BufferView x, ReduceShape shape, float scale, bool accumulate, BufferView destination)
    {
        long columns = shape.Columns, rows = (long)shape.Batch * shape.Rows;
        RequireLength(shape.Batch * columns, x);
        RequireLength(rows * columns, destination);
        float* px = Pointer(x), pd = Pointer(destination);
        _rows.Run(rows, RowGrain(MemoryGrain, columns), (start, end) =>
        {
            for (long r = start, i = r * columns; r < end; r++, i += columns)
            {
                float* source = px + r / shape.Rows * columns;
                if (accumulate) { ElementwiseDrivers.Apply(new Combination(scale, 1), source, pd + i, pd + i, columns); }
                else { ElementwiseDrivers.Apply(new Scaled(scale), source, pd + i, columns); }
            }
        });
    }

    /// <inheritdoc cref="IBackend.SumSquares"/>
    public void SumSquares(BufferView x, BufferView destination) => SumAll(new Product(), x, x, destination);

    /// <inheritdoc cref="IBackend.Dot"/>
    public void Dot(BufferView x, BufferView y, BufferView destination) => SumAll(new Product(), x, y, destination);

    /// <inheritdoc cref="IBackend.SquaredErrorRows"/>
    public void SquaredErrorRows(BufferView x, BufferView y, BufferView destination)
    {
        long columns = ColumnsOf(x, destination.Length);
        RequireLength(x.Length, y);
        float* px = Pointer(x), py = Pointer(y), pd = Pointer(destination);
        _rows.Run(destination.Length, RowGrain(MemoryGrain, columns), (start, end) =>
        {
            for (long r = start, i = r * columns; r < end; r++, i += columns)
            {
                pd[r] = (float)(Reductions.Sum(new SquaredDifference(), px + i, py + i, columns) / columns);
            }
        });
    }

    /// <inheritdoc cref="IBackend.SquaredErrorRowsBackward"/>
    public void SquaredErrorRowsBackward(BufferView x, BufferView y, BufferView dy, BufferView dx)
    {
        long columns = ColumnsOf(dx, dy.Length);
        RequireLength(dx.Length, x);
        RequireLength(dx.Length, y);
        float* px = Pointer(x), py = Pointer(y), pdy = Pointer(dy), pdx = Pointer(dx);
        _rows.Run(dy.Length, RowGrain(MemoryGrain, columns), (start, end) =>
        {
            for (long r = start, i = r * columns; r < end; r++, i += columns)
            {
                ElementwiseDrivers.Apply(new ScaledDifference((float)(2.0 / columns * pdy[r])), px + i, py + i, pdx + i, columns);
            }
        });
    }

    /// <summary>destination[0] = Σ f(x[i], y[i]): one double per chunk, then the chunks in order.</summary>
    private void SumAll<F>(F f, BufferView x, BufferView y, BufferView destination) where F : struct, IBinary
    {
        RequireLength(x.Length, y);
        RequireLength(1, destination);
        long length = x.Length, chunks = (length + MemoryGrain - 1) / MemoryGrain;
        float* px = Pointer(x), py = Pointer(y);
        using var scope = new BufferScope(Pool);
        double* partial = (double*)Pointer(scope.Rent(chunks * DoubleWords));
        _rows.Run(length, MemoryGrain, (start, end) => partial[start / MemoryGrain] = Reductions.Sum(f, px + start, py + start, end - start));
        double sum = 0;
        for (long c = 0; c < chunks; c++) { sum += partial[c]; }
        *Pointer(destination) = (float)sum;
    }
}
