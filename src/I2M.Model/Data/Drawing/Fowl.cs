using SkiaSharp;

namespace I2M.Model.Data.Drawing;

/// <summary>Rooster and hen, heads to the right; feet at y = 0.45.</summary>
internal static class Fowl
{
    private static readonly SKColor Red = new(205, 30, 35), Horn = new(235, 185, 70);

    /// <summary>Upright, a tall toothed comb, long wattles, a golden hackle, and arching sickle feathers for a tail.</summary>
    public static void Rooster(Sketch sketch)
    {
        (SKColor body, SKColor hackle, SKColor tail) = sketch.Random.Pick(
            (sketch.Hsl(14, 60, 32), sketch.Hsl(36, 80, 52), sketch.Hsl(165, 45, 16)),
            (sketch.Hsl(18, 65, 26), sketch.Hsl(28, 85, 46), sketch.Hsl(210, 40, 15)),
            (sketch.Hsl(40, 20, 88), sketch.Hsl(44, 35, 92), sketch.Hsl(40, 12, 80)),
            (sketch.Hsl(220, 12, 17), sketch.Hsl(38, 75, 50), sketch.Hsl(170, 40, 14)));
        Sickles(sketch, tail);
        Legs(sketch, 0.0f, 0.18f, 0.11f, spur: true);
        SKPath trunk = sketch.Blob(0.19f, -0.10f, 0.235f, 0.03f, 0.18f, 0.16f, 0.03f, 0.235f, -0.12f, 0.19f, -0.215f, 0.05f, -0.25f, -0.09f, -0.12f,
            -0.05f, 0.0f, -0.07f, 0.07f, -0.17f);
        sketch.Shade(trunk, -0.15f, 0.23f, Sketch.Tint(body, 1.15f), body, Sketch.Tint(body, 0.7f));
        SKPath cape = sketch.Fin(0.10f, -0.35f, 0.02f, -0.22f, -0.06f, -0.04f, 0.03f, 0.06f, 0.08f, 0.0f, 0.14f, 0.08f, 0.18f, -0.01f, 0.24f, 0.04f,
            0.235f, -0.05f, 0.20f, -0.2f, 0.215f, -0.32f, 0.17f, -0.42f, 0.10f, -0.35f);
        sketch.Shade(cape, -0.38f, 0.06f, Sketch.Tint(hackle, 1.15f), hackle, Sketch.Tint(hackle, 0.75f));
        for (int i = 0; i < 6; i++)
            sketch.Arc(0.12f + i * 0.014f, -0.25f, 0.07f + i * 0.025f, -0.14f, 0.01f + i * 0.04f, -0.01f, Sketch.Tint(hackle, 0.68f), 0.006f);
        Wing(sketch, -0.02f, 0.06f, 1, Sketch.Tint(body, 0.72f), tail);
        Head(sketch, 0.165f, -0.345f, 1, hackle, comb: 1);
    }

    /// <summary>Round and low, a small comb, no wattles to speak of, a short fan of a tail; may peck or brood.</summary>
    public static void Hen(Sketch sketch)
    {
        SKColor body = sketch.Random.Pick(sketch.Hsl(22, 50, 38), sketch.Hsl(28, 55, 48), sketch.Hsl(20, 45, 28), sketch.Hsl(38, 25, 84),
            sketch.Hsl(220, 6, 24));
        bool broods = sketch.Random.Chance(0.2f), pecks = !broods && sketch.Random.Chance(0.3f);
        sketch.Frame(0, broods ? 0.17f : 0.0f, 0, 1.08f, 1.08f, () =>
        {
            if (!broods)
                Legs(sketch, 0.0f, 0.24f, 0.085f, spur: false);
            foreach (float angle in (ReadOnlySpan<float>)[-30, -12, 6])
                sketch.Frame(-0.2f, 0.03f, angle, 1, 1, () => sketch.Fill(sketch.Blob(0.05f, -0.05f, -0.06f, -0.1f, -0.16f, -0.12f, -0.13f, -0.03f,
                    0.0f, 0.06f), Sketch.Tint(body, 0.68f + (angle + 30) * 0.003f)));
            float headX = pecks ? 0.3f : 0.19f, headY = pecks ? 0.1f : -0.2f;
            SKPath neck = sketch.Ribbon(new(0.09f, 0.06f), new(pecks ? 0.24f : 0.17f, pecks ? -0.06f : -0.08f), new(headX, headY), 0.12f, 0.048f);
            SKPath trunk = sketch.Blob(0.2f, -0.03f, 0.235f, 0.09f, 0.16f, 0.23f, -0.02f, 0.285f, -0.18f, 0.21f, -0.26f, 0.06f, -0.24f, -0.05f, -0.1f,
                -0.03f, 0.06f, -0.06f);
            sketch.Fill(neck, Sketch.Tint(body, 1.12f));
            sketch.Shade(trunk, -0.06f, 0.28f, Sketch.Tint(body, 1.12f), body, Sketch.Tint(body, 0.72f));
            sketch.Inside(trunk, () => Speckles(sketch, Sketch.Tint(body, 0.75f)));
            Wing(sketch, -0.03f, 0.09f, 1.15f, Sketch.Tint(body, 0.78f), Sketch.Tint(body, 0.55f));
            sketch.Frame(headX, headY, pecks ? 50 : 0, 0.88f, 0.88f, () => Head(sketch, 0, 0, 1, Sketch.Tint(body, 1.12f), comb: 0.42f));
        });
    }

    private static void Head(Sketch sketch, float x, float y, float scale, SKColor feathers, float comb)
    {
        sketch.Frame(x, y, 0, scale, scale, () =>
        {
            sketch.Frame(0.0f, -0.045f, 0, comb, comb, () => sketch.Fill(sketch.Polygon(
                -0.085f, 0.06f, -0.105f, -0.03f, -0.065f, 0.0f, -0.06f, -0.08f, -0.022f, -0.025f, 0.0f, -0.1f, 0.025f, -0.025f, 0.055f, -0.075f,
                    0.062f, -0.01f, 0.09f, -0.03f, 0.078f, 0.06f), Red));
            sketch.Oval(0, 0, 0.062f, 0.058f, feathers);
            sketch.Oval(0.025f, 0.006f, 0.036f, 0.033f, Red);
            sketch.Fill(sketch.Polygon(0.048f, -0.016f, 0.125f, 0.014f, 0.05f, 0.026f), Horn);
            sketch.Fill(sketch.Polygon(0.048f, 0.016f, 0.105f, 0.018f, 0.05f, 0.033f), Sketch.Tint(Horn, 0.75f));
            sketch.Fill(sketch.Fin(0.02f, 0.03f, 0.0f, 0.03f + 0.12f * comb, 0.035f, 0.03f + 0.12f * comb, 0.075f, 0.03f + 0.1f * comb, 0.058f,
                0.025f), Sketch.Tint(Red, 0.9f));
            sketch.Eye(0.022f, -0.008f, 0.016f, new SKColor(250, 165, 40));
        });
    }

    private static void Sickles(Sketch sketch, SKColor tail)
    {
        int count = sketch.Random.Whole(6, 8);
        float lift = sketch.Random.Range(-0.04f, 0.04f);
        for (int i = 0; i < count; i++)
        {
            float t = (float)i / (count - 1);
            SKColor color = Sketch.Tint(tail, 1f + 0.3f * (i % 2));
            float tipX = -0.30f - 0.17f * MathF.Sin(t * 2.4f), tipY = -0.24f + 0.36f * t + lift, archX = -0.30f - 0.12f * t, archY = -0.50f + 0.34f * t + lift;
            SKPath feather = sketch.Fin(-0.16f, -0.06f + 0.08f * t, archX, archY, tipX, tipY, archX + 0.11f, archY + 0.18f, -0.17f, 0.04f + 0.06f * t);
            sketch.Fill(feather, color);
            sketch.Outline(feather, Sketch.Tint(tail, 0.7f), 0.004f);
        }
    }

    private static void Wing(Sketch sketch, float x, float y, float scale, SKColor feathers, SKColor tips)
    {
        sketch.Frame(x, y, sketch.Random.Range(-6, 10), scale, scale, () =>
        {
            SKPath wing = sketch.Blob(0.11f, -0.05f, 0.12f, 0.03f, 0.02f, 0.09f, -0.11f, 0.085f, -0.2f, 0.05f, -0.1f, -0.02f, 0.0f, -0.07f);
            sketch.Fill(wing, feathers);
            sketch.Inside(wing, () =>
            {
                for (int i = 0; i < 4; i++)
                    sketch.Arc(0.06f - i * 0.02f, 0.02f + i * 0.022f, -0.06f, 0.05f + i * 0.02f, -0.2f, 0.03f + i * 0.02f, tips, 0.011f);
            });
        });
    }

    private static void Legs(Sketch sketch, float x, float top, float apart, bool spur)
    {
        foreach (float foot in (ReadOnlySpan<float>)[x - apart / 2, x + apart / 2])
        {
            sketch.Line(foot, top, foot + 0.01f, 0.43f, Horn, 0.02f);
            foreach (float toe in (ReadOnlySpan<float>)[-0.045f, 0.03f, 0.07f])
                sketch.Line(foot + 0.01f, 0.43f, foot + 0.01f + toe, 0.45f, Horn, 0.014f);
            if (spur)
                sketch.Line(foot + 0.005f, 0.38f, foot - 0.03f, 0.37f, Horn, 0.01f);
        }
    }

    private static void Speckles(Sketch sketch, SKColor color)
    {
        for (int i = 34; i > 0; i--)
        {
            float x = sketch.Random.Range(-0.24f, 0.22f), y = sketch.Random.Range(-0.04f, 0.27f);
            sketch.Arc(x, y, x - 0.012f, y + 0.018f, x - 0.03f, y + 0.008f, color, 0.007f);
        }
    }
}
