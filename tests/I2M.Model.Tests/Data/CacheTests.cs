using I2M.Kernels;
using I2M.Model.Data;
using I2M.Model.Tests.Io;
using Xunit;

namespace I2M.Model.Tests.Data;

public sealed class CacheTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void FingerprintIsSha256AndFollowsContentAndSettings()
    {
        var path = _folder.File("a", "abc"u8);
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Fingerprint.OfFile(path));
        var key = Fingerprint.CacheKey(path, "rate=24000");
        Assert.Equal(key, Fingerprint.CacheKey(_folder.File("copy", "abc"u8), "rate=24000"));
        Assert.NotEqual(key, Fingerprint.CacheKey(path, "rate=16000"));
        Assert.NotEqual(key, Fingerprint.CacheKey(_folder.File("a", "abd"u8), "rate=24000"));
        Assert.Throws<BadFileException>(() => Fingerprint.OfFile(_folder.File("none")));
    }

    [Fact]
    public void ValuesAreComputedOnce()
    {
        var cache = new MelCache(_folder.File("mels"));
        var computed = 0;
        float[] Compute() => [++computed, 2, 3, -4.5f, float.NaN, 6];
        var first = cache.GetOrAdd("key", Compute, 2, 3);
        Assert.Equal(first, new MelCache(_folder.File("mels")).GetOrAdd("key", Compute, 2, 3));
        Assert.Equal(1, computed);
        cache.GetOrAdd("other", Compute, 2, 3);
        Assert.Equal(2, computed);
        cache.GetOrAdd("key", Compute, 3, 2);
        Assert.Equal(3, computed);
    }

    [Fact]
    public void EveryFlippedBitAndEveryCutIsNoticed()
    {
        var cache = new MelCache(_folder.Root);
        float[] values = [1, 2, 3, 4];
        cache.GetOrAdd("key", () => values, 2, 2);
        var path = cache.PathOf("key");
        var good = File.ReadAllBytes(path);
        Assert.Equal(24 + 16, good.Length);
        for (var bit = 0; bit < good.Length * 8; bit++)
        {
            byte[] bad = [.. good];
            bad[bit / 8] ^= (byte)(1 << bit % 8);
            ExpectRecomputed(bad);
        }
        for (var length = 0; length < good.Length; length++) ExpectRecomputed(good[..length]);
        Assert.Single(Directory.GetFiles(_folder.Root));

        void ExpectRecomputed(byte[] content)
        {
            File.WriteAllBytes(path, content);
            var computed = false;
            Assert.Equal(values, cache.GetOrAdd("key", () => { computed = true; return values; }, 2, 2));
            Assert.True(computed);
            Assert.Equal(good, File.ReadAllBytes(path));
        }
    }

    [Fact]
    public void MistakesAreReported()
    {
        Assert.Throws<ArgumentException>(() => new MelCache(_folder.Root).GetOrAdd("k", () => new float[3], 2, 2));
        Assert.Empty(Directory.GetFiles(_folder.Root));
        Assert.Throws<I2MException>(() => new MelCache(_folder.File("file", [1])));
    }
}
