using SkiaSharp;

namespace I2M.Model.Tests.Images;

/// <summary>Small drawn pictures in the formats the loader reads.</summary>
internal static class TestImages
{
    /// <summary>A one-pixel GIF with a red palette entry (GIF89a specification, smallest LZW stream).</summary>
    public static byte[] GifOnePixelRed =>
    [
        .. "GIF89a"u8, 1, 0, 1, 0, 0x80, 0, 0, 255, 0, 0, 0, 0, 0, 0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 0x01, 0, 0x3B,
    ];

    public static SKColor Smooth(int x, int y) => new((byte)(x * 6), (byte)(y * 8), (byte)(128 + x - y));

    public static byte[] Encode(SKEncodedImageFormat format, int width, int height) => Encode(format, width, height, Smooth);

    public static byte[] BmpOnePixel(byte blue, byte green, byte red) =>
    [
        .. "BM"u8, 58, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 24, 0,
        0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, blue, green, red, 0,
    ];

    /// <summary>A JPEG of four coloured quadrants whose EXIF block names an orientation.</summary>
    public static byte[] QuadrantJpeg(int width, int height, int orientation)
    {
        SKColor[] colours = [new(0, 0, 0), new(255, 0, 0), new(0, 255, 0), new(0, 0, 255)];
        var jpeg = Encode(SKEncodedImageFormat.Jpeg, width, height, (x, y) => colours[(x >= width / 2 ? 1 : 0) + (y >= height / 2 ? 2 : 0)]);
        byte[] exif = [.. "Exif\0\0MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0];
        return [.. jpeg[..2], 0xFF, 0xE1, 0, (byte)(exif.Length + 2), .. exif, .. jpeg[2..]];
    }

    /// <summary>CRC-32 as PNG uses it (polynomial 0xEDB88320).</summary>
    public static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
        }
        return ~crc;
    }

    private static byte[] Encode(SKEncodedImageFormat format, int width, int height, Func<int, int, SKColor> colour)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++) bitmap.SetPixel(x, y, colour(x, y));
        using var data = bitmap.Encode(format, 95);
        return data.ToArray();
    }
}
