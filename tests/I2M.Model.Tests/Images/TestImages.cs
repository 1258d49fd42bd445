using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
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

    /// <summary>A PNG of equal pixels.</summary>
    /// <param name="size">Width and height.</param>
    /// <param name="bits">8 or 16 a sample.</param>
    /// <param name="samples">Of a pixel: grey, or red, green and blue.</param>
    public static byte[] FlatPng(int size, int bits, params int[] samples)
    {
        byte[] pixel = [.. samples.SelectMany(s => bits == 16 ? new[] { (byte)(s >> 8), (byte)s } : [(byte)s])];
        byte[] row = [0, .. Enumerable.Repeat(pixel, size).SelectMany(p => p)];
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true)) { zlib.Write([.. Enumerable.Repeat(row, size).SelectMany(r => r)]); }
        return [0x89, .. "PNG\r\n"u8, 0x1A, 0x0A, .. Chunk([.. "IHDR"u8, 0, 0, 0, (byte)size, 0, 0, 0, (byte)size, (byte)bits, (byte)(samples.Length == 1 ? 0 : 2), 0, 0, 0]), .. Chunk([.. "IDAT"u8, .. packed.ToArray()]), .. Chunk([.. "IEND"u8])];
    }

    /// <summary>A baseline JPEG of 8×8 equal pixels: one component is grey, four are CMYK as Adobe stores it, inverted (ITU-T T.81; every coefficient but the first is 0).</summary>
    public static byte[] FlatJpeg(params byte[] components)
    {
        byte n = (byte)components.Length;
        byte[] ids = [1, 2, 3, 4];
        return
        [
            0xFF, 0xD8, .. n == 4 ? (byte[])[0xFF, 0xEE, 0, 14, .. "Adobe"u8, 0, 100, 0, 0, 0, 0, 0] : [],
            0xFF, 0xDB, 0, 67, 0, .. Enumerable.Repeat((byte)1, 64),
            0xFF, 0xC0, 0, (byte)(8 + 3 * n), 8, 0, 8, 0, 8, n, .. ids.Take(n).SelectMany(id => (byte[])[id, 0x11, 0]),
            // Lengths and values of the codes: the standard's for luminance, and one bit that ends a block.
            0xFF, 0xC4, 0, 31, 0x00, 0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
            0xFF, 0xC4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0xFF, 0xDA, 0, (byte)(6 + 2 * n), n, .. ids.Take(n).SelectMany(id => (byte[])[id, 0]), 0, 63, 0,
            .. Blocks(components), 0xFF, 0xD9,
        ];
    }

    private static byte[] Blocks(byte[] components)
    {
        string[] sizes = ["00", "010", "011", "100", "101", "110", "1110", "11110", "111110", "1111110", "11111110", "111111110"];
        var bits = new System.Text.StringBuilder();
        foreach (byte value in components)
        {
            int dc = (value - 128) * 8, size = dc == 0 ? 0 : BitOperations.Log2((uint)Math.Abs(dc)) + 1, code = dc < 0 ? dc + (1 << size) - 1 : dc;
            bits.Append(sizes[size]).Append(size == 0 ? "" : Convert.ToString(code, 2).PadLeft(size, '0')).Append('0');
        }
        bits.Append('1', (8 - bits.Length % 8) % 8);
        // A data byte 0xFF is followed by 0.
        return [.. bits.ToString().Chunk(8).Select(b => Convert.ToByte(new string(b), 2)).SelectMany(b => b == 0xFF ? new byte[] { b, 0 } : [b])];
    }

    private static byte[] Chunk(byte[] typeAndData)
    {
        var chunk = new byte[typeAndData.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(chunk, typeAndData.Length - 4);
        typeAndData.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), Crc32(typeAndData));
        return chunk;
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
