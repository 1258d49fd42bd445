using System.Security.Cryptography;
using CsCheck;
using I2M.Kernels;
using I2M.Model.Images;
using Xunit;

namespace I2M.Model.Tests.Images;

public class ImageProcessingTests
{
    private static RgbImage Draw(int width, int height)
    {
        var pixels = new byte[width * height * 3];
        for (int y = 0, i = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                pixels[i++] = (byte)(x * 7 + y * 13);
                pixels[i++] = (byte)(x * x + 3 * y);
                pixels[i++] = (byte)(x * y * 5 + (x ^ y));
            }
        return new RgbImage(width, height, pixels);
    }

    /// <summary>SHA-256 of what Pillow 9.4 makes of the same drawing with resize((W, H), BILINEAR).</summary>
    [Theory]
    [InlineData(1, 1, 5, 3, "8a1020634191c27b63d3c2aa45b723f696ddf2743ca8996a33ed0e47ddd7fc07")]
    [InlineData(5, 3, 1, 1, "f90b7187c6badac6c7db37428b201d33ba56aab2432ec24fa16d08388138ada2")]
    [InlineData(64, 48, 31, 57, "278799484c79b729c5978384c6086ce185ed23717e48091352cdaef7eb6f4c47")]
    [InlineData(31, 57, 64, 48, "3b9c0a7fc06de39603a725a602bfd6d4339cc85aba3dead5034d0c0822dfaec6")]
    [InlineData(100, 100, 100, 37, "1823d5e79c7212908e600ff09a17753d979546cd2e6091e690dcc8e57a7ea65e")]
    [InlineData(37, 100, 100, 100, "e10d1ef3745f046aae86fb6c00d70136d9d80629cac1f0dac4b3e107a422296a")]
    [InlineData(257, 33, 512, 512, "0dfa4c74bbdcf94ba15c278c60a238b561a6e693a3492662bdb7b8bb4197ef22")]
    [InlineData(640, 480, 224, 224, "2d69c2e448ee908eea4fe3ccaa19330dbb7cc0cb275ce7d9180ef85ed1c996c7")]
    [InlineData(3, 500, 512, 2, "b7c9a63c8f0e20f9f17eb27c6d32114192c7e469fa94510e5dfbedd3796733b0")]
    [InlineData(883, 1280, 512, 512, "1af654b404722e31fd4243e4538eb726fcacf110093416b78373a5d95ce3d0ab")]
    [InlineData(50, 40, 50, 40, "7b4058008ec919561b733fd6a9293752090d2fca1c6aa57bff1076df7d8e6d0b")]
    public void ResizeEqualsPillow(int width, int height, int newWidth, int newHeight, string sha256)
    {
        var resized = ImageResize.Bilinear(Draw(width, height), newWidth, newHeight);
        Assert.Equal((newWidth, newHeight), (resized.Width, resized.Height));
        Assert.Equal(sha256, Convert.ToHexStringLower(SHA256.HashData(resized.Pixels)));
    }

    [Fact]
    public void ResizeRefusesSizesBelowOne() => Assert.Throws<I2MException>(() => ImageResize.Bilinear(Draw(2, 2), 0, 5));

    [Fact]
    public void OneColourStaysThatColour() =>
        Gen.Select(Gen.Byte, Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[1, 90], Gen.Int[1, 90]).Sample((value, w, h, newW, newH) =>
        {
            var pixels = new byte[w * h * 3];
            pixels.AsSpan().Fill(value);
            return ImageResize.Bilinear(new RgbImage(w, h, pixels), newW, newH).Pixels.All(p => p == value);
        }, iter: 500);

    [Fact]
    public void TensorIsChannelFirstInMinusOneToOne()
    {
        var tensor = ImageTensor.ToChw(new RgbImage(2, 1, [0, 127, 255, 255, 0, 128]));
        Assert.Equal([-1f, 1f, (127 / 255f - 0.5f) / 0.5f, -1f, 1f, (128 / 255f - 0.5f) / 0.5f], tensor);
        Assert.Throws<ArgumentException>(() => ImageTensor.ToChw(Draw(2, 2), new float[11]));
    }

    [Fact]
    public void AugmentationDependsOnSeedEpochAndIndexAlone()
    {
        var image = Draw(60, 50);
        byte[] before = [.. image.Pixels];
        byte[] Apply(ulong seed, int epoch, int index) => ImageAugment.Apply(image, 32, 32, seed, epoch, index).Pixels;
        Assert.Equal(Apply(1, 2, 3), Apply(1, 2, 3));
        Assert.NotEqual(Apply(1, 2, 3), Apply(2, 2, 3));
        Assert.NotEqual(Apply(1, 2, 3), Apply(1, 3, 3));
        Assert.NotEqual(Apply(1, 2, 3), Apply(1, 2, 4));
        Assert.Equal(32 * 32 * 3, Apply(1, 2, 3).Length);
        Assert.Equal(before, image.Pixels);
    }

    [Fact]
    public void AugmentationWithoutStrengthIsAResize()
    {
        var none = new AugmentOptions(MinArea: 1, MaxAspect: 1, FlipProbability: 0, Brightness: 0, Contrast: 0);
        var image = Draw(48, 48);
        Assert.Equal(ImageResize.Bilinear(image, 20, 20).Pixels, ImageAugment.Apply(image, 20, 20, 5, 0, 0, none).Pixels);
        var mirrored = ImageAugment.Apply(image, 48, 48, 5, 0, 0, none with { FlipProbability = 1 });
        for (var x = 0; x < 48; x++) Assert.Equal(image.Pixels[3 * x], mirrored.Pixels[3 * (47 - x)]);
    }

    [Fact]
    public void ColourfulnessChangesNoGreyAndNoLuma()
    {
        var strong = new AugmentOptions(MinArea: 1, MaxAspect: 1, FlipProbability: 0, Brightness: 0, Contrast: 0, Saturation: 1);
        byte[] grey = [90, 90, 90, 7, 7, 7, 255, 255, 255, 0, 0, 0], colour = [100, 140, 120, 130, 110, 100, 90, 100, 120, 110, 120, 90];
        bool less = false, more = false;
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal(grey, ImageAugment.Apply(new RgbImage(2, 2, grey), 2, 2, 1, 0, i, strong).Pixels);
            byte[] varied = ImageAugment.Apply(new RgbImage(2, 2, colour), 2, 2, 1, 0, i, strong).Pixels;
            for (int p = 0; p < 12; p += 3) { Assert.InRange(Luma(varied, p), Luma(colour, p) - 1.5, Luma(colour, p) + 1.5); }
            less |= varied[1] < colour[1] - 5;
            more |= varied[1] > colour[1] + 5;
        }
        Assert.True(less && more);
        Assert.NotNull((strong with { Saturation = 2 }).FindProblem());
        Assert.NotNull((strong with { MinArea = double.NaN }).FindProblem());
        Assert.Null(strong.FindProblem());

        static double Luma(byte[] p, int i) => 0.299 * p[i] + 0.587 * p[i + 1] + 0.114 * p[i + 2];
    }
}
