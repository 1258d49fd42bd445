using System.Globalization;
using I2M.Kernels;
using I2M.Model.Benchmarks.Cases;
using I2M.Model.Io;

namespace I2M.Model.Benchmarks;

/// <summary>
/// Measures every tile of the matrix products that the network has, and keeps the fastest. The backend's own choice stays unless another tile is at least
/// 2 % faster. Every tile's product is verified first.
/// </summary>
/// <param name="backend">The device.</param>
/// <param name="runs">Timed runs a tile, of which the median counts.</param>
public sealed class TileTuner(IBackend backend, int runs = 15)
{
    private const int WarmRuns = 3, Sets = 3;
    private const double Gain = 0.02;

    /// <summary>The products of <see cref="BenchmarkCatalog"/>'s G1 to G4 in every arithmetic that has several tiles.</summary>
    /// <exception cref="I2MException">The host: nothing to tune.</exception>
    public IReadOnlyList<(Arithmetic Arithmetic, GemmShape Shape)> Products(DeviceSizes sizes)
    {
        ITunable tunable = Tunable();
        GemmShape[] shapes = [.. DeviceCatalog.Shapes(sizes).Select(s => s.Shape)];
        return [.. new[] { Arithmetic.BFloat16, Arithmetic.TensorFloat32 }.SelectMany(a => shapes.Select(s => (a, s))).Where(p => tunable.TilesFor(p.a, p.s).Count > 1)
            .DistinctBy(p => GemmTileKey.Of(p.a, p.s))];
    }

    /// <summary>Measures, and writes the device's file.</summary>
    /// <param name="products">What to measure.</param>
    /// <param name="path">The file; it is found writable first.</param>
    /// <param name="report">Gets a line a product: the choice and why.</param>
    /// <param name="cancel">Stops between two runs; nothing is written then.</param>
    /// <exception cref="I2MException">The host, a wrong result, or a file that cannot be written. The backend is as before.</exception>
    public GemmTileTable Tune(IReadOnlyList<(Arithmetic Arithmetic, GemmShape Shape)> products, string path, Action<string> report, CancellationToken cancel)
    {
        ITunable tunable = Tunable();
        AtomicFile.RequireWritable(path);
        GemmTileTable before = tunable.Tiles;
        try
        {
            List<GemmTileChoice> choices = [];
            foreach (var (arithmetic, shape) in products)
            {
                choices.Add(Choose(tunable, arithmetic, shape, cancel));
                report(choices[^1].Reason);
            }
            var table = new GemmTileTable(choices);
            AtomicFile.Write(path, TileCache.Serialize(backend.Device, table));
            before = table;
            return table;
        }
        finally
        {
            tunable.Tiles = before;
            backend.Pool.Trim();
        }
    }

    private ITunable Tunable() => backend as ITunable
        ?? throw new I2MException($"--tune: {backend.Name} has nothing to tune: its kernels choose their tiles by the processor's caches and vectors");

    private GemmTileChoice Choose(ITunable tunable, Arithmetic arithmetic, GemmShape shape, CancellationToken cancel)
    {
        GemmTileKey key = GemmTileKey.Of(arithmetic, shape);
        using var work = new GemmCase(backend, shape, arithmetic, arithmetic == Arithmetic.BFloat16 ? ElementType.BFloat16 : ElementType.Float32, Sets);
        List<(string Tile, double Seconds)> measured = [];
        foreach (string tile in tunable.TilesFor(arithmetic, shape))
        {
            tunable.Tiles = new GemmTileTable([new GemmTileChoice(key, tile, "")]);
            work.Verify(cancel);
            measured.Add((tile, Median(work, cancel)));
        }
        var (own, fastest) = (measured[0], measured.MinBy(m => m.Seconds));
        var chosen = fastest.Seconds < own.Seconds * (1 - Gain) ? fastest : own;
        string all = string.Join(", ", measured.Select(m => string.Create(CultureInfo.InvariantCulture, $"{m.Tile} {m.Seconds * 1e6:F1}")));
        string why = chosen == own ? "the default, none is 2 % faster" : string.Create(CultureInfo.InvariantCulture, $"{own.Seconds / chosen.Seconds - 1:P0} faster than the default {own.Tile}");
        return new GemmTileChoice(key, chosen.Tile, $"{arithmetic} {shape.Layout} {shape.M}x{shape.N}x{shape.K}: {chosen.Tile}, {why} (us: {all})");
    }

    private double Median(GemmCase work, CancellationToken cancel)
    {
        var probe = (IDeviceProbe)backend;
        var times = new double[runs];
        for (int i = -WarmRuns; i < runs; i++)
        {
            cancel.ThrowIfCancellationRequested();
            double seconds = probe.Time(work.Queue);
            if (i >= 0) { times[i] = seconds; }
        }
        Array.Sort(times);
        return times[runs / 2];
    }
}
