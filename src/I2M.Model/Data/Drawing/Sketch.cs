using SkiaSharp;

namespace I2M.Model.Data.Drawing;

/// <summary>
/// A canvas with the few strokes that the animals are made of. Coordinates are in units of the picture's side, x right, y down;
/// paths belong to the sketch and are freed with it.
/// </summary>
internal sealed class Sketch(SKCanvas canvas, DrawingRandom random) : IDisposable
{
    private readonly List<SKPath> paths = [];

    public SKCanvas Canvas { get; } = canvas;

    public DrawingRandom Random { get; } = random;

    /// <summary>A closed smooth outline through the points (x0, y0, x1, y1, …): a Catmull-Rom spline as cubic Béziers.</summary>
    public SKPath Blob(params ReadOnlySpan<float> points)
    {
        SKPath path = Own();
        int count = points.Length / 2;
        path.MoveTo(points[0], points[1]);
        for (int i = 0; i < count; i++)
        {
            SKPoint before = At(points, i - 1), from = At(points, i), to = At(points, i + 1), after = At(points, i + 2);
            path.CubicTo(from.X + (to.X - before.X) / 6, from.Y + (to.Y - before.Y) / 6, to.X - (after.X - from.X) / 6, to.Y - (after.Y - from.Y) / 6,
                to.X, to.Y);
        }
        path.Close();
        return path;
    }

    /// <summary>A closed outline with straight sides.</summary>
    public SKPath Polygon(params ReadOnlySpan<float> points)
    {
        SKPath path = Own();
        path.MoveTo(points[0], points[1]);
        for (int i = 1; i < points.Length / 2; i++)
            path.LineTo(points[2 * i], points[2 * i + 1]);
        path.Close();
        return path;
    }

    /// <summary>
    /// A closed outline of quadratic curves: start, then (control, end) pairs. The natural shape of a fin or a curved feather.
    /// </summary>
    public SKPath Fin(params ReadOnlySpan<float> points)
    {
        SKPath path = Own();
        path.MoveTo(points[0], points[1]);
        for (int i = 2; i + 3 < points.Length; i += 4)
            path.QuadTo(points[i], points[i + 1], points[i + 2], points[i + 3]);
        path.Close();
        return path;
    }

    /// <summary>
    /// A tapering ribbon around a quadratic curve, from half-width <paramref name="w0"/> at the start to <paramref name="w1"/> at the end: tails, necks, legs.
    /// </summary>
    public SKPath Ribbon(SKPoint start, SKPoint control, SKPoint end, float w0, float w1)
    {
        const int steps = 16;
        Span<float> outline = stackalloc float[4 * (steps + 1)];
        for (int i = 0; i <= steps; i++)
        {
            float t = (float)i / steps, u = 1 - t, half = w0 + (w1 - w0) * t;
            float x = u * u * start.X + 2 * u * t * control.X + t * t * end.X, y = u * u * start.Y + 2 * u * t * control.Y + t * t * end.Y;
            float dx = u * (control.X - start.X) + t * (end.X - control.X), dy = u * (control.Y - start.Y) + t * (end.Y - control.Y);
            float length = Math.Max(1e-6f, MathF.Sqrt(dx * dx + dy * dy)), nx = -dy / length * half, ny = dx / length * half;
            int j = outline.Length - 2 - 2 * i;
            (outline[2 * i], outline[2 * i + 1], outline[j], outline[j + 1]) = (x + nx, y + ny, x - nx, y - ny);
        }
        return Polygon(outline);
    }

    public void Fill(SKPath path, SKColor color)
    {
        using SKPaint paint = Paint(color);
        Canvas.DrawPath(path, paint);
    }

    /// <summary>Fills with a vertical gradient whose colours are spread evenly between the two heights.</summary>
    public void Shade(SKPath path, float top, float bottom, params SKColor[] colors)
    {
        using SKPaint paint = Paint(SKColors.Black);
        using SKShader shader = SKShader.CreateLinearGradient(new(0, top), new(0, bottom), colors, SKShaderTileMode.Clamp);
        paint.Shader = shader;
        Canvas.DrawPath(path, paint);
    }

    public void Outline(SKPath path, SKColor color, float width)
    {
        using SKPaint paint = Paint(color);
        (paint.Style, paint.StrokeWidth, paint.StrokeCap, paint.StrokeJoin) = (SKPaintStyle.Stroke, width, SKStrokeCap.Round, SKStrokeJoin.Round);
        Canvas.DrawPath(path, paint);
    }

    public void Line(float x0, float y0, float x1, float y1, SKColor color, float width)
    {
        using SKPaint paint = Paint(color);
        (paint.Style, paint.StrokeWidth, paint.StrokeCap) = (SKPaintStyle.Stroke, width, SKStrokeCap.Round);
        Canvas.DrawLine(x0, y0, x1, y1, paint);
    }

    /// <summary>An open quadratic curve.</summary>
    public void Arc(float x0, float y0, float cx, float cy, float x1, float y1, SKColor color, float width)
    {
        SKPath path = Own();
        path.MoveTo(x0, y0);
        path.QuadTo(cx, cy, x1, y1);
        Outline(path, color, width);
    }

    public void Oval(float x, float y, float rx, float ry, SKColor color)
    {
        using SKPaint paint = Paint(color);
        Canvas.DrawOval(x, y, rx, ry, paint);
    }

    public void Eye(float x, float y, float radius, SKColor iris)
    {
        Oval(x, y, radius, radius, Tint(iris, 0.45f));
        Oval(x, y, radius * 0.85f, radius * 0.85f, iris);
        Oval(x, y, radius * 0.5f, radius * 0.5f, new SKColor(12, 12, 14));
        Oval(x + radius * 0.25f, y - radius * 0.3f, radius * 0.2f, radius * 0.2f, SKColors.White);
    }

    /// <summary>Draws only inside the path.</summary>
    public void Inside(SKPath path, Action draw)
    {
        Canvas.Save();
        Canvas.ClipPath(path, antialias: true);
        draw();
        Canvas.Restore();
    }

    /// <summary>Draws in a frame moved to (x, y), then turned by the angle in degrees, then scaled.</summary>
    public void Frame(float x, float y, float degrees, float scaleX, float scaleY, Action draw)
    {
        Canvas.Save();
        Canvas.Translate(x, y);
        Canvas.RotateDegrees(degrees);
        Canvas.Scale(scaleX, scaleY);
        draw();
        Canvas.Restore();
    }

    /// <summary>A colour by hue 0–360, saturation and lightness 0–100, each moved a little at random.</summary>
    public SKColor Hsl(float hue, float saturation, float lightness, float spread = 1) =>
        SKColor.FromHsl(
            (hue + Random.Range(-6, 6) * spread + 360) % 360,
            Math.Clamp(saturation + Random.Range(-8, 8) * spread, 0, 100),
            Math.Clamp(lightness + Random.Range(-5, 5) * spread, 0, 100));

    /// <summary>The colour made darker (factor below 1) or lighter (above 1, towards white).</summary>
    public static SKColor Tint(SKColor color, float factor) =>
        factor <= 1 ? Blend(SKColors.Black, color, factor) : Blend(color, SKColors.White, factor - 1);

    public static SKColor Blend(SKColor from, SKColor to, float amount) => new(
        (byte)(from.Red + (to.Red - from.Red) * amount),
        (byte)(from.Green + (to.Green - from.Green) * amount),
        (byte)(from.Blue + (to.Blue - from.Blue) * amount));

    public void Dispose()
    {
        foreach (SKPath path in paths)
            path.Dispose();
    }

    private SKPath Own()
    {
        SKPath path = new();
        paths.Add(path);
        return path;
    }

    private static SKPaint Paint(SKColor color) => new() { IsAntialias = true, Color = color };

    private static SKPoint At(ReadOnlySpan<float> points, int index)
    {
        int count = points.Length / 2, i = (index % count + count) % count;
        return new(points[2 * i], points[2 * i + 1]);
    }
}
