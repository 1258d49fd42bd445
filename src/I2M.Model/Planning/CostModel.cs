using I2M.Kernels;
using I2M.Kernels.Observation;

namespace I2M.Model.Planning;

/// <summary>
/// What operations cost on a device. Measured: seconds a call by operation and sizes; sizes that were not measured cost what the nearest ones of the same
/// operation did, scaled by the work. By data sheet: shares of the nominal peaks.
/// </summary>
public sealed class CostModel
{
    /// <summary>Assumed of a card that is not here: of its tensor or float32 peak in products and in attention, and of its bandwidth; and the least time of a launch.</summary>
    private const double ProductShare = 0.45, AttentionShare = 0.35, BandwidthShare = 0.75, LaunchSeconds = 4e-6;

    private readonly Dictionary<OperationKey, double> _seconds = [];
    private readonly ILookup<string, (PlannedOperation Operation, double Seconds)> _byName;
    private readonly NominalPeaks? _nominal;
    private readonly Arithmetic _arithmetic;
    private readonly double _perCall, _perSample;

    /// <summary>Where the figures come from, for the user.</summary>
    public string Source { get; }

    /// <param name="measured">Seconds a call of each measured operation.</param>
    /// <param name="perCall">Seconds that a step takes besides, for each call.</param>
    /// <param name="perSample">Seconds that a step is longer for each sample that other threads prepare meanwhile.</param>
    /// <param name="source">How it was measured.</param>
    public CostModel(IReadOnlyList<(PlannedOperation Operation, double Seconds)> measured, double perCall, double perSample, string source)
    {
        (_perCall, _perSample, Source) = (perCall, perSample, source);
        _byName = measured.ToLookup(m => m.Operation.Key.Name);
        foreach (var (operation, seconds) in measured) { _seconds[operation.Key] = seconds; }
    }

    /// <param name="nominal">A data sheet's peaks.</param>
    /// <param name="arithmetic">In which most products are computed.</param>
    public CostModel(NominalPeaks nominal, Arithmetic arithmetic)
    {
        (_nominal, _arithmetic) = (nominal, arithmetic);
        _byName = Array.Empty<(PlannedOperation, double)>().ToLookup(m => "");
        Source = $"the data sheet: products at {ProductShare:P0} and attention at {AttentionShare:P0} of the peak, the rest at {BandwidthShare:P0} of the bandwidth are assumed, nothing was measured";
    }

    /// <summary>Seconds of a step.</summary>
    public double Predict(StepPlan plan) => plan.Samples * _perSample + plan.Operations.Sum(o => o.Calls * (_nominal is { } peaks ? BySheet(o, peaks) : ByMeasurement(o) + _perCall));

    private double ByMeasurement(PlannedOperation operation)
    {
        if (_seconds.TryGetValue(operation.Key, out double seconds)) { return seconds; }
        double work = Work(operation);
        var near = _byName[operation.Key.Name].OrderBy(m => m.Operation.Key.Kind == operation.Key.Kind ? 0 : 1)
            .ThenBy(m => Math.Abs(Math.Log(Work(m.Operation) / work))).Select(m => ((PlannedOperation, double)?)m).FirstOrDefault();
        return near is { } found ? found.Item2 * work / Work(found.Item1) : 0;
    }

    private double BySheet(PlannedOperation operation, NominalPeaks peaks)
    {
        double share = operation.Key.Kind == OperationCall.AttentionKind ? AttentionShare : ProductShare;
        Arithmetic arithmetic = operation.Key.Type == ElementType.BFloat16 ? Arithmetic.BFloat16 : _arithmetic;
        double compute = operation.Flops / (share * (peaks.Flops(arithmetic) ?? double.PositiveInfinity));
        return Math.Max(LaunchSeconds, Math.Max(compute, operation.Bytes / (BandwidthShare * (peaks.Bytes ?? double.PositiveInfinity))));
    }

    private static double Work(PlannedOperation operation) => Math.Max(1, operation.Flops > 0 ? operation.Flops : operation.Bytes);
}
