using System.Globalization;
using System.Text.Json;
using I2M.Kernels;
using I2M.Model.Data;
using I2M.Model.Planning;
using I2M.Model.Profiling;
using I2M.Model.Training;

namespace I2M.Cli.Commands;

/// <summary><c>i2m train --dry-run</c> and <c>--profile</c>: a few steps that leave no run behind.</summary>
internal static class TrialCommand
{
    private const int WarmSteps = 2, ProfiledSteps = 5;

    /// <summary>The estimate, and one step beside it.</summary>
    public static int DryRun(IBackend backend, TrainConfig config, PairDataset data, bool json, ProgressLine progress, CancellationToken cancel)
    {
        progress.Show("measuring a shortened model");
        RunEstimate estimate = EstimateCommand.Measure(backend, config, cancel);
        progress.Clear();
        string device = $"{backend.Name}: {backend.Device.Name} ({backend.Device.Detail})";
        if (!json) { EstimateReport.Print(estimate, device); }
        progress.Show("making a step");
        TrialResult trial = new TrialRun(backend, config, data).Run(warm: 1, steps: 1, cancel);
        progress.Clear();
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { estimate = JsonSerializer.Deserialize<JsonElement>(EstimateReport.Json(estimate, device)), loss = CommonOptions.Finite(trial.Loss), secondsPerStep = trial.StepSeconds[0], dataWaitSeconds = trial.WaitSeconds[0], memoryBytes = trial.PeakBytes }));
            return 0;
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"one step",-15}{Units.Seconds(trial.StepSeconds[0])}, of which {Units.Seconds(trial.WaitSeconds[0])} waiting for data; loss {trial.Loss:F4}; memory {Units.Bytes(trial.PeakBytes)}; nothing was saved"));
        return 0;
    }

    /// <summary>The table of operations, and the trace.</summary>
    public static int Profile(IBackend backend, TrainConfig config, PairDataset data, RunFolder folder, bool json, ProgressLine progress, CancellationToken cancel)
    {
        progress.Show($"profiling {ProfiledSteps} steps");
        OperationProfiler profiler = new TrialRun(backend, config, data).Profile(WarmSteps, ProfiledSteps, cancel);
        progress.Clear();
        var table = new ProfileTable(profiler);
        Directory.CreateDirectory(folder.Path);
        ChromeTrace.Write(folder.TracePath, profiler, $"{backend.Name}: {backend.Device.Name}");
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new
            {
                trace = folder.TracePath,
                steps = profiler.Steps.Count,
                secondsPerStep = profiler.Steps.Average(s => s.Seconds),
                serialised = profiler.Serialises,
                operations = table.Rows.Select(r => new { name = r.Key.Name, sizes = r.Key.Shape, type = r.Key.TypeName, calls = r.Calls, seconds = r.Seconds, share = r.Share, flopsPerSecond = r.FlopsPerSecond, bytesPerSecond = r.BytesPerSecond }),
            }));
            return 0;
        }
        Console.WriteLine(table);
        if (profiler.Serialises) { Console.WriteLine("this device has no events: every operation was waited for, so they stand one after another and a step takes longer than in training"); }
        Console.WriteLine(folder.TracePath);
        return 0;
    }
}
