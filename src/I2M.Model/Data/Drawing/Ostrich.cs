using SkiaSharp;

namespace I2M.Model.Data.Drawing;

/// <summary>The ostrich, head to the right; head at y = −0.45, feet at 0.45.</summary>
internal static class Ostrich
{
    /// <summary>
    /// A fluffy body high on long bare legs, a long bare neck, a small flat-beaked head with a large eye. Cocks are black and white, hens grey-brown.
    /// </summary>
    public static void Paint(Sketch sketch)
    {
        bool cock = sketch.Random.Chance(0.55f);
        SKColor plumage = cock ? sketch.Hsl(250, 5, 12) : sketch.Hsl(30, 16, 36);
        SKColor plume = cock ? new SKColor(240, 236, 228) : sketch.Hsl(32, 18, 62);
        SKColor skin = sketch.Random.Pick(sketch.Hsl(15, 40, 66), sketch.Hsl(25, 22, 58), sketch.Hsl(210, 8, 58));
        float stride = sketch.Random.Range(0.02f, 0.14f), bow = sketch.Random.Range(-0.05f, 0.07f), headX = 0.22f + sketch.Random.Range(-0.06f, 0.06f);
        Leg(sketch, -0.08f, -stride, Sketch.Tint(skin, 0.75f));
        for (int i = 0; i < 5; i++)
            sketch.Fill(sketch.Fin(-0.2f, -0.06f, -0.36f, -0.15f + i * 0.06f, -0.35f, 0.0f + i * 0.035f, -0.26f, 0.06f + i * 0.02f, -0.16f, 0.06f),
                Sketch.Tint(plume, 1 - 0.06f * (i % 2)));
        SKPoint shoulder = new(0.11f, 0.0f), bend = new(0.24f + bow, -0.2f), head = new(headX, -0.41f);
        sketch.Fill(sketch.Ribbon(shoulder, bend, head, 0.05f, 0.02f), skin);
        Leg(sketch, 0.0f, stride, skin);
        Body(sketch, plumage, plume);
        Head(sketch, head, skin);
    }

    private static void Body(Sketch sketch, SKColor plumage, SKColor plume)
    {
        // A rim of feathers first, so that the outline is ragged; then the trunk over it.
        for (int i = 0; i < 26; i++)
        {
            float angle = i * MathF.Tau / 26, x = -0.05f + 0.195f * MathF.Cos(angle), y = 0.01f + 0.125f * MathF.Sin(angle);
            sketch.Oval(x, y, 0.032f, 0.026f, Sketch.Tint(plumage, sketch.Random.Range(0.8f, 1.15f)));
        }
        SKPath trunk = sketch.Blob(0.15f, 0.0f, 0.1f, -0.09f, -0.05f, -0.125f, -0.2f, -0.09f, -0.26f, 0.0f, -0.2f, 0.1f, -0.05f, 0.14f, 0.09f, 0.1f);
        sketch.Shade(trunk, -0.13f, 0.14f, Sketch.Tint(plumage, 1.15f), plumage, Sketch.Tint(plumage, 0.75f));
        for (int i = 0; i < 4; i++)
            sketch.Fill(sketch.Fin(0.02f - i * 0.05f, 0.06f, -0.1f - i * 0.045f, 0.08f, -0.13f - i * 0.04f, 0.15f - i * 0.012f, -0.04f - i * 0.05f,
                0.14f, 0.02f - i * 0.05f, 0.06f), Sketch.Tint(plume, 1 - 0.05f * i));
        for (int i = 0; i < 9; i++)
        {
            float x = sketch.Random.Range(-0.2f, 0.06f), y = sketch.Random.Range(-0.08f, 0.04f);
            sketch.Arc(x, y, x - 0.03f, y - 0.005f, x - 0.05f, y + 0.02f, Sketch.Tint(plumage, 1.3f), 0.006f);
        }
    }

    private static void Leg(Sketch sketch, float hip, float stride, SKColor skin)
    {
        // What looks like a knee is the ankle, and it points backwards.
        SKPoint ankle = new(hip - 0.035f + stride * 0.45f, 0.27f), foot = new(hip + stride, 0.432f);
        sketch.Fill(sketch.Ribbon(new(hip, 0.06f), new(hip + 0.045f + stride * 0.2f, 0.17f), ankle, 0.06f, 0.016f), skin);
        sketch.Fill(sketch.Ribbon(ankle, new((ankle.X + foot.X) / 2, 0.35f), foot, 0.016f, 0.013f), skin);
        sketch.Oval(ankle.X, ankle.Y, 0.019f, 0.019f, Sketch.Tint(skin, 0.85f));
        sketch.Line(foot.X, foot.Y, foot.X + 0.06f, 0.443f, Sketch.Tint(skin, 0.7f), 0.022f);
    }

    private static void Head(Sketch sketch, SKPoint at, SKColor skin)
    {
        sketch.Frame(at.X, at.Y, sketch.Random.Range(-10, 14), 1, 1, () =>
        {
            sketch.Fill(sketch.Polygon(0.03f, -0.026f, 0.125f, 0.004f, 0.12f, 0.017f, 0.03f, 0.026f), new SKColor(222, 165, 90));
            sketch.Line(0.05f, 0.01f, 0.115f, 0.011f, new SKColor(130, 85, 40), 0.004f);
            sketch.Oval(0.01f, -0.006f, 0.05f, 0.038f, skin);
            for (int i = 0; i < 5; i++)
                sketch.Line(-0.03f + i * 0.014f, -0.036f, -0.04f + i * 0.014f, -0.056f, Sketch.Tint(skin, 0.45f), 0.005f);
            sketch.Eye(0.022f, -0.012f, 0.019f, new SKColor(150, 90, 40));
        });
    }
}
