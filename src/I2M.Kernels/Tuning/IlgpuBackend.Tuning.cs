using System.Reflection;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend : ITunable
{
    /// <summary>What OpenCL has: one tile of each.</summary>
    private const string PortableTile = "Tiled64x64", PortableAttention = "Portable";

    private static readonly string[] s_tileNames = [.. Enum.GetNames<CudaGemmTile>(), .. Enum.GetNames<FlashTile>()];

    /// <inheritdoc/>
    public TileTable Tiles { get; set; } = TileTable.Defaults;

    /// <summary>Constants of <see cref="CudaGemmPlan"/>: few, and not written anew by every product.</summary>
    private readonly HashSet<string> _fullPrecisionReasons = [];

    /// <inheritdoc/>
    public IReadOnlyCollection<string> FullPrecisionReasons => _fullPrecisionReasons;

    /// <inheritdoc/>
    public IReadOnlyList<string> TilesFor(Arithmetic arithmetic, in GemmShape shape)
    {
        if (!IsCuda || arithmetic == Arithmetic.Float32 || shape.Layout == GemmLayout.TT) { return [PortableTile]; }
        ElementType type = TypeOf(arithmetic);
        GemmLayout layout = shape.Layout;
        CudaGemmTile own = CudaGemmPlan.Default(type, shape, _device.Limits.DynamicSharedBytes).Tile;
        return Names(own, Enum.GetValues<CudaGemmTile>().Where(tile => Fits(type, layout, tile)));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> TilesFor(AttentionPass pass, in AttentionShape shape)
    {
        if (!IsCuda || FlashAttention.Obstacle(shape) is not null) { return [PortableAttention]; }
        int width = FlashAttention.Width(shape.HeadDim);
        return Names(FlashPlan.For(pass, shape, Device.ComputeUnits, FlashShared).Tile, FlashPlan.Tiles.Where(tile => FlashPlan.Fits(pass, width, tile, FlashShared)));
    }

    /// <inheritdoc/>
    public string? ChoiceFor(Arithmetic arithmetic, in GemmShape shape)
    {
        if (!IsCuda) { return null; }
        if (arithmetic == Arithmetic.Float32 || shape.Layout == GemmLayout.TT)
        {
            CudaGemmPlan exact = CudaGemmPlan.Float32(shape, "full float32 precision");
            return $"{exact.Path}: {exact.Reason}";
        }
        ElementType type = TypeOf(arithmetic);
        CudaGemmPlan plan = Tuned(CudaGemmPlan.Default(type, shape, _device.Limits.DynamicSharedBytes), type, shape);
        return $"{plan.Tile}{(plan.SplitDepth > 0 ? $" in parts of {plan.SplitDepth}" : "")}: {plan.Reason}";
    }

    /// <inheritdoc/>
    public string? ChoiceFor(AttentionPass pass, in AttentionShape shape)
    {
        if (!IsCuda) { return null; }
        if (FlashAttention.Obstacle(shape) is { } obstacle) { return $"{PortableAttention}: {obstacle}"; }
        FlashPlan plan = PlanAttention(pass, shape);
        return $"{plan.Tile}: {plan.Reason}";
    }

    /// <summary>True for a name that either may give.</summary>
    internal static bool IsTile(string name) => s_tileNames.Contains(name);

    private static string[] Names<TTile>(TTile own, IEnumerable<TTile> all) where TTile : struct, Enum =>
        [own.ToString(), .. all.Select(tile => tile.ToString()).Where(name => name != own.ToString())];

    /// <summary>The plan with the tile that was measured to be fastest, where one was.</summary>
    private CudaGemmPlan Tuned(in CudaGemmPlan plan, ElementType type, in GemmShape shape)
    {
        if (plan.Path != CudaGemmPath.TensorCores || Tiles.Products.Count == 0) { return plan; }
        Arithmetic arithmetic = type == ElementType.BFloat16 ? Arithmetic.BFloat16 : Arithmetic.TensorFloat32;
        if (Tiles.Find(GemmTileKey.Of(arithmetic, shape)) is not { } choice || !Enum.TryParse(choice.Tile, out CudaGemmTile tile) || !Fits(type, shape.Layout, tile)) { return plan; }
        return tile == plan.Tile ? plan with { Reason = choice.Reason } : CudaGemmPlan.With(tile, shape, choice.Reason);
    }

    /// <summary>Likewise of attention.</summary>
    private FlashPlan Tuned(AttentionPass pass, in FlashPlan plan, in AttentionShape shape)
    {
        if (Tiles.Attention.Count == 0 || Tiles.Find(AttentionTileKey.Of(pass, shape)) is not { } choice || !Enum.TryParse(choice.Tile, out FlashTile tile)) { return plan; }
        return FlashPlan.Fits(pass, FlashAttention.Width(shape.HeadDim), tile, FlashShared) ? plan with { Tile = tile, Measured = choice.Reason } : plan;
    }

    private bool Fits(ElementType type, GemmLayout layout, CudaGemmTile tile) =>
        CudaGemmTable.Tensor.TryGetValue((type, layout, tile), out var kernel) && EntryOf(kernel.Method).SharedBytes <= _device.Limits.DynamicSharedBytes;

    /// <summary>A kernel's bounds, which are looked up by reflection only before its first launch.</summary>
    private KernelEntry EntryOf(MethodInfo method) => _kernels.TryGetValue(method, out LoadedKernel? loaded) ? loaded.Entry : KernelEntry.Of(method);

    private static ElementType TypeOf(Arithmetic arithmetic) => arithmetic == Arithmetic.BFloat16 ? ElementType.BFloat16 : ElementType.Float32;
}
