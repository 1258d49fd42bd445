namespace I2M.Kernels.Host;

/// <summary>
/// Products with a few rows or a few columns, where every element of the large factor is used a few times only and packing it would cost
/// as much as the product. The factor with few rows is called x [rows, depth], the large one y; c is addressed by two strides, so that
/// few columns are the same case transposed. Where y's depth is contiguous, c is dot products of rows; otherwise c is a sum of y's rows.
/// </summary>
internal sealed unsafe class HostSkinnyGemm<TWidth, TVector>
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    /// <summary>Most rows (or columns) that count as few.</summary>
    public const int MostRows = 16;
    private const int SumColumns = 256;
    private const int DotColumns = 16;
    /// <summary>Words of y that are worth waking a thread.</summary>
    private const long ParallelWords = 1 << 15;

    private readonly GemmShape _shape;
    private readonly HostBackend.GemmStore _store;
    private readonly float* _x, _y;
    private readonly long _xItem, _xRow, _xDepth, _yItem, _yLeading, _cRow, _cColumn;
    private readonly int _rows, _columns, _blockColumns;
    private readonly bool _fewColumns;

    private HostSkinnyGemm(float* a, float* b, in GemmShape s, in HostBackend.GemmStore store)
    {
        _shape = s;
        _store = store;
        bool fewRows = s.M <= s.N;
        _x = fewRows ? a : b;
        _y = fewRows ? b : a;
        (_rows, _columns) = fewRows ? (s.M, s.N) : (s.N, s.M);
        (_xItem, _yItem, _yLeading) = fewRows ? (s.StrideA, s.StrideB, s.LeadingB) : (s.StrideB, s.StrideA, s.LeadingA);
        (_cRow, _cColumn, _fewColumns) = fewRows ? (store.Row, 1L, false) : (1L, store.Row, true);
        (_xRow, _xDepth) = fewRows
            ? s.TransposeA ? (1L, (long)s.LeadingA) : (s.LeadingA, 1L)
            : s.TransposeB ? ((long)s.LeadingB, 1L) : (1L, s.LeadingB);
        YDepthContiguous = fewRows ? s.TransposeB : !s.TransposeA;
        _blockColumns = YDepthContiguous ? DotColumns : SumColumns;
    }

    private bool YDepthContiguous { get; }

    public static void Run(ForRows threads, BufferPool pool, float* a, float* b, in GemmShape shape, in HostBackend.GemmStore store)
    {
        var product = new HostSkinnyGemm<TWidth, TVector>(a, b, shape, store);
        if (!product.YDepthContiguous || product._xDepth == 1)
        {
            product.Run(threads);
            return;
        }
        using var scope = new BufferScope(pool);
        long words = (long)product._rows * shape.K;
        float* x = HostBackend.Pointer(scope.Rent(words * shape.Batch));
        product.GatherX(x);
        new HostSkinnyGemm<TWidth, TVector>(product, x, words).Run(threads);
    }

    /// <summary>The same product with x copied to rows whose depth is contiguous.</summary>
    private HostSkinnyGemm(HostSkinnyGemm<TWidth, TVector> other, float* x, long words)
    {
        _shape = other._shape;
        _x = x;
        _y = other._y;
        _store = other._store;
        (_xItem, _xRow, _xDepth, _yItem, _yLeading) = (words, _shape.K, 1, other._yItem, other._yLeading);
        (_cRow, _cColumn, _rows, _columns, _fewColumns) = (other._cRow, other._cColumn, other._rows, other._columns, other._fewColumns);
        (YDepthContiguous, _blockColumns) = (other.YDepthContiguous, other._blockColumns);
    }

    private void GatherX(float* destination)
    {
        for (int item = 0; item < _shape.Batch; item++)
        {
            for (int i = 0; i < _rows; i++)
            {
                float* source = _x + item * _xItem + i * _xRow;
                for (int k = 0; k < _shape.K; k++) { *destination++ = source[k * _xDepth]; }
            }
        }
    }

    private void Run(ForRows threads)
    {
        long blocks = (_columns + _blockColumns - 1) / _blockColumns;
        threads.Run(blocks * _shape.Batch, Math.Max(1, ParallelWords / Math.Max(1, (long)_blockColumns * _shape.K)), (start, end) =>
        {
            for (long i = start; i < end; i++)
            {
                long item = i / blocks;
                int column = (int)(i % blocks) * _blockColumns, columns = Math.Min(_blockColumns, _columns - column);
                if (YDepthContiguous) { DotBlock(item, column, columns); }
                else { SumBlock(item, column, columns); }
                if (!_store.HasRest) { continue; }
                if (_fewColumns) { _store.Finish(item, column, columns, 0, _rows); }
                else { _store.Finish(item, 0, _rows, column, columns); }
            }
        });
    }

    private void Put(long item, int row, int column, float value)
    {
        float* sum = _store.Sums + item * _store.Item + row * _cRow + column * _cColumn;
        if (_store.Bias is not null) { value += _store.Bias[_fewColumns ? row : column]; }
        *sum = _store.Accumulate ? *sum + value : value;
    }

    /// <summary>Four rows of y against two of x at a time: eight independent sums. Rows that are not there repeat the last one and are dropped.</summary>
    private void DotBlock(long item, int column, int columns)
    {
        float* sums = stackalloc float[8];
        for (int j = 0; j < columns; j += 4)
        {
            float* y = _y + item * _yItem + (column + j) * _yLeading;
            int last = Math.Min(4, columns - j) - 1;
            for (int i = 0; i < _rows; i += 2)
            {
                float* x = _x + item * _xItem + i * _xRow;
                int lastX = Math.Min(2, _rows - i) - 1;
                Dots(_shape.K, x, x + lastX * _xRow, y, y + Math.Min(1, last) * _yLeading, y + Math.Min(2, last) * _yLeading, y + last * _yLeading, sums);
                for (int r = 0; r <= lastX; r++)
                {
                    for (int s = 0; s <= last; s++) { Put(item, i + r, column + j + s, sums[4 * r + s]); }
                }
            }
        }
    }

    private static void Dots(int depth, float* x0, float* x1, float* y0, float* y1, float* y2, float* y3, float* sums)
    {
        TVector s00 = TWidth.Broadcast(0), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00;
        int k = 0;
        for (; k + TWidth.Count <= depth; k += TWidth.Count)
        {
            TVector u = TWidth.Load(x0 + k), v = TWidth.Load(x1 + k);
            TVector y = TWidth.Load(y0 + k);
            s00 = TWidth.MultiplyAdd(u, y, s00);
            s10 = TWidth.MultiplyAdd(v, y, s10);
            y = TWidth.Load(y1 + k);
            s01 = TWidth.MultiplyAdd(u, y, s01);
            s11 = TWidth.MultiplyAdd(v, y, s11);
            y = TWidth.Load(y2 + k);
            s02 = TWidth.MultiplyAdd(u, y, s02);
            s12 = TWidth.MultiplyAdd(v, y, s12);
            y = TWidth.Load(y3 + k);
            s03 = TWidth.MultiplyAdd(u, y, s03);
            s13 = TWidth.MultiplyAdd(v, y, s13);
        }
        (sums[0], sums[1], sums[2], sums[3]) = (TWidth.Sum(s00), TWidth.Sum(s01), TWidth.Sum(s02), TWidth.Sum(s03));
        (sums[4], sums[5], sums[6], sums[7]) = (TWidth.Sum(s10), TWidth.Sum(s11), TWidth.Sum(s12), TWidth.Sum(s13));
        for (; k < depth; k++)
        {
            (sums[0], sums[4]) = (sums[0] + x0[k] * y0[k], sums[4] + x1[k] * y0[k]);
            (sums[1], sums[5]) = (sums[1] + x0[k] * y1[k], sums[5] + x1[k] * y1[k]);
            (sums[2], sums[6]) = (sums[2] + x0[k] * y2[k], sums[6] + x1[k] * y2[k]);
            (sums[3], sums[7]) = (sums[3] + x0[k] * y3[k], sums[7] + x1[k] * y3[k]);
        }
    }

    /// <summary>A block of columns as a sum of four rows of y at a time, which stay in L1 for all rows of c; so do the sums.</summary>
    private void SumBlock(long item, int column, int columns)
    {
        float* sums = stackalloc float[MostRows * SumColumns];
        new Span<float>(sums, _rows * SumColumns).Clear();
        float* x = _x + item * _xItem;
        float* y = _y + item * _yItem + column;
        int k = 0;
        for (; k + 4 <= _shape.K; k += 4)
        {
            for (int i = 0; i < _rows; i++)
            {
                float* factors = x + i * _xRow + k * _xDepth;
                AddRows(columns, y + k * _yLeading, _yLeading, factors[0], factors[_xDepth], factors[2 * _xDepth], factors[3 * _xDepth], sums + i * SumColumns);
            }
        }
        for (; k < _shape.K; k++)
        {
            for (int i = 0; i < _rows; i++) { AddRows(columns, y + k * _yLeading, 0, x[i * _xRow + k * _xDepth], 0, 0, 0, sums + i * SumColumns); }
        }
        for (int i = 0; i < _rows; i++)
        {
            for (int j = 0; j < columns; j++) { Put(item, i, column + j, sums[i * SumColumns + j]); }
        }
    }

    /// <summary>sums += f0 · row 0 + … + f3 · row 3; a stride of 0 with zero factors adds one row.</summary>
    private static void AddRows(int columns, float* y, long stride, float f0, float f1, float f2, float f3, float* sums)
    {
        float* y1 = y + stride, y2 = y1 + stride, y3 = y2 + stride;
        TVector v0 = TWidth.Broadcast(f0), v1 = TWidth.Broadcast(f1), v2 = TWidth.Broadcast(f2), v3 = TWidth.Broadcast(f3);
        int j = 0;
        for (; j + TWidth.Count <= columns; j += TWidth.Count)
        {
            TVector sum = TWidth.MultiplyAdd(v0, TWidth.Load(y + j), TWidth.Load(sums + j));
            sum = TWidth.MultiplyAdd(v1, TWidth.Load(y1 + j), sum);
            sum = TWidth.MultiplyAdd(v2, TWidth.Load(y2 + j), sum);
            TWidth.Store(sums + j, TWidth.MultiplyAdd(v3, TWidth.Load(y3 + j), sum));
        }
        for (; j < columns; j++) { sums[j] += f0 * y[j] + f1 * y1[j] + f2 * y2[j] + f3 * y3[j]; }
    }
}
