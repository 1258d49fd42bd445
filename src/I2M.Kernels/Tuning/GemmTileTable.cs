namespace I2M.Kernels;

/// <summary>
/// Products that share a tile. The dimension that counts tokens (m, or k of a weight gradient) varies with the batch, so it is rounded up to a power of two; the others are
/// the network's and exact.
/// </summary>
/// <param name="Arithmetic">Of the factors.</param>
/// <param name="Layout">Layout.</param>
/// <param name="M">Rows.</param>
/// <param name="N">Columns.</param>
/// <param name="K">Summed dimension.</param>
public readonly record struct GemmTileKey(Arithmetic Arithmetic, GemmLayout Layout, int M, int N, int K)
{
    /// <summary>The key of a product.</summary>
    public static GemmTileKey Of(Arithmetic arithmetic, in GemmShape shape) => shape.Layout == GemmLayout.TN
        ? new(arithmetic, shape.Layout, shape.M, shape.N, RoundUp(shape.K))
        : new(arithmetic, shape.Layout, RoundUp(shape.M), shape.N, shape.K);

    private static int RoundUp(int size) => (int)Math.Min(int.MaxValue, System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)Math.Max(1, size)));
}

/// <summary>A measured choice.</summary>
/// <param name="Key">For which products.</param>
/// <param name="Tile">The tile's name.</param>
/// <param name="Reason">What was measured, in one line.</param>
public sealed record GemmTileChoice(GemmTileKey Key, string Tile, string Reason);

/// <summary>Which tile of a matrix product is fastest on one device, as <c>i2m bench --tune</c> measured it. Products that it does not name take the backend's own choice.</summary>
public sealed class GemmTileTable
{
    private readonly Dictionary<GemmTileKey, GemmTileChoice> _choices;

    /// <param name="choices">One a key; of several the last counts.</param>
    public GemmTileTable(IEnumerable<GemmTileChoice> choices)
    {
        _choices = [];
        foreach (GemmTileChoice choice in choices) { _choices[choice.Key] = choice; }
    }

    /// <summary>Nothing measured.</summary>
    public static GemmTileTable Defaults { get; } = new([]);

    /// <summary>All choices.</summary>
    public IReadOnlyCollection<GemmTileChoice> Choices => _choices.Values;

    /// <summary>The choice for a product, or null.</summary>
    public GemmTileChoice? Find(GemmTileKey key) => _choices.GetValueOrDefault(key);
}

/// <summary>A backend whose matrix product comes in several tiles.</summary>
public interface ITunable
{
    /// <summary>What the product consults.</summary>
    GemmTileTable Tiles { get; set; }

    /// <summary>
    /// Why products of which <see cref="MatmulPrecision.TensorFloat32"/> was wanted have so far been multiplied in full float32 all the same; empty where none was.
    /// </summary>
    IReadOnlyCollection<string> FullPrecisionReasons { get; }

    /// <summary>Names of the tiles that a product of such factors can take, the backend's own choice first.</summary>
    IReadOnlyList<string> TilesFor(Arithmetic arithmetic, in GemmShape shape);
}
