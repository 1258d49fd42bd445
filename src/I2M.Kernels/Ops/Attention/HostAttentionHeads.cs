namespace I2M.Kernels.Host;

/// <summary>
/// Who computes what in attention. As long as there is a head for every thread, a thread takes a whole head: it packs the operands into
/// its own scratch, where they stay in its cache, and passes over all tiles. The heads that remain, fewer than threads, are packed and
/// then computed tile by tile by all threads together. A tile's arithmetic is the same in both cases.
/// </summary>
internal abstract unsafe class HostAttentionHeads(in AttentionShape shape)
{
    /// <summary>Multiply-adds that are worth waking a thread.</summary>
    private const long ParallelWork = 1 << 17;

    protected readonly AttentionShape Shape = shape;
    private float* _scratch;
    private int _pairs, _whole, _nextPair;

    /// <summary>Scratch of one head: starts on a cache line.</summary>
    protected abstract long ScratchWords { get; }

    /// <summary>Parts in which a head's operands are packed, in any order.</summary>
    protected abstract int PackTiles { get; }

    /// <summary>Tiles of a head. A tile may wait for the tile before it.</summary>
    protected abstract int Tiles { get; }

    protected abstract void Pack(int sample, int head, float* scratch, int tile);

    protected abstract void Compute(int sample, int head, float* scratch, int tile);

    public void Run(ForRows threads, BufferPool pool)
    {
        _pairs = Shape.Batch * Shape.Heads;
        int team = (int)Math.Clamp((long)(Shape.Flops / (2 * ParallelWork)), 1, threads.Threads);
        _whole = _pairs - _pairs % team;
        using var scope = new BufferScope(pool);
        _scratch = HostBackend.Pointer(scope.Rent(ScratchWords * Math.Min(team, _pairs)));
        if (_whole > 0) { threads.Run(team, 1, WholeHeads); }
        if (_whole == _pairs) { return; }
        threads.Run((long)(_pairs - _whole) * PackTiles, 1, PackRest);
        threads.Run((long)(_pairs - _whole) * Tiles, 1, ComputeRest);
    }

    /// <summary>Takes one head after the other into scratch number <paramref name="start"/>.</summary>
    private void WholeHeads(long start, long end)
    {
        for (int pair = Interlocked.Increment(ref _nextPair) - 1; pair < _whole; pair = Interlocked.Increment(ref _nextPair) - 1)
        {
            for (int tile = 0; tile < PackTiles; tile++) { Pack(pair / Shape.Heads, pair % Shape.Heads, Scratch(start), tile); }
            for (int tile = 0; tile < Tiles; tile++) { Compute(pair / Shape.Heads, pair % Shape.Heads, Scratch(start), tile); }
        }
    }

    private void PackRest(long start, long end)
    {
        long rest = _pairs - _whole;
        for (long i = start; i < end; i++)
        {
            int pair = _whole + (int)(i % rest);
            Pack(pair / Shape.Heads, pair % Shape.Heads, Scratch(i % rest), (int)(i / rest));
        }
    }

    /// <summary>Tiles in rising order with the heads inside: a tile that is waited for has always been taken before.</summary>
    private void ComputeRest(long start, long end)
    {
        long rest = _pairs - _whole;
        for (long i = start; i < end; i++)
        {
            int pair = _whole + (int)(i % rest);
            Compute(pair / Shape.Heads, pair % Shape.Heads, Scratch(i % rest), (int)(i / rest));
        }
    }

    private float* Scratch(long slot) => _scratch + slot * ScratchWords;
}
