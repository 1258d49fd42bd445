using System.Reflection;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend : ITunable
{
    /// <summary>The OpenCL product has one tile.</summary>
    private const string PortableTile = "Tiled64x64";

    private static readonly string[] s_tileNames = Enum.GetNames<CudaGemmTile>();

    /// <inheritdoc/>
    public GemmTileTable Tiles { get; set; } = GemmTileTable.Defaults;

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
        string own = CudaGemmPlan.Default(type, shape, _device.Limits.DynamicSharedBytes).Tile.ToString();
        return [own, .. Enum.GetValues<CudaGemmTile>().Where(tile => Fits(type, layout, tile)).Select(tile => tile.ToString()).Where(name => name != own)];
    }

    /// <summary>True for a name that <see cref="TilesFor"/> may give.</summary>
    internal static bool IsTile(string name) => s_tileNames.Contains(name);

    /// <summary>The plan with the tile that was measured to be fastest, where one was.</summary>
    private CudaGemmPlan Tuned(in CudaGemmPlan plan, ElementType type, in GemmShape shape)
    {
        if (plan.Path != CudaGemmPath.TensorCores || Tiles.Choices.Count == 0) { return plan; }
        Arithmetic arithmetic = type == ElementType.BFloat16 ? Arithmetic.BFloat16 : Arithmetic.TensorFloat32;
        if (Tiles.Find(GemmTileKey.Of(arithmetic, shape)) is not { } choice || !Enum.TryParse(choice.Tile, out CudaGemmTile tile) || !Fits(type, shape.Layout, tile)) { return plan; }
        return tile == plan.Tile ? plan with { Reason = choice.Reason } : CudaGemmPlan.With(tile, shape, choice.Reason);
    }

    private bool Fits(ElementType type, GemmLayout layout, CudaGemmTile tile) =>
        CudaGemmTable.Tensor.TryGetValue((type, layout, tile), out var kernel) && EntryOf(kernel.Method).SharedBytes <= _device.Limits.DynamicSharedBytes;

    /// <summary>A kernel's bounds, which are looked up by reflection only before its first launch.</summary>
    private KernelEntry EntryOf(MethodInfo method) => _kernels.TryGetValue(method, out LoadedKernel? loaded) ? loaded.Entry : KernelEntry.Of(method);

    private static ElementType TypeOf(Arithmetic arithmetic) => arithmetic == Arithmetic.BFloat16 ? ElementType.BFloat16 : ElementType.Float32;
}
