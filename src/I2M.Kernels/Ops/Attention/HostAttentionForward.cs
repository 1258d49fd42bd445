using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

/// <summary>
/// Forward attention. Keys and values of a head are packed once; then each tile of queries passes over all key tiles with the running
/// maximum m, sum l and output sums O of every query:
/// m' = max(m, max s), l' = l·e^(m−m') + Σ e^(s−m'), O' = O·e^(m−m') + e^(s−m')·v; finally o = O / l and lse = m + log l.
/// </summary>
internal sealed unsafe class HostAttentionForward<TWidth, TVector> : HostAttentionHeads
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    private const int TileQueries = HostAttentionTiles<TWidth, TVector>.Queries, TileKeys = 96;

    private readonly HeadRows _q, _k, _v, _o;
    private readonly float* _lse;
    private readonly int _keyWords, _valueWords;

    /// <summary>The logits' factor without its sign, times log2 e; the sign goes into the packed keys, so that the largest score is the largest logit.</summary>
    private readonly float _factor, _sign;

    public HostAttentionForward(float* q, float* k, float* v, in AttentionShape s, float* o, float* lse)
        : base(s)
    {
        _q = new HeadRows(q, s.Queries, s.StrideQ, s.HeadDim);
        _k = new HeadRows(k, s.Keys, s.StrideK, s.HeadDim);
        _v = new HeadRows(v, s.Keys, s.StrideV, s.HeadDim);
        _o = new HeadRows(o, s.Queries, s.StrideO, s.HeadDim);
        _lse = lse;
        _keyWords = TileKeys * s.HeadDim;
        _valueWords = TileKeys * HostAttentionTiles<TWidth, TVector>.SumStride(s.HeadDim);
        _sign = s.Scale < 0 ? -1 : 1;
        _factor = Math.Abs(s.Scale) * HostAttentionMath<TWidth, TVector>.Log2E;
    }

    protected override long ScratchWords => (long)PackTiles * (_keyWords + _valueWords);

    protected override int PackTiles => (Shape.Keys + TileKeys - 1) / TileKeys;

    protected override int Tiles => (Shape.Queries + TileQueries - 1) / TileQueries;

    protected override void Pack(int sample, int head, float* scratch, int tile)
    {
        int key = tile * TileKeys, keys = Math.Min(TileKeys, Shape.Keys - key);
        float* packed = scratch + (long)tile * (_keyWords + _valueWords);
        HostAttentionTiles<TWidth, TVector>.PackLeft(_k.At(sample, head, key), _k.Stride, keys, Shape.HeadDim, _sign, packed);
        HostAttentionTiles<TWidth, TVector>.PackRight(_v.At(sample, head, key), _v.Stride, keys, Shape.HeadDim, packed + _keyWords);
    }

    [SkipLocalsInit]
    protected override void Compute(int sample, int head, float* scratch, int tile)
    {
        float* memory = stackalloc float[2 * TileQueries * AttentionShape.MostHeadDim + TileKeys * KeyRows.Words + 3 * TileQueries + 16];
        float* right = HostScratch.Align(memory), sums = right + TileQueries * AttentionShape.MostHeadDim, scores = sums + TileQueries * AttentionShape.MostHeadDim;
        float* maximum = scores + TileKeys * KeyRows.Words, total = maximum + TileQueries, rescale = total + TileQueries;
        int query = tile * TileQueries, queries = Math.Min(TileQueries, Shape.Queries - query), headDim = Shape.HeadDim;
        HostAttentionTiles<TWidth, TVector>.PackTransposed(_q.At(sample, head, query), _q.Stride, queries, headDim, right);
        new Span<float>(maximum, TileQueries).Fill(float.MinValue);
        new Span<float>(total, TileQueries).Clear();
        for (int key = 0; key < Shape.Keys; key += TileKeys, scratch += _keyWords + _valueWords)
        {
            int keys = Math.Min(TileKeys, Shape.Keys - key);
            HostAttentionTiles<TWidth, TVector>.Scores(scratch, right, keys, queries, headDim, scores);
            for (int i = 0; i < queries; i += TWidth.Count) { Softmax(scores + i, keys, _factor, maximum + i, total + i, rescale + i); }
            if (key > 0) { Rescale(sums, rescale, queries, headDim); }
            HostAttentionTiles<TWidth, TVector>.AddProduct<QueryRows>(scores, scratch + _keyWords, queries, keys, headDim, sums, key > 0);
        }
        Finish(sums, maximum, total, sample, head, query, queries);
    }

    private void Finish(float* sums, float* maximum, float* total, int sample, int head, int query, int queries)
    {
        int stride = HostAttentionTiles<TWidth, TVector>.SumStride(Shape.HeadDim);
        float* lse = _lse + ((long)sample * Shape.Heads + head) * Shape.Queries + query;
        for (int r = 0; r < queries; r++)
        {
            HostAttentionTiles<TWidth, TVector>.StoreRow(sums + r * stride, Shape.HeadDim, 1 / total[r], _o.At(sample, head, query + r));
        }
        ElementwiseDrivers.Apply(new LogSum(Math.Abs(Shape.Scale)), maximum, total, lse, queries);
    }

    /// <summary>scale·m + log l.</summary>
    private readonly struct LogSum(float scale) : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V maximum, V total) where V : struct, ILanes<V> => V.MulAdd(V.All(scale), maximum, VectorMath.Log(total));
    }

    /// <summary>Multiplies the sums of every query whose maximum grew by e^(m−m').</summary>
    private static void Rescale(float* sums, float* factor, int queries, int headDim)
    {
        int stride = HostAttentionTiles<TWidth, TVector>.SumStride(headDim);
        for (int r = 0; r < queries; r++)
        {
            if (factor[r] != 1) { HostAttentionTiles<TWidth, TVector>.Scale(sums + r * stride, headDim, factor[r]); }
        }
    }

    /// <summary>
    /// Replaces a register's width of queries in a tile of scores s by e^(factor·s − m) with the running maximum m, adds them to the
    /// running sum and leaves e^(m−m') in <paramref name="rescale"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Softmax(float* scores, int keys, float factor, float* maximum, float* total, float* rescale)
    {
        TVector before = TWidth.Load(maximum), largest = Largest(scores, keys, before), factors = TWidth.Broadcast(factor);
        TVector shift = TWidth.Multiply(TWidth.Multiply(largest, factors), TWidth.Broadcast(-1f));
        TVector sum = TWidth.Broadcast(0);
        for (int key = 0; key < keys; key++, scores += KeyRows.Words)
        {
            TVector e = HostAttentionMath<TWidth, TVector>.Exp2(TWidth.MultiplyAdd(TWidth.Load(scores), factors, shift));
            TWidth.Store(scores, e);
            sum = TWidth.Add(sum, e);
        }
        // The difference first: it is exactly 0 where the maximum stays.
        TVector grown = HostAttentionMath<TWidth, TVector>.Exp2(TWidth.Multiply(TWidth.Subtract(before, largest), factors));
        TWidth.Store(rescale, grown);
        TWidth.Store(total, TWidth.MultiplyAdd(TWidth.Load(total), grown, sum));
        TWidth.Store(maximum, largest);
    }

    /// <summary>The largest score per query: four chains, because one would wait for every comparison.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Largest(float* scores, int keys, TVector before)
    {
        TVector a = before, b = before, c = before, d = before;
        int key = 0;
        for (; key + 4 <= keys; key += 4, scores += 4 * KeyRows.Words)
        {
            a = TWidth.Max(a, TWidth.Load(scores));
            b = TWidth.Max(b, TWidth.Load(scores + KeyRows.Words));
            c = TWidth.Max(c, TWidth.Load(scores + 2 * KeyRows.Words));
            d = TWidth.Max(d, TWidth.Load(scores + 3 * KeyRows.Words));
        }
        for (; key < keys; key++, scores += KeyRows.Words) { a = TWidth.Max(a, TWidth.Load(scores)); }
        return TWidth.Max(TWidth.Max(a, b), TWidth.Max(c, d));
    }
}
