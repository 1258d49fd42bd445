using System.Diagnostics;
using I2M.Kernels;
using I2M.Kernels.Observation;

namespace I2M.Model.Profiling;

/// <summary>One timed call.</summary>
/// <param name="Key">Operation and sizes.</param>
/// <param name="Flops">Useful operations.</param>
/// <param name="Bytes">Bytes of the operands.</param>
/// <param name="Start">Seconds from the beginning of the profile.</param>
/// <param name="Seconds">How long.</param>
/// <param name="Step">Number of the step, from 0.</param>
public readonly record struct ProfiledCall(OperationKey Key, double Flops, double Bytes, double Start, double Seconds, int Step);

/// <summary>
/// Times every operation of a backend: by marks in the queue where the device has a clock of its own, else by waiting before and after each. Waiting
/// serialises: operations that would overlap, or whose launch would hide behind the one before, stand one after another in such a profile.
/// </summary>
public sealed class OperationProfiler : IOperationObserver
{
    private readonly IBackend _device;
    private readonly IDeviceMarks? _marks;
    private readonly List<ProfiledCall> _calls = [];
    private readonly List<(int Step, double Start, double Seconds)> _steps = [];
    private long _origin, _before;
    private int _step;

    /// <param name="device">The backend that does the work.</param>
    public OperationProfiler(IBackend device) => (_device, _marks) = (device, (device as IDeviceProbe)?.Marks);

    /// <summary>True while calls are timed.</summary>
    public bool IsRecording { get; private set; }

    /// <summary>True where every operation is waited for.</summary>
    public bool Serialises => _marks is null && _device is IDeviceProbe;

    /// <summary>All timed calls in order.</summary>
    public IReadOnlyList<ProfiledCall> Calls => _calls;

    /// <summary>Steps with their places in time, in seconds, by the host's clock.</summary>
    public IReadOnlyList<(int Step, double Start, double Seconds)> Steps => _steps;

    /// <summary>Times the operations of a step.</summary>
    public void Record(Action step)
    {
        _device.Synchronize();
        if (_steps.Count == 0) { _origin = Stopwatch.GetTimestamp(); }
        long start = Stopwatch.GetTimestamp();
        int first = _calls.Count;
        _marks?.Clear();
        _marks?.Put();
        IsRecording = true;
        try { step(); }
        finally { IsRecording = false; }
        _device.Synchronize();
        if (_marks is not null) { ReadMarks(first, Stopwatch.GetElapsedTime(_origin, start).TotalSeconds); }
        _steps.Add((_step++, Stopwatch.GetElapsedTime(_origin, start).TotalSeconds, Stopwatch.GetElapsedTime(start).TotalSeconds));
    }

    /// <inheritdoc/>
    public void Before(in OperationCall call)
    {
        if (!IsRecording) { return; }
        if (_marks is not null) { _marks.Put(); }
        else
        {
            _device.Synchronize();
            _before = Stopwatch.GetTimestamp();
        }
    }

    /// <inheritdoc/>
    public void After(in OperationCall call)
    {
        if (!IsRecording) { return; }
        double start = 0, seconds = 0;
        if (_marks is not null) { _marks.Put(); }
        else
        {
            _device.Synchronize();
            (start, seconds) = (Stopwatch.GetElapsedTime(_origin, _before).TotalSeconds, Stopwatch.GetElapsedTime(_before).TotalSeconds);
        }
        _calls.Add(new ProfiledCall(call.Key, call.Flops, call.Bytes, start, seconds, _step));
    }

    /// <summary>Mark 0 is the step's beginning, then two belong to every call.</summary>
    private void ReadMarks(int first, double stepStart)
    {
        for (int i = first; i < _calls.Count; i++)
        {
            int mark = 1 + 2 * (i - first);
            double start = _marks!.SecondsAt(mark), end = _marks.SecondsAt(mark + 1);
            _calls[i] = _calls[i] with { Start = stepStart + start, Seconds = end - start };
        }
    }
}
