using I2M.Kernels;
using I2M.Model.Data.Drawing;
using I2M.Model.Images;
using I2M.Model.Tests.Plots;
using SkiaSharp;
using Xunit;

namespace I2M.Model.Tests.Drawing;

public class AnimalPainterTests
{
    private static readonly IReadOnlyList<AnimalClass> Classes = AnimalClass.All;

    [Fact]
    public void SameSeedGivesTheSameBytes()
    {
        foreach (AnimalClass cls in Classes)
            Assert.Equal(AnimalPainter.Paint(cls, 42, 96).Pixels, AnimalPainter.Paint(cls, 42, 96).Pixels);
    }

    [Fact]
    public void SeedsAndClassesGiveDifferentPictures()
    {
        HashSet<string> seen = [];
        foreach (AnimalClass cls in Classes)
            for (ulong seed = 0; seed < 50; seed++)
                Assert.True(seen.Add(Convert.ToHexString(AnimalPainter.Paint(cls, seed, 64).Pixels)), $"{cls.Name} {seed} repeats a picture");
    }

    [Theory]
    [InlineData(64)]
    [InlineData(224)]
    [InlineData(512)]
    public void EverySizeShowsTheSameScene(int size)
    {
        foreach (AnimalClass cls in Classes)
        {
            RgbImage image = AnimalPainter.Paint(cls, 7, size);
            Assert.Equal((size, size, size * size * 3), (image.Width, image.Height, image.Pixels.Length));
            float[] here = Coarse(image, 8), small = Coarse(AnimalPainter.Paint(cls, 7, 64), 8);
            double difference = here.Zip(small, (a, b) => Math.Abs(a - b)).Average();
            Assert.True(difference < 3, $"{cls.Name}: mean difference of 8 × 8 means between {size} and 64 pixels is {difference:F2} of 255");
        }
    }

    [Fact]
    public void TheAnimalFillsEnoughOfThePicture()
    {
        // Pictures of one class have a background each; what they share is that the middle holds structure.
        foreach (AnimalClass cls in Classes)
            for (ulong seed = 0; seed < 20; seed++)
            {
                float[] coarse = Coarse(AnimalPainter.Paint(cls, seed, 128), 16);
                float spread = coarse.Max() - coarse.Min();
                Assert.True(spread > 40, $"{cls.Name} {seed}: spread {spread:F0} of 255");
            }
    }

    [Fact]
    public void BackgroundDoesNotNameTheAnimal()
    {
        // The picture's rim is background in most pictures: a nearest-centroid guess from its colours must stay poor within a habitat.
        double sea = CentroidAccuracy([.. Classes.Take(7)], RimFeatures), land = CentroidAccuracy([.. Classes.Skip(7)], RimFeatures);
        Assert.True(sea < 0.22, $"rim alone names {sea:P0} of the swimmers, chance 14 %");
        Assert.True(land < 0.48, $"rim alone names {land:P0} of the birds, chance 33 %");
        TestContext.Current.TestOutputHelper?.WriteLine($"rim: swimmers {sea:P1} (chance 14.3 %), birds {land:P1} (chance 33.3 %)");
    }

    [Fact]
    public void CoarseColourHelpsButDoesNotSuffice()
    {
        double accuracy = CentroidAccuracy(Classes, image => Coarse(image, 4));
        TestContext.Current.TestOutputHelper?.WriteLine($"4 × 4 colour means: {accuracy:P1} of ten classes");
        Assert.InRange(accuracy, 0.15, 0.75);
    }

    [Fact]
    public void DescriptionsAreDistinct()
    {
        string[] all = [.. Classes.SelectMany(c => c.Descriptions)];
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.All(Classes, c => Assert.InRange(c.Descriptions.Count, 2, 3));
        Assert.Equal("n01518878", AnimalClass.Find("ostrich").Synset);
        Assert.Contains("goldfish", Assert.Throws<I2MException>(() => AnimalClass.Find("unicorn")).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-64)]
    [InlineData(100_000)]
    public void ImpossibleSizesAreRefused(int size) =>
        Assert.Contains("drawing size", Assert.Throws<I2MException>(() => AnimalPainter.Paint(Classes[0], 1, size)).Message);

    [Fact]
    public void PngComesBackEqual()
    {
        using ScratchFolder folder = new();
        RgbImage image = AnimalPainter.Paint(Classes[1], 3, 65);
        PngWriter.Write(folder["[bad].png"], image);
        using SKBitmap back = SKBitmap.Decode(folder["[bad].png"]);
        byte[] rgb = [.. back.Pixels.SelectMany(p => new[] { p.Red, p.Green, p.Blue })];
        Assert.Equal(image.Pixels, rgb);
        Assert.Equal(["[bad].png"], folder.Files);
    }

    [Fact]
    public void UnwritablePngLeavesNothing()
    {
        using ScratchFolder folder = new();
        RgbImage image = AnimalPainter.Paint(Classes[0], 3, 16);
        File.WriteAllText(folder["file"], "not a folder");
        string path = folder["file/x.png"];
        Assert.Contains(path, Assert.ThrowsAny<I2MException>(() => PngWriter.Write(path, image)).Message);
        File.Delete(folder["file"]);
        Assert.Throws<I2MException>(() => PngWriter.Write(folder["y.png"], image with { Width = 17 }));
        Assert.Empty(folder.Files);
    }

    /// <summary>Means over cells × cells squares, three channels each, 0 to 255.</summary>
    private static float[] Coarse(RgbImage image, int cells)
    {
        float[] sums = new float[cells * cells * 3];
        int side = image.Width;
        for (int i = 0; i < image.Pixels.Length; i++)
        {
            int pixel = i / 3, cell = pixel / side * cells / side * cells + pixel % side * cells / side;
            sums[cell * 3 + i % 3] += image.Pixels[i] * (cells * cells) / (float)(side * side);
        }
        return sums;
    }

    /// <summary>The outermost ring of an 8 × 8 grid.</summary>
    private static float[] RimFeatures(RgbImage image)
    {
        float[] coarse = Coarse(image, 8);
        return [.. coarse.Where((_, i) => i / 24 is 0 or 7 || i / 3 % 8 is 0 or 7)];
    }

    /// <summary>Share of 40 pictures a class, by 60 others' class means.</summary>
    private static double CentroidAccuracy(IReadOnlyList<AnimalClass> classes, Func<RgbImage, float[]> features)
    {
        float[][][] all = [.. classes.Select(c => Enumerable.Range(0, 100).Select(s => features(AnimalPainter.Paint(c, (ulong)s, 64))).ToArray())];
        float[][] centroids = [.. all.Select(pictures => Enumerable.Range(0, pictures[0].Length).Select(i => pictures.Take(60).Average(p => p[i])).ToArray())];
        int right = all.SelectMany((pictures, label) => pictures.Skip(60).Select(p => Nearest(centroids, p) == label)).Count(hit => hit);
        return right / (40.0 * classes.Count);
    }

    private static int Nearest(float[][] centroids, float[] point)
    {
        double[] distances = [.. centroids.Select(c => c.Zip(point, (a, b) => (double)(a - b) * (a - b)).Sum())];
        return Array.IndexOf(distances, distances.Min());
    }
}
