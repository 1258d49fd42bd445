using I2M.Kernels;
using I2M.Model.Data;
using I2M.Model.Tests.Io;
using Xunit;

namespace I2M.Model.Tests.Data;

public sealed class CacheTests : IDisposable
{
    private static readonly UInt128 s_key = RecordCache.Key("ab", "rate=24000");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void FingerprintIsSha256AndKeysFollowContentAndSettings()
    {
        var path = _folder.File("a", "abc"u8);
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Fingerprint.OfFile(path));
        Assert.Equal(s_key, RecordCache.Key("ab", "rate=24000"));
        Assert.NotEqual(s_key, RecordCache.Key("ab", "rate=16000"));
        Assert.NotEqual(s_key, RecordCache.Key("ac", "rate=24000"));
        Assert.Throws<BadFileException>(() => Fingerprint.OfFile(_folder.File("none")));
    }

    [Fact]
    public void RecordsComeBackInAnyOrderAndOnlyForTheirKey()
    {
        byte[] values = new byte[4];
        using (var cache = new RecordCache(_folder.File("sub/c"), 4))
        {
            Assert.False(cache.TryRead(3, s_key, values));
            cache.Write(3, s_key, [1, 2, 3, 4]);
            cache.Write(0, s_key, [5, 6, 7, 8]);
        }
        using var again = new RecordCache(_folder.File("sub/c"), 4);
        Assert.True(again.TryRead(3, s_key, values));
        Assert.Equal([1, 2, 3, 4], values);
        Assert.True(again.TryRead(0, s_key, values));
        Assert.Equal([5, 6, 7, 8], values);
        Assert.False(again.TryRead(1, s_key, values));
        Assert.False(again.TryRead(0, s_key + 1, values));
        again.Write(0, s_key + 1, [9, 9, 9, 9]);
        Assert.False(again.TryRead(0, s_key, values));
    }

    [Fact]
    public void EveryFlippedBitAndEveryCutIsNoticed()
    {
        string path = _folder.File("c");
        using (var cache = new RecordCache(path, 16)) { cache.Write(0, s_key, "sixteen  values!"u8); }
        byte[] good = File.ReadAllBytes(path), values = new byte[16];
        Assert.Equal(24 + 16, good.Length);
        for (var bit = 0; bit < good.Length * 8; bit++)
        {
            byte[] bad = [.. good];
            bad[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.False(Readable(bad), $"bit {bit}");
        }
        for (var length = 0; length < good.Length; length++) { Assert.False(Readable(good[..length]), $"{length} bytes"); }
        Assert.True(Readable(good));

        bool Readable(byte[] content)
        {
            File.WriteAllBytes(path, content);
            using var cache = new RecordCache(path, 16);
            return cache.TryRead(0, s_key, values);
        }
    }

    [Fact]
    public void NothingIsKeptBeyondTheLimit()
    {
        using var cache = new RecordCache(_folder.File("c"), 16, maxBytes: 100);
        var values = new byte[16];
        for (var i = 0; i < 4; i++) { cache.TryWrite(i, s_key, values); }
        Assert.True(cache.TryRead(1, s_key, values));
        Assert.False(cache.TryRead(2, s_key, values));
        Assert.Equal(80, new FileInfo(cache.Path).Length);
    }

    [Fact]
    public void MistakesAreReported()
    {
        using var cache = new RecordCache(_folder.File("c"), 16);
        Assert.Throws<ArgumentException>(() => cache.Write(0, s_key, new byte[15]));
        Assert.Throws<ArgumentException>(() => cache.TryRead(0, s_key, new byte[17]));
        string file = _folder.File("file", [1]);
        Assert.Contains("--cache", Assert.Throws<I2MException>(() => new RecordCache(Path.Combine(file, "c"), 16)).Message);
    }
}
