namespace I2M.Kernels;

/// <summary>
/// Memory of a job that repeats, such as a training step. Between <see cref="Begin"/> and the end of what it returns, requests are served from here first, and what
/// the pool has to add stays here. A job that makes the same requests in the same order and gives everything back gets the same addresses every time, which a
/// replayed recording of it relies on; nobody else is given them meanwhile.
/// </summary>
public sealed class BufferReserve : IDisposable
{
    private readonly BufferPool _pool;

    internal BufferReserve(BufferPool pool) => _pool = pool;

    internal FreeBuffers Free { get; } = new();

    /// <summary>True keeps <see cref="BufferPool.Trim"/> away: recorded work names these addresses.</summary>
    public bool IsPinned { get; set; }

    /// <summary>Serves requests until the end of the <c>using</c>. Uses may lie inside each other.</summary>
    public Use Begin()
    {
        Free.Sort();
        return new Use(_pool, _pool.Enter(this));
    }

    /// <summary>Gives the memory to the whole pool.</summary>
    public void Dispose() => _pool.Dissolve(this);

    /// <summary>The time in which a reserve serves requests.</summary>
    public readonly ref struct Use
    {
        private readonly BufferPool _pool;
        private readonly BufferReserve? _before;

        internal Use(BufferPool pool, BufferReserve? before) => (_pool, _before) = (pool, before);

        /// <summary>Makes whoever did so before serve requests again.</summary>
        public void Dispose() => _pool.Enter(_before);
    }
}
