using SkiaSharp;

namespace I2M.Model.Data.Drawing;

/// <summary>The three sharks, head to the right; bodies span x −0.5 to 0.5.</summary>
internal static class Sharks
{
    /// <summary>
    /// Torpedo with a pointed snout, a tall dorsal fin, a crescent tail, and a sharp border between grey back and white belly; jaws sometimes open.
    /// </summary>
    public static void GreatWhite(Sketch sketch)
    {
        SKColor grey = sketch.Hsl(212, 12, 42), fin = Sketch.Tint(grey, 0.8f);
        sketch.Fill(sketch.Fin(-0.36f, -0.03f, -0.43f, -0.08f, -0.49f, -0.23f, -0.45f, -0.07f, -0.435f, 0, -0.44f, 0.07f, -0.47f, 0.17f, -0.42f,
            0.08f, -0.36f, 0.03f), fin);
        sketch.Fill(sketch.Fin(0.12f, -0.10f, 0.06f, -0.20f, -0.03f, -0.29f, -0.04f, -0.18f, -0.04f, -0.09f), fin);
        sketch.Fill(sketch.Fin(-0.26f, -0.06f, -0.29f, -0.1f, -0.32f, -0.1f, -0.31f, -0.07f, -0.31f, -0.04f), fin);
        sketch.Fill(sketch.Fin(-0.14f, 0.09f, -0.19f, 0.13f, -0.22f, 0.15f, -0.21f, 0.1f, -0.22f, 0.06f), fin);
        SKPath body = sketch.Blob(0.5f, -0.02f, 0.40f, -0.075f, 0.26f, -0.115f, 0.08f, -0.13f, -0.16f, -0.09f, -0.37f, -0.03f, -0.37f, 0.03f, -0.16f,
            0.09f, 0.08f, 0.125f, 0.26f, 0.105f, 0.38f, 0.07f, 0.47f, 0.015f);
        sketch.Shade(body, -0.13f, 0.13f, Sketch.Tint(grey, 0.75f), grey, Sketch.Tint(grey, 1.1f));
        sketch.Inside(body, () => sketch.Shade(
            sketch.Blob(0.55f, 0.0f, 0.40f, 0.01f, 0.30f, 0.035f, 0.2f, 0.01f, 0.05f, 0.04f, -0.15f, 0.025f, -0.42f, 0.01f, -0.42f, 0.2f, 0.1f, 0.2f,
                0.55f, 0.2f), 0, 0.13f, SKColors.White, new SKColor(205, 210, 216)));
        if (sketch.Random.Chance(0.6f))
            Jaws(sketch);
        else
            sketch.Arc(0.45f, 0.035f, 0.40f, 0.05f, 0.36f, 0.035f, new SKColor(70, 40, 45), 0.009f);
        Gills(sketch, 0.20f, -0.045f, 0.05f, Sketch.Tint(grey, 0.5f));
        sketch.Oval(0.385f, -0.022f, 0.0135f, 0.0135f, new SKColor(10, 10, 12));
        sketch.Fill(sketch.Fin(0.19f, 0.07f, 0.12f, 0.14f, 0.02f, 0.27f, 0.04f, 0.15f, 0.08f, 0.08f), fin);
    }

    /// <summary>Blunt snout, slender tail with a long upper lobe, dark bars down the flank.</summary>
    public static void Tiger(Sketch sketch)
    {
        SKColor skin = sketch.Hsl(sketch.Random.Range(165, 205), 18, 50), fin = Sketch.Tint(skin, 0.78f);
        sketch.Fill(sketch.Fin(-0.34f, -0.03f, -0.42f, -0.08f, -0.52f, -0.25f, -0.46f, -0.05f, -0.42f, 0.01f, -0.42f, 0.04f, -0.44f, 0.1f, -0.39f,
            0.06f, -0.34f, 0.03f), fin);
        sketch.Fill(sketch.Fin(0.10f, -0.10f, 0.05f, -0.2f, -0.04f, -0.25f, -0.04f, -0.16f, -0.05f, -0.09f), fin);
        sketch.Fill(sketch.Fin(-0.2f, 0.07f, -0.24f, 0.12f, -0.28f, 0.13f, -0.26f, 0.09f, -0.27f, 0.05f), fin);
        SKPath body = sketch.Blob(0.47f, -0.005f, 0.455f, -0.06f, 0.36f, -0.10f, 0.2f, -0.12f, 0.02f, -0.115f, -0.18f, -0.075f, -0.36f, -0.03f,
            -0.36f, 0.025f, -0.16f, 0.075f, 0.04f, 0.12f, 0.22f, 0.12f, 0.36f, 0.09f, 0.45f, 0.045f);
        sketch.Shade(body, -0.12f, 0.13f, Sketch.Tint(skin, 0.8f), skin, Sketch.Tint(skin, 1.2f), new SKColor(232, 232, 220));
        sketch.Inside(body, () => Bars(sketch, Sketch.Tint(skin, 0.34f)));
        Gills(sketch, 0.22f, -0.03f, 0.05f, Sketch.Tint(skin, 0.45f));
        sketch.Eye(0.385f, -0.03f, 0.017f, new SKColor(120, 130, 110));
        sketch.Arc(0.455f, 0.045f, 0.40f, 0.035f, 0.34f, 0.06f, new SKColor(60, 40, 40), 0.011f);
        sketch.Fill(sketch.Fin(0.18f, 0.07f, 0.10f, 0.15f, 0.01f, 0.23f, 0.03f, 0.14f, 0.06f, 0.08f), fin);
    }

    /// <summary>A shark whose head is a wide bar with an eye at each end, seen from above or from the side.</summary>
    public static void Hammerhead(Sketch sketch)
    {
        SKColor skin = sketch.Hsl(sketch.Random.Range(30, 215), 12, 46);
        if (sketch.Random.Chance(0.5f))
            HammerheadFromAbove(sketch, skin);
        else
            HammerheadFromSide(sketch, skin);
    }

    private static void HammerheadFromAbove(Sketch sketch, SKColor skin)
    {
        SKColor fin = Sketch.Tint(skin, 0.8f);
        float bend = sketch.Random.Range(-0.07f, 0.07f);
        foreach (int side in (ReadOnlySpan<int>)[-1, 1])
        {
            sketch.Fill(sketch.Fin(0.2f, side * 0.05f, 0.12f, side * 0.17f, -0.02f, side * 0.25f, 0.04f, side * 0.13f, 0.06f, side * 0.05f), fin);
            sketch.Fill(sketch.Fin(-0.14f, side * 0.03f, -0.18f, side * 0.09f, -0.24f, side * 0.1f, -0.21f, side * 0.05f, -0.22f, side * 0.02f), fin);
        }
        sketch.Fill(sketch.Fin(-0.34f, bend - 0.02f, -0.42f, bend - 0.01f, -0.5f, bend * 2.2f - 0.05f, -0.46f, bend * 1.6f + 0.02f, -0.34f, bend + 0.02f), fin);
        SKPath body = sketch.Blob(0.42f, -0.045f, 0.28f, -0.07f, 0.1f, -0.085f, -0.1f, -0.05f + bend * 0.2f, -0.4f, bend * 1.2f - 0.008f, -0.4f,
            bend * 1.2f + 0.008f, -0.1f, 0.05f + bend * 0.2f, 0.1f, 0.085f, 0.28f, 0.07f, 0.42f, 0.045f);
        sketch.Fill(body, skin);
        sketch.Inside(body, () => sketch.Fill(sketch.Ribbon(new(0.45f, 0), new(0, -bend * 0.2f), new(-0.45f, bend * 1.3f), 0.03f, 0.006f),
            Sketch.Tint(skin, 0.85f)));
        sketch.Fill(sketch.Fin(0.12f, 0, 0.03f, -0.025f, -0.04f, 0, 0.03f, 0.025f, 0.12f, 0), Sketch.Tint(skin, 0.6f));
        sketch.Frame(0.42f, 0, 0, 1, 1, () => Hammer(sketch, Sketch.Tint(skin, 0.95f), 0.24f));
    }

    private static void HammerheadFromSide(Sketch sketch, SKColor skin)
    {
        SKColor fin = Sketch.Tint(skin, 0.8f);
        sketch.Fill(sketch.Fin(-0.35f, -0.03f, -0.43f, -0.1f, -0.51f, -0.24f, -0.46f, -0.05f, -0.42f, 0.01f, -0.42f, 0.04f, -0.44f, 0.1f, -0.39f,
            0.06f, -0.35f, 0.03f), fin);
        sketch.Fill(sketch.Fin(0.13f, -0.08f, 0.06f, -0.2f, -0.02f, -0.32f, -0.02f, -0.18f, -0.02f, -0.08f), fin);
        sketch.Fill(sketch.Fin(-0.2f, 0.05f, -0.24f, 0.11f, -0.28f, 0.12f, -0.26f, 0.07f, -0.27f, 0.04f), fin);
        SKPath body = sketch.Blob(0.42f, -0.05f, 0.26f, -0.09f, 0.08f, -0.1f, -0.16f, -0.07f, -0.37f, -0.03f, -0.37f, 0.02f, -0.16f, 0.07f, 0.08f,
            0.1f, 0.28f, 0.085f, 0.42f, 0.04f);
        sketch.Shade(body, -0.1f, 0.1f, Sketch.Tint(skin, 0.8f), skin, Sketch.Tint(skin, 1.3f), new SKColor(225, 225, 222));
        Gills(sketch, 0.2f, -0.03f, 0.05f, Sketch.Tint(skin, 0.5f));
        sketch.Fill(sketch.Fin(0.18f, 0.05f, 0.1f, 0.14f, 0.02f, 0.22f, 0.03f, 0.12f, 0.07f, 0.06f), fin);
        // The bar turns towards the viewer: it keeps its length and leans across the snout.
        sketch.Frame(0.42f, 0.0f, sketch.Random.Range(8, 28), 0.9f, 1, () => Hammer(sketch, Sketch.Tint(skin, 0.9f), 0.21f));
    }

    /// <summary>The cephalofoil: a bar across the direction of travel, its front edge scalloped, eyes at the tips.</summary>
    private static void Hammer(Sketch sketch, SKColor skin, float half)
    {
        SKPath bar = sketch.Blob(0.075f, 0, 0.07f, -half * 0.3f, 0.06f, -half * 0.6f, 0.035f, -half * 0.97f, -0.02f, -half, -0.035f, -half * 0.8f,
            -0.03f, -half * 0.45f, -0.06f, 0,
            -0.03f, half * 0.45f, -0.035f, half * 0.8f, -0.02f, half, 0.035f, half * 0.97f, 0.06f, half * 0.6f, 0.07f, half * 0.3f);
        sketch.Fill(bar, skin);
        sketch.Outline(bar, Sketch.Tint(skin, 0.6f), 0.007f);
        sketch.Arc(0.05f, -half * 0.7f, 0.068f, 0, 0.05f, half * 0.7f, Sketch.Tint(skin, 1.25f), 0.008f);
        sketch.Eye(0.012f, -half * 0.97f, 0.022f, new SKColor(235, 225, 170));
        sketch.Eye(0.012f, half * 0.97f, 0.022f, new SKColor(235, 225, 170));
    }

    private static void Jaws(Sketch sketch)
    {
        SKPath mouth = sketch.Fin(0.455f, 0.025f, 0.39f, 0.015f, 0.335f, 0.045f, 0.36f, 0.1f, 0.41f, 0.085f, 0.42f, 0.05f, 0.455f, 0.025f);
        sketch.Fill(mouth, new SKColor(120, 30, 40));
        for (int i = 0; i < 5; i++)
        {
            float x = 0.445f - i * 0.021f, y = 0.026f + i * 0.002f;
            sketch.Fill(sketch.Polygon(x, y - 0.004f, x - 0.016f, y - 0.002f, x - 0.009f, y + 0.02f), SKColors.White);
            sketch.Fill(sketch.Polygon(0.415f - i * 0.014f, 0.08f + i * 0.002f, 0.403f - i * 0.014f, 0.083f + i * 0.001f, 0.409f - i * 0.014f,
                0.062f), SKColors.White);
        }
    }

    private static void Gills(Sketch sketch, float x, float top, float height, SKColor color)
    {
        for (int i = 0; i < 5; i++)
            sketch.Arc(x + i * 0.018f, top, x + i * 0.018f - 0.01f, top + height / 2, x + i * 0.018f, top + height, color, 0.006f);
    }

    private static void Bars(Sketch sketch, SKColor dark)
    {
        int count = sketch.Random.Whole(8, 11);
        for (int i = 0; i < count; i++)
        {
            float x = 0.27f - i * 0.62f / count, lean = sketch.Random.Range(-0.015f, 0.015f), length = sketch.Random.Range(0.11f, 0.17f) * (1 - 0.05f * i);
            sketch.Fill(sketch.Fin(x - 0.015f, -0.14f, x - 0.018f, -0.06f, x + lean, -0.13f + length, x + 0.018f, -0.06f, x + 0.015f, -0.14f), dark);
        }
    }
}
