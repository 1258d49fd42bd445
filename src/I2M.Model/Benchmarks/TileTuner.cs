using System.Globalization;
using I2M.Kernels;
using I2M.Model.Benchmarks.Cases;
using I2M.Model.Io;

namespace I2M.Model.Benchmarks;

/// <summary>What there is to tune on a device.</summary>
/// <param name="Products">Matrix products.</param>
/// <param name="Attention">Passes of attention between bfloat16 rows.</param>
public sealed record TuningPlan(IReadOnlyList<(Arithmetic Arithmetic, GemmShape Shape)> Products, IReadOnlyList<(AttentionPass Pass, AttentionShape Shape)> Attention)
{
    /// <summary>All together.</summary>
    public int Count => Products.Count + Attention.Count;
}

/// <summary>
/// Measures every tile of the matrix products and of the attention that the network has, and keeps the fastest. The backend's own choice stays unless another
/// tile is at least 2 % faster. Every tile's results are verified first. A backward pass of attention is measured with the other one, which keeps its own tile.
/// </summary>
/// <param name="backend">The device.</param>
/// <param name="runs">Timed runs a tile, of which the median counts.</param>
public sealed class TileTuner(IBackend backend, int runs = 15)
{
    private const int WarmRuns = 3, Sets = 3;
    private const double Gain = 0.02;

    /// <summary>The products of <see cref="BenchmarkCatalog"/>'s G1 to G4 in every arithmetic, and its attention, as far as they have several tiles.</summary>
    /// <exception cref="I2MException">The host: nothing to tune.</exception>
    public TuningPlan Plan(DeviceSizes sizes)
    {
        ITunable tunable = Tunable();
        GemmShape[] shapes = [.. DeviceCatalog.Shapes(sizes).Select(s => s.Shape)];
        var products = new[] { Arithmetic.BFloat16, Arithmetic.TensorFloat32 }.SelectMany(a => shapes.Select(s => (a, s))).Where(p => tunable.TilesFor(p.a, p.s).Count > 1);
        var attention = DeviceCatalog.TunedAttention(sizes).SelectMany(s => Enum.GetValues<AttentionPass>().Select(pass => (pass, s))).Where(a => tunable.TilesFor(a.pass, a.s).Count > 1);
        return new TuningPlan([.. products.DistinctBy(p => GemmTileKey.Of(p.a, p.s))], [.. attention.DistinctBy(a => AttentionTileKey.Of(a.pass, a.s))]);
    }

    /// <summary>Measures, and writes the device's file.</summary>
    /// <param name="plan">What to measure.</param>
    /// <param name="path">The file; it is found writable first.</param>
    /// <param name="report">Gets a line for each: the choice and why.</param>
    /// <param name="cancel">Stops between two runs; nothing is written then.</param>
    /// <exception cref="I2MException">The host, a wrong result, or a file that cannot be written. The backend is as before.</exception>
    public TileTable Tune(TuningPlan plan, string path, Action<string> report, CancellationToken cancel)
    {
        ITunable tunable = Tunable();
        AtomicFile.RequireWritable(path);
        TileTable before = tunable.Tiles;
        try
        {
            List<TileChoice<GemmTileKey>> products = [];
            List<TileChoice<AttentionTileKey>> attention = [];
            foreach (var (arithmetic, shape) in plan.Products)
            {
                products.Add(Choose(arithmetic, shape, cancel));
                report(products[^1].Reason);
            }
            foreach (var (pass, shape) in plan.Attention)
            {
                attention.Add(Choose(pass, shape, cancel));
                report(attention[^1].Reason);
            }
            var table = new TileTable(products, attention);
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

    private TileChoice<GemmTileKey> Choose(Arithmetic arithmetic, GemmShape shape, CancellationToken cancel)
    {
        GemmTileKey key = GemmTileKey.Of(arithmetic, shape);
        using var work = new GemmCase(backend, shape, arithmetic, arithmetic == Arithmetic.BFloat16 ? ElementType.BFloat16 : ElementType.Float32, Sets);
        return Fastest(key, $"{arithmetic} {shape.Layout} {shape.M}x{shape.N}x{shape.K}", Tunable().TilesFor(arithmetic, shape), work, choice => new TileTable([choice], []), cancel);
    }

    private TileChoice<AttentionTileKey> Choose(AttentionPass pass, AttentionShape shape, CancellationToken cancel)
    {
        AttentionTileKey key = AttentionTileKey.Of(pass, shape);
        using var work = new AttentionCase(backend, shape, pass == AttentionPass.Forward ? AttentionPasses.Forward : AttentionPasses.Backward, ElementType.BFloat16, Sets);
        string name = $"attention {pass.ToString().ToLowerInvariant()} {shape.Batch}x{shape.Heads}x{shape.Queries}x{shape.Keys}x{shape.HeadDim}";
        return Fastest(key, name, Tunable().TilesFor(pass, shape), work, choice => new TileTable([], [choice]), cancel);
    }

    /// <summary>Verifies and measures every tile.</summary>
    private TileChoice<TKey> Fastest<TKey>(TKey key, string name, IReadOnlyList<string> tiles, BenchmarkCase work, Func<TileChoice<TKey>, TileTable> table, CancellationToken cancel)
        where TKey : struct
    {
        List<(string Tile, double Seconds)> measured = [];
        foreach (string tile in tiles)
        {
            Tunable().Tiles = table(new TileChoice<TKey>(key, tile, ""));
            work.Verify(cancel);
            measured.Add((tile, Median(work, cancel)));
        }
        var (own, fastest) = (measured[0], measured.MinBy(m => m.Seconds));
        var chosen = fastest.Seconds < own.Seconds * (1 - Gain) ? fastest : own;
        string all = string.Join(", ", measured.Select(m => string.Create(CultureInfo.InvariantCulture, $"{m.Tile} {m.Seconds * 1e6:F1}")));
        string why = chosen == own ? "the default, none is 2 % faster" : string.Create(CultureInfo.InvariantCulture, $"{own.Seconds / chosen.Seconds - 1:P0} faster than the default {own.Tile}");
        return new TileChoice<TKey>(key, chosen.Tile, $"{name}: {chosen.Tile}, {why} (us: {all})");
    }

    private double Median(BenchmarkCase work, CancellationToken cancel)
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
