using I2M.Kernels;
using I2M.Model.Training;

namespace I2M.Model.Planning;

/// <summary>What a run will take.</summary>
/// <param name="Plan">Memory and work of a step.</param>
/// <param name="StepSeconds">Predicted time of a step, without waiting for data.</param>
/// <param name="Source">Where the time comes from.</param>
/// <param name="DeviceBytes">Memory of the device.</param>
/// <param name="LargestBatch">The largest batch that fits; 0 when not even one sample does.</param>
public sealed record RunEstimate(StepPlan Plan, double StepSeconds, string Source, long DeviceBytes, int LargestBatch)
{
    /// <summary>Share of a device's memory that a run may plan with: the rest is the driver's, the program's and the system's.</summary>
    public const double UsableShare = 0.9;

    /// <summary>Larger batches are not looked for.</summary>
    public const int MostBatch = 4096;

    /// <summary>Time of all steps, without validation and saving.</summary>
    public double RunSeconds => StepSeconds * Plan.Config.Steps;

    /// <summary>Whether the step fits into the device.</summary>
    public bool Fits => Plan.Memory.Total <= UsableShare * DeviceBytes;

    /// <summary>Disk space that the run's checkpoints take at the most: those kept, the best one, and one that is being written.</summary>
    public long DiskBytes => (Plan.Config.KeepCheckpoints + 2L) * Plan.CheckpointBytes;

    /// <summary>Puts an estimate together.</summary>
    /// <param name="open">Opens the dry twin of the device.</param>
    /// <param name="config">The run's settings.</param>
    /// <param name="costs">What operations cost.</param>
    /// <param name="deviceBytes">Memory of the device.</param>
    public static RunEstimate Make(Func<IBackend> open, TrainConfig config, CostModel costs, long deviceBytes)
    {
        StepPlan plan = StepPlan.Make(open, config);
        return new RunEstimate(plan, costs.Predict(plan), costs.Source, deviceBytes, FindLargestBatch(open, plan, (long)(UsableShare * deviceBytes)));
    }

    /// <summary>Memory grows with the batch, nearly along a line: where a line through what is known meets the limit, the next plan is made.</summary>
    private static int FindLargestBatch(Func<IBackend> open, StepPlan plan, long bytes)
    {
        TrainConfig config = plan.Config;
        long one = Bytes(1);
        if (one > bytes) { return 0; }
        int low = 1, high = Math.Min(MostBatch, int.MaxValue / (3 * config.Model.ImageSize * config.Model.ImageSize)) + 1;
        int guess = config.BatchSize > 1 ? OnLine(config.BatchSize, plan.Memory.Total) : 8;
        while (high - low > 1)
        {
            int at = Math.Clamp(guess, low + 1, high - 1);
            long total = Bytes(at);
            bool fits = total <= bytes;
            (low, high) = fits ? (at, high) : (low, at);
            guess = OnLine(at, total) is var next && next != at ? next : at + (fits ? 1 : -1);
        }
        return low;

        long Bytes(int size) => StepPlan.Make(open, config with { BatchSize = size }).Memory.Total;

        int OnLine(int size, long total) => (int)Math.Min(MostBatch, 1 + (bytes - one) / Math.Max(1, (total - one) / (size - 1)));
    }
}
