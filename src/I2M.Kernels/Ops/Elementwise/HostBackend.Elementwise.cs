namespace I2M.Kernels.Host;

public sealed unsafe partial class HostBackend
{
    /// <inheritdoc cref="IBackend.Fill"/>
    public void Fill(BufferView destination, float value)
    {
        float* pd = Pointer(destination);
        _rows.Run(destination.Length, MemoryGrain, (start, end) => new Span<float>(pd + start, (int)(end - start)).Fill(value));
    }

    /// <inheritdoc cref="IBackend.Copy"/>
    public void Copy(BufferView source, BufferView destination)
    {
        RequireLength(destination.Length, source);
        float* ps = Pointer(source), pd = Pointer(destination);
        _rows.Run(destination.Length, MemoryGrain, (start, end) => Move(ps + start, pd + start, end - start));
    }

    /// <inheritdoc cref="IBackend.Axpby"/>
    public void Axpby(float a, BufferView x, float b, BufferView y, BufferView destination) => Map(new Combination(a, b), x, y, destination, MemoryGrain);

    /// <inheritdoc cref="IBackend.Scale"/>
    public void Scale(float a, BufferView x, BufferView destination) => Map(new Scaled(a), x, destination, MemoryGrain);

    /// <inheritdoc cref="IBackend.ScaleByDevice"/>
    public void ScaleByDevice(BufferView factor, BufferView x, BufferView destination)
    {
        RequireLength(1, factor);
        Scale(*Pointer(factor), x, destination);
    }

    /// <inheritdoc cref="IBackend.Multiply"/>
    public void Multiply(BufferView x, BufferView y, BufferView destination) => Map(new Product(), x, y, destination, MemoryGrain);

    /// <inheritdoc cref="IBackend.Clamp"/>
    public void Clamp(BufferView x, float low, float high, BufferView destination) => Map(new Clamped(low, high), x, destination, MemoryGrain);

    /// <inheritdoc cref="IBackend.AddBroadcast"/>
    public void AddBroadcast(BufferView x, BufferView v, BufferView destination)
    {
        RequireLength(destination.Length, x);
        if (v.Length == 0) { throw new ArgumentException("v is empty.", nameof(v)); }
        // A short v is repeated first, so that the inner loop always has a row's worth of work.
        const long ShortestRow = 1024;
        long period = v.Length * Math.Max(1, ShortestRow / v.Length);
        using var scope = new BufferScope(Pool);
        float* px = Pointer(x), pd = Pointer(destination), row = Pointer(v);
        if (period > v.Length)
        {
            float* repeated = Pointer(scope.Rent(period));
            for (long i = 0; i < period; i += v.Length) { Move(row, repeated + i, v.Length); }
            row = repeated;
        }
        float* added = row;
        _rows.Run(destination.Length, MemoryGrain, (start, end) =>
        {
            for (long i = start; i < end;)
            {
                long column = i % period, count = Math.Min(end - i, period - column);
                ElementwiseDrivers.Apply(new Add(), px + i, added + column, pd + i, count);
                i += count;
            }
        });
    }

    /// <inheritdoc cref="IBackend.CombineRows"/>
    public void CombineRows(BufferView a, BufferView x, BufferView b, BufferView y, int rows, BufferView destination)
    {
        long columns = ColumnsOf(destination, rows);
        RequireLength(destination.Length, x);
        RequireLength(destination.Length, y);
        RequireLength(rows, a);
        RequireLength(rows, b);
        float* pa = Pointer(a), px = Pointer(x), pb = Pointer(b), py = Pointer(y), pd = Pointer(destination);
        _rows.Run(rows, RowGrain(MemoryGrain, columns), (start, end) =>
        {
            for (long r = start, i = r * columns; r < end; r++, i += columns)
            {
                ElementwiseDrivers.Apply(new Combination(pa[r], pb[r]), px + i, py + i, pd + i, columns);
            }
        });
    }

    /// <inheritdoc cref="IBackend.MixRows"/>
    public void MixRows(BufferView keep, BufferView x, BufferView fallback, int rows, BufferView destination)
    {
        long columns = ColumnsOf(destination, rows);
        RequireLength(destination.Length, x);
        RequireLength(columns, fallback);
        RequireLength(rows, keep);
        float* pk = Pointer(keep), px = Pointer(x), pf = Pointer(fallback), pd = Pointer(destination);
        _rows.Run(rows, RowGrain(MemoryGrain, columns), (start, end) =>
        {
            for (long r = start; r < end; r++) { Move(pk[r] != 0 ? px + r * columns : pf, pd + r * columns, columns); }
        });
    }

    /// <inheritdoc cref="IBackend.MixRowsBackward"/>
    public void MixRowsBackward(BufferView keep, BufferView dy, int rows, BufferView dx, BufferView dfallback)
    {
        long columns = ColumnsOf(dy, rows);
        RequireLength(rows, keep);
        if (!dx.IsNone) { RequireLength(dy.Length, dx); }
        if (!dfallback.IsNone) { RequireLength(columns, dfallback); }
        float* pk = Pointer(keep), pdy = Pointer(dy), pdx = Pointer(dx), pdf = Pointer(dfallback);
        using var scope = new BufferScope(Pool);
        float* partial = pdf is null ? null : Pointer(scope.Rent(RowGroups(rows) * columns));
        RunRowGroups(1, rows, columns, (_, first, last, group) =>
        {
            if (partial is not null) { Zero(partial + group * columns, columns); }
            for (long r = first, i = r * columns; r < last; r++, i += columns)
            {
                bool kept = pk[r] != 0;
                if (pdx is not null && kept) { Move(pdy + i, pdx + i, columns); }
                if (pdx is not null && !kept) { Zero(pdx + i, columns); }
                if (partial is not null && !kept) { AddTo(pdy + i, partial + group * columns, columns); }
            }
        });
        if (partial is not null) { CombineGroups(partial, 1, RowGroups(rows), columns, 1, true, pdf, 0); }
    }

    /// <inheritdoc cref="IBackend.GatedResidual"/>
    public void GatedResidual(BufferView x, BufferView h, BufferView gate, ModulationShape shape, BufferView destination)
    {
        long columns = shape.Channels, rows = (long)shape.Batch * shape.Tokens;
        using var wide = new WideOperands(this);
        h = wide.Read(h, rows * columns);
        RequireLength(rows * columns, x);
        RequireLength(rows * columns, h);
        RequireLength(rows * columns, destination);
        RequireModulation(shape, gate);
        float* px = Pointer(x), ph = Pointer(h), pg = Pointer(gate), pd = Pointer(destination);
        _rows.Run(rows, RowGrain(MemoryGrain, columns), (start, end) =>
        {
            for (long r = start, i = r * columns; r < end; r++, i += columns)
            {
                ElementwiseDrivers.Apply(new MultiplyAdd(), pg + r / shape.Tokens * shape.Stride, ph + i, px + i, pd + i, columns);
            }
        });
    }

    /// <inheritdoc cref="IBackend.GatedResidualBackward"/>
    public void GatedResidualBackward(BufferView h, BufferView gate, BufferView dy, ModulationShape shape, BufferView dh, BufferView dgate)
    {
        long columns = shape.Channels, length = (long)shape.Batch * shape.Tokens * columns, groups = RowGroups(shape.Tokens);
        using var wide = new WideOperands(this);
        BufferView wideH = dgate.IsNone ? h : wide.Read(h, length), wideDh = wide.Write(dh, length);
        RequireLength(length, dy);
        if (!dh.IsNone) { RequireLength(length, wideDh); RequireModulation(shape, gate); }
        if (!dgate.IsNone) { RequireLength(length, wideH); RequireModulation(shape, dgate); }
        float* ph = Pointer(wideH), pg = Pointer(gate), pdy = Pointer(dy), pdh = Pointer(wideDh), pdg = Pointer(dgate);
        using var scope = new BufferScope(Pool);
        float* partial = pdg is null ? null : Pointer(scope.Rent(shape.Batch * groups * columns));
        RunRowGroups(shape.Batch, shape.Tokens, columns, (b, first, last, group) =>
        {
            float* sum = partial + group * columns;
            if (partial is not null) { Zero(sum, columns); }
            for (long t = first, i = (b * shape.Tokens + t) * columns; t < last; t++, i += columns)
            {
                if (partial is not null) { ElementwiseDrivers.Apply(new MultiplyAdd(), ph + i, pdy + i, sum, sum, columns); }
                if (pdh is not null) { ElementwiseDrivers.Apply(new Product(), pg + b * shape.Stride, pdy + i, pdh + i, columns); }
            }
        });
        if (partial is not null) { CombineGroups(partial, shape.Batch, groups, columns, 1, true, pdg, shape.Stride); }
        wide.Narrow(wideDh, length, dh);
    }

    private static long ColumnsOf(BufferView view, long rows) => rows == 0 && view.Length == 0 ? 0 : RowsOf(view, rows);

    private static void AddTo(float* x, float* sum, long length) => ElementwiseDrivers.Apply(new Add(), x, sum, sum, length);
}
