using I2M.Kernels;
using I2M.Model.Audio;
using ScottPlot;
using ScottPlot.Plottables;

namespace I2M.Model.Evaluation.Plots;

/// <summary>Heat maps of log-mel spectrograms.</summary>
public static class MelPlot
{
    /// <summary>Seconds a frame: 256 samples at 24 kHz.</summary>
    private const double FrameSeconds = 256.0 / 24_000;
    private const int MaxColumns = 4096;

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
        PlotFile.Save(path, 900, 420, Build(values, title, Limits(values), frames * FrameSeconds));
    }

    /// <summary>Plots two spectrograms of equal size, such as generated above true, with one colour scale.</summary>
    /// <inheritdoc cref="Save"/>
    public static void SavePair(
        string path, ReadOnlySpan<float> first, ReadOnlySpan<float> second, int bands, int frames, string firstTitle, string secondTitle)
    {
        double[,] top = Grid(first, bands, frames), bottom = Grid(second, bands, frames);
        ScottPlot.Range a = Limits(top), b = Limits(bottom);
        ScottPlot.Range both = new(Math.Min(a.Min, b.Min), Math.Max(a.Max, b.Max));
        PlotFile.Save(path, 900, 800, Build(top, firstTitle, both, frames * FrameSeconds), Build(bottom, secondTitle, both, frames * FrameSeconds));
    }

    /// <summary>
    /// Plots a spectrogram, another one of equal size below it on the same colours, and below both their difference: red where the second is louder, blue where it is
    /// quieter, white where they agree.
    /// </summary>
    /// <param name="path">The file to write.</param>
    /// <param name="first">mel[band · frames + frame].</param>
    /// <param name="second">The same.</param>
    /// <param name="settings">Bands, and the seconds of a frame.</param>
    /// <param name="frames">Number of frames.</param>
    /// <param name="firstTitle">Above the first.</param>
    /// <param name="secondTitle">Above the second.</param>
    /// <exception cref="I2MException">The sizes do not fit, or no value is finite.</exception>
    public static void SaveComparison(
        string path, ReadOnlySpan<float> first, ReadOnlySpan<float> second, MelSettings settings, int frames, string firstTitle, string secondTitle)
    {
        int bands = settings.Bands;
        double seconds = frames * (double)settings.HopLength / settings.SampleRate;
        double[,] top = Grid(first, bands, frames), bottom = Grid(second, bands, frames);
        float[] difference = new float[first.Length];
        for (int i = 0; i < difference.Length; i++)
            difference[i] = second[i] - first[i];
        double[,] change = Grid(difference, bands, frames);
        ScottPlot.Range a = Limits(top), b = Limits(bottom), c = Limits(change);
        ScottPlot.Range both = new(Math.Min(a.Min, b.Min), Math.Max(a.Max, b.Max));
        double most = Math.Max(Math.Abs(c.Min), Math.Abs(c.Max));
        Plot map = Build(change, "difference: red is louder, blue is quieter", new(-most, most), seconds, new ScottPlot.Colormaps.Balance());
        PlotFile.Save(path, 900, 1200, Build(top, firstTitle, both, seconds), Build(bottom, secondTitle, both, seconds), map);
    }

    private static Plot Build(double[,] values, string title, ScottPlot.Range limits, double seconds, IColormap? colors = null)
    {
        int bands = values.GetLength(0);
        Plot plot = PlotFile.New(title);
        Heatmap map = plot.Add.Heatmap(values);
        map.FlipVertically = true;
        map.Extent = new CoordinateRect(0, seconds, 0, bands);
        map.Colormap = colors ?? new ScottPlot.Colormaps.Magma();
        map.ManualRange = limits;
        map.NaNCellColor = Colors.Cyan;
        plot.Add.ColorBar(map).Label = "ln energy";
        plot.XLabel("time (s)");
        plot.YLabel("mel band");
        plot.Axes.SetLimits(0, seconds, 0, bands);
        return plot;
    }

    /// <summary>[bands, columns]: a column is a frame, or of a long mel the mean of several, as there are fewer pixels. NaN where no value is finite.</summary>
    private static double[,] Grid(ReadOnlySpan<float> mel, int bands, int frames)
    {
        if (bands < 1 || frames < 1 || mel.Length != (long)bands * frames)
            throw new I2MException($"mel plot: {mel.Length} values, expected {bands} bands × {frames} frames");
        int together = (frames + MaxColumns - 1) / MaxColumns, columns = (frames + together - 1) / together;
        double[,] grid = new double[bands, columns];
        for (int band = 0; band < bands; band++)
            for (int column = 0; column < columns; column++)
                grid[band, column] = Mean(mel.Slice(band * frames + column * together, Math.Min(together, frames - column * together)));
        return grid;
    }

    private static double Mean(ReadOnlySpan<float> values)
    {
        (double sum, int count) = (0, 0);
        foreach (float value in values)
            if (float.IsFinite(value))
                (sum, count) = (sum + value, count + 1);
        return count > 0 ? sum / count : double.NaN;
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
