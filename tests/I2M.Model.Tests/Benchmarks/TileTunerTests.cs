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
    private static readonly AttentionShape s_attention = new(1, 1, 21, 24, 64, 0.125f);
    private static readonly TuningPlan s_plan = new([(Arithmetic.BFloat16, s_shape)], []);
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
        TileTable table = new TileTuner(_backend, runs: 1).Tune(s_plan, CacheFile, lines.Add, TestContext.Current.CancellationToken);
        TileChoice<GemmTileKey> choice = Assert.Single(table.Products);
        Assert.Same(table, Tunable.Tiles);
        Assert.Contains(choice.Tile, Tunable.TilesFor(Arithmetic.BFloat16, s_shape));
        Assert.Contains("BFloat16 NT 42x64x64: ", Assert.Single(lines));
        foreach (string tile in Tunable.TilesFor(Arithmetic.BFloat16, s_shape)) { Assert.Contains(tile, choice.Reason); }
        TileTable read = TileCache.Load(CacheFile, _backend.Device, _ => true, out string reason);
        Assert.Equal(table.Products, read.Products);
        Assert.Contains("1 tuned tiles of ", reason);
        // A batch of about the same size takes the choice, another layer does not.
        Assert.NotNull(read.Find(GemmTileKey.Of(Arithmetic.BFloat16, s_shape with { M = 60 })));
        Assert.Null(read.Find(GemmTileKey.Of(Arithmetic.BFloat16, s_shape with { N = 72 })));
        Assert.Null(read.Find(GemmTileKey.Of(Arithmetic.TensorFloat32, s_shape)));
    }

    [Theory]
    [InlineData(AttentionPass.Forward)]
    [InlineData(AttentionPass.Keys)]
    [InlineData(AttentionPass.Queries)]
    public void AttentionIsTunedPassByPass(AttentionPass pass)
    {
        List<string> lines = [];
        TileTable table = new TileTuner(_backend, runs: 1).Tune(new TuningPlan([], [(pass, s_attention)]), CacheFile, lines.Add, TestContext.Current.CancellationToken);
        TileChoice<AttentionTileKey> choice = Assert.Single(table.Attention);
        Assert.Contains($"attention {pass.ToString().ToLowerInvariant()} 1x1x21x24x64: ", Assert.Single(lines), StringComparison.Ordinal);
        foreach (string tile in new[] { "Rows32", "Rows64", "Rows128" }) { Assert.Contains(tile, choice.Reason, StringComparison.Ordinal); }
        TileTable read = TileCache.Load(CacheFile, _backend.Device, _ => true, out _);
        Assert.Equal(table.Attention, read.Attention);
        // Twelve heads of one sample take the choice of sixteen, another length or pass does not.
        Assert.Equal(AttentionTileKey.Of(pass, s_attention with { Heads = 12 }), AttentionTileKey.Of(pass, s_attention with { Batch = 16 }));
        Assert.Null(read.Find(AttentionTileKey.Of(pass, s_attention with { Keys = 25 })));
        Assert.Null(read.Find(AttentionTileKey.Of((AttentionPass)(((int)pass + 1) % 3), s_attention)));
    }

    [Fact]
    public void AMissingFileGivesTheDefaultsAndSaysSo()
    {
        Assert.Equal(0, TileCache.Load(CacheFile, _backend.Device, _ => true, out string reason).Count);
        Assert.Equal("default tiles: not tuned for this device, driver and version (i2m bench --tune)", reason);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{\"format\": 2")]
    [InlineData("[1, 2]")]
    [InlineData("{\"format\": 2, \"device\": null, \"driver\": \"\", \"program\": \"\", \"date\": \"2026-01-01\", \"products\": [], \"attention\": []}")]
    public void ACorruptFileIsIgnoredWithALine(string text) => AssertIgnored(Encoding.UTF8.GetBytes(text), _backend.Device, _ => true, "cannot be read");

    [Fact]
    public void AForeignFileIsIgnoredWithALine()
    {
        var table = new TileTable([new TileChoice<GemmTileKey>(GemmTileKey.Of(Arithmetic.BFloat16, s_shape), "Tile64x64", "measured")], []);
        byte[] good = TileCache.Serialize(_backend.Device, table);
        AssertIgnored(good, _backend.Device with { Name = "another" }, _ => true, "it is of PTX emulator");
        AssertIgnored(good, _backend.Device with { Detail = "another driver" }, _ => true, "it is of PTX emulator");
        AssertIgnored(good, _backend.Device, tile => tile != "Tile64x64", "it names the tile Tile64x64");
        string text = Encoding.UTF8.GetString(good);
        AssertIgnored(Encoding.UTF8.GetBytes(string.Concat(text.AsSpan(0, text.LastIndexOf(']')), "null]}")), _backend.Device, _ => true, "a choice is null");
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
        Assert.Throws<I2MException>(() => new TileTuner(_backend, 1).Tune(s_plan, "/proc/sys/i2m/tiles.json", lines.Add, TestContext.Current.CancellationToken));
        Assert.Empty(lines);
        Assert.Equal(0, Tunable.Tiles.Count);
    }

    [Fact]
    public void StoppingKeepsTheTilesAndWritesNothing()
    {
        Assert.Throws<OperationCanceledException>(() => new TileTuner(_backend, 1).Tune(s_plan, CacheFile, _ => { }, new CancellationToken(true)));
        Assert.Equal(0, Tunable.Tiles.Count);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void AMeasuredTileReplacesTheDefault()
    {
        string[] tiles = [.. Tunable.TilesFor(Arithmetic.BFloat16, s_shape)];
        Assert.True(tiles.Length > 1);
        Assert.Equal(tiles, tiles.Distinct());
        Tunable.Tiles = new TileTable([new TileChoice<GemmTileKey>(GemmTileKey.Of(Arithmetic.BFloat16, s_shape), tiles[1], "for this test")], []);
        // The default is listed first whatever the table says, so that another tuning compares with it.
        Assert.Equal(tiles, Tunable.TilesFor(Arithmetic.BFloat16, s_shape));
    }

    [Fact]
    public void TheHostAndOpenClHaveNothingToTune()
    {
        using IBackend host = BackendSelector.Open("host", 1, out _), openCl = BackendSelector.Open("opencl", 1, out _);
        Assert.Contains("host has nothing to tune", Assert.Throws<I2MException>(() => new TileTuner(host).Plan(DeviceSizes.Small)).Message);
        Assert.Equal(0, new TileTuner(openCl).Plan(DeviceSizes.Small).Count);
        TuningPlan full = new TileTuner(_backend).Plan(DeviceSizes.Full);
        Assert.NotEmpty(full.Products);
        foreach (AttentionPass pass in Enum.GetValues<AttentionPass>())
        {
            // Self and cross attention of six batches, and the paper's shape.
            Assert.Equal(13, full.Attention.Count(a => a.Pass == pass));
        }
    }

    private void AssertIgnored(byte[] contents, DeviceInfo device, Func<string, bool> known, string why)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(CacheFile)!);
        File.WriteAllBytes(CacheFile, contents);
        Assert.Equal(0, TileCache.Load(CacheFile, device, known, out string reason).Count);
        Assert.Contains($"{CacheFile} is ignored: ", reason);
        Assert.Contains(why, reason);
        Assert.DoesNotContain('\n', reason);
    }
}
