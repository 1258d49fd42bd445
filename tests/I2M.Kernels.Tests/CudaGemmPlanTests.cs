using I2M.Kernels.Ilgpu;
using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>Which kernel a product takes on CUDA.</summary>
public sealed class CudaGemmPlanTests
{
    private const int H200 = 227 * 1024, Small = 64 * 1024;

    [Theory]
    [InlineData(GemmLayout.NT, 28000, 2304, 768, H200, CudaGemmTile.Tile128x256, 0)]
    [InlineData(GemmLayout.NN, 28000, 768, 2304, H200, CudaGemmTile.Tile128x256, 0)]
    [InlineData(GemmLayout.NT, 28000, 200, 768, H200, CudaGemmTile.Tile128x128Deep, 0)]
    [InlineData(GemmLayout.TN, 768, 768, 28000, H200, CudaGemmTile.Tile128x128Deep, 4032)]
    [InlineData(GemmLayout.NT, 875, 768, 768, H200, CudaGemmTile.Tile64x64, 0)]
    [InlineData(GemmLayout.NT, 32, 56832, 768, H200, CudaGemmTile.Tile64x64, 0)]
    [InlineData(GemmLayout.NT, 28000, 2304, 768, Small, CudaGemmTile.Tile128x128, 0)]
    internal void Tensor_cores_get_a_tile_for_the_shape(GemmLayout layout, int m, int n, int k, int shared, CudaGemmTile tile, int splitDepth)
    {
        CudaGemmPlan plan = Plan(new GemmShape(layout, m, n, k), ElementType.BFloat16, shared);
        Assert.Equal((CudaGemmPath.TensorCores, tile, splitDepth), (plan.Path, plan.Tile, plan.SplitDepth));
    }

    [Fact]
    public void What_tensor_cores_do_not_take_says_why()
    {
        var shape = new GemmShape(GemmLayout.NT, 512, 512, 512) { Precision = MatmulPrecision.TensorFloat32 };
        Assert.Equal(CudaGemmPath.TensorCores, Plan(shape, ElementType.Float32, H200).Path);
        Falls(shape with { Precision = MatmulPrecision.Float32 }, ElementType.Float32, CudaGemmPath.Portable, "full float32");
        Falls(shape with { M = 4096, N = 4096, Precision = MatmulPrecision.Float32 }, ElementType.Float32, CudaGemmPath.Simt, "full float32");
        Falls(shape with { LeadingA = 513 }, ElementType.BFloat16, CudaGemmPath.Widened, "rows of a");
        Falls(shape with { LeadingB = 516 }, ElementType.BFloat16, CudaGemmPath.Widened, "rows of b");
        Falls(shape with { Batch = 2, StrideB = 6 }, ElementType.Float32, CudaGemmPath.Portable, "rows of b");
        Falls(shape with { Layout = GemmLayout.TT }, ElementType.BFloat16, CudaGemmPath.Widened, "two transposed");

        static void Falls(GemmShape shape, ElementType type, CudaGemmPath path, string reason)
        {
            CudaGemmPlan plan = Plan(shape, type, H200);
            Assert.Equal(path, plan.Path);
            Assert.Contains(reason, plan.Reason, StringComparison.Ordinal);
        }
    }

    /// <summary>Samplers compute tables of 65 to 128 rows and count on the same bits in each; 64 rows are few and may take another kernel.</summary>
    [Theory]
    [InlineData(768)]
    [InlineData(1024)]
    [InlineData(2048)]
    public void From_65_to_128_rows_a_product_has_one_plan(int hidden)
    {
        CudaGemmPlan expected = Plan(new GemmShape(GemmLayout.NT, 128, 9 * hidden, hidden), ElementType.Float32, H200);
        for (int rows = 65; rows < 128; rows++) { Assert.Equal(expected, Plan(new GemmShape(GemmLayout.NT, rows, 9 * hidden, hidden), ElementType.Float32, H200)); }
        bool another = Plan(new GemmShape(GemmLayout.NT, 64, 9 * hidden, hidden), ElementType.Float32, H200).Path != expected.Path;
        Assert.Equal(hidden > 768, another);
    }

    private static CudaGemmPlan Plan(GemmShape shape, ElementType type, int shared)
    {
        BufferView view = Backends.Get("host").Pool.Rent(64);
        try { return CudaGemmPlan.For(view.As(type), view.As(type), shape, shared); }
        finally { Backends.Get("host").Pool.Return(view); }
    }
}
