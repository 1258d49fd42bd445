using System.Text.Json;
using I2M.Model.Planning;

namespace I2M.Cli;

/// <summary>An estimate as text or JSON, for <c>i2m estimate</c> and <c>i2m train --dry-run</c>.</summary>
internal static class EstimateReport
{
    public static void Print(RunEstimate e, string device)
    {
        StepPlan plan = e.Plan;
        MemoryPlan m = plan.Memory;
        List<(string, string)> rows =
        [
            ("device", device),
            ("parameters", $"{plan.Parameters:N0}"),
            ("step", $"{plan.Samples} samples, {plan.Tokens:N0} tokens{(plan.Config.Recompute ? ", blocks recomputed" : "")}"),
            ("memory", $"{Units.Bytes(m.Total)} of {Units.Bytes(e.DeviceBytes)}{(e.Fits ? "" : $": does not fit: at most {Units.Percent(RunEstimate.UsableShare)} can be used")}"),
            ("  weights", Units.Bytes(m.Weights)),
            ("  gradients", Units.Bytes(m.Gradients)),
            ("  moments", Units.Bytes(m.Moments)),
            ("  average", Units.Bytes(m.Average)),
            ("  other", Units.Bytes(m.Other)),
            ("  activations", Units.Bytes(m.Activations)),
            ("  workspace", Units.Bytes(m.Workspace)),
            ("  kept free", Units.Bytes(m.Kept)),
            ("largest batch", e.LargestBatch > 0 ? $"{e.LargestBatch}{(e.LargestBatch == RunEstimate.MostBatch ? " or more" : "")}" : "none: not even one sample fits"),
            ("work", $"{Units.Flops(plan.Flops)} a step{(plan.Config.Recompute ? $", {Units.Flops(plan.ExecutedFlops)} with recomputation" : "")} in {plan.Calls} calls"),
            ("time", $"{Units.Seconds(e.StepSeconds)} a step, {Units.Number(plan.Samples / e.StepSeconds, "F1")} samples/s, {Units.Flops(plan.Flops / e.StepSeconds, "/s")}"),
            ("run", $"{plan.Config.Steps:N0} steps in {Units.Seconds(e.RunSeconds)}"),
            ("checkpoint", $"{Units.Bytes(plan.CheckpointBytes)}, {Units.Bytes(e.DiskBytes)} for all that are kept"),
            ("time from", e.Source),
        ];
        foreach (var (name, value) in rows) { Console.WriteLine($"{name,-15}{value}"); }
    }

    public static string Json(RunEstimate e, string device)
    {
        StepPlan plan = e.Plan;
        MemoryPlan m = plan.Memory;
        return JsonSerializer.Serialize(new
        {
            device,
            parameters = plan.Parameters,
            samples = plan.Samples,
            tokens = plan.Tokens,
            memoryBytes = m.Total,
            memory = new { weights = m.Weights, gradients = m.Gradients, moments = m.Moments, average = m.Average, copies = m.Other, activations = m.Activations, workspace = m.Workspace, keptFree = m.Kept },
            deviceBytes = e.DeviceBytes,
            fits = e.Fits,
            largestBatch = e.LargestBatch,
            flops = plan.Flops,
            executedFlops = plan.ExecutedFlops,
            calls = plan.Calls,
            secondsPerStep = e.StepSeconds,
            secondsOfRun = e.RunSeconds,
            steps = plan.Config.Steps,
            checkpointBytes = plan.CheckpointBytes,
            diskBytes = e.DiskBytes,
            timeFrom = e.Source,
        });
    }
}
