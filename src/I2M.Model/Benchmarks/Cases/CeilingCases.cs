using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>Multiplications in registers: what mma.sync (or float32 multiply-adds) reach when nothing has to be loaded. Verified with few rounds.</summary>
public sealed class CeilingCase : BenchmarkCase
{
    private readonly MultiplyLoop _loop;
    private readonly int _rounds;

    /// <param name="backend">A GPU backend that has this loop.</param>
    /// <param name="arithmetic">Which.</param>
    /// <param name="rounds">Length of a run.</param>
    public CeilingCase(IBackend backend, Arithmetic arithmetic, int rounds) : base(backend)
    {
        if (backend is not IDeviceProbe probe || !probe.CanLoop(arithmetic)) { throw new I2MException($"{backend.Name} has no register loop in {arithmetic}"); }
        (_loop, _rounds) = (new MultiplyLoop(backend, probe, arithmetic), rounds);
        Work = new BenchmarkWork(BenchmarkBound.Compute, _loop.Queue(1) * rounds, 0) { Arithmetic = arithmetic };
    }

    /// <inheritdoc/>
    public override void Queue() => _loop.Queue(_rounds);

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel) => _loop.Verify();

    /// <inheritdoc/>
    public override void Dispose()
    {
        _loop.Dispose();
        base.Dispose();
    }
}

/// <summary>The device's copy, read and written bytes counted. Verified on its first and last part.</summary>
public sealed class CopyCase : BenchmarkCase
{
    private const int Checked = 4096;
    private readonly BufferView _source, _destination;

    /// <param name="backend">Where.</param>
    /// <param name="words">Length.</param>
    public CopyCase(IBackend backend, long words) : base(backend)
    {
        (_source, _destination) = (RentNormal(words, 1), Rent(words));
        Work = new BenchmarkWork(BenchmarkBound.Memory, 0, 8.0 * words);
    }

    /// <inheritdoc/>
    public override void Queue() => Backend.Copy(_source, _destination);

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        Spoil(_destination);
        Run();
        long length = Math.Min(Checked, _source.Length);
        double worst = 0;
        foreach (long first in new[] { 0, _source.Length - length })
        {
            worst = Math.Max(worst, Verification.Check("copy", Read(_destination.Slice(first, length)), DoubleMath.Widen(Read(_source.Slice(first, length))), 1e-12, i => $"{first + i}"));
        }
        return worst;
    }
}

/// <summary>A thousand launches of a kernel that does nothing, one by one or as one replay of a recorded graph: its milliseconds are microseconds a launch.</summary>
public sealed class LaunchCase : BenchmarkCase
{
    private const int Launches = 1000;
    private readonly IDeviceProbe _probe;
    private readonly BufferReserve? _memory;
    private readonly RecordedWork? _recorded;

    /// <param name="backend">A GPU backend.</param>
    /// <param name="replayed">Whether the launches are recorded once and replayed together.</param>
    public LaunchCase(IBackend backend, bool replayed = false) : base(backend)
    {
        _probe = backend as IDeviceProbe ?? throw new I2MException($"{backend.Name} launches no kernels");
        Work = new BenchmarkWork(BenchmarkBound.Launch, 0, 0);
        if (!replayed) { return; }
        if (backend is not IWorkRecorder { CanRecord: true } recorder) { throw new I2MException($"{backend.Name} records no work"); }
        _probe.LaunchEmpty();
        _memory = backend.Pool.CreateReserve();
        try { _recorded = recorder.Record(_memory, LaunchAll); }
        catch
        {
            _memory.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Queue()
    {
        if (_recorded is null) { LaunchAll(); }
        else { _recorded.Replay(); }
    }

    /// <summary>There is no result: launching must not fail.</summary>
    public override double Verify(CancellationToken cancel)
    {
        Run();
        return 0;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _recorded?.Dispose();
        _memory?.Dispose();
        base.Dispose();
    }

    private void LaunchAll()
    {
        for (int i = 0; i < Launches; i++) { _probe.LaunchEmpty(); }
    }
}
