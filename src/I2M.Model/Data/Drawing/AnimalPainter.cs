using I2M.Kernels;
using I2M.Model.Images;
using SkiaSharp;

namespace I2M.Model.Data.Drawing;

/// <summary>Draws the ten animals: a data set that needs no download, varied in pose, colour, size and background.</summary>
public static class AnimalPainter
{
    /// <summary>
    /// Draws one animal. The same (class, seed, size) gives the same bytes on one machine; the same (class, seed) gives the same scene at every size.
    /// </summary>
    /// <param name="cls">One of <see cref="AnimalClass.All"/>.</param>
    /// <param name="seed">Chooses pose, colours and background.</param>
    /// <param name="size">Side of the square picture in pixels, 16 to 4096; meant for 64 to 512.</param>
    /// <exception cref="I2MException">The size is out of range or the class is not one of the ten.</exception>
    public static RgbImage Paint(AnimalClass cls, ulong seed, int size)
    {
        ArgumentNullException.ThrowIfNull(cls);
        if (size is < 16 or > 4096)
            throw new I2MException($"drawing size: {size} pixels, expected 16 to 4096");
        int label = Label(cls);
        // The label is spread over all bits so that neighbouring seeds of neighbouring classes share no stream.
        DrawingRandom random = new(seed * 0xD1342543DE82EF95 + (ulong)(label + 1) * 0xA0761D6478BD642F);
        using SKBitmap bitmap = new(size, size, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using (SKCanvas canvas = new(bitmap))
        using (Sketch sketch = new(canvas, random))
        {
            canvas.Scale(size);
            PaintScene(sketch, label);
        }
        return ToRgb(bitmap);
    }

    private static int Label(AnimalClass cls)
    {
        for (int i = 0; i < AnimalClass.All.Count; i++)
            if (AnimalClass.All[i].Synset == cls.Synset)
                return i;
        throw new I2MException($"animal class: '{cls.Name}' has no drawing; known: {string.Join(", ", AnimalClass.All.Select(c => c.Name))}");
    }

    private static void PaintScene(Sketch sketch, int label)
    {
        bool swims = label < 7;
        float ground = Backgrounds.Paint(sketch, swims);
        DrawingRandom random = sketch.Random;
        float scale = random.Range(0.72f, 1.0f);
        float slack = (1 - scale) * 0.5f + 0.02f;
        float x = 0.5f + random.Range(-slack, slack), y = 0.5f + random.Range(-slack, slack);
        float mirror = random.Chance(0.5f) ? -scale : scale;
        if (swims)
            PaintSwimmer(sketch, label, x, y, mirror, scale);
        else
        {
            // Feet stand on the ground and the head stays in the picture: the birds reach from −0.49 to +0.45 in their own frame.
            scale = Math.Min(scale, 0.98f);
            mirror = MathF.CopySign(scale, mirror);
            y = Math.Clamp(ground + random.Range(0.08f, 0.25f), 0.96f * scale, 0.985f) - 0.45f * scale;
            PaintBird(sketch, label, x, y, mirror, scale);
        }
        Backgrounds.Light(sketch);
    }

    private static void PaintSwimmer(Sketch sketch, int label, float x, float y, float mirror, float scale)
    {
        bool fromAbove = label is 5 or 6;
        float angle = fromAbove ? sketch.Random.Range(-180, 180) : sketch.Random.Range(-22, 22);
        sketch.Frame(x, y, angle, mirror, scale, () =>
        {
            switch (label)
            {
                case 0: BonyFish.Tench(sketch); break;
                case 1: BonyFish.Goldfish(sketch); break;
                case 2: Sharks.GreatWhite(sketch); break;
                case 3: Sharks.Tiger(sketch); break;
                case 4: Sharks.Hammerhead(sketch); break;
                case 5: Rays.Electric(sketch); break;
                default: Rays.Stingray(sketch); break;
            }
        });
    }

    private static void PaintBird(Sketch sketch, int label, float x, float y, float mirror, float scale)
    {
        sketch.Oval(x, y + 0.45f * scale, 0.22f * scale, 0.02f * scale, new SKColor(0, 0, 0, 70));
        sketch.Frame(x, y, sketch.Random.Range(-3, 3), mirror, scale, () =>
        {
            switch (label)
            {
                case 7: Fowl.Rooster(sketch); break;
                case 8: Fowl.Hen(sketch); break;
                default: Ostrich.Paint(sketch); break;
            }
        });
    }

    private static RgbImage ToRgb(SKBitmap bitmap)
    {
        int size = bitmap.Width;
        byte[] rgb = new byte[size * size * 3];
        ReadOnlySpan<byte> rgba = bitmap.GetPixelSpan();
        for (int i = 0, from = 0; i < rgb.Length; i += 3, from += 4)
            rgba.Slice(from, 3).CopyTo(rgb.AsSpan(i));
        return new(size, size, rgb);
    }
}
