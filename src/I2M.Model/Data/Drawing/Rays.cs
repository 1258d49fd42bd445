using SkiaSharp;

namespace I2M.Model.Data.Drawing;

/// <summary>Rays seen from above, head to the right.</summary>
internal static class Rays
{
    /// <summary>A diamond with pointed wings and a whip for a tail, longer than the disc.</summary>
    public static void Stingray(Sketch sketch)
    {
        SKColor skin = sketch.Hsl(sketch.Random.Range(20, 60), 18, sketch.Random.Range(32, 55));
        float sway = sketch.Random.Range(-0.2f, 0.2f), flap = sketch.Random.Range(-0.04f, 0.04f);
        sketch.Frame(0.14f, 0, 0, 1, sketch.Random.Range(0.78f, 1f), () =>
        {
            sketch.Fill(sketch.Ribbon(new(-0.16f, 0), new(-0.42f, sway), new(-0.66f, -sway * 0.8f), 0.022f, 0.003f), Sketch.Tint(skin, 0.7f));
            sketch.Fill(sketch.Polygon(-0.3f, sway * 0.45f, -0.42f, sway * 0.35f - 0.015f, -0.32f, sway * 0.42f + 0.012f), new SKColor(235, 230, 215));
            foreach (int side in (ReadOnlySpan<int>)[-1, 1])
                sketch.Fill(sketch.Blob(-0.15f, side * 0.02f, -0.2f, side * 0.09f, -0.26f, side * 0.07f, -0.22f, side * 0.015f), Sketch.Tint(skin, 0.75f));
            SKPath disc = sketch.Fin(0.30f, 0, 0.2f, -0.12f, 0.03f + flap, -0.36f, -0.04f, -0.2f, -0.2f, -0.035f, -0.22f, 0, -0.2f, 0.035f, -0.04f,
                0.2f, 0.03f - flap, 0.36f, 0.2f, 0.12f, 0.30f, 0);
            sketch.Shade(disc, -0.36f, 0.36f, Sketch.Tint(skin, 0.78f), skin, Sketch.Tint(skin, 1.18f), skin, Sketch.Tint(skin, 0.78f));
            sketch.Outline(disc, Sketch.Tint(skin, 0.55f), 0.008f);
            sketch.Arc(0.14f, 0, 0, 0, -0.18f, 0, Sketch.Tint(skin, 0.72f), 0.014f);
            Eyes(sketch, skin, 0.17f, 0.048f, 0.02f);
        });
    }

    /// <summary>A round disc with dark spots and pale kidney-shaped electric organs; a short thick tail with a fan at its end.</summary>
    public static void Electric(Sketch sketch)
    {
        SKColor skin = sketch.Hsl(sketch.Random.Range(18, 45), 45, sketch.Random.Range(38, 60)), dark = Sketch.Tint(skin, 0.35f);
        sketch.Frame(0.10f, 0, 0, 1, sketch.Random.Range(0.82f, 1f), () =>
        {
            SKColor fin = Sketch.Tint(skin, 0.72f);
            float sway = sketch.Random.Range(-0.06f, 0.06f);
            sketch.Fill(sketch.Fin(-0.40f, sway, -0.48f, sway - 0.13f, -0.55f, sway - 0.09f, -0.52f, sway, -0.55f, sway + 0.09f, -0.48f, sway + 0.13f,
                -0.40f, sway), fin);
            foreach (int side in (ReadOnlySpan<int>)[-1, 1])
                sketch.Fill(sketch.Blob(-0.14f, side * 0.05f, -0.2f, side * 0.16f, -0.31f, side * 0.12f, -0.3f, side * 0.03f), fin);
            sketch.Fill(sketch.Ribbon(new(-0.18f, 0), new(-0.3f, 0), new(-0.46f, sway), 0.075f, 0.022f), Sketch.Tint(skin, 0.9f));
            sketch.Oval(-0.33f, sway * 0.4f, 0.035f, 0.018f, Sketch.Tint(skin, 0.55f));
            sketch.Oval(-0.41f, sway * 0.8f, 0.028f, 0.015f, Sketch.Tint(skin, 0.55f));
            SKPath disc = sketch.Blob(0.28f, -0.06f, 0.2f, -0.2f, 0.03f, -0.275f, -0.14f, -0.21f, -0.22f, -0.07f, -0.22f, 0.07f, -0.14f, 0.21f, 0.03f,
                0.275f, 0.2f, 0.2f, 0.28f, 0.06f);
            sketch.Shade(disc, -0.28f, 0.28f, Sketch.Tint(skin, 0.8f), Sketch.Tint(skin, 1.1f), Sketch.Tint(skin, 1.1f), Sketch.Tint(skin, 0.8f));
            foreach (int side in (ReadOnlySpan<int>)[-1, 1])
                sketch.Fill(sketch.Blob(0.2f, side * 0.12f, 0.1f, side * 0.2f, -0.04f, side * 0.17f, 0.0f, side * 0.1f, 0.1f, side * 0.1f),
                    Sketch.Tint(skin, 1.3f));
            sketch.Inside(disc, () => Spots(sketch, dark));
            sketch.Outline(disc, Sketch.Tint(skin, 0.5f), 0.008f);
            Eyes(sketch, skin, 0.16f, 0.05f, 0.017f);
        });
    }

    private static void Spots(Sketch sketch, SKColor dark)
    {
        for (int i = sketch.Random.Whole(12, 22); i > 0; i--)
        {
            float angle = sketch.Random.Range(0, MathF.Tau), distance = MathF.Sqrt(sketch.Random.Range(0.05f, 1)) * 0.25f,
                radius = sketch.Random.Range(0.012f, 0.03f);
            sketch.Oval(0.02f + distance * MathF.Cos(angle), distance * MathF.Sin(angle), radius, radius, dark);
        }
    }

    private static void Eyes(Sketch sketch, SKColor skin, float x, float apart, float radius)
    {
        foreach (int side in (ReadOnlySpan<int>)[-1, 1])
        {
            sketch.Oval(x, side * apart, radius * 1.5f, radius * 1.2f, Sketch.Tint(skin, 0.6f));
            sketch.Eye(x + 0.004f, side * apart, radius, new SKColor(225, 205, 130));
            sketch.Oval(x - 0.045f, side * apart, radius * 0.8f, radius * 0.5f, Sketch.Tint(skin, 0.4f));
        }
    }
}
