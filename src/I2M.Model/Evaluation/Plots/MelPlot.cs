using I2M.Kernels;
using ScottPlot;
using ScottPlot.Plottables;

namespace I2M.Model.Evaluation.Plots;

/// <summary>Heat maps of log-mel spectrograms.</summary>
public static class MelPlot
{
    /// <summary>Seconds a frame: 256 samples at 24 kHz.</summary>
    private const double FrameSeconds = 256.0 / 24_000;

    /// <summary>Plots one spectrogram as a PNG.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="mel">Natural-log mel energies, bands × frames, band-major: mel[band · frames + frame].</param>
    /// <param name="bands">Number of mel bands.</param>
    /// <param name="frames">Number of frames.</param>
    /// <param name="title">Written above the plot.</param>
    /// <exception cref="I2MException">The sizes do not fit, or no value is finite.</exception>
    public static void Save(string path, ReadOnlySpan<float> mel, int bands, int frames, string title)
    {
        double[,] values = Grid(mel, bands, frames);
        PlotFile.Save(path, 900, 420, Build(values, title, Limits(values)));
    }

    /// <summary>Plots two spectrograms of equal size, such as generated above true, with one colour scale.</summary>
    /// <inheritdoc cref="Save"/>
    public static void SavePair(
        string path, ReadOnlySpan<float> first, ReadOnlySpan<float> second, int bands, int frames, string firstTitle, string secondTitle)
    {
        double[,] top = Grid(first, bands, frames), bottom = Grid(second, bands, frames);
        ScottPlot.Range a = Limits(top), b = Limits(bottom);
        ScottPlot.Range both = new(Math.Min(a.Min, b.Min), Math.Max(a.Max, b.Max));
        PlotFile.Save(path, 900, 800, Build(top, firstTitle, both), Build(bottom, secondTitle, both));
    }

    private static Plot Build(double[,] values, string title, ScottPlot.Range limits)
    {
        int bands = values.GetLength(0), frames = values.GetLength(1);
        Plot plot = PlotFile.New(title);
        Heatmap map = plot.Add.Heatmap(values);
        map.FlipVertically = true;
        map.Extent = new CoordinateRect(0, frames * FrameSeconds, 0, bands);
        map.Colormap = new ScottPlot.Colormaps.Magma();
        map.ManualRange = limits;
        map.NaNCellColor = Colors.Cyan;
        plot.Add.ColorBar(map).Label = "ln energy";
        plot.XLabel("time (s)");
        plot.YLabel("mel band");
        plot.Axes.SetLimits(0, frames * FrameSeconds, 0, bands);
        return plot;
    }

    private static double[,] Grid(ReadOnlySpan<float> mel, int bands, int frames)
    {
        if (bands < 1 || frames < 1 || mel.Length != (long)bands * frames)
            throw new I2MException($"mel plot: {mel.Length} values, expected {bands} bands × {frames} frames");
        double[,] grid = new double[bands, frames];
        for (int band = 0; band < bands; band++)
            for (int frame = 0; frame < frames; frame++)
                grid[band, frame] = float.IsFinite(mel[band * frames + frame]) ? mel[band * frames + frame] : double.NaN;
        return grid;
    }

    /// <summary>Least and greatest finite value, widened when they are equal.</summary>
    private static ScottPlot.Range Limits(double[,] values)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (double value in values)
            if (!double.IsNaN(value))
                (low, high) = (Math.Min(low, value), Math.Max(high, value));
        if (low > high)
            throw new I2MException("mel plot: no finite value");
        return high - low > 1e-6 ? new(low, high) : new(low - 0.5, high + 0.5);
    }
}
