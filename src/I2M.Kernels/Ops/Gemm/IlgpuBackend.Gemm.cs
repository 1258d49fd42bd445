using ILGPU;
using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Gemm(BufferView a, BufferView b, BufferView bias, in GemmShape shape, BufferView c)
    {
        if (shape.M == 0 || shape.N == 0 || shape.Batch == 0) { return; }
        var sizes = new GemmSizes
        {
            M = shape.M,
            N = shape.N,
            K = shape.K,
            RowTiles = (shape.M + GemmKernels.Tile - 1) / GemmKernels.Tile,
            ColumnTiles = (shape.N + GemmKernels.Tile - 1) / GemmKernels.Tile,
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
        int groups = checked(sizes.RowTiles * sizes.ColumnTiles * shape.Batch);
        var config = new KernelConfig(new Index3D(groups, 1, 1), new Index3D(GemmKernels.Side, GemmKernels.Side, 1));
        Launch(GemmKernels.Tiled, config, View(a), View(b), ViewOr(bias, c), View(c), sizes);
    }
}
