using SkiaSharp;

namespace I2M.Model.Data.Drawing;

/// <summary>
/// Scenes behind the animals. All swimmers draw from one mixture and all birds from another that shares its plain, sand and meadow scenes,
/// so a background never names the animal.
/// </summary>
internal static class Backgrounds
{
    /// <summary>Paints a scene; returns the height of its horizon or sea floor.</summary>
    public static float Paint(Sketch sketch, bool swims)
    {
        float choice = sketch.Random.Range(0, 1);
        return choice switch
        {
            < 0.12f => Plain(sketch),
            < 0.22f => Sand(sketch),
            < 0.30f => Meadow(sketch),
            _ when swims => Water(sketch),
            < 0.50f => Meadow(sketch),
            < 0.75f => Farmyard(sketch),
            _ => Savannah(sketch),
        };
    }

    /// <summary>Dims or brightens the whole picture and darkens its rim a little.</summary>
    public static void Light(Sketch sketch)
    {
        float light = sketch.Random.Range(-0.18f, 0.12f);
        SKColor veil = light < 0 ? SKColors.Black : SKColors.White;
        using SKPaint paint = new();
        paint.Color = veil.WithAlpha((byte)(Math.Abs(light) * 255));
        sketch.Canvas.DrawRect(0, 0, 1, 1, paint);
        byte rim = (byte)sketch.Random.Whole(0, 70);
        using SKShader shader = SKShader.CreateRadialGradient(new(0.5f, 0.5f), 0.75f, [SKColors.Transparent, SKColors.Transparent,
            SKColors.Black.WithAlpha(rim)], [0, 0.6f, 1], SKShaderTileMode.Clamp);
        paint.Color = SKColors.Black;
        paint.Shader = shader;
        sketch.Canvas.DrawRect(0, 0, 1, 1, paint);
    }

    private static float Plain(Sketch sketch)
    {
        SKColor color = SKColor.FromHsl(sketch.Random.Range(0, 360), sketch.Random.Range(0, 45), sketch.Random.Range(45, 92));
        sketch.Shade(Whole(sketch), 0, 1, Sketch.Tint(color, 1.15f), color, Sketch.Tint(color, 0.8f));
        return sketch.Random.Range(0.6f, 0.8f);
    }

    private static float Sand(Sketch sketch)
    {
        SKColor sand = sketch.Hsl(40, 42, 68);
        sketch.Shade(Whole(sketch), 0, 1, Sketch.Tint(sand, 1.15f), Sketch.Tint(sand, 0.85f));
        for (int i = sketch.Random.Whole(6, 12); i > 0; i--)
        {
            float y = sketch.Random.Range(0, 1), x = sketch.Random.Range(-0.2f, 0.8f), length = sketch.Random.Range(0.2f, 0.5f);
            sketch.Arc(x, y, x + length / 2, y - 0.04f, x + length, y, Sketch.Tint(sand, 0.78f), 0.008f);
        }
        Pebbles(sketch, 0, 1, sketch.Random.Whole(4, 16));
        return sketch.Random.Range(0.55f, 0.75f);
    }

    private static float Water(Sketch sketch)
    {
        DrawingRandom random = sketch.Random;
        // Sea blue, tropical turquoise, pond green, dark depth.
        (float hue, float saturation, float lightness) = random.Pick((208f, 62f, 48f), (185f, 52f, 58f), (120f, 28f, 38f), (215f, 55f, 26f), (165f, 30f, 46f));
        SKColor water = sketch.Hsl(hue + random.Range(-12, 12), saturation, lightness);
        sketch.Shade(Whole(sketch), 0, 1, Sketch.Tint(water, 1.4f), water, Sketch.Tint(water, 0.55f));
        if (random.Chance(0.4f))
            Sunbeams(sketch);
        float floor = random.Range(0.8f, 0.95f);
        if (random.Chance(0.5f))
            SeaFloor(sketch, floor, water);
        if (random.Chance(0.5f))
            Weeds(sketch);
        if (random.Chance(0.6f))
            Bubbles(sketch);
        return floor;
    }

    private static float Meadow(Sketch sketch)
    {
        float horizon = Sky(sketch);
        SKColor grass = sketch.Hsl(100, 42, 42);
        Ground(sketch, horizon, grass);
        Tufts(sketch, horizon, grass, sketch.Random.Whole(20, 50));
        for (int i = sketch.Random.Whole(0, 14); i > 0; i--)
        {
            SKColor petal = sketch.Random.Pick(SKColors.White, new SKColor(250, 210, 60), new SKColor(210, 110, 170));
            sketch.Oval(sketch.Random.Range(0, 1), sketch.Random.Range(horizon + 0.04f, 1), 0.009f, 0.007f, petal);
        }
        return horizon;
    }

    private static float Farmyard(Sketch sketch)
    {
        float horizon = Sky(sketch);
        SKColor earth = sketch.Hsl(32, 35, 52);
        if (sketch.Random.Chance(0.6f))
            Barn(sketch, horizon);
        Ground(sketch, horizon, earth);
        if (sketch.Random.Chance(0.6f))
            Fence(sketch, horizon);
        Pebbles(sketch, horizon, 1, sketch.Random.Whole(8, 20));
        Tufts(sketch, horizon, sketch.Hsl(95, 35, 38), sketch.Random.Whole(4, 12));
        return horizon;
    }

    private static float Savannah(Sketch sketch)
    {
        float horizon = Sky(sketch);
        SKColor grass = sketch.Hsl(45, 48, 58);
        for (int i = sketch.Random.Whole(0, 3); i > 0; i--)
            Acacia(sketch, sketch.Random.Range(0, 1), horizon + 0.01f, sketch.Random.Range(0.1f, 0.22f));
        Ground(sketch, horizon, grass);
        Tufts(sketch, horizon, Sketch.Tint(grass, 0.85f), sketch.Random.Whole(25, 60));
        return horizon;
    }

    private static float Sky(Sketch sketch)
    {
        SKColor sky = sketch.Random.Pick(sketch.Hsl(205, 60, 72), sketch.Hsl(210, 25, 78), sketch.Hsl(30, 65, 76));
        float horizon = sketch.Random.Range(0.35f, 0.65f);
        sketch.Shade(Whole(sketch), 0, horizon, sky, Sketch.Tint(sky, 1.5f));
        for (int i = sketch.Random.Whole(0, 3); i > 0; i--)
        {
            float x = sketch.Random.Range(0, 1), y = sketch.Random.Range(0.03f, horizon - 0.12f);
            for (int puff = 0; puff < 4; puff++)
                sketch.Oval(x + puff * 0.05f, y + sketch.Random.Range(-0.015f, 0.015f), 0.055f, 0.028f, SKColors.White.WithAlpha(170));
        }
        return horizon;
    }

    private static void Ground(Sketch sketch, float horizon, SKColor color)
    {
        float hill = sketch.Random.Range(-0.04f, 0.04f);
        sketch.Shade(sketch.Fin(0, horizon, 0.5f, horizon + hill, 1, horizon, 1, 1, 1, 1, 0.5f, 1, 0, 1), horizon, 1, Sketch.Tint(color, 1.2f),
            Sketch.Tint(color, 0.8f));
    }

    private static void Tufts(Sketch sketch, float top, SKColor color, int count)
    {
        for (; count > 0; count--)
        {
            float x = sketch.Random.Range(0, 1), y = sketch.Random.Range(top + 0.02f, 1), height = 0.02f + 0.07f * (y - top);
            SKColor blade = Sketch.Tint(color, sketch.Random.Range(0.7f, 1.2f));
            for (int i = -1; i <= 1; i++)
                sketch.Line(x, y, x + i * height * 0.35f, y - height, blade, 0.004f);
        }
    }

    private static void Pebbles(Sketch sketch, float top, float bottom, int count)
    {
        for (; count > 0; count--)
        {
            float radius = sketch.Random.Range(0.004f, 0.013f);
            sketch.Oval(sketch.Random.Range(0, 1), sketch.Random.Range(top + 0.02f, bottom), radius * 1.4f, radius, sketch.Hsl(35, 15,
                sketch.Random.Range(30, 65)));
        }
    }

    private static void SeaFloor(Sketch sketch, float floor, SKColor water)
    {
        SKColor sand = Sketch.Blend(sketch.Hsl(42, 35, 62), water, 0.35f);
        float bump = sketch.Random.Range(-0.05f, 0.05f);
        sketch.Fill(sketch.Fin(0, floor, 0.3f, floor - bump, 0.6f, floor, 0.8f, floor + bump, 1, floor, 1, 1, 1, 1, 0.5f, 1, 0, 1), sand);
        Pebbles(sketch, floor, 1, sketch.Random.Whole(5, 18));
    }

    private static void Weeds(Sketch sketch)
    {
        SKColor weed = sketch.Hsl(110, 35, 30);
        for (int i = sketch.Random.Whole(2, 6); i > 0; i--)
        {
            float x = sketch.Random.Range(0, 1), height = sketch.Random.Range(0.15f, 0.4f), sway = sketch.Random.Range(-0.08f, 0.08f);
            sketch.Fill(sketch.Ribbon(new(x, 1.02f), new(x + sway, 1 - height / 2), new(x - sway, 1 - height), 0.014f, 0.002f), Sketch.Tint(weed,
                sketch.Random.Range(0.7f, 1.2f)));
        }
    }

    private static void Bubbles(Sketch sketch)
    {
        for (int i = sketch.Random.Whole(4, 14); i > 0; i--)
        {
            float x = sketch.Random.Range(0, 1), y = sketch.Random.Range(0, 1), radius = sketch.Random.Range(0.005f, 0.02f);
            sketch.Oval(x, y, radius, radius, SKColors.White.WithAlpha(60));
            sketch.Oval(x - radius * 0.3f, y - radius * 0.3f, radius * 0.3f, radius * 0.3f, SKColors.White.WithAlpha(170));
        }
    }

    private static void Sunbeams(Sketch sketch)
    {
        for (int i = sketch.Random.Whole(2, 5); i > 0; i--)
        {
            float x = sketch.Random.Range(0, 1), width = sketch.Random.Range(0.03f, 0.1f), slant = sketch.Random.Range(-0.3f, 0.3f);
            sketch.Shade(sketch.Polygon(x, 0, x + width, 0, x + 2 * width + slant, 1, x + slant - width, 1), 0, 0.8f, SKColors.White.WithAlpha(50),
                SKColors.White.WithAlpha(0));
        }
    }

    private static void Barn(Sketch sketch, float horizon)
    {
        float x = sketch.Random.Range(-0.05f, 0.7f), width = sketch.Random.Range(0.22f, 0.38f), height = width * 0.55f;
        SKColor wall = sketch.Random.Pick(sketch.Hsl(8, 45, 38), sketch.Hsl(30, 25, 45), sketch.Hsl(0, 5, 70));
        sketch.Fill(sketch.Polygon(x, horizon + 0.02f, x, horizon - height, x + width, horizon - height, x + width, horizon + 0.02f), wall);
        sketch.Fill(sketch.Polygon(x - 0.02f, horizon - height, x + width / 2, horizon - height * 1.6f, x + width + 0.02f, horizon - height),
            Sketch.Tint(wall, 0.55f));
        sketch.Fill(sketch.Polygon(x + width * 0.35f, horizon + 0.02f, x + width * 0.35f, horizon - height * 0.6f, x + width * 0.65f,
            horizon - height * 0.6f, x + width * 0.65f, horizon + 0.02f), Sketch.Tint(wall, 0.4f));
    }

    private static void Fence(Sketch sketch, float horizon)
    {
        SKColor wood = sketch.Hsl(28, 25, 45);
        for (float x = sketch.Random.Range(0, 0.1f); x < 1; x += 0.14f)
            sketch.Line(x, horizon - 0.1f, x, horizon + 0.06f, wood, 0.016f);
        sketch.Line(0, horizon - 0.07f, 1, horizon - 0.07f, wood, 0.012f);
        sketch.Line(0, horizon, 1, horizon, wood, 0.012f);
    }

    private static void Acacia(Sketch sketch, float x, float ground, float height)
    {
        SKColor leaf = sketch.Hsl(85, 30, 33);
        sketch.Fill(sketch.Ribbon(new(x, ground), new(x + 0.01f, ground - height / 2), new(x, ground - height), 0.012f, 0.006f), sketch.Hsl(28, 25, 28));
        sketch.Oval(x, ground - height, height * 0.75f, height * 0.18f, leaf);
        sketch.Oval(x + height * 0.1f, ground - height * 1.12f, height * 0.45f, height * 0.14f, Sketch.Tint(leaf, 1.1f));
    }

    private static SKPath Whole(Sketch sketch) => sketch.Polygon(0, 0, 1, 0, 1, 1, 0, 1);
}
