using System.Globalization;
using I2M.Kernels;
using ScottPlot;
using ScottPlot.Plottables;
using ScottPlot.TickGenerators;

namespace I2M.Model.Evaluation.Plots;

/// <summary>Confusion matrices.</summary>
public static class ConfusionPlot
{
    /// <summary>Plots a confusion matrix as a PNG: the colour is the share of the row, the number the count.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="counts">counts[true class, predicted class].</param>
    /// <param name="names">The classes' names.</param>
    /// <param name="title">Written above the plot.</param>
    /// <exception cref="I2MException">The matrix is not square, does not fit the names, or holds a negative count.</exception>
    public static void Save(string path, int[,] counts, IReadOnlyList<string> names, string title = "confusion matrix")
    {
        int size = names.Count;
        if (size < 1 || counts.GetLength(0) != size || counts.GetLength(1) != size)
            throw new I2MException($"confusion plot: {counts.GetLength(0)} × {counts.GetLength(1)} counts, expected {size} × {size} as there are {size} names");
        Plot plot = PlotFile.New(title);
        double[,] shares = Shares(counts);
        Heatmap map = plot.Add.Heatmap(shares);
        map.Colormap = new ScottPlot.Colormaps.Blues().Reversed();
        map.ManualRange = new(0, 1);
        ScottPlot.Panels.ColorBar bar = plot.Add.ColorBar(map);
        bar.Label = "share of the true class";
        bar.Axis.TickGenerator = new NumericManual([0, 0.5, 1], ["0", "0.5", "1"]);
        Numbers(plot, counts, shares);
        double[] places = [.. Enumerable.Range(0, size).Select(i => (double)i)];
        plot.Axes.Bottom.TickGenerator = new NumericManual(places, [.. names]);
        plot.Axes.Left.TickGenerator = new NumericManual(places, [.. names.Reverse()]);
        plot.Axes.Bottom.TickLabelStyle.Rotation = -45;
        plot.Axes.Bottom.TickLabelStyle.Alignment = Alignment.MiddleRight;
        // Names at 45° need about 4.6 pixels of height a letter.
        plot.Axes.Bottom.MinimumSize = 44 + 4.6f * names.Max(n => n.Length);
        plot.XLabel("predicted");
        plot.YLabel("true");
        plot.Axes.SetLimits(-0.5, size - 0.5, -0.5, size - 0.5);
        int side = 360 + 54 * Math.Min(size, 40);
        PlotFile.Save(path, side, side - 40, plot);
    }

    private static double[,] Shares(int[,] counts)
    {
        int size = counts.GetLength(0);
        double[,] shares = new double[size, size];
        for (int row = 0; row < size; row++)
        {
            long sum = 0;
            for (int column = 0; column < size; column++)
            {
                if (counts[row, column] < 0)
                    throw new I2MException($"confusion plot: count {counts[row, column]} at ({row}, {column}), expected 0 or more");
                sum += counts[row, column];
            }
            for (int column = 0; column < size; column++)
                shares[row, column] = sum == 0 ? 0 : (double)counts[row, column] / sum;
        }
        return shares;
    }

    private static void Numbers(Plot plot, int[,] counts, double[,] shares)
    {
        int size = counts.GetLength(0);
        for (int row = 0; row < size; row++)
            for (int column = 0; column < size; column++)
                if (counts[row, column] != 0)
                {
                    // Row 0 of a heat map is drawn at the top, at y = size − 1.
                    Text number = plot.Add.Text(counts[row, column].ToString(CultureInfo.InvariantCulture), column, size - 1 - row);
                    (number.LabelAlignment, number.LabelFontSize, number.LabelFontName) = (Alignment.MiddleCenter, 13, PlotFont.Family);
                    number.LabelFontColor = shares[row, column] > 0.5 ? Colors.White : Colors.Black;
                }
    }
}
