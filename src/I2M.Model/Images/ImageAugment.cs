using I2M.Model.Data;
using I2M.Model.Training;

namespace I2M.Model.Images;

/// <summary>How strongly training pictures are varied.</summary>
/// <param name="MinArea">Smallest share of the picture's area a crop keeps, in (0, 1].</param>
/// <param name="MaxAspect">Widest crop, width over height relative to a square; 1/MaxAspect is the narrowest.</param>
/// <param name="FlipProbability">Share of pictures mirrored left to right.</param>
/// <param name="Brightness">Brightness is multiplied by a factor in [1 − b, 1 + b].</param>
/// <param name="Contrast">Distance from the mean grey is multiplied by a factor in [1 − c, 1 + c].</param>
/// <param name="Saturation">Distance of each pixel from its own grey is multiplied by a factor in [1 − s, 1 + s]: 1 reaches from no colour to twice as much.</param>
public sealed record AugmentOptions(
    double MinArea = 0.6, double MaxAspect = 4.0 / 3, double FlipProbability = 0.5, double Brightness = 0.2, double Contrast = 0.2, double Saturation = 0)
{
    /// <summary>The first strength that makes no sense, in words, or null.</summary>
    public string? FindProblem()
    {
        if (!(MinArea > 0 && MinArea <= 1)) { return $"minArea {MinArea}: expected above 0 to 1"; }
        if (!(MaxAspect >= 1 && MaxAspect <= 10)) { return $"maxAspect {MaxAspect}: expected 1 to 10"; }
        foreach (var (name, value) in new[] { ("flipProbability", FlipProbability), ("brightness", Brightness), ("contrast", Contrast), ("saturation", Saturation) })
        {
            if (!(value >= 0 && value <= 1)) { return $"{name} {value}: expected 0 to 1"; }
        }
        return null;
    }
}

/// <summary>Random variations of training pictures, the same for the same (seed, epoch, index).</summary>
public static class ImageAugment
{
    private const int CropAttempts = 10;

    /// <summary>Crops at random, resizes to width×height, perhaps mirrors, and varies brightness, contrast and colour.</summary>
    /// <param name="image">The picture; left as it is.</param>
    /// <param name="width">Width of the result.</param>
    /// <param name="height">Height of the result.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="epoch">Pass over the data, from 0.</param>
    /// <param name="index">The picture's index in the data.</param>
    /// <param name="options">Strengths; null for the defaults.</param>
    public static RgbImage Apply(RgbImage image, int width, int height, ulong seed, int epoch, int index, AugmentOptions? options = null)
    {
        options ??= new AugmentOptions();
        var random = new PhiloxRandom(seed, RandomStreams.Augmentation | (ulong)(uint)epoch << 32 | (uint)index);
        var cropped = RandomCrop(image, options, ref random);
        var resized = ImageResize.Bilinear(cropped, width, height);
        var pixels = ReferenceEquals(resized, image) ? [.. image.Pixels] : resized.Pixels;
        if (random.NextDouble() < options.FlipProbability) Mirror(pixels, width);
        Scale(pixels, random.NextDouble(1 - options.Brightness, 1 + options.Brightness), 0);
        Scale(pixels, random.NextDouble(1 - options.Contrast, 1 + options.Contrast), MeanGrey(pixels));
        if (options.Saturation > 0) Saturate(pixels, random.NextDouble(1 - options.Saturation, 1 + options.Saturation));
        return new RgbImage(width, height, pixels);
    }

    /// <summary>A crop of random area and aspect that fits; the whole picture when none of ten drawings does.</summary>
    private static RgbImage RandomCrop(RgbImage image, AugmentOptions options, ref PhiloxRandom random)
    {
        var logAspect = Math.Log(options.MaxAspect);
        for (var attempt = 0; attempt < CropAttempts; attempt++)
        {
            var area = random.NextDouble(options.MinArea, 1) * image.Width * image.Height;
            var aspect = Math.Exp(random.NextDouble(-logAspect, logAspect));
            int w = (int)Math.Round(Math.Sqrt(area * aspect)), h = (int)Math.Round(Math.Sqrt(area / aspect));
            if (w < 1 || h < 1 || w > image.Width || h > image.Height) continue;
            return Crop(image, random.Next(image.Width - w + 1), random.Next(image.Height - h + 1), w, h);
        }
        return image;
    }

    private static RgbImage Crop(RgbImage image, int left, int top, int width, int height)
    {
        if (width == image.Width && height == image.Height) return image;
        var pixels = new byte[width * height * 3];
        for (var y = 0; y < height; y++)
            image.Pixels.AsSpan(((top + y) * image.Width + left) * 3, width * 3).CopyTo(pixels.AsSpan(y * width * 3));
        return new RgbImage(width, height, pixels);
    }

    private static void Mirror(byte[] pixels, int width)
    {
        for (var row = 0; row < pixels.Length; row += width * 3)
            for (int a = row, b = row + (width - 1) * 3; a < b; a += 3, b -= 3)
                for (var c = 0; c < 3; c++) (pixels[a + c], pixels[b + c]) = (pixels[b + c], pixels[a + c]);
    }

    /// <summary>v → pivot + (v − pivot)·factor, rounded and clipped, through a table of the 256 values.</summary>
    private static void Scale(byte[] pixels, double factor, double pivot)
    {
        Span<byte> table = stackalloc byte[256];
        for (var v = 0; v < 256; v++) table[v] = (byte)Math.Clamp(Math.Round(pivot + (v - pivot) * factor), 0, 255);
        for (var i = 0; i < pixels.Length; i++) pixels[i] = table[pixels[i]];
    }

    /// <summary>Each channel → luma + (channel − luma)·factor, rounded and clipped.</summary>
    private static void Saturate(byte[] pixels, double factor)
    {
        int weight = (int)Math.Round(factor * 1024);
        for (var i = 0; i < pixels.Length; i += 3)
        {
            int luma = (299 * pixels[i] + 587 * pixels[i + 1] + 114 * pixels[i + 2] + 500) / 1000;
            for (var c = i; c < i + 3; c++) pixels[c] = (byte)Math.Clamp(luma + ((pixels[c] - luma) * weight + 512 >> 10), 0, 255);
        }
    }

    /// <summary>Mean luma (ITU-R BT.601 weights in thousandths, as Pillow's "L").</summary>
    private static double MeanGrey(byte[] pixels)
    {
        var sum = 0L;
        for (var i = 0; i < pixels.Length; i += 3) sum += 299 * pixels[i] + 587 * pixels[i + 1] + 114 * pixels[i + 2];
        return sum / 1000.0 / (pixels.Length / 3);
    }
}
