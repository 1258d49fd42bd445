using ILGPU;
using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <summary>Products of at most so many rows take the kernel for few rows.</summary>
    private const int SkinnyMaxRows = 8;

    /// <summary>A product with fewer tiles than this leaves a large GPU idle; its summed dimension is split to make about so many groups.</summary>
    private const int SplitTargetGroups = 256;

    /// <summary>Shortest part of a split sum.</summary>
    private const int SplitMinDepth = 1024;

    /// <inheritdoc/>
    public void Gemm(BufferView a, BufferView b, BufferView bias, in GemmShape shape, BufferView c)
    {
        if (shape.M == 0 || shape.N == 0 || shape.Batch == 0) { return; }
        RequireRows(a, shape.TransposeA ? shape.K : shape.M, shape.TransposeA ? shape.M : shape.K, shape.LeadingA, shape.Batch, shape.StrideA, nameof(a));
        RequireRows(b, shape.TransposeB ? shape.N : shape.K, shape.TransposeB ? shape.K : shape.N, shape.LeadingB, shape.Batch, shape.StrideB, nameof(b));
        RequireRows(c, shape.M, shape.N, shape.LeadingC, shape.Batch, shape.StrideC, nameof(c));
        if (!bias.IsNone) { RequireLength(bias, shape.N); }
        GemmSizes sizes = Sizes(shape, bias);
        if (shape.M <= SkinnyMaxRows)
        {
            sizes.RowTiles = (shape.M + GemmKernels.SkinnyRows - 1) / GemmKernels.SkinnyRows;
            sizes.ColumnTiles = (shape.N + GemmKernels.SkinnyColumns - 1) / GemmKernels.SkinnyColumns;
            long groups = (long)sizes.RowTiles * sizes.ColumnTiles * shape.Batch;
            Launch(GemmKernels.Skinny, Groups(groups, GemmKernels.SkinnyItems), View(a), View(b), ViewOr(bias, c), View(c), sizes);
            return;
        }
        sizes.RowTiles = (shape.M + GemmKernels.Tile - 1) / GemmKernels.Tile;
        sizes.ColumnTiles = (shape.N + GemmKernels.Tile - 1) / GemmKernels.Tile;
        int splits = Math.Min(SplitTargetGroups / (int)Math.Min(SplitTargetGroups, (long)sizes.RowTiles * sizes.ColumnTiles), shape.K / SplitMinDepth);
        if (shape.Batch == 1 && splits > 1) { GemmSplit(a, b, bias, sizes, splits, c); }
        else { GemmTiled(View(a), View(b), ViewOr(bias, c), sizes, shape.Batch, View(c)); }
    }

    /// <summary>Few tiles and a long sum, such as a weight gradient: parts of the sum run as a batch into scratch and are added up in order.</summary>
    private void GemmSplit(BufferView a, BufferView b, BufferView bias, GemmSizes sizes, int splits, BufferView c)
    {
        int depth = (sizes.K + splits - 1) / splits;
        using var scope = new BufferScope(Pool);
        BufferView parts = scope.Rent((long)splits * sizes.M * sizes.N);
        GemmSizes part = sizes with
        {
            K = depth,
            SplitK = depth,
            HasBias = 0,
            Accumulate = 0,
            BatchA = depth * sizes.StepA,
            BatchB = depth * sizes.StepB,
            RowC = sizes.N,
            BatchC = (long)sizes.M * sizes.N,
        };
        GemmTiled(View(a), View(b), View(parts), part, splits, View(parts));
        Launch(GemmKernels.AddSplits, Grid((long)sizes.M * sizes.N), View(parts), splits, ViewOr(bias, c), View(c), sizes);
    }

    private void GemmTiled(ArrayView<float> a, ArrayView<float> b, ArrayView<float> bias, GemmSizes sizes, int batch, ArrayView<float> c)
    {
        int groups = checked(sizes.RowTiles * sizes.ColumnTiles * batch);
        var config = new KernelConfig(new Index3D(groups, 1, 1), new Index3D(GemmKernels.Side, GemmKernels.Side, 1));
        Launch(GemmKernels.Tiled, config, a, b, bias, c, sizes);
    }

    /// <summary>Throws unless the view holds batch items of so many rows of so many words, leading words apart.</summary>
    private static void RequireRows(BufferView view, long rows, long width, long leading, long batch, long stride, string name)
    {
        if (rows == 0 || width == 0 || batch == 0) { return; }
        long needed = (batch - 1) * stride + (rows - 1) * leading + width;
        Require(view.Length >= needed, name, $"{needed} words expected, {view.Length} given");
    }

    private static GemmSizes Sizes(in GemmShape shape, BufferView bias) => new()
    {
        M = shape.M,
        N = shape.N,
        K = shape.K,
        TotalK = shape.K,
        HasBias = bias.IsNone ? 0 : 1,
        Accumulate = shape.Accumulate ? 1 : 0,
        RowA = shape.TransposeA ? 1 : shape.LeadingA,
        StepA = shape.TransposeA ? shape.LeadingA : 1,
        StepB = shape.TransposeB ? 1 : shape.LeadingB,
        ColumnB = shape.TransposeB ? shape.LeadingB : 1,
        RowC = shape.LeadingC,
        BatchA = shape.StrideA,
        BatchB = shape.StrideB,
        BatchC = shape.StrideC,
    };
}
