using I2M.Model.Data.Building;
using I2M.Model.Images;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Data.Building;

public class PerceptualHashTests
{
    [Fact]
    public void RealPicturesAreToldApartAndTheirCopiesAreNot()
    {
        const int count = 200;
        string[] files = [.. Directory.EnumerateDirectories(Path.Combine(SharedData.Require(), "imagenette224", "train")).Order(StringComparer.Ordinal)
            .SelectMany(d => Directory.EnumerateFiles(d).Order(StringComparer.Ordinal).Take(count / 10))];
        RgbImage[] pictures = [.. files.Select(f => ImageLoader.Load(f))];
        ulong[] originals = [.. pictures.Select(PerceptualHash.Of)];
        ulong[] copies = [.. pictures.Select(p => PerceptualHash.Of(ImageResize.Bilinear(p, 100, 120)))];
        int[] groups = PerceptualHash.Group([.. originals, .. copies]);
        Assert.InRange(Enumerable.Range(0, count).Count(i => groups[i] == groups[i + count]), count - 4, count);
        Assert.InRange(groups.Distinct().Count(), count - 8, count + 4);
    }

    [Fact]
    public void GroupsAreThoseOfComparingAllWithAll()
    {
        var random = new Random(4);
        ulong[] hashes = new ulong[400];
        for (int i = 0; i < hashes.Length; i++)
        {
            // Every other hash is the one before it with up to eight bits turned.
            hashes[i] = i % 2 == 0 ? (ulong)random.NextInt64() : hashes[i - 1];
            for (int bits = random.Next(9); i % 2 == 1 && bits > 0; bits--) { hashes[i] ^= 1UL << random.Next(64); }
        }
        int[] expected = [.. Enumerable.Range(0, hashes.Length)];
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int a = 0; a < hashes.Length; a++)
            {
                for (int b = 0; b < hashes.Length; b++)
                {
                    if (System.Numerics.BitOperations.PopCount(hashes[a] ^ hashes[b]) <= PerceptualHash.NearBits && expected[b] < expected[a]) { (expected[a], changed) = (expected[b], true); }
                }
            }
        }
        Assert.Equal(expected, PerceptualHash.Group(hashes));
        Assert.InRange(expected.Distinct().Count(), 200, 399);
    }
}
