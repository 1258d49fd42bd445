using System.Runtime.ExceptionServices;

namespace I2M.Kernels.Host;

/// <summary>
/// The one parallel loop of the host backend. Work is cut into chunks of a fixed size that does not depend on the number of threads;
/// threads take chunks from a counter, so the result does not depend on who computes what.
/// </summary>
internal sealed class ForRows : IDisposable
{
    /// <summary>Spins (about 0.3 µs each) before a waiting thread sleeps: longer than the gap between two operations of a step, too short to starve other programs.</summary>
    private const int SpinsBeforeSleep = 150;

    private readonly Thread[] _workers;
    private readonly Lock _caller = new();
    private readonly object _wake = new();
    private Action<long, long>? _body;
    private long _rows, _grain, _next, _chunks;
    private int _generation, _running, _sleeping;
    private bool _stopping;
    private Exception? _failure;
    [ThreadStatic] private static bool s_inside;

    public int Threads => _workers.Length + 1;

    public ForRows(int threads)
    {
        _workers = new Thread[threads - 1];
        for (int i = 0; i < _workers.Length; i++)
        {
            _workers[i] = new Thread(Work) { IsBackground = true, Name = $"i2m-worker-{i + 1}" };
            _workers[i].Start();
        }
    }

    /// <summary>
    /// Calls body(start, end) for consecutive ranges of at most <paramref name="grain"/> rows that cover [0, rows), in parallel.
    /// A call from inside a body, or while another thread uses the workers, runs on the caller alone.
    /// </summary>
    public void Run(long rows, long grain, Action<long, long> body)
    {
        if (rows <= 0) { return; }
        grain = Math.Max(1, grain);
        if (rows <= grain || _workers.Length == 0 || s_inside || !_caller.TryEnter())
        {
            for (long start = 0; start < rows; start += grain) { body(start, Math.Min(rows, start + grain)); }
            return;
        }
        try
        {
            Start(rows, grain, body);
            s_inside = true;
            TakeChunks();
            s_inside = false;
            var spin = new SpinWait();
            while (Volatile.Read(ref _running) > 0) { spin.SpinOnce(sleep1Threshold: -1); }
            _body = null;
            if (_failure is { } failure)
            {
                _failure = null;
                ExceptionDispatchInfo.Throw(failure);
            }
        }
        finally
        {
            s_inside = false;
            _caller.Exit();
        }
    }

    public void Dispose()
    {
        _stopping = true;
        NextGeneration();
        foreach (var worker in _workers) { worker.Join(); }
    }

    private void Start(long rows, long grain, Action<long, long> body)
    {
        _body = body;
        _rows = rows;
        _grain = grain;
        _chunks = (rows + grain - 1) / grain;
        _next = 0;
        Volatile.Write(ref _running, _workers.Length);
        NextGeneration();
    }

    /// <summary>Both sides write their own word and then read the other's with a full fence between, so either the caller sees the sleeper or the sleeper the new generation.</summary>
    private void NextGeneration()
    {
        Interlocked.Increment(ref _generation);
        if (Volatile.Read(ref _sleeping) > 0)
        {
            lock (_wake) { Monitor.PulseAll(_wake); }
        }
    }

    private void Work()
    {
        s_inside = true;
        for (int seen = 0; ; seen++)
        {
            for (int spins = 0; Volatile.Read(ref _generation) == seen && spins < SpinsBeforeSleep; spins++) { Thread.SpinWait(10); }
            if (Volatile.Read(ref _generation) == seen) { Sleep(seen); }
            if (_stopping) { return; }
            TakeChunks();
            Interlocked.Decrement(ref _running);
        }
    }

    private void Sleep(int seen)
    {
        lock (_wake)
        {
            Interlocked.Increment(ref _sleeping);
            while (Volatile.Read(ref _generation) == seen) { Monitor.Wait(_wake); }
            Interlocked.Decrement(ref _sleeping);
        }
    }

    private void TakeChunks()
    {
        try
        {
            for (long chunk = Interlocked.Increment(ref _next) - 1; chunk < _chunks; chunk = Interlocked.Increment(ref _next) - 1)
            {
                long start = chunk * _grain;
                _body!(start, Math.Min(_rows, start + _grain));
            }
        }
        catch (Exception e)
        {
            _failure = e;
        }
    }
}
