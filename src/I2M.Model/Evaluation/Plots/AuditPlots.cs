using System.Globalization;
using ScottPlot;
using ScottPlot.Plottables;
using ScottPlot.TickGenerators;

namespace I2M.Model.Evaluation.Plots;

/// <summary>Plots of the data audit, each as the bytes of a PNG file.</summary>
public static class AuditPlots
{
    private const double LeastShown = 0.01, MostShown = 1000;
    private const int MostNames = 40;

    /// <summary>Separability of classes over the timesteps, with the line below which the picture is needed.</summary>
    /// <param name="curve">d′(t) of two clips.</param>
    /// <param name="ofClass">d′(t) of the classes' means.</param>
    /// <param name="line">Up to here the picture is needed.</param>
    public static byte[] Separability(IReadOnlyList<double> curve, IReadOnlyList<double> ofClass, double line)
    {
        Plot plot = PlotFile.New("what the noisy mel tells by itself");
        Curve(plot, curve, "d′ of two clips of different classes", Colors.C0);
        Curve(plot, ofClass, "d′ of the classes' means", Colors.C2);
        HorizontalLine needed = plot.Add.HorizontalLine(Math.Log10(line), 2, Colors.C3, LinePattern.Dashed);
        needed.LegendText = "below it the picture is needed";
        plot.XLabel("timestep t");
        plot.YLabel("d′");
        double[] ticks = [0.01, 0.1, 1, 10, 100, 1000];
        plot.Axes.Left.TickGenerator = new NumericManual([.. ticks.Select(Math.Log10)], [.. ticks.Select(t => t.ToString(CultureInfo.InvariantCulture))]);
        plot.Axes.SetLimits(0, Math.Max(1, curve.Count - 1), Math.Log10(LeastShown), Math.Log10(MostShown));
        plot.ShowLegend(Alignment.UpperRight);
        return PlotFile.Encode(900, 450, plot);
    }

    /// <summary>Mean and deviation of the log-mel of each band.</summary>
    public static byte[] Bands(IReadOnlyList<(double Mean, double Deviation)> bands)
    {
        Plot plot = PlotFile.New("log-mel while somebody speaks: mean ± standard deviation");
        double[] places = [.. Enumerable.Range(0, bands.Count).Select(b => (double)b)];
        FillY area = plot.Add.FillY(places, [.. bands.Select(b => b.Mean - b.Deviation)], [.. bands.Select(b => b.Mean + b.Deviation)]);
        (area.FillColor, area.LineWidth) = (Colors.C0.WithAlpha(0.25), 0);
        Scatter mean = plot.Add.Scatter(places, [.. bands.Select(b => b.Mean)]);
        (mean.Color, mean.MarkerSize, mean.LineWidth) = (Colors.C0, 0, 2);
        plot.XLabel("mel band");
        plot.YLabel("ln energy");
        plot.HideLegend();
        return PlotFile.Encode(900, 400, plot);
    }

    /// <summary>Distances of clips between and within classes; null where there are more classes than can be shown.</summary>
    public static byte[]? Distances(double[,] distances, IReadOnlyList<string> names)
    {
        int size = distances.GetLength(0);
        if (size is < 2 or > MostNames) { return null; }
        Plot plot = PlotFile.New("root mean square distance of clips, per mel value");
        Heatmap map = plot.Add.Heatmap(distances);
        map.Colormap = new ScottPlot.Colormaps.Viridis();
        map.NaNCellColor = Colors.LightGray;
        plot.Add.ColorBar(map).Label = "ln units";
        double[] places = [.. Enumerable.Range(0, size).Select(i => (double)i)];
        plot.Axes.Bottom.TickGenerator = new NumericManual(places, [.. names]);
        plot.Axes.Left.TickGenerator = new NumericManual(places, [.. names.Reverse()]);
        plot.Axes.Bottom.TickLabelStyle.Rotation = -45;
        plot.Axes.Bottom.TickLabelStyle.Alignment = Alignment.MiddleRight;
        plot.Axes.Bottom.MinimumSize = 44 + 4.6f * names.Max(n => n.Length);
        plot.Axes.SetLimits(-0.5, size - 0.5, -0.5, size - 0.5);
        int side = 360 + 40 * size;
        return PlotFile.Encode(side, side - 40, plot);
    }

    private static void Curve(Plot plot, IReadOnlyList<double> values, string label, Color color)
    {
        Coordinates[] points = [.. values.Select((v, t) => new Coordinates(t, Math.Log10(Math.Clamp(v, LeastShown, MostShown))))];
        Scatter curve = plot.Add.Scatter(points);
        (curve.LegendText, curve.Color, curve.LineWidth, curve.MarkerSize) = (label, color, 2.5f, 0);
    }
}
