using System.Globalization;
using System.Text;
using I2M.Kernels.Observation;

namespace I2M.Model.Profiling;

/// <summary>All calls of an operation with equal sizes, per step.</summary>
/// <param name="Key">Operation and sizes.</param>
/// <param name="Calls">Calls in a step.</param>
/// <param name="Seconds">Time in a step.</param>
/// <param name="Share">Of the time of all operations.</param>
/// <param name="FlopsPerSecond">Useful operations a second; 0 of what is memory traffic.</param>
/// <param name="BytesPerSecond">Bytes of the operands a second, each counted once.</param>
public sealed record ProfileRow(OperationKey Key, double Calls, double Seconds, double Share, double FlopsPerSecond, double BytesPerSecond);

/// <summary>The per-operation table of a profile.</summary>
public sealed class ProfileTable
{
    private const int MostRows = 40;
    private readonly double _operations, _wall;
    private readonly int _steps;

    /// <summary>The rows, the most expensive first.</summary>
    public IReadOnlyList<ProfileRow> Rows { get; }

    /// <param name="profiler">At least one recorded step.</param>
    public ProfileTable(OperationProfiler profiler)
    {
        _steps = profiler.Steps.Count;
        (_operations, _wall) = (profiler.Calls.Sum(c => c.Seconds), profiler.Steps.Sum(s => s.Seconds));
        Rows = [.. profiler.Calls.GroupBy(c => c.Key).Select(Row).OrderByDescending(r => r.Seconds)];
    }

    /// <summary>As text with a line for what the operations leave over.</summary>
    public override string ToString()
    {
        List<string[]> cells = [["operation", "sizes", "type", "calls", "ms", "share", "GFLOP/s", "GB/s"]];
        cells.AddRange(Rows.Take(MostRows).Select(r => new[]
        {
            r.Key.Name, r.Key.Shape, r.Key.TypeName, Number(r.Calls, "0.#"), Number(1e3 * r.Seconds, "F3"), Number(100 * r.Share, "F1") + "%",
            r.FlopsPerSecond > 0 ? Number(r.FlopsPerSecond / 1e9, "F1") : "-", Number(r.BytesPerSecond / 1e9, "F1"),
        }));
        if (Rows.Count > MostRows) { cells.Add([$"{Rows.Count - MostRows} more", "", "", "", Number(1e3 * Rows.Skip(MostRows).Sum(r => r.Seconds), "F3"), "", "", ""]); }
        int[] widths = [.. Enumerable.Range(0, cells[0].Length).Select(c => cells.Max(row => row[c].Length))];
        var text = new StringBuilder();
        foreach (string[] row in cells)
        {
            text.AppendLine(string.Join("  ", row.Select((cell, c) => c < 3 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]))).TrimEnd());
        }
        text.Append(string.Create(CultureInfo.InvariantCulture,
            $"a step: {1e3 * _wall / _steps:F2} ms, of which operations {1e3 * _operations / _steps:F2} ms and all between them {1e3 * (_wall - _operations) / _steps:F2} ms (mean of {_steps})"));
        return text.ToString();
    }

    private ProfileRow Row(IGrouping<OperationKey, ProfiledCall> calls)
    {
        double seconds = calls.Sum(c => c.Seconds);
        return new ProfileRow(calls.Key, (double)calls.Count() / _steps, seconds / _steps, seconds / _operations, calls.Sum(c => c.Flops) / seconds, calls.Sum(c => c.Bytes) / seconds);
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
