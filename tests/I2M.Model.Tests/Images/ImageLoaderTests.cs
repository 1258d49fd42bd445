using System.Buffers.Binary;
using System.Diagnostics;
using I2M.Kernels;
using I2M.Model.Images;
using I2M.Model.Tests.Data;
using I2M.Model.Tests.Io;
using I2M.Testing;
using SkiaSharp;
using Xunit;

namespace I2M.Model.Tests.Images;

public class ImageLoaderTests
{
    private static string Refused(ReadOnlySpan<byte> content)
    {
        var bytes = content.ToArray();
        return Assert.Throws<BadFileException>(() => ImageLoader.Decode(bytes, "x")).Message;
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void EachFormatGivesThePictureBack(SKEncodedImageFormat format)
    {
        var image = ImageLoader.Decode(TestImages.Encode(format, 40, 30), "x");
        Assert.Equal((40, 30, 40 * 30 * 3), (image.Width, image.Height, image.Pixels.Length));
        var tolerance = format == SKEncodedImageFormat.Png ? 0 : 12;
        for (var y = 0; y < 30; y++)
            for (var x = 0; x < 40; x++)
            {
                var expected = TestImages.Smooth(x, y);
                var at = (y * 40 + x) * 3;
                Assert.InRange(image.Pixels[at], expected.Red - tolerance, expected.Red + tolerance);
                Assert.InRange(image.Pixels[at + 1], expected.Green - tolerance, expected.Green + tolerance);
                Assert.InRange(image.Pixels[at + 2], expected.Blue - tolerance, expected.Blue + tolerance);
            }
    }

    [Fact]
    public void BmpAndGifAreRead()
    {
        Assert.Equal([30, 20, 10], ImageLoader.Decode(TestImages.BmpOnePixel(10, 20, 30), "x").Pixels);
        Assert.Equal([255, 0, 0], ImageLoader.Decode(TestImages.GifOnePixelRed, "x").Pixels);
    }

    [Fact]
    public void GreySixteenBitsAndCmykBecomeEightBitRgb()
    {
        Flat(TestImages.FlatPng(8, 8, 200), 0, 200, 200, 200);
        Flat(TestImages.FlatPng(8, 16, 0xC8FF), 1, 200, 200, 200);
        Flat(TestImages.FlatPng(8, 16, 0xC800, 0x64FF, 0x3200), 1, 200, 100, 50);
        Flat(TestImages.FlatJpeg(200), 1, 200, 200, 200);
        Flat(TestImages.FlatJpeg(200, 100, 50, 255), 2, 200, 100, 50);
        Flat(TestImages.FlatJpeg(200, 100, 50, 128), 2, 100, 50, 25);

        static void Flat(byte[] file, int tolerance, params int[] colour)
        {
            RgbImage image = ImageLoader.Decode(file, "x");
            Assert.Equal((8, 8), (image.Width, image.Height));
            for (int i = 0; i < image.Pixels.Length; i++) { Assert.InRange(image.Pixels[i], colour[i % 3] - tolerance, colour[i % 3] + tolerance); }
        }
    }

    [Fact]
    public void AlphaIsDroppedNotMultipliedIn()
    {
        using var bitmap = new SKBitmap(new SKImageInfo(1, 1, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.SetPixel(0, 0, new SKColor(200, 100, 50, 3));
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        Assert.Equal([200, 100, 50], ImageLoader.Decode(data.ToArray(), "x").Pixels);
    }

    [Theory]
    [InlineData(1, 0, 1, 2, 3)]
    [InlineData(2, 1, 0, 3, 2)]
    [InlineData(3, 3, 2, 1, 0)]
    [InlineData(4, 2, 3, 0, 1)]
    [InlineData(5, 0, 2, 1, 3)]
    [InlineData(6, 2, 0, 3, 1)]
    [InlineData(7, 3, 1, 2, 0)]
    [InlineData(8, 1, 3, 0, 2)]
    public void ExifOrientationIsUndone(int orientation, int topLeft, int topRight, int bottomLeft, int bottomRight)
    {
        // Quadrants of the stored picture, 48×32: 0 black, 1 red, 2 green, 3 blue.
        var image = ImageLoader.Decode(TestImages.QuadrantJpeg(48, 32, orientation), "x");
        Assert.Equal(orientation >= 5 ? (32, 48) : (48, 32), (image.Width, image.Height));
        int Quadrant(int x, int y)
        {
            var pixel = image.Pixels.AsSpan((y * image.Width + x) * 3, 3);
            return pixel[0] > 128 ? 1 : pixel[1] > 128 ? 2 : pixel[2] > 128 ? 3 : 0;
        }
        Assert.Equal((topLeft, topRight, bottomLeft, bottomRight),
            (Quadrant(5, 5), Quadrant(image.Width - 6, 5), Quadrant(5, image.Height - 6), Quadrant(image.Width - 6, image.Height - 6)));
    }

    [Theory]
    [InlineData("II*\0aaaaaaaa", "TIFF")]
    [InlineData("8BPSaaaa", "PSD")]
    [InlineData("\0\0\0\x18" + "ftypheic", "HEIC")]
    [InlineData("\0\0\0\x18" + "ftypavif", "AVIF")]
    [InlineData("  <!DOCTYPE html>", "HTML")]
    [InlineData("<svg xmlns=", "SVG")]
    [InlineData("RIFFxxxxWAVE", "WAV")]
    [InlineData("x", "unknown format")]
    public void OtherFilesAreRefusedByWhatTheyAre(string content, string words) =>
        Assert.Contains(words, Refused(System.Text.Encoding.Latin1.GetBytes(content)));

    [Fact]
    public void MissingEmptyAndSpecialFilesAreRefused()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("is empty", Assert.Throws<BadFileException>(() => ImageLoader.Load(folder.File("a.jpg", []))).Message);
        Assert.Contains("no such file", Assert.Throws<BadFileException>(() => ImageLoader.Load(folder.File("b.jpg"))).Message);
        Assert.Contains("folder", Assert.Throws<BadFileException>(() => ImageLoader.Load(folder.Root)).Message);
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void HalfAPictureIsRefused(SKEncodedImageFormat format)
    {
        var whole = TestImages.Encode(format, 200, 150);
        Assert.NotNull(ImageLoader.Decode(whole, "x"));
        foreach (var part in new[] { 0.9, 0.5, 0.2 }) Refused(whole.AsSpan(0, (int)(whole.Length * part)));
        Refused(whole.AsSpan(0, 20));
    }

    [Fact]
    public void ThousandsOfScansAreRefused()
    {
        var scans = Enumerable.Repeat((byte[])[0xFF, 0xDA], 600).SelectMany(s => s);
        Assert.Contains("more than 500 scans", Refused([.. TestImages.Encode(SKEncodedImageFormat.Jpeg, 8, 8), .. scans]));
    }

    [Theory]
    [InlineData(20_000, 20_000)]
    [InlineData(65_500, 65_500)]
    [InlineData(int.MaxValue, int.MaxValue)]
    [InlineData(0, 0)]
    public void SizesAreCheckedBeforeMemoryIsTaken(int width, int height)
    {
        var png = TestImages.Encode(SKEncodedImageFormat.Png, 8, 8);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), TestImages.Crc32(png.AsSpan(12, 17)));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var message = Refused(png);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
        if (width is 20_000 or 65_500) Assert.Contains("expected at most 50,000,000", message);
    }

    [Fact]
    public void RealPicturesLoad()
    {
        var root = SharedData.Require();
        string[] files =
        [
            .. Files(root, "i2m10").Where(f => !f.EndsWith(".csv")),
            .. Files(root, "imagenette224").Where((_, i) => i % 20 == 0),
            .. Files(root, "seed_examples").Where(f => f.EndsWith(".jpg")),
            .. Files(root, "bad_inputs/libpng").Where(f => Path.GetFileName(f).StartsWith("rgb")),
        ];
        Assert.True(files.Length > 200, $"{files.Length} pictures");
        foreach (var file in files)
        {
            var image = ImageLoader.Load(file);
            Assert.Equal(image.Width * image.Height * 3, image.Pixels.Length);
        }
    }

    [Fact]
    public void FilesThatBrokeOtherProgramsLoadOrAreRefused()
    {
        var root = SharedData.Require();
        foreach (var file in Files(root, "bad_inputs").Concat(Files(root, "speech24k")))
        {
            var watch = Stopwatch.StartNew();
            _ = Hostile.Refusal(() => ImageLoader.Load(file));
            Assert.True(watch.Elapsed.TotalSeconds < 10, $"{file} took {watch.Elapsed}");
        }
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void DamagedPicturesAreRefusedOrReadButNeverCrash(SKEncodedImageFormat format)
    {
        var good = TestImages.Encode(format, 24, 16);
        var random = new Random(3_000);
        var refused = 0;
        for (var i = 0; i < 3_000; i++)
        {
            var bytes = Hostile.Mutate(good, random);
            if (Hostile.Refusal(() => ImageLoader.Decode(bytes, "x", maxPixels: 4_000_000)) is not null) refused++;
        }
        Assert.InRange(refused, 300, 3_000);
    }

    private static IEnumerable<string> Files(string root, string folder) =>
        Directory.EnumerateFiles(Path.Combine(root, folder), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
}
