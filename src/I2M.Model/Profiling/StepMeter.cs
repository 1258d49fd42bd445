using System.Diagnostics;
using I2M.Kernels;
using I2M.Model.Planning;

namespace I2M.Model.Profiling;

/// <summary>How well a run goes, over its last steps.</summary>
/// <param name="SamplesPerSecond">Samples a second.</param>
/// <param name="TokensPerSecond">Mel and image tokens a second.</param>
/// <param name="FlopsPerSecond">Useful floating-point operations a second.</param>
/// <param name="ShareOfPeak">Of what the device could do at best, called MFU; null where that is unknown.</param>
/// <param name="MemoryBytes">Memory that is held on the device.</param>
/// <param name="PeakMemoryBytes">The most that was.</param>
/// <param name="PlannedMemoryBytes">What the plan expected at the most.</param>
/// <param name="DataWait">Share of the time in which the step waited for its batch.</param>
/// <param name="Remaining">Estimated time left.</param>
public readonly record struct StepFigures(double SamplesPerSecond, double TokensPerSecond, double FlopsPerSecond, double? ShareOfPeak,
    long MemoryBytes, long PeakMemoryBytes, long PlannedMemoryBytes, double DataWait, TimeSpan Remaining);

/// <summary>Measures the rate over the last steps and sets it against the plan and the device's peak.</summary>
/// <param name="pool">The device's memory.</param>
/// <param name="plan">The step.</param>
/// <param name="peakFlops">The device's peak in operations a second, or null.</param>
/// <param name="firstStep">Steps done before.</param>
/// <param name="end">Steps in all.</param>
public sealed class StepMeter(BufferPool pool, StepPlan plan, double? peakFlops, int firstStep, int end)
{
    private const int Window = 20;
    private readonly Queue<(int Step, TimeSpan Time, TimeSpan Waited)> _recent = new([(firstStep, TimeSpan.Zero, TimeSpan.Zero)]);
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    /// <summary>The figures after a step.</summary>
    /// <param name="step">Steps known to be done.</param>
    /// <param name="waited">How long the run has waited for batches so far.</param>
    public StepFigures Report(int step, TimeSpan waited)
    {
        TimeSpan now = _clock.Elapsed;
        _recent.Enqueue((step, now, waited));
        if (_recent.Count > Window) { _recent.Dequeue(); }
        var (oldStep, oldTime, oldWaited) = _recent.Peek();
        double seconds = Math.Max(1e-9, (now - oldTime).TotalSeconds), rate = Math.Max(1e-9, (step - oldStep) / seconds), flops = rate * plan.Flops;
        return new StepFigures(rate * plan.Samples, rate * plan.Tokens, flops, flops / peakFlops, pool.DeviceBytes, pool.PeakDeviceBytes, plan.Memory.Total,
            (waited - oldWaited).TotalSeconds / seconds, TimeSpan.FromSeconds((end - step) / rate));
    }
}
