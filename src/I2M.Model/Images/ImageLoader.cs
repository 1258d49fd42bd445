using I2M.Kernels;
using I2M.Model.Data;
using SkiaSharp;

namespace I2M.Model.Images;

/// <summary>What the header of a picture says.</summary>
/// <param name="Format">JPEG, PNG, WebP, GIF or BMP.</param>
/// <param name="Width">Pixels per row as stored, before an EXIF turn.</param>
/// <param name="Height">Rows as stored.</param>
public sealed record ImageInfo(string Format, int Width, int Height);

/// <summary>
/// Decodes JPEG, PNG, WebP, BMP and the first frame of GIF to RGB, upright. The format is found from the content.
/// </summary>
public static class ImageLoader
{
    /// <summary>Most pixels a picture may have (50 million); more is refused from the header, before any memory is taken.</summary>
    public const long MaxPixels = 50_000_000;

    /// <summary>Longest file, in bytes.</summary>
    public const int MaxFileBytes = 256 << 20;

    /// <summary>No limit goes beyond this: positions in four bytes a pixel are 32-bit numbers.</summary>
    private const long AddressablePixels = 500_000_000;

    /// <summary>A progressive JPEG is decoded once per scan; real ones have about ten, hostile ones thousands.</summary>
    private const int MaxJpegScans = 500;

    /// <summary>Reads a picture file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxPixels">Larger pictures are refused.</param>
    /// <exception cref="BadFileException">Missing, not a supported picture, damaged, incomplete or too large.</exception>
    public static RgbImage Load(string path, long maxPixels = MaxPixels) => Decode(InputStream.ReadAll(path, MaxFileBytes), path, maxPixels);

    /// <summary>Format and size of a picture file, from its header.</summary>
    /// <exception cref="BadFileException">Missing, not a supported picture, or its header is damaged.</exception>
    public static ImageInfo ReadInfo(string path)
    {
        using var file = InputStream.Open(path);
        Span<byte> head = stackalloc byte[64];
        int read = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        var format = ImageFormat.Recognise(head[..read])
            ?? throw new BadFileException(path, $"is {ImageFormat.Describe(head[..read])}, expected a JPEG, PNG, WebP, GIF or BMP picture");
        file.Position = 0;
        using var stream = new SKManagedStream(file);
        using var codec = SKCodec.Create(stream, out var result)
            ?? throw new BadFileException(path, $"is not a readable {format} picture: {Reason(result)}");
        return new ImageInfo(format, codec.Info.Width, codec.Info.Height);
    }

    /// <summary>Decodes a picture held in memory; <paramref name="name"/> stands for the file in messages.</summary>
    /// <inheritdoc cref="Load"/>
    public static RgbImage Decode(ReadOnlySpan<byte> content, string name, long maxPixels = MaxPixels)
    {
        if (content.IsEmpty) throw new BadFileException(name, "is empty (0 bytes)");
        var format = ImageFormat.Recognise(content)
            ?? throw new BadFileException(name, $"is {ImageFormat.Describe(content)}, expected a JPEG, PNG, WebP, GIF or BMP picture");
        if (format == "JPEG" && content.Count((ReadOnlySpan<byte>)[0xFF, 0xDA]) > MaxJpegScans)
            throw new BadFileException(name, $"has more than {MaxJpegScans} scans");
        using var data = SKData.CreateCopy(content);
        using var stream = new SKMemoryStream(data);
        using var codec = SKCodec.Create(stream, out var result)
            ?? throw new BadFileException(name, $"is not a readable {format} picture: {Reason(result)}");
        return Decode(codec, format, name, maxPixels);
    }

    private static unsafe RgbImage Decode(SKCodec codec, string format, string name, long maxPixels)
    {
        int width = codec.Info.Width, height = codec.Info.Height;
        if (width < 1 || height < 1) throw new BadFileException(name, $"size: {width}×{height} pixels, expected at least 1×1");
        maxPixels = Math.Min(maxPixels, AddressablePixels);
        if ((long)width * height > maxPixels)
            throw new BadFileException(name, $"size: {width}×{height} is {(long)width * height:N0} pixels, expected at most {maxPixels:N0}");
        // No colour space: samples stay as stored, as in Pillow. Unpremultiplied: dropping alpha leaves the stored colour.
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        var rgba = new byte[(long)width * height * 4];
        fixed (byte* pixels = rgba)
        {
            var result = codec.GetPixels(info, (nint)pixels);
            if (result != SKCodecResult.Success) throw new BadFileException(name, $"is a damaged {format} picture: {Reason(result)}");
        }
        return TurnUpright(rgba, width, height, codec.EncodedOrigin);
    }

    /// <summary>
    /// Drops alpha and undoes the EXIF orientation. The eight orientations are: source axes exchanged or not (5–8),
    /// source x reversed (2, 3, 7, 8), source y reversed (3, 4, 6, 7); so the source is read from one corner with two steps.
    /// </summary>
    private static RgbImage TurnUpright(byte[] rgba, int width, int height, SKEncodedOrigin origin)
    {
        var exchanged = (int)origin >= 5;
        var reverseX = (int)origin is 2 or 3 or 7 or 8;
        var reverseY = (int)origin is 3 or 4 or 6 or 7;
        int alongX = reverseX ? -4 : 4, alongY = reverseY ? -4 * width : 4 * width;
        var corner = (reverseX ? 4 * (width - 1) : 0) + (reverseY ? 4 * width * (height - 1) : 0);
        var (columns, rows, columnStep, rowStep) = exchanged ? (height, width, alongY, alongX) : (width, height, alongX, alongY);
        var rgb = new byte[columns * rows * 3];
        for (int y = 0, to = 0; y < rows; y++)
        {
            var from = corner + y * rowStep;
            for (var x = 0; x < columns; x++, from += columnStep, to += 3)
            {
                rgb[to] = rgba[from];
                rgb[to + 1] = rgba[from + 1];
                rgb[to + 2] = rgba[from + 2];
            }
        }
        return new RgbImage(columns, rows, rgb);
    }

    private static string Reason(SKCodecResult result) => result switch
    {
        SKCodecResult.IncompleteInput => "the file ends too early",
        SKCodecResult.ErrorInInput or SKCodecResult.InvalidInput => "its data contradict the format",
        SKCodecResult.Unimplemented => "it uses a part of the format that is not supported",
        _ => $"the decoder says {result}",
    };
}
