using SkiaSharp;

namespace I2M.Model.Data.Drawing;

/// <summary>Tench and goldfish, seen from the side, head to the right; bodies span x −0.45 to 0.45.</summary>
internal static class BonyFish
{
    /// <summary>Stout olive body, rounded fins, square tail, a small red eye and a barbel.</summary>
    public static void Tench(Sketch sketch)
    {
        SKColor olive = sketch.Hsl(62, 40, 27), fin = Sketch.Tint(olive, 0.6f), belly = sketch.Hsl(46, 55, 48);
        float depth = sketch.Random.Range(0.92f, 1.12f);
        sketch.Frame(0, 0, 0, 1, depth, () =>
        {
            float lift = sketch.Random.Range(-0.02f, 0.02f);
            sketch.Fill(sketch.Blob(-0.30f, -0.05f, -0.40f, -0.14f + lift, -0.465f, -0.13f + lift, -0.455f, 0, -0.465f, 0.13f + lift, -0.40f,
                0.14f + lift, -0.30f, 0.05f), fin);
            sketch.Fill(sketch.Blob(0.10f, -0.13f, 0.07f, -0.24f, -0.02f, -0.26f, -0.10f, -0.22f, -0.11f, -0.12f), fin);
            sketch.Fill(sketch.Blob(-0.12f, 0.12f, -0.14f, 0.22f, -0.21f, 0.23f, -0.23f, 0.08f), fin);
            sketch.Fill(sketch.Blob(0.06f, 0.14f, 0.03f, 0.24f, -0.05f, 0.24f, -0.04f, 0.14f), fin);
            SKPath body = sketch.Blob(0.45f, 0.015f, 0.40f, -0.06f, 0.24f, -0.135f, 0.04f, -0.165f, -0.16f, -0.125f, -0.33f, -0.07f, -0.34f, 0.07f,
                -0.16f, 0.13f, 0.06f, 0.175f, 0.26f, 0.14f, 0.41f, 0.07f);
            sketch.Shade(body, -0.17f, 0.18f, Sketch.Tint(olive, 0.75f), olive, Sketch.Tint(olive, 1.15f), belly);
            sketch.Inside(body, () => Scales(sketch, Sketch.Tint(olive, 0.72f), 0.028f));
            Face(sketch, olive, sketch.Hsl(8, 80, 45), 0.020f);
            sketch.Arc(0.425f, 0.045f, 0.43f, 0.07f, 0.41f, 0.085f, fin, 0.008f);
            sketch.Fill(sketch.Blob(0.22f, 0.06f, 0.16f, 0.15f, 0.10f, 0.16f, 0.13f, 0.07f), fin);
        });
    }

    /// <summary>Round orange body, large eye, long forked veil of a tail; some fish carry white patches.</summary>
    public static void Goldfish(Sketch sketch)
    {
        SKColor orange = sketch.Hsl(sketch.Random.Range(12, 38), 92, 52), fin = Sketch.Tint(orange, 1.25f);
        float depth = sketch.Random.Range(0.95f, 1.25f), veil = sketch.Random.Range(0.85f, 1.25f);
        sketch.Frame(0.06f, 0, 0, 1, depth, () =>
        {
            VeilTail(sketch, fin, orange, veil);
            SKPath dorsal = sketch.Fin(0.14f, -0.15f, 0.06f, -0.33f, -0.08f, -0.27f, -0.1f, -0.2f, -0.16f, -0.09f);
            sketch.Shade(dorsal, -0.3f, -0.1f, fin, orange);
            Rays(sketch, Sketch.Tint(orange, 0.8f), 0.0f, -0.12f, -0.02f, -0.26f, 5);
            sketch.Fill(sketch.Fin(-0.06f, 0.14f, -0.2f, 0.3f, -0.24f, 0.2f, -0.18f, 0.15f, -0.16f, 0.09f), fin);
            sketch.Fill(sketch.Fin(0.1f, 0.15f, -0.02f, 0.32f, -0.06f, 0.24f, 0, 0.2f, 0.0f, 0.15f), fin);
            SKPath body = sketch.Blob(0.34f, 0.01f, 0.28f, -0.09f, 0.12f, -0.17f, -0.06f, -0.15f, -0.21f, -0.06f, -0.24f, 0, -0.21f, 0.06f, -0.05f,
                0.16f, 0.13f, 0.18f, 0.28f, 0.1f);
            sketch.Shade(body, -0.18f, 0.19f, Sketch.Tint(orange, 0.88f), orange, Sketch.Tint(orange, 1.35f));
            sketch.Inside(body, () =>
            {
                if (sketch.Random.Chance(0.35f))
                    sketch.Fill(sketch.Blob(-0.1f, -0.2f, 0.1f, -0.18f, 0.06f, 0.02f, -0.08f, 0.06f, -0.16f, 0), new SKColor(250, 240, 228));
                Scales(sketch, Sketch.Tint(orange, 0.82f), 0.04f);
            });
            sketch.Arc(0.175f, -0.11f, 0.11f, 0, 0.18f, 0.12f, Sketch.Tint(orange, 0.7f), 0.008f);
            sketch.Eye(0.245f, -0.035f, 0.034f, new SKColor(245, 225, 150));
            sketch.Arc(0.335f, 0.03f, 0.31f, 0.045f, 0.295f, 0.04f, Sketch.Tint(orange, 0.55f), 0.009f);
            sketch.Fill(sketch.Fin(0.12f, 0.06f, 0.0f, 0.04f, -0.02f, 0.13f, 0.06f, 0.14f, 0.12f, 0.06f), fin);
        });
    }

    private static void VeilTail(Sketch sketch, SKColor fin, SKColor orange, float veil)
    {
        float sway = sketch.Random.Range(-0.05f, 0.05f);
        sketch.Frame(-0.2f, 0, 0, veil, veil, () =>
        {
            SKPath tail = sketch.Fin(0, -0.04f, -0.1f, -0.24f + sway, -0.27f, -0.2f + sway, -0.24f, -0.06f, -0.15f, sway * 0.3f, -0.24f, 0.08f,
                -0.28f, 0.22f + sway, -0.1f, 0.24f + sway, 0, 0.04f);
            using SKShader shader = SKShader.CreateLinearGradient(new(0, 0), new(-0.28f, 0), [orange, fin.WithAlpha(215)], SKShaderTileMode.Clamp);
            using SKPaint paint = new();
            (paint.IsAntialias, paint.Shader) = (true, shader);
            sketch.Canvas.DrawPath(tail, paint);
            for (int i = -3; i <= 3; i++)
                if (i != 0)
                    sketch.Arc(-0.02f, i * 0.008f, -0.1f, i * 0.045f, -0.22f, i * 0.06f + sway * 0.7f, Sketch.Tint(orange, 0.8f), 0.005f);
        });
    }

    private static void Rays(Sketch sketch, SKColor color, float x0, float y0, float x1, float y1, int count)
    {
        for (int i = 0; i < count; i++)
            sketch.Line(x0 + 0.08f - i * 0.045f, y0, x1 + 0.05f - i * 0.035f, y1 + i * 0.012f, color, 0.005f);
    }

    private static void Scales(Sketch sketch, SKColor color, float step)
    {
        SKColor faint = color.WithAlpha(110);
        for (int row = 0; row * step < 0.36f; row++)
            for (float x = -0.34f + row % 2 * step / 2; x < 0.2f; x += step)
            {
                float y = -0.18f + row * step;
                sketch.Arc(x, y, x - step * 0.7f, y + step / 2, x, y + step, faint, 0.004f);
            }
    }

    private static void Face(Sketch sketch, SKColor skin, SKColor iris, float eye)
    {
        sketch.Arc(0.285f, -0.1f, 0.235f, 0.01f, 0.29f, 0.11f, Sketch.Tint(skin, 0.55f), 0.009f);
        sketch.Eye(0.355f, -0.03f, eye, iris);
        sketch.Arc(0.445f, 0.03f, 0.42f, 0.045f, 0.395f, 0.035f, Sketch.Tint(skin, 0.4f), 0.009f);
    }
}
