using I2M.Kernels;
using I2M.Model.Audio;
using I2M.Model.Evaluation.Plots;
using SkiaSharp;
using Xunit;

namespace I2M.Model.Tests.Plots;

public class PlotTests
{
    [Fact]
    public void MelPlotShowsTheSpectrogram()
    {
        using ScratchFolder folder = new();
        float[] mel = [.. Enumerable.Range(0, 80 * 120).Select(i => i / 120 < 40 ? -2f : -11f)];
        MelPlot.Save(folder["mel.png"], mel, 80, 120, "low bands loud");
        using SKBitmap plot = Read(folder["mel.png"], 900, 420);
        // Band 0 is at the bottom: the lower half is bright, the upper dark.
        Assert.True(Brightness(plot, 400, 300) > 3 * Brightness(plot, 400, 120) + 60, $"lower {Brightness(plot, 400, 300)}, upper {Brightness(plot, 400, 120)}");
        Assert.Equal(["mel.png"], folder.Files);
    }

    [Fact]
    public void PairShowsBothWithOneScale()
    {
        using ScratchFolder folder = new();
        float[] quiet = [.. Enumerable.Range(0, 800).Select(i => -11f + i % 2)], loud = [.. quiet.Select(v => v + 9)];
        MelPlot.SavePair(folder["pair.png"], quiet, loud, 80, 10, "generated", "true");
        using SKBitmap plot = Read(folder["pair.png"], 900, 800);
        Assert.True(MeanBrightness(plot, 300, 120, 100) < 60, "the quiet one is dark");
        Assert.True(MeanBrightness(plot, 300, 520, 100) > 140, "the loud one is bright");
    }

    [Fact]
    public void ComparisonShowsLouderInRedAndQuieterInBlue()
    {
        using ScratchFolder folder = new();
        var settings = new MelSettings { Bands = 80 };
        const int frames = 9000; // More than there are columns.
        float[] first = [.. Enumerable.Range(0, 80 * frames).Select(i => -6f)];
        float[] second = [.. Enumerable.Range(0, 80 * frames).Select(i => i / frames < 27 ? -9f : i / frames < 53 ? -6f : -3f)];
        MelPlot.SaveComparison(folder["map.png"], first, second, settings, frames, "true", "decoded");
        using SKBitmap plot = Read(folder["map.png"], 900, 1200);
        SKColor louder = plot.GetPixel(400, 870), same = plot.GetPixel(400, 985), quieter = plot.GetPixel(400, 1110);
        Assert.True(louder.Red > louder.Blue + 30, $"louder: {louder}");
        Assert.True(quieter.Blue > quieter.Red + 30, $"quieter: {quieter}");
        Assert.True(Math.Min(same.Red, Math.Min(same.Green, same.Blue)) > 200, $"same: {same}");
    }

    [Fact]
    public void LossPlotDrawsTheCurveAndSurvivesNaN()
    {
        using ScratchFolder folder = new();
        double[] steps = [.. Enumerable.Range(0, 100).Select(i => (double)i)], losses = [.. steps.Select(s => Math.Exp(-s / 20))];
        losses[50] = double.NaN;
        losses[60] = -1;
        LossPlot.Save(folder["a.png"], steps, losses, losses, "training loss");
        LossPlot.Save(folder["b.png"], [1], [0.5], null, "one point");
        Assert.True(Inked(Read(folder["a.png"], 900, 500), new SKRectI(60, 50, 880, 450)) > 1500);
        Read(folder["b.png"], 900, 500).Dispose();
        Assert.Throws<I2MException>(() => LossPlot.Save(folder["c.png"], [1, 2], [double.NaN, 0], null, "none"));
        Assert.Throws<I2MException>(() => LossPlot.Save(folder["c.png"], [1, 2], [1], null, "none"));
        Assert.Equal(["a.png", "b.png"], folder.Files);
    }

    [Fact]
    public void ConfusionPlotHasADarkDiagonal()
    {
        using ScratchFolder folder = new();
        int[,] counts = { { 9, 1, 0 }, { 0, 8, 2 }, { 0, 0, 10 } };
        ConfusionPlot.Save(folder["c.png"], counts, ["hen", "<b>", "[bad]"]);
        using SKBitmap plot = Read(folder["c.png"], 522, 482);
        Assert.True(Inked(plot, new SKRectI(0, 0, plot.Width, plot.Height)) > 10_000);
        Assert.Throws<I2MException>(() => ConfusionPlot.Save(folder["d.png"], counts, ["a", "b"]));
        Assert.Throws<I2MException>(() => ConfusionPlot.Save(folder["d.png"], new[,] { { -1 } }, ["a"]));
    }

    [Fact]
    public void BadMelIsRefused()
    {
        using ScratchFolder folder = new();
        Assert.Contains("3 values", Assert.Throws<I2MException>(() => MelPlot.Save(folder["x.png"], new float[3], 2, 2, "x")).Message);
        Assert.Contains("finite", Assert.Throws<I2MException>(() => MelPlot.Save(folder["x.png"], [float.NaN], 1, 1, "x")).Message);
        Assert.Empty(folder.Files);
        MelPlot.Save(folder["silence.png"], new float[80 * 5], 80, 5, "all equal");
    }

    [Fact]
    public void TextIsDrawnWithTheEmbeddedFont()
    {
        using ScratchFolder folder = new();
        float[] mel = [.. Enumerable.Range(0, 80).Select(i => (float)i)];
        MelPlot.Save(folder["dot.png"], mel, 8, 10, ".");
        MelPlot.Save(folder["title.png"], mel, 8, 10, "a goldfish");
        SKRectI top = new(250, 0, 650, 30);
        using SKBitmap without = Read(folder["dot.png"], 900, 420), with = Read(folder["title.png"], 900, 420);
        Assert.InRange(Inked(without, top), 1, 25);
        Assert.InRange(Inked(with, top), 150, 6000);
        // The family's name is our own: only the embedded file can answer to it.
        using SKTypeface face = ScottPlot.Fonts.GetTypeface("I2M Sans", false, false);
        Assert.Equal("DejaVu Sans", face.FamilyName);
        Assert.Equal("I2M Sans", ScottPlot.Fonts.Default);
    }

    private static SKBitmap Read(string path, int width, int height)
    {
        Assert.InRange(new FileInfo(path).Length, 3000, 600_000);
        SKBitmap bitmap = SKBitmap.Decode(path);
        Assert.Equal((width, height), (bitmap.Width, bitmap.Height));
        Assert.True(bitmap.Pixels.Distinct().Take(10).Count() == 10, "the picture is uniform");
        return bitmap;
    }

    private static int Brightness(SKBitmap bitmap, int x, int y)
    {
        SKColor color = bitmap.GetPixel(x, y);
        return (color.Red + color.Green + color.Blue) / 3;
    }

    private static double MeanBrightness(SKBitmap bitmap, int x, int y, int side) =>
        Enumerable.Range(0, side * side).Average(i => Brightness(bitmap, x + i % side, y + i / side));

    /// <summary>Pixels of a rectangle that are not white.</summary>
    private static int Inked(SKBitmap bitmap, SKRectI area)
    {
        int count = 0;
        for (int y = area.Top; y < area.Bottom; y++)
            for (int x = area.Left; x < area.Right; x++)
                count += Brightness(bitmap, x, y) < 240 ? 1 : 0;
        return count;
    }
}
