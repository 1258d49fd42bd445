using System.Text;
using I2M.Kernels;
using I2M.Model.Benchmarks;
using I2M.Testing.Emulation;
using Xunit;

namespace I2M.Model.Tests.Benchmarks;

/// <summary>The tuner of the product's tiles, on the emulator, and the file it keeps.</summary>
public sealed class TileTunerTests : IDisposable
{
    private static readonly GemmShape s_shape = new(GemmLayout.NT, 42, 64, 64);
    private readonly IBackend _backend = EmulatedBackend.Open();
    private readonly string _folder = Directory.CreateTempSubdirectory("i2m-tiles-").FullName;

    private ITunable Tunable => (ITunable)_backend;

    private string CacheFile => Path.Combine(_folder, "cache", "tiles.json");

    public void Dispose()
    {
        _backend.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void TheChoiceIsWrittenReadAndUsed()
    {
        List<string> lines = [];
        GemmTileTable table = new TileTuner(_backend, runs: 1).Tune([(Arithmetic.BFloat16, s_shape)], CacheFile, lines.Add, TestContext.Current.CancellationToken);
        GemmTileChoice choice = Assert.Single(table.Choices);
        Assert.Same(table, Tunable.Tiles);
        Assert.Contains(choice.Tile, Tunable.TilesFor(Arithmetic.BFloat16, s_shape));
        Assert.Contains("BFloat16 NT 42x64x64: ", Assert.Single(lines));
        foreach (string tile in Tunable.TilesFor(Arithmetic.BFloat16, s_shape)) { Assert.Contains(tile, choice.Reason); }
        GemmTileTable read = TileCache.Load(CacheFile, _backend.Device, _ => true, out string reason);
        Assert.Equal(table.Choices, read.Choices);
        Assert.Contains("1 tuned tiles of ", reason);
        // A batch of about the same size takes the choice, another layer does not.
        Assert.NotNull(read.Find(GemmTileKey.Of(Arithmetic.BFloat16, s_shape with { M = 60 })));
        Assert.Null(read.Find(GemmTileKey.Of(Arithmetic.BFloat16, s_shape with { N = 72 })));
        Assert.Null(read.Find(GemmTileKey.Of(Arithmetic.TensorFloat32, s_shape)));
    }

    [Fact]
    public void AMissingFileGivesTheDefaultsAndSaysSo()
    {
        Assert.Empty(TileCache.Load(CacheFile, _backend.Device, _ => true, out string reason).Choices);
        Assert.Equal("default tiles: not tuned for this device, driver and version (i2m bench --tune)", reason);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{\"format\": 1")]
    [InlineData("[1, 2]")]
    [InlineData("{\"format\": 1, \"device\": null, \"driver\": \"\", \"program\": \"\", \"date\": \"2026-01-01\", \"choices\": []}")]
    public void ACorruptFileIsIgnoredWithALine(string text) => AssertIgnored(Encoding.UTF8.GetBytes(text), _backend.Device, _ => true, "cannot be read");

    [Fact]
    public void AForeignFileIsIgnoredWithALine()
    {
        var table = new GemmTileTable([new GemmTileChoice(GemmTileKey.Of(Arithmetic.BFloat16, s_shape), "Tile64x64", "measured")]);
        byte[] good = TileCache.Serialize(_backend.Device, table);
        AssertIgnored(good, _backend.Device with { Name = "another" }, _ => true, "it is of PTX emulator");
        AssertIgnored(good, _backend.Device with { Detail = "another driver" }, _ => true, "it is of PTX emulator");
        AssertIgnored(good, _backend.Device, tile => tile != "Tile64x64", "it names the tile Tile64x64");
        string text = Encoding.UTF8.GetString(good);
        AssertIgnored(Encoding.UTF8.GetBytes(string.Concat(text.AsSpan(0, text.LastIndexOf(']')), ", null]}")), _backend.Device, _ => true, "a choice is null");
        byte[] strange = TileCache.Serialize(_backend.Device with { Name = "a\n\u001b[31mb" }, table);
        AssertIgnored(strange, _backend.Device, _ => true, "it is of a[31mb");
        string other = text.Replace(TileCache.Program.Split('+')[0], "0.0.1-other", StringComparison.Ordinal);
        AssertIgnored(Encoding.UTF8.GetBytes(other), _backend.Device, _ => true, "it is of version");
    }

    [Fact]
    public void TheFileIsNamedAfterDeviceDriverAndVersion()
    {
        string name = Path.GetFileName(TileCache.PathOf(new DeviceInfo("NVIDIA H200", "compute capability 9.0, driver 13.0", 1, 1)));
        Assert.StartsWith("nvidia-h200-compute-capability-9-0-driver-13-0-", name);
        Assert.Equal("tiles", Path.GetFileName(Path.GetDirectoryName(TileCache.PathOf(_backend.Device))));
    }

    [Fact]
    public void AnUnwritableFileIsFoundBeforeTheWork()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc");
        List<string> lines = [];
        Assert.Throws<I2MException>(() => new TileTuner(_backend, 1).Tune([(Arithmetic.BFloat16, s_shape)], "/proc/sys/i2m/tiles.json", lines.Add, TestContext.Current.CancellationToken));
        Assert.Empty(lines);
        Assert.Empty(Tunable.Tiles.Choices);
    }

    [Fact]
    public void StoppingKeepsTheTilesAndWritesNothing()
    {
        Assert.Throws<OperationCanceledException>(() => new TileTuner(_backend, 1).Tune([(Arithmetic.BFloat16, s_shape)], CacheFile, _ => { }, new CancellationToken(true)));
        Assert.Empty(Tunable.Tiles.Choices);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void AMeasuredTileReplacesTheDefault()
    {
        string[] tiles = [.. Tunable.TilesFor(Arithmetic.BFloat16, s_shape)];
        Assert.True(tiles.Length > 1);
        Assert.Equal(tiles, tiles.Distinct());
        Tunable.Tiles = new GemmTileTable([new GemmTileChoice(GemmTileKey.Of(Arithmetic.BFloat16, s_shape), tiles[1], "for this test")]);
        // The default is listed first whatever the table says, so that another tuning compares with it.
        Assert.Equal(tiles, Tunable.TilesFor(Arithmetic.BFloat16, s_shape));
    }

    [Fact]
    public void TheHostAndOpenClHaveNothingToTune()
    {
        using IBackend host = BackendSelector.Open("host", 1, out _), openCl = BackendSelector.Open("opencl", 1, out _);
        Assert.Contains("host has nothing to tune", Assert.Throws<I2MException>(() => new TileTuner(host).Products(DeviceSizes.Small)).Message);
        Assert.Empty(new TileTuner(openCl).Products(DeviceSizes.Small));
        Assert.NotEmpty(new TileTuner(_backend).Products(DeviceSizes.Full));
    }

    private void AssertIgnored(byte[] contents, DeviceInfo device, Func<string, bool> known, string why)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(CacheFile)!);
        File.WriteAllBytes(CacheFile, contents);
        Assert.Empty(TileCache.Load(CacheFile, device, known, out string reason).Choices);
        Assert.Contains($"{CacheFile} is ignored: ", reason);
        Assert.Contains(why, reason);
        Assert.DoesNotContain('\n', reason);
    }
}
