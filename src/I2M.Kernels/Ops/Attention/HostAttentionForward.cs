using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

/// <summary>
/// Forward attention. Keys and values of a head are packed once; then each tile of queries passes over all key tiles by itself with the
/// running maximum m, sum l and output sums O of every row:
/// m' = max(m, max s), l' = l·e^(m−m') + Σ e^(s−m'), O' = O·e^(m−m') + e^(s−m')·v; finally o = O / l and lse = m + log l.
/// </summary>
internal sealed unsafe class HostAttentionForward<TWidth, TVector>
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    private const int TileRows = HostAttentionTiles<TWidth, TVector>.TileRows;
    private const int TileColumns = HostAttentionTiles<TWidth, TVector>.TileColumns;
    private const long ScratchWords = 8 << 20;
    /// <summary>Multiply-adds that are worth waking a thread.</summary>
    private const long ParallelWork = 1 << 17;

    private readonly AttentionShape _shape;
    private readonly HeadRows _q, _k, _v, _o;
    private readonly float* _lse;
    private readonly long _packedWords;
    private readonly int _tiles;
    private float* _packed;
    private int _firstPair;

    public HostAttentionForward(float* q, float* k, float* v, in AttentionShape s, float* o, float* lse)
    {
        _shape = s;
        _q = new HeadRows(q, s.Queries, s.StrideQ, s.HeadDim);
        _k = new HeadRows(k, s.Keys, s.StrideK, s.HeadDim);
        _v = new HeadRows(v, s.Keys, s.StrideV, s.HeadDim);
        _o = new HeadRows(o, s.Queries, s.StrideO, s.HeadDim);
        _lse = lse;
        _packedWords = HostAttentionTiles<TWidth, TVector>.PackedWords(s.Keys, s.HeadDim);
        _tiles = (s.Queries + TileRows - 1) / TileRows;
    }

    public void Run(ForRows threads, BufferPool pool)
    {
        int pairs = _shape.Batch * _shape.Heads, group = (int)Math.Clamp(ScratchWords / (2 * _packedWords), 1, pairs);
        using var scope = new BufferScope(pool);
        _packed = HostBackend.Pointer(scope.Rent(2 * _packedWords * group));
        long packWork = (long)_shape.Keys * _shape.HeadDim, tileWork = 2L * Math.Min(TileRows, _shape.Queries) * packWork;
        for (_firstPair = 0; _firstPair < pairs; _firstPair += group)
        {
            int count = Math.Min(group, pairs - _firstPair);
            threads.Run(2L * count, Math.Max(1, ParallelWork / (8 * packWork)), Pack);
            threads.Run((long)count * _tiles, Math.Max(1, ParallelWork / tileWork), Tiles);
        }
    }

    private float* Keys(int pair) => _packed + 2 * _packedWords * pair;

    private float* Values(int pair) => Keys(pair) + _packedWords;

    private void Pack(long start, long end)
    {
        for (long i = start; i < end; i++)
        {
            int pair = (int)(i / 2), sample = (_firstPair + pair) / _shape.Heads, head = (_firstPair + pair) % _shape.Heads;
            if (i % 2 == 0) { HostAttentionTiles<TWidth, TVector>.PackKeys(_k.At(sample, head, 0), _k.Stride, _k.Rows, _shape.HeadDim, Keys(pair)); }
            else { HostAttentionTiles<TWidth, TVector>.PackValues(_v.At(sample, head, 0), _v.Stride, _v.Rows, _shape.HeadDim, Values(pair)); }
        }
    }

    private void Tiles(long start, long end)
    {
        for (long i = start; i < end; i++) { Tile((int)(i / _tiles), (int)(i % _tiles) * TileRows); }
    }

    [SkipLocalsInit]
    private void Tile(int pair, int query)
    {
        const int RowWords = HostAttentionTiles<TWidth, TVector>.RowWords;
        float* memory = stackalloc float[2 * RowWords + HostAttentionTiles<TWidth, TVector>.ScoreWords + 2 * TileRows + 16];
        float* left = HostScratch.Align(memory), sums = left + RowWords, scores = sums + RowWords;
        float* maximum = scores + HostAttentionTiles<TWidth, TVector>.ScoreWords, total = maximum + TileRows;
        int sample = (_firstPair + pair) / _shape.Heads, head = (_firstPair + pair) % _shape.Heads;
        int rows = Math.Min(TileRows, _shape.Queries - query), headDim = _shape.HeadDim;
        HostAttentionTiles<TWidth, TVector>.PackTile(_q.At(sample, head, query), _q.Stride, rows, headDim, _shape.Scale, left);
        for (int r = 0; r < rows; r++) { (maximum[r], total[r]) = (float.NegativeInfinity, 0); }
        for (int key = 0; key < _shape.Keys; key += TileColumns)
        {
            int columns = Math.Min(TileColumns, _shape.Keys - key);
            HostAttentionTiles<TWidth, TVector>.Scores(left, Keys(pair), rows, key, columns, headDim, scores);
            Softmax(scores, rows, columns, maximum, total, sums, key == 0);
            HostAttentionTiles<TWidth, TVector>.AddProduct(scores, Values(pair), _shape.Keys, key, rows, columns, headDim, sums, key > 0);
        }
        int stride = HostAttentionTiles<TWidth, TVector>.SumStride(headDim);
        float* lse = _lse + (long)(_firstPair + pair) * _shape.Queries + query;
        for (int r = 0; r < rows; r++)
        {
            HostAttentionTiles<TWidth, TVector>.StoreRow(sums + r * stride, headDim, 1 / total[r], _o.At(sample, head, query + r));
            lse[r] = maximum[r] + MathF.Log(total[r]);
        }
    }

    private void Softmax(float* scores, int rows, int columns, float* maximum, float* total, float* sums, bool first)
    {
        int stride = HostAttentionTiles<TWidth, TVector>.SumStride(_shape.HeadDim);
        for (int r = 0; r < rows; r++)
        {
            float before = maximum[r];
            float sum = ExpRow(scores + r * ScoreRows.RowStride, columns, ref maximum[r]);
            if (maximum[r] == before)
            {
                total[r] += sum;
                continue;
            }
            float factor = MathF.Exp(before - maximum[r]);
            total[r] = total[r] * factor + sum;
            if (!first) { HostAttentionTiles<TWidth, TVector>.Scale(sums + r * stride, stride, factor); }
        }
    }

    /// <summary>Replaces a row of scores by e^(score − maximum) with the maximum over this row and the ones before; returns their sum. Columns that fill the last register become about 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float ExpRow(float* row, int columns, ref float maximum)
    {
        int width = (columns + TWidth.Count - 1) / TWidth.Count * TWidth.Count;
        for (int i = columns; i < width; i++) { row[i] = float.NegativeInfinity; }
        TVector largest = TWidth.Broadcast(maximum);
        for (int i = 0; i < width; i += TWidth.Count) { largest = TWidth.Max(largest, TWidth.Load(row + i)); }
        maximum = TWidth.Largest(largest);
        TVector shift = TWidth.Broadcast(maximum), sum = TWidth.Broadcast(0);
        for (int i = 0; i < width; i += TWidth.Count)
        {
            TVector e = HostAttentionMath<TWidth, TVector>.Exp(TWidth.Subtract(TWidth.Load(row + i), shift));
            TWidth.Store(row + i, e);
            sum = TWidth.Add(sum, e);
        }
        return TWidth.Sum(sum);
    }
}
