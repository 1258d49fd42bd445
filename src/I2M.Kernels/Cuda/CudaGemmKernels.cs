using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>What goes with the generated products.</summary>
internal static class CudaGemmKernels
{
    /// <summary>
    /// Adds up the parts [splits, m, n] of a split sum in their order and applies the epilogue; an item takes eight columns of a row (n is a multiple of 8).
    /// </summary>
    [KernelBounds(IlgpuBackend.GroupSize, MinGroups = 8)]
    public static void AddSplits(ArrayView<float> parts, int splits, ArrayView<float> c, ArrayView<float> bias, ArrayView<float> activation, ArrayView<float> residual, CudaGemmSizes s)
    {
        int perRow = (s.N + CudaGemmEpilogue.Columns - 1) / CudaGemmEpilogue.Columns;
        long item = GlobalIndex();
        if (item >= (long)perRow * s.M) { return; }
        long row = Quotient(item, perRow);
        int column = (int)(item - row * perRow) * CudaGemmEpilogue.Columns;
        var views = new CudaGemmViews { C = c, Bias = bias, Activation = activation, Residual = residual };
        ArrayView<Float4> quads = parts.Cast<Float4>();
        long at = (row * s.N + column) / 4, step = (long)s.M * s.N / 4;
        var x = default(Float4);
        var y = default(Float4);
        for (int split = 0; split < splits; split++)
        {
            x = Float4.Add(x, quads[at]);
            y = Float4.Add(y, quads[at + 1]);
            at += step;
        }
        long start = row * s.LeadingC;
        if (s.Wide != 0) { CudaGemmEpilogue.FinishWhole(x, y, start, column, column + 4, views, s); }
        else
        {
            CudaGemmEpilogue.FinishQuad(x, start, column, views, s);
            CudaGemmEpilogue.FinishQuad(y, start, column + 4, views, s);
        }
    }
}
