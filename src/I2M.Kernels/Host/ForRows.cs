using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace I2M.Kernels.Host;

/// <summary>
/// The one parallel loop of the host backend. Work is cut into chunks of a fixed size that does not depend on the number of threads;
/// threads take chunks from a counter, so the result does not depend on who computes what.
/// <para>A loop is a gate that the caller opens and closes. A worker that comes while the gate is open is counted and takes chunks; the
/// caller takes chunks until none is left, closes the gate and waits only for those that came in. A worker that sleeps, or whose
/// processor another program has, comes too late for the loop and holds nobody up.</para>
/// </summary>
internal sealed class ForRows : IDisposable
{
    /// <summary>Looks (about 0.1 µs each) before a worker without work sleeps: longer than the gaps within a training step, too short to starve other programs.</summary>
    private const int LooksBeforeSleep = 1500;

    /// <summary>Looks before the caller, who waits for the last chunks of others, lets other threads have its processor between two looks.</summary>
    private const int LooksBeforeYield = 500;

    private const int SpinsPerLook = 4;

    private readonly Thread[] _workers;
    private readonly Lock _caller = new();
    private readonly object _wake = new();
    private Action<long, long>? _body;
    private long _rows, _grain, _chunks;
    private volatile bool _stopping;
    private readonly bool _idle;
    private Exception? _failure;
    private Counters _counters;
    [ThreadStatic] private static bool s_inside;

    /// <summary>What several threads write, each on cache lines of its own (processors fetch lines in pairs), apart from what all only read.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 5 * LinePair)]
    private struct Counters
    {
        private const int LinePair = 128;

        /// <summary>Odd while a loop is open; two more with every loop.</summary>
        [FieldOffset(LinePair)] public long Gate;

        /// <summary>The next chunk.</summary>
        [FieldOffset(2 * LinePair)] public long Next;

        /// <summary>Workers between their look at the gate and the end of their last chunk.</summary>
        [FieldOffset(3 * LinePair)] public int Inside;

        [FieldOffset(4 * LinePair)] public int Sleeping;
    }

    public int Threads { get; }

    /// <param name="threads">Threads, the caller included.</param>
    /// <param name="idle">True for loops that are left out: nothing is computed.</param>
    public ForRows(int threads, bool idle = false)
    {
        (Threads, _idle) = (threads, idle);
        _workers = new Thread[idle ? 0 : threads - 1];
        for (int i = 0; i < _workers.Length; i++)
        {
            _workers[i] = new Thread(Work) { IsBackground = true, Name = $"i2m-worker-{i + 1}" };
            _workers[i].Start();
        }
    }

    /// <summary>
    /// Calls body(start, end) for consecutive ranges of at most <paramref name="grain"/> rows that cover [0, rows), in parallel.
    /// A call from inside a body, or while another thread uses the workers, runs on the caller alone. An exception of a body reaches the
    /// caller after everybody has stopped; the rest of the chunks may be left out then.
    /// </summary>
    public void Run(long rows, long grain, Action<long, long> body)
    {
        if (rows <= 0 || _idle) { return; }
        grain = Math.Max(1, grain);
        if (rows <= grain || _workers.Length == 0 || s_inside || !_caller.TryEnter())
        {
            for (long start = 0; start < rows; start += grain) { body(start, Math.Min(rows, start + grain)); }
            return;
        }
        Exception? failure;
        try
        {
            s_inside = true;
            (_body, _rows, _grain, _chunks, _counters.Next) = (body, rows, grain, (rows + grain - 1) / grain, 0);
            Open();
            TakeChunks();
            Close();
            (failure, _failure, _body) = (_failure, null, null);
        }
        finally
        {
            s_inside = false;
            _caller.Exit();
        }
        if (failure is not null) { ExceptionDispatchInfo.Throw(failure); }
    }

    public void Dispose()
    {
        _stopping = true;
        lock (_wake) { Monitor.PulseAll(_wake); }
        foreach (var worker in _workers) { worker.Join(); }
    }

    /// <summary>
    /// Both sides write their own word and then read the other's with a full fence between, so either the caller sees the sleeper or the
    /// sleeper the open gate. Sleepers are woken only where the workers that are awake are too few for the chunks.
    /// </summary>
    private void Open()
    {
        Interlocked.Increment(ref _counters.Gate);
        int sleeping = Volatile.Read(ref _counters.Sleeping);
        long wanted = Math.Min(sleeping, _chunks - 1 - (_workers.Length - sleeping));
        if (wanted <= 0) { return; }
        lock (_wake)
        {
            for (long i = 0; i < wanted; i++) { Monitor.Pulse(_wake); }
        }
    }

    /// <summary>The same exchange as in <see cref="Open"/>: a worker that counts itself in either sees the closed gate, or is seen here and waited for.</summary>
    private void Close()
    {
        Interlocked.Increment(ref _counters.Gate);
        for (int looks = 0; Volatile.Read(ref _counters.Inside) > 0; looks++)
        {
            if (looks < LooksBeforeYield) { Thread.SpinWait(SpinsPerLook); }
            else { Thread.Yield(); }
        }
    }

    private void Work()
    {
        s_inside = true;
        long seen = 0;
        while (WaitForLoop(ref seen))
        {
            if (Volatile.Read(ref _counters.Next) >= Volatile.Read(ref _chunks)) { continue; }
            Interlocked.Increment(ref _counters.Inside);
            if (IsOpen(Volatile.Read(ref _counters.Gate))) { TakeChunks(); }
            Interlocked.Decrement(ref _counters.Inside);
        }
    }

    /// <summary>Waits for an open gate other than <paramref name="seen"/>, which it becomes; false at the end of everything.</summary>
    private bool WaitForLoop(ref long seen)
    {
        for (int looks = 0; !_stopping; looks++)
        {
            long gate = Volatile.Read(ref _counters.Gate);
            if (IsOpen(gate) && gate != seen)
            {
                seen = gate;
                return true;
            }
            if (looks < LooksBeforeSleep) { Thread.SpinWait(SpinsPerLook); }
            else
            {
                Sleep(seen);
                looks = 0;
            }
        }
        return false;
    }

    /// <summary>Sleeps until it is woken for a loop; that loop may be over by then, but the next is likely to come soon.</summary>
    private void Sleep(long seen)
    {
        lock (_wake)
        {
            Interlocked.Increment(ref _counters.Sleeping);
            long gate = Volatile.Read(ref _counters.Gate);
            if (!IsOpen(gate) || gate == seen)
            {
                while (Volatile.Read(ref _counters.Gate) == gate && !_stopping) { Monitor.Wait(_wake); }
            }
            Interlocked.Decrement(ref _counters.Sleeping);
        }
    }

    private static bool IsOpen(long gate) => (gate & 1) != 0;

    private void TakeChunks()
    {
        (Action<long, long> body, long rows, long grain, long chunks) = (_body!, _rows, _grain, _chunks);
        try
        {
            for (long chunk = Interlocked.Increment(ref _counters.Next) - 1; chunk < chunks; chunk = Interlocked.Increment(ref _counters.Next) - 1)
            {
                long start = chunk * grain;
                body(start, Math.Min(rows, start + grain));
            }
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
            Interlocked.Exchange(ref _counters.Next, chunks);
        }
    }
}
