using ScottPlot;
using SkiaSharp;

namespace I2M.Model.Evaluation.Plots;

/// <summary>
/// DejaVu Sans from this assembly for every plot. Without it ScottPlot asks the system, and a container without fonts gives plots without text.
/// </summary>
internal sealed class PlotFont : IFontResolver
{
    /// <summary>Our own family name, so that no system font can answer to it.</summary>
    public const string Family = "I2M Sans";

    private static readonly Lazy<PlotFont> Installed = new(() =>
    {
        PlotFont font = new();
        Fonts.FontResolvers.Insert(0, font);
        (Fonts.Default, Fonts.Sans) = (Family, Family);
        return font;
    });

    private readonly byte[] regular = Resource("DejaVuSans.ttf"), bold = Resource("DejaVuSans-Bold.ttf");

    private PlotFont() { }

    /// <summary>Makes the embedded font ScottPlot's default, once a process.</summary>
    public static PlotFont Install() => Installed.Value;

    /// <summary>A new typeface from the embedded file; the caller owns it.</summary>
    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
        CreateTypeface(fontName, weight >= FontWeight.SemiBold, slant != FontSlant.Upright);

    /// <inheritdoc cref="CreateTypeface(string, FontWeight, FontSlant, FontSpacing)"/>
    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic)
    {
        if (fontName != Family)
            return null;
        using SKData data = SKData.CreateCopy(bold ? this.bold : regular);
        return SKTypeface.FromData(data);
    }

    private static byte[] Resource(string name)
    {
        using Stream stream = typeof(PlotFont).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"the assembly lacks its font {name}");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
