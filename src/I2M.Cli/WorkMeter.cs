using System.Diagnostics;
using I2M.Model.Data.Building;

namespace I2M.Cli;

/// <summary>Progress from several threads as one line with the time left.</summary>
internal sealed class WorkMeter(ProgressLine progress)
{
    private readonly Lock _lock = new();
    private readonly Stopwatch _clock = new();
    private string _what = "";

    public void Show(BuildProgress p)
    {
        lock (_lock)
        {
            if (_what != p.What)
            {
                _what = p.What;
                _clock.Restart();
            }
            double rate = p.New / Math.Max(1e-3, _clock.Elapsed.TotalSeconds);
            string left = p.New > 1 ? $" | {Units.Number(rate, "F1")}/s | {ProgressLine.Format(TimeSpan.FromSeconds((p.Total - p.Done) / rate))} left" : "";
            progress.Show($"{p.What} {p.Done}/{p.Total}{left}", p.Done == p.Total);
        }
    }
}
