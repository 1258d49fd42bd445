using System.Text;
using System.Text.Json;
using I2M.Model.Evaluation.Plots;
using I2M.Model.Io;

namespace I2M.Model.Training;

/// <summary>A run's log of one JSON object a line, each with its step, and the curve of its losses.</summary>
internal static class RunLog
{
    /// <summary>Removes what a killed run logged after its last checkpoint.</summary>
    public static void Truncate(string path, int step)
    {
        if (!File.Exists(path)) { return; }
        string[] kept = [.. File.ReadLines(path).Where(line => StepOf(line) is { } s && s <= step)];
        AtomicFile.Write(path, Encoding.UTF8.GetBytes(string.Concat(kept.Select(l => l + "\n"))));
    }

    /// <summary>Plots the losses of the steps after <paramref name="first"/> with a smoothed curve; nothing of fewer than two.</summary>
    public static void Plot(string path, int first, IReadOnlyList<double> losses)
    {
        if (losses.Count < 2) { return; }
        var smoothed = new double[losses.Count];
        for (int i = 0; i < smoothed.Length; i++) { smoothed[i] = i == 0 ? losses[0] : 0.95 * smoothed[i - 1] + 0.05 * losses[i]; }
        double[] steps = [.. Enumerable.Range(first + 1, losses.Count).Select(i => (double)i)];
        LossPlot.Save(path, steps, losses, smoothed, "training loss");
    }

    /// <summary>The first line in which two settings as indented JSON differ.</summary>
    public static string FirstDifference(string old, string now)
    {
        string[] a = old.Split('\n'), b = now.Split('\n');
        int i = Enumerable.Range(0, Math.Min(a.Length, b.Length)).FirstOrDefault(i => a[i] != b[i]);
        return $"{a[i].Trim().TrimEnd(',')} against {b[i].Trim().TrimEnd(',')}";
    }

    private static int? StepOf(string line)
    {
        try
        {
            using JsonDocument entry = JsonDocument.Parse(line);
            return entry.RootElement.GetProperty("step").GetInt32();
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null; // The last line of a killed run may be cut.
        }
    }
}
