namespace I2M.Model.Images;

/// <summary>Tells picture formats apart by their first bytes.</summary>
internal static class ImageFormat
{
    /// <summary>The name of a format that is decoded, null for anything else.</summary>
    public static string? Recognise(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])) return "JPEG";
        if (head.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])) return "PNG";
        if (head.StartsWith("GIF87a"u8) || head.StartsWith("GIF89a"u8)) return "GIF";
        if (head.StartsWith("BM"u8)) return "BMP";
        return head.StartsWith("RIFF"u8) && At(head, 8, "WEBP"u8) ? "WebP" : null;
    }

    /// <summary>What a file that is not decoded seems to be, with its article.</summary>
    public static string Describe(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("II*\0"u8) || head.StartsWith("MM\0*"u8)) return "a TIFF file";
        if (head.StartsWith("8BPS"u8)) return "a Photoshop (PSD) file";
        if (At(head, 4, "ftyp"u8)) return DescribeBrand(head[8..]);
        if (head.StartsWith("%PDF"u8)) return "a PDF file";
        if (head.StartsWith((ReadOnlySpan<byte>)[0, 0, 1, 0])) return "an icon (ICO) file";
        if (At(head, 4, "jP  "u8) || head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x4F, 0xFF, 0x51])) return "a JPEG 2000 file";
        if (head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x0A]) || At(head, 4, "JXL "u8)) return "a JPEG XL file";
        if (head.StartsWith("DDS "u8)) return "a DirectDraw (DDS) file";
        if (At(head, 8, "WAVE"u8)) return "a sound (WAV) file";
        return DescribeText(head);
    }

    private static string DescribeBrand(ReadOnlySpan<byte> brand)
    {
        if (brand.StartsWith("avif"u8) || brand.StartsWith("avis"u8)) return "an AVIF file";
        return brand.StartsWith("hei"u8) || brand.StartsWith("hev"u8) || brand.StartsWith("mif1"u8) ? "a HEIC file" : "an MP4 file";
    }

    private static string DescribeText(ReadOnlySpan<byte> head)
    {
        var text = head.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? head[3..] : head;
        text = text.TrimStart(" \t\r\n"u8);
        if (text.StartsWith("<svg"u8)) return "an SVG drawing";
        if (text.StartsWith("<!"u8) || text.StartsWith("<h"u8) || text.StartsWith("<H"u8)) return "an HTML page";
        if (text.StartsWith("<?xml"u8)) return text[..Math.Min(text.Length, 1024)].IndexOf("<svg"u8) >= 0 ? "an SVG drawing" : "an XML file";
        return "of an unknown format";
    }

    private static bool At(ReadOnlySpan<byte> head, int offset, ReadOnlySpan<byte> mark) =>
        head.Length >= offset + mark.Length && head.Slice(offset, mark.Length).SequenceEqual(mark);
}
