using System.Runtime.CompilerServices;
using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>What goes with the generated products.</summary>
internal static class CudaGemmKernels
{
    /// <summary>Elements between two rows of a part of a split sum: whole vectors of four.</summary>
    public static int Pitch(int columns) => (columns + 3) / 4 * 4;

    /// <summary>
    /// Adds up the parts [batch, splits, m, <see cref="Pitch"/> of n] of split sums in their order and applies the epilogue; an item takes eight columns of one of the
    /// rows of the batch.
    /// </summary>
    [KernelBounds(IlgpuBackend.GroupSize, MinGroups = 8)]
    public static void AddSplits(ArrayView<float> parts, int splits, long rows, ArrayView<float> c, ArrayView<float> bias, ArrayView<float> activation, ArrayView<float> residual, CudaGemmSizes s)
    {
        int perRow = (s.N + CudaGemmEpilogue.Columns - 1) / CudaGemmEpilogue.Columns;
        long item = GlobalIndex(), row = Quotient(item, perRow);
        if (row >= rows) { return; }
        int column = (int)(item - row * perRow) * CudaGemmEpilogue.Columns;
        var views = new CudaGemmViews { C = c, Bias = bias, Activation = activation, Residual = residual, Sums = c };
        long batch = Quotient(row, s.M), step = (long)s.M * Pitch(s.N);
        row -= batch * s.M;
        long at = batch * splits * step + row * Pitch(s.N) + column, start = batch * s.StrideC + row * s.LeadingC;
        if (column + CudaGemmEpilogue.Columns <= s.N)
        {
            Float8 sum = AddQuads(parts.Cast<Float4>(), at / 4, step / 4, splits);
            if (s.Wide != 0) { CudaGemmEpilogue.FinishWhole(sum.Low, sum.High, start, column, column + 4, views, s); }
            else
            {
                CudaGemmEpilogue.FinishQuad(sum.Low, start, column, views, s);
                CudaGemmEpilogue.FinishQuad(sum.High, start, column + 4, views, s);
            }
            return;
        }
        for (; column < s.N; column++)
        {
            float sum = 0f;
            for (int split = 0; split < splits; split++) { sum += parts[at + split * step]; }
            CudaGemmEpilogue.FinishOne(sum, start + column, column, views, s);
            at++;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float8 AddQuads(ArrayView<Float4> parts, long at, long step, int splits)
    {
        var sum = default(Float8);
        for (int split = 0; split < splits; split++)
        {
            sum = Float8.Add(sum, new Float8 { Low = parts[at], High = parts[at + 1] });
            at += step;
        }
        return sum;
    }
}
