using System.Numerics;

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
        ? new(arithmetic, shape.Layout, shape.M, shape.N, TileTable.RoundUp(shape.K))
        : new(arithmetic, shape.Layout, TileTable.RoundUp(shape.M), shape.N, shape.K);
}

/// <summary>A part of attention that is a kernel of its own and takes its own tile.</summary>
public enum AttentionPass
{
    /// <summary>The forward pass.</summary>
    Forward,
    /// <summary>The backward pass that sums the gradients of keys and values.</summary>
    Keys,
    /// <summary>The backward pass that sums the gradient of queries.</summary>
    Queries,
}

/// <summary>Attentions that share a tile. Samples times heads vary with the batch, so they are rounded up to a power of two; the others are the network's and exact.</summary>
/// <param name="Pass">Which kernel.</param>
/// <param name="Heads">Heads of all samples together.</param>
/// <param name="Queries">Queries a sample.</param>
/// <param name="Keys">Keys a sample.</param>
/// <param name="HeadDim">Channels of a head.</param>
public readonly record struct AttentionTileKey(AttentionPass Pass, int Heads, int Queries, int Keys, int HeadDim)
{
    /// <summary>The key of an attention.</summary>
    public static AttentionTileKey Of(AttentionPass pass, in AttentionShape shape) =>
        new(pass, TileTable.RoundUp((long)shape.Batch * shape.Heads), shape.Queries, shape.Keys, shape.HeadDim);
}

/// <summary>A measured choice.</summary>
/// <typeparam name="TKey">What the operation's choices are told apart by.</typeparam>
/// <param name="Key">For what.</param>
/// <param name="Tile">The tile's name.</param>
/// <param name="Reason">What was measured, in one line.</param>
public sealed record TileChoice<TKey>(TKey Key, string Tile, string Reason) where TKey : struct;

/// <summary>
/// Which tiles of matrix products and of attention are fastest on one device, as <c>i2m bench --tune</c> measured it. What it does not name takes the backend's own choice.
/// </summary>
public sealed class TileTable
{
    private readonly Dictionary<GemmTileKey, TileChoice<GemmTileKey>> _products = [];
    private readonly Dictionary<AttentionTileKey, TileChoice<AttentionTileKey>> _attention = [];

    /// <param name="products">One a key; of several the last counts.</param>
    /// <param name="attention">Likewise.</param>
    public TileTable(IEnumerable<TileChoice<GemmTileKey>> products, IEnumerable<TileChoice<AttentionTileKey>> attention)
    {
        foreach (var choice in products) { _products[choice.Key] = choice; }
        foreach (var choice in attention) { _attention[choice.Key] = choice; }
    }

    /// <summary>Nothing measured.</summary>
    public static TileTable Defaults { get; } = new([], []);

    /// <summary>All choices of matrix products.</summary>
    public IReadOnlyCollection<TileChoice<GemmTileKey>> Products => _products.Values;

    /// <summary>All choices of attention.</summary>
    public IReadOnlyCollection<TileChoice<AttentionTileKey>> Attention => _attention.Values;

    /// <summary>All choices together.</summary>
    public int Count => _products.Count + _attention.Count;

    /// <summary>The choice for a product, or null.</summary>
    public TileChoice<GemmTileKey>? Find(GemmTileKey key) => _products.GetValueOrDefault(key);

    /// <summary>The choice for a pass of attention, or null.</summary>
    public TileChoice<AttentionTileKey>? Find(AttentionTileKey key) => _attention.GetValueOrDefault(key);

    /// <summary>The next power of two.</summary>
    internal static int RoundUp(long size) => (int)Math.Min(int.MaxValue, BitOperations.RoundUpToPowerOf2((ulong)Math.Max(1, size)));
}

/// <summary>A backend whose matrix products and attention come in several tiles.</summary>
public interface ITunable
{
    /// <summary>What both consult.</summary>
    TileTable Tiles { get; set; }

    /// <summary>
    /// Why products of which <see cref="MatmulPrecision.TensorFloat32"/> was wanted have so far been multiplied in full float32 all the same; empty where none was.
    /// </summary>
    IReadOnlyCollection<string> FullPrecisionReasons { get; }

    /// <summary>Names of the tiles that a product of such factors can take, the backend's own choice first.</summary>
    IReadOnlyList<string> TilesFor(Arithmetic arithmetic, in GemmShape shape);

    /// <summary>Names of the tiles that a pass of attention between bfloat16 rows can take, the backend's own choice first.</summary>
    IReadOnlyList<string> TilesFor(AttentionPass pass, in AttentionShape shape);

    /// <summary>The tile that such a product takes now, a colon, and why; null on a device without several.</summary>
    string? ChoiceFor(Arithmetic arithmetic, in GemmShape shape);

    /// <summary>Likewise of a pass of attention between bfloat16 rows.</summary>
    string? ChoiceFor(AttentionPass pass, in AttentionShape shape);
}
