using I2M.Model.Io;
using ScottPlot;
using SkiaSharp;

namespace I2M.Model.Evaluation.Plots;

/// <summary>What all plots share: font, style, and a PNG that appears whole or not at all.</summary>
internal static class PlotFile
{
    /// <summary>An empty plot with a title in our font.</summary>
    public static Plot New(string title)
    {
        PlotFont.Install();
        Plot plot = new();
        plot.Font.Set(PlotFont.Family);
        plot.Title(title, 18);
        plot.Axes.Title.Label.FontName = PlotFont.Family;
        return plot;
    }

    /// <summary>Writes the plots below one another.</summary>
    public static void Save(string path, int width, int height, params Plot[] plots) => AtomicFile.Write(path, Encode(width, height, plots));

    /// <summary>The plots below one another as the bytes of a PNG file.</summary>
    public static byte[] Encode(int width, int height, params Plot[] plots)
    {
        Multiplot rows = new() { Layout = new ScottPlot.MultiplotLayouts.Rows() };
        while (rows.Subplots.Count > 0)
            rows.Subplots.RemoveAt(0);
        foreach (Plot plot in plots)
            rows.Subplots.Add(plot);
        using SKSurface surface = SKSurface.Create(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Premul));
        surface.Canvas.Clear(SKColors.White);
        rows.Render(surface.Canvas, new PixelRect(0, width, height, 0));
        using SKImage image = surface.Snapshot();
        using SKData png = image.Encode(SKEncodedImageFormat.Png, 100);
        return png.ToArray();
    }
}
