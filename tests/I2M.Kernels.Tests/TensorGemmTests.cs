using I2M.Kernels.Ilgpu;
using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>Products of bfloat16 and tf32 factors: the contract on every backend, and every generated kernel on CUDA and its emulation.</summary>
public sealed class TensorGemmTests
{
    public static TheoryData<string, GemmLayout> Rows => Backends.With(Enum.GetValues<GemmLayout>());

    public static TheoryData<string, ElementType, GemmLayout, int> Kernels
    {
        get
        {
            var rows = new TheoryData<string, ElementType, GemmLayout, int>();
            foreach (string backend in new[] { "cuda", Backends.Emulated })
            {
                foreach (var (type, layout, tile) in TensorGemmTable.Kernels.Keys) { rows.Add(backend, type, layout, (int)tile); }
            }
            return rows;
        }
    }

    /// <summary>A whole tile and tails in every direction, three stages and a part of one.</summary>
    [Theory, MemberData(nameof(Kernels))]
    public void Every_generated_product_multiplies_whole_tiles_and_tails(string backend, ElementType type, GemmLayout layout, int tile)
    {
        (int rows, int columns) = (CudaGemmTile)tile switch { CudaGemmTile.Tile64x64 => (64, 64), CudaGemmTile.Tile128x256 => (128, 256), _ => (128, 128) };
        var plan = new CudaGemmPlan(CudaGemmPath.TensorCores, (CudaGemmTile)tile, 0, "test");
        var shape = Padded(new GemmShape(layout, rows + 5, columns + 11, 71) { Precision = MatmulPrecision.TensorFloat32 });
        new GemmCase(shape, GemmActivation.None, EpilogueParts.None) { Factors = type, Plan = plan, Aligned = true }.Check(backend);
    }

    /// <summary>The same shape with every leading dimension a multiple of 8 elements and larger than its rows.</summary>
    private static GemmShape Padded(GemmShape s) => s with { LeadingA = Up(s.LeadingA), LeadingB = Up(s.LeadingB), LeadingC = Up(s.LeadingC) };

    private static int Up(int length) => (length + 8) / 8 * 8;
}
