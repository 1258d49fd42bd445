using I2M.Kernels;
using I2M.Model.Io;
using SkiaSharp;

namespace I2M.Model.Images;

/// <summary>Writes PNG files.</summary>
public static class PngWriter
{
    /// <summary>Writes the picture as an 8-bit RGB PNG; the file appears whole or not at all.</summary>
    /// <exception cref="BadFileException">The file cannot be written, or the picture's bytes do not fit its size.</exception>
    public static void Write(string path, RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        AtomicFile.Write(path, Encode(image));
    }

    /// <summary>The picture as the bytes of a PNG file.</summary>
    /// <exception cref="I2MException">The picture's bytes do not fit its size.</exception>
    public static byte[] Encode(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.Width < 1 || image.Height < 1 || image.Pixels.Length != (long)image.Width * image.Height * 3)
            throw new I2MException($"picture: {image.Pixels.Length} bytes, expected {image.Width} × {image.Height} × 3");
        using SKBitmap bitmap = new(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        Span<byte> rgba = bitmap.GetPixelSpan();
        for (int from = 0, to = 0; from < image.Pixels.Length; from += 3, to += 4)
        {
            image.Pixels.AsSpan(from, 3).CopyTo(rgba[to..]);
            rgba[to + 3] = 255;
        }
        using SKPixmap pixels = bitmap.PeekPixels();
        using SKData data = pixels.Encode(new SKPngEncoderOptions(SKPngEncoderFilterFlags.AllFilters, 6))
            ?? throw new I2MException("picture: PNG encoding failed");
        return data.ToArray();
    }
}
