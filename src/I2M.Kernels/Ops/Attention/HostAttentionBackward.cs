using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

/// <summary>
/// Backward attention by recomputation in five products, one pass of key tiles over all query tiles. With s = scale · k·qᵀ and
/// D = Σ_d do·o per query: P = e^(s − lse), dP = v·doᵀ, dS = P ∘ (dP − D); dv = P·do and dk = scale · dS·q grow in the key tile's own
/// sums, dq = scale · dSᵀ·k grows in the head's, query tile by query tile. Each of these adds its key tiles in rising order, whoever
/// computes them: a key tile waits until its predecessor has passed the query tile.
/// </summary>
internal sealed unsafe class HostAttentionBackward<TWidth, TVector> : HostAttentionHeads
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    private const int TileQueries = HostAttentionTiles<TWidth, TVector>.Queries, TileKeys = 48;
    private const int TileWords = TileKeys * AttentionShape.MostHeadDim, ScoreWords = TileKeys * KeyRows.Words;

    private readonly HeadRows _q, _k, _v, _o, _dOut, _dq, _dk, _dv;
    private readonly float* _lse;
    private readonly float _factor, _sign;
    private readonly int _transposedWords, _rightWords;

    public HostAttentionBackward(float* q, float* k, float* v, float* o, float* lse, float* dOut, in AttentionShape s, float* dq, float* dk, float* dv)
        : base(s)
    {
        _lse = lse;
        _q = new HeadRows(q, s.Queries, s.StrideQ, s.HeadDim);
        _k = new HeadRows(k, s.Keys, s.StrideK, s.HeadDim);
        _v = new HeadRows(v, s.Keys, s.StrideV, s.HeadDim);
        _o = new HeadRows(o, s.Queries, s.StrideO, s.HeadDim);
        _dOut = new HeadRows(dOut, s.Queries, s.StrideO, s.HeadDim);
        _dq = new HeadRows(dq, s.Queries, s.StrideQ, s.HeadDim);
        _dk = new HeadRows(dk, s.Keys, s.StrideK, s.HeadDim);
        _dv = new HeadRows(dv, s.Keys, s.StrideV, s.HeadDim);
        _sign = s.Scale < 0 ? -1 : 1;
        _factor = Math.Abs(s.Scale) * HostAttentionMath<TWidth, TVector>.Log2E;
        _transposedWords = TileQueries * s.HeadDim;
        _rightWords = TileQueries * HostAttentionTiles<TWidth, TVector>.SumStride(s.HeadDim);
    }

    protected override long ScratchWords => (long)PackTiles * QueryTile.Words(_transposedWords, _rightWords);

    protected override int PackTiles => (Shape.Queries + TileQueries - 1) / TileQueries;

    protected override int Tiles => (Shape.Keys + TileKeys - 1) / TileKeys;

    /// <summary>What a head's scratch holds for a tile of queries: q and do transposed and as right factors, the sums of dq, −lse·log2 e, D and the number of key tiles that have passed.</summary>
    private readonly struct QueryTile(float* memory, int transposedWords, int rightWords)
    {
        public static long Words(int transposedWords, int rightWords) => 2L * transposedWords + 3L * rightWords + 3 * TileQueries;

        public float* QueriesTransposed => memory;
        public float* GradientsTransposed => memory + transposedWords;
        public float* Queries => memory + 2 * transposedWords;
        public float* Gradients => Queries + rightWords;
        public float* Sums => Gradients + rightWords;
        public float* Shift => Sums + rightWords;
        public float* Dots => Shift + TileQueries;
        public ref int Passed => ref *(int*)(Dots + TileQueries);
    }

    private QueryTile Tile(float* scratch, int index) =>
        new(scratch + index * QueryTile.Words(_transposedWords, _rightWords), _transposedWords, _rightWords);

    protected override void Pack(int sample, int head, float* scratch, int tile)
    {
        int query = tile * TileQueries, queries = Math.Min(TileQueries, Shape.Queries - query), headDim = Shape.HeadDim;
        float* q = _q.At(sample, head, query), gradient = _dOut.At(sample, head, query), o = _o.At(sample, head, query);
        float* lse = _lse + ((long)sample * Shape.Heads + head) * Shape.Queries + query;
        QueryTile packed = Tile(scratch, tile);
        HostAttentionTiles<TWidth, TVector>.PackTransposed(q, _q.Stride, queries, headDim, packed.QueriesTransposed);
        HostAttentionTiles<TWidth, TVector>.PackTransposed(gradient, _dOut.Stride, queries, headDim, packed.GradientsTransposed);
        HostAttentionTiles<TWidth, TVector>.PackRight(q, _q.Stride, queries, headDim, packed.Queries);
        HostAttentionTiles<TWidth, TVector>.PackRight(gradient, _dOut.Stride, queries, headDim, packed.Gradients);
        new Span<float>(packed.Shift, 2 * TileQueries).Clear();
        for (int r = 0; r < queries; r++)
        {
            packed.Shift[r] = -HostAttentionMath<TWidth, TVector>.Log2E * lse[r];
            packed.Dots[r] = Dot(gradient + (long)r * _dOut.Stride, o + (long)r * _o.Stride, headDim);
        }
        packed.Passed = 0;
    }

    private static float Dot(float* x, float* y, int length)
    {
        TVector sum = TWidth.Broadcast(0);
        int i = 0;
        for (; i + TWidth.Count <= length; i += TWidth.Count) { sum = TWidth.MultiplyAdd(TWidth.Load(x + i), TWidth.Load(y + i), sum); }
        float dot = TWidth.Sum(sum);
        for (; i < length; i++) { dot += x[i] * y[i]; }
        return dot;
    }

    [SkipLocalsInit]
    protected override void Compute(int sample, int head, float* scratch, int tile)
    {
        float* memory = stackalloc float[5 * TileWords + 2 * ScoreWords + 16];
        float* keysLeft = HostScratch.Align(memory), valuesLeft = keysLeft + TileWords, keysRight = valuesLeft + TileWords;
        float* dk = keysRight + TileWords, dv = dk + TileWords, p = dv + TileWords, ds = p + ScoreWords;
        int key = tile * TileKeys, keys = Math.Min(TileKeys, Shape.Keys - key), headDim = Shape.HeadDim;
        HostAttentionTiles<TWidth, TVector>.PackLeft(_k.At(sample, head, key), _k.Stride, keys, headDim, _sign, keysLeft);
        HostAttentionTiles<TWidth, TVector>.PackLeft(_v.At(sample, head, key), _v.Stride, keys, headDim, 1, valuesLeft);
        HostAttentionTiles<TWidth, TVector>.PackRight(_k.At(sample, head, key), _k.Stride, keys, headDim, keysRight);
        for (int i = 0; i < PackTiles; i++)
        {
            QueryTile packed = Tile(scratch, i);
            int query = i * TileQueries, queries = Math.Min(TileQueries, Shape.Queries - query);
            HostAttentionTiles<TWidth, TVector>.Scores(keysLeft, packed.QueriesTransposed, keys, queries, headDim, p);
            HostAttentionTiles<TWidth, TVector>.Scores(valuesLeft, packed.GradientsTransposed, keys, queries, headDim, ds);
            for (int c = 0; c < queries; c += TWidth.Count) { Derivatives(p + c, ds + c, keys, _factor, packed.Shift + c, packed.Dots + c); }
            HostAttentionTiles<TWidth, TVector>.AddProduct<KeyRows>(p, packed.Gradients, keys, queries, headDim, dv, i > 0);
            HostAttentionTiles<TWidth, TVector>.AddProduct<KeyRows>(ds, packed.Queries, keys, queries, headDim, dk, i > 0);
            WaitFor(ref packed.Passed, tile);
            HostAttentionTiles<TWidth, TVector>.AddProduct<QueryRows>(ds, keysRight, queries, keys, headDim, packed.Sums, tile > 0);
            if (tile == Tiles - 1) { HostAttentionTiles<TWidth, TVector>.StoreRows(packed.Sums, queries, headDim, Shape.Scale, _dq.At(sample, head, query), _dq.Stride); }
            Volatile.Write(ref packed.Passed, tile + 1);
        }
        HostAttentionTiles<TWidth, TVector>.StoreRows(dk, keys, headDim, Shape.Scale, _dk.At(sample, head, key), _dk.Stride);
        HostAttentionTiles<TWidth, TVector>.StoreRows(dv, keys, headDim, 1, _dv.At(sample, head, key), _dv.Stride);
    }

    /// <summary>The tile before was taken before this one, so somebody computes it or has.</summary>
    private static void WaitFor(ref int passed, int tiles)
    {
        var spin = new SpinWait();
        while (Volatile.Read(ref passed) != tiles) { spin.SpinOnce(sleep1Threshold: -1); }
    }

    /// <summary>P and dS in the place of scores and dP, for a register's width of queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Derivatives(float* p, float* ds, int keys, float factor, float* shift, float* dots)
    {
        TVector factors = TWidth.Broadcast(factor), shifts = TWidth.Load(shift), d = TWidth.Load(dots);
        for (int key = 0; key < keys; key++, p += KeyRows.Words, ds += KeyRows.Words)
        {
            TVector e = HostAttentionMath<TWidth, TVector>.Exp2(TWidth.MultiplyAdd(TWidth.Load(p), factors, shifts));
            TWidth.Store(p, e);
            TWidth.Store(ds, TWidth.Multiply(e, TWidth.Subtract(TWidth.Load(ds), d)));
        }
    }
}
