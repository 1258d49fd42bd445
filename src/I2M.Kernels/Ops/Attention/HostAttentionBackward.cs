using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

/// <summary>
/// Backward attention by recomputation, after D = Σ_d do·o per query. Both passes share one tile step. With X, Y, U, W as below and
/// s = X·Yᵀ · scale: P = e^(s − lse), dP = U·Wᵀ, dS = P ∘ (dP − D).
/// Key pass, a tile of keys against all queries: X = k, Y = q, U = v, W = do; tiles are transposed; dv = P·do, dk = scale · dS·q.
/// Query pass, a tile of queries against all keys: X = q, Y = k, U = do, W = v; dq = scale · dS·k.
/// </summary>
internal sealed unsafe class HostAttentionBackward<TWidth, TVector>
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    private const int TileRows = HostAttentionTiles<TWidth, TVector>.TileRows;
    private const int TileColumns = HostAttentionTiles<TWidth, TVector>.TileColumns;
    private const long ScratchWords = 8 << 20;
    /// <summary>Multiply-adds that are worth waking a thread.</summary>
    private const long ParallelWork = 1 << 17;

    /// <summary>Packed copies per pair: q, do, k, v as right factors of scores, then do, q, k as right factors of products.</summary>
    private const int Copies = 7;
    private const int QueryKeys = 0, GradientKeys = 1, QueryValues = 2, GradientValues = 3, KeyKeys = 4, ValueKeys = 5, KeyValues = 6;

    private readonly AttentionShape _shape;
    private readonly HeadRows _q, _k, _v, _o, _dOut, _dq, _dk, _dv;
    private readonly float* _lse;
    private readonly int _keyTiles, _queryTiles;
    private readonly long _copyWords;
    private float* _packed, _d;
    private int _firstPair;

    public HostAttentionBackward(float* q, float* k, float* v, float* o, float* lse, float* dOut, in AttentionShape s, float* dq, float* dk, float* dv)
    {
        _shape = s;
        _lse = lse;
        _q = new HeadRows(q, s.Queries, s.StrideQ, s.HeadDim);
        _k = new HeadRows(k, s.Keys, s.StrideK, s.HeadDim);
        _v = new HeadRows(v, s.Keys, s.StrideV, s.HeadDim);
        _o = new HeadRows(o, s.Queries, s.StrideO, s.HeadDim);
        _dOut = new HeadRows(dOut, s.Queries, s.StrideO, s.HeadDim);
        _dq = new HeadRows(dq, s.Queries, s.StrideQ, s.HeadDim);
        _dk = new HeadRows(dk, s.Keys, s.StrideK, s.HeadDim);
        _dv = new HeadRows(dv, s.Keys, s.StrideV, s.HeadDim);
        _keyTiles = (s.Keys + TileRows - 1) / TileRows;
        _queryTiles = (s.Queries + TileRows - 1) / TileRows;
        _copyWords = HostAttentionTiles<TWidth, TVector>.PackedWords(Math.Max(s.Queries, s.Keys), s.HeadDim);
    }

    public void Run(ForRows threads, BufferPool pool)
    {
        int pairs = _shape.Batch * _shape.Heads, group = (int)Math.Clamp(ScratchWords / (Copies * _copyWords), 1, pairs);
        using var scope = new BufferScope(pool);
        _packed = HostBackend.Pointer(scope.Rent(Copies * _copyWords * group));
        _d = HostBackend.Pointer(scope.Rent((long)group * _shape.Queries));
        long most = Math.Max(_shape.Queries, _shape.Keys);
        for (_firstPair = 0; _firstPair < pairs; _firstPair += group)
        {
            int count = Math.Min(group, pairs - _firstPair);
            threads.Run((long)count * (Copies + 1), Math.Max(1, ParallelWork / (8 * most * _shape.HeadDim)), Prepare);
            long grain = Math.Max(1, ParallelWork / (3L * TileRows * most * _shape.HeadDim));
            threads.Run((long)count * _keyTiles, grain, KeyPass);
            threads.Run((long)count * _queryTiles, grain, QueryPass);
        }
    }

    private float* Packed(int pair, int copy) => _packed + (pair * (long)Copies + copy) * _copyWords;

    private (int Sample, int Head) Place(int pair) => ((_firstPair + pair) / _shape.Heads, (_firstPair + pair) % _shape.Heads);

    private void Prepare(long start, long end)
    {
        for (long i = start; i < end; i++)
        {
            int pair = (int)(i / (Copies + 1)), copy = (int)(i % (Copies + 1));
            (int sample, int head) = Place(pair);
            if (copy == Copies)
            {
                GradientDots(pair, sample, head);
                continue;
            }
            HeadRows source = copy switch { QueryKeys or QueryValues => _q, GradientKeys or GradientValues => _dOut, ValueKeys => _v, _ => _k };
            float* rows = source.At(sample, head, 0);
            if (copy is QueryValues or GradientValues or KeyValues)
            {
                HostAttentionTiles<TWidth, TVector>.PackValues(rows, source.Stride, source.Rows, _shape.HeadDim, Packed(pair, copy));
            }
            else { HostAttentionTiles<TWidth, TVector>.PackKeys(rows, source.Stride, source.Rows, _shape.HeadDim, Packed(pair, copy)); }
        }
    }

    /// <summary>D of every query of a head.</summary>
    private void GradientDots(int pair, int sample, int head)
    {
        for (int query = 0; query < _shape.Queries; query++)
        {
            float* x = _dOut.At(sample, head, query), y = _o.At(sample, head, query);
            TVector sum = TWidth.Broadcast(0);
            int i = 0;
            for (; i + TWidth.Count <= _shape.HeadDim; i += TWidth.Count) { sum = TWidth.MultiplyAdd(TWidth.Load(x + i), TWidth.Load(y + i), sum); }
            float dot = TWidth.Sum(sum);
            for (; i < _shape.HeadDim; i++) { dot += x[i] * y[i]; }
            _d[(long)pair * _shape.Queries + query] = dot;
        }
    }

    private void KeyPass(long start, long end)
    {
        for (long i = start; i < end; i++) { KeyTile((int)(i / _keyTiles), (int)(i % _keyTiles) * TileRows); }
    }

    private void QueryPass(long start, long end)
    {
        for (long i = start; i < end; i++) { QueryTile((int)(i / _queryTiles), (int)(i % _queryTiles) * TileRows); }
    }

    [SkipLocalsInit]
    private void KeyTile(int pair, int key)
    {
        const int RowWords = HostAttentionTiles<TWidth, TVector>.RowWords, ScoreWords = HostAttentionTiles<TWidth, TVector>.ScoreWords;
        float* memory = stackalloc float[4 * RowWords + 2 * ScoreWords + 2 * TileColumns + 16];
        float* keys = HostScratch.Align(memory), values = keys + RowWords, dk = values + RowWords, dv = dk + RowWords;
        float* p = dv + RowWords, dp = p + ScoreWords, lse = dp + ScoreWords, d = lse + TileColumns;
        (int sample, int head) = Place(pair);
        int rows = Math.Min(TileRows, _shape.Keys - key), headDim = _shape.HeadDim;
        HostAttentionTiles<TWidth, TVector>.PackTile(_k.At(sample, head, key), _k.Stride, rows, headDim, _shape.Scale, keys);
        HostAttentionTiles<TWidth, TVector>.PackTile(_v.At(sample, head, key), _v.Stride, rows, headDim, 1, values);
        for (int query = 0; query < _shape.Queries; query += TileColumns)
        {
            int columns = Math.Min(TileColumns, _shape.Queries - query);
            HostAttentionTiles<TWidth, TVector>.Scores(keys, Packed(pair, QueryKeys), rows, query, columns, headDim, p);
            HostAttentionTiles<TWidth, TVector>.Scores(values, Packed(pair, GradientKeys), rows, query, columns, headDim, dp);
            CopyColumns(_lse + (long)(_firstPair + pair) * _shape.Queries + query, columns, lse);
            CopyColumns(_d + (long)pair * _shape.Queries + query, columns, d);
            for (int r = 0; r < rows; r++) { ColumnDerivatives(p + r * ScoreRows.RowStride, dp + r * ScoreRows.RowStride, columns, lse, d); }
            HostAttentionTiles<TWidth, TVector>.AddProduct(p, Packed(pair, GradientValues), _shape.Queries, query, rows, columns, headDim, dv, query > 0);
            HostAttentionTiles<TWidth, TVector>.AddProduct(dp, Packed(pair, QueryValues), _shape.Queries, query, rows, columns, headDim, dk, query > 0);
        }
        StoreTile(dk, rows, _shape.Scale, _dk, sample, head, key);
        StoreTile(dv, rows, 1, _dv, sample, head, key);
    }

    [SkipLocalsInit]
    private void QueryTile(int pair, int query)
    {
        const int RowWords = HostAttentionTiles<TWidth, TVector>.RowWords, ScoreWords = HostAttentionTiles<TWidth, TVector>.ScoreWords;
        float* memory = stackalloc float[3 * RowWords + 2 * ScoreWords + 16];
        float* queries = HostScratch.Align(memory), gradients = queries + RowWords, dq = gradients + RowWords, p = dq + RowWords, dp = p + ScoreWords;
        (int sample, int head) = Place(pair);
        int rows = Math.Min(TileRows, _shape.Queries - query), headDim = _shape.HeadDim;
        float* lse = _lse + (long)(_firstPair + pair) * _shape.Queries + query, d = _d + (long)pair * _shape.Queries + query;
        HostAttentionTiles<TWidth, TVector>.PackTile(_q.At(sample, head, query), _q.Stride, rows, headDim, _shape.Scale, queries);
        HostAttentionTiles<TWidth, TVector>.PackTile(_dOut.At(sample, head, query), _dOut.Stride, rows, headDim, 1, gradients);
        for (int key = 0; key < _shape.Keys; key += TileColumns)
        {
            int columns = Math.Min(TileColumns, _shape.Keys - key);
            HostAttentionTiles<TWidth, TVector>.Scores(queries, Packed(pair, KeyKeys), rows, key, columns, headDim, p);
            HostAttentionTiles<TWidth, TVector>.Scores(gradients, Packed(pair, ValueKeys), rows, key, columns, headDim, dp);
            for (int r = 0; r < rows; r++) { RowDerivatives(p + r * ScoreRows.RowStride, dp + r * ScoreRows.RowStride, columns, lse[r], d[r]); }
            HostAttentionTiles<TWidth, TVector>.AddProduct(dp, Packed(pair, KeyValues), _shape.Keys, key, rows, columns, headDim, dq, key > 0);
        }
        StoreTile(dq, rows, _shape.Scale, _dq, sample, head, query);
    }

    private void StoreTile(float* sums, int rows, float factor, HeadRows destination, int sample, int head, int row)
    {
        int stride = HostAttentionTiles<TWidth, TVector>.SumStride(_shape.HeadDim);
        for (int r = 0; r < rows; r++) { HostAttentionTiles<TWidth, TVector>.StoreRow(sums + r * stride, _shape.HeadDim, factor, destination.At(sample, head, row + r)); }
    }

    /// <summary>Copies a value per column; columns that fill the last register become 0.</summary>
    private static void CopyColumns(float* source, int columns, float* destination)
    {
        var values = new Span<float>(destination, TileColumns);
        new ReadOnlySpan<float>(source, columns).CopyTo(values);
        values[columns..].Clear();
    }

    /// <summary>P and dS of a row whose columns are queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ColumnDerivatives(float* p, float* dp, int columns, float* lse, float* d)
    {
        for (int i = 0; i < columns; i += TWidth.Count)
        {
            TVector e = HostAttentionMath<TWidth, TVector>.Exp(TWidth.Subtract(TWidth.Load(p + i), TWidth.Load(lse + i)));
            TWidth.Store(p + i, e);
            TWidth.Store(dp + i, TWidth.Multiply(e, TWidth.Subtract(TWidth.Load(dp + i), TWidth.Load(d + i))));
        }
    }

    /// <summary>dS of a row that is a query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RowDerivatives(float* p, float* dp, int columns, float lse, float d)
    {
        TVector lses = TWidth.Broadcast(lse), ds = TWidth.Broadcast(d);
        for (int i = 0; i < columns; i += TWidth.Count)
        {
            TVector e = HostAttentionMath<TWidth, TVector>.Exp(TWidth.Subtract(TWidth.Load(p + i), lses));
            TWidth.Store(dp + i, TWidth.Multiply(e, TWidth.Subtract(TWidth.Load(dp + i), ds)));
        }
    }
}
