using System.Globalization;
using I2M.Kernels;
using ScottPlot;
using ScottPlot.Plottables;
using ScottPlot.TickGenerators;

namespace I2M.Model.Evaluation.Plots;

/// <summary>Training curves with a logarithmic loss axis.</summary>
public static class LossPlot
{
    private static readonly double[][] Mantissas = [[1], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9]];

    /// <summary>Plots losses over steps as a PNG. Points that are not finite and positive are left out, and the title says how many.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="steps">Step of each loss.</param>
    /// <param name="losses">Losses.</param>
    /// <param name="smoothed">A smoothed curve of the same length, or null.</param>
    /// <param name="title">Written above the plot.</param>
    /// <exception cref="I2MException">The lengths differ, or no loss is finite and positive.</exception>
    public static void Save(string path, IReadOnlyList<double> steps, IReadOnlyList<double> losses, IReadOnlyList<double>? smoothed, string title)
    {
        if (steps.Count != losses.Count || smoothed is not null && smoothed.Count != steps.Count)
            throw new I2MException(
                $"loss plot: {steps.Count} steps, {losses.Count} losses, {smoothed?.Count ?? steps.Count} smoothed losses, expected equal numbers");
        Coordinates[] points = Logarithms(steps, losses);
        if (points.Length == 0)
            throw new I2MException("loss plot: no loss is finite and positive");
        int omitted = losses.Count - points.Length;
        Plot plot = PlotFile.New(omitted == 0 ? title : $"{title} ({omitted} not finite or not positive)");
        Curve(plot, points, "loss", Colors.C0.WithAlpha(smoothed is null ? 1 : 0.35), 1.5f);
        if (smoothed is not null)
            Curve(plot, Logarithms(steps, smoothed), "smoothed", Colors.C1, 2.5f);
        plot.XLabel("step");
        plot.YLabel("loss");
        (double low, double high) = Margins(points.Min(p => p.Y), points.Max(p => p.Y));
        (double first, double last) = (points.Min(p => p.X), points.Max(p => p.X));
        plot.Axes.SetLimits(first, last > first ? last : first + 1, low, high);
        plot.Axes.Left.TickGenerator = Ticks(low, high);
        if (smoothed is null)
            plot.HideLegend();
        else
            plot.ShowLegend(Alignment.UpperRight);
        PlotFile.Save(path, 900, 500, plot);
    }

    private static void Curve(Plot plot, Coordinates[] points, string label, Color color, float width)
    {
        Scatter curve = plot.Add.Scatter(points);
        (curve.LegendText, curve.Color, curve.LineWidth, curve.MarkerSize) = (label, color, width, points.Length < 3 ? 8 : 0);
    }

    private static Coordinates[] Logarithms(IReadOnlyList<double> steps, IReadOnlyList<double> losses) =>
        [.. Enumerable.Range(0, steps.Count)
            .Where(i => double.IsFinite(steps[i]) && double.IsFinite(losses[i]) && losses[i] > 0)
            .Select(i => new Coordinates(steps[i], Math.Log10(losses[i])))];

    private static (double Low, double High) Margins(double low, double high)
    {
        double margin = Math.Max(0.02, (high - low) * 0.05);
        return (low - margin, high + margin);
    }

    /// <summary>ScottPlot's axis is linear in log₁₀(loss): marks at round losses, as few mantissas as give four of them.</summary>
    private static NumericManual Ticks(double low, double high)
    {
        double[] values = [];
        foreach (double[] mantissas in Mantissas)
        {
            values = [.. from decade in Enumerable.Range((int)Math.Floor(low), (int)Math.Ceiling(high) - (int)Math.Floor(low) + 1)
                         from mantissa in mantissas
                         let value = mantissa * Math.Pow(10, decade)
                         where Math.Log10(value) >= low && Math.Log10(value) <= high
                         select value];
            if (values.Length >= 4)
                break;
        }
        if (values.Length < 3)
            values = [.. Enumerable.Range(0, 5).Select(i => Math.Pow(10, low + (high - low) * i / 4))];
        return new([.. values.Select(Math.Log10)], [.. values.Select(v => v.ToString("G3", CultureInfo.InvariantCulture))]);
    }
}
