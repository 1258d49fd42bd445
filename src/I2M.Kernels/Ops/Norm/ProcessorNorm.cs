using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Algorithms;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Layer normalisation on OpenCL devices that are processors: an item works on a row alone, sixteen channels at a time, where
/// <see cref="NormKernels"/> would stop at a barrier for every halving of a sum. For channels that are multiples of sixteen.
/// </summary>
internal static class ProcessorNorm
{
    /// <summary>Items of a group.</summary>
    public const int Items = 8;

    /// <summary>As <see cref="NormKernels.Forward"/>.</summary>
    public static void Forward(ArrayView<float> x, ArrayView<float> scale, ArrayView<float> shift, ArrayView<float> y, ArrayView<float> mean, ArrayView<float> rstd,
        ModulationShape shape, NormAffine affine, float eps)
    {
        long row = (long)Grid.IdxX * Group.DimX + Group.IdxX;
        if (row >= (long)shape.Batch * shape.Tokens) { return; }
        int channels = shape.Channels;
        long start = row * channels;
        long modulation = row / shape.Tokens * shape.Stride;
        var sums = default(Row16);
        for (int c = 0; c < channels; c += Row16.Width) { sums = Row16.Add(sums, Row16.Load(x, start + c)); }
        float average = Row16.Sum(sums) / channels;
        sums = default;
        for (int c = 0; c < channels; c += Row16.Width)
        {
            Row16 d = Row16.Add(Row16.Load(x, start + c), Row16.Same(-average));
            sums = Row16.MultiplyAdd(d, d, sums);
        }
        float inverse = 1f / XMath.Sqrt(Row16.Sum(sums) / channels + eps);
        for (int c = 0; c < channels; c += Row16.Width)
        {
            Row16 offset = default;
            if (affine.HasShift != 0) { offset = Row16.Load(shift, modulation + c); }
            Row16.Store(Row16.MultiplyAdd(Normalised(x, start + c, average, inverse), Scale(scale, modulation + c, affine), offset), y, start + c);
        }
        mean[row] = average;
        rstd[row] = inverse;
    }

    /// <summary>As <see cref="NormKernels.BackwardInput"/>.</summary>
    public static void BackwardInput(ArrayView<float> x, ArrayView<float> scale, ArrayView<float> mean, ArrayView<float> rstd, ArrayView<float> dy, ArrayView<float> dx,
        ModulationShape shape, NormAffine affine, int accumulate)
    {
        long row = (long)Grid.IdxX * Group.DimX + Group.IdxX;
        if (row >= (long)shape.Batch * shape.Tokens) { return; }
        int channels = shape.Channels;
        long start = row * channels;
        long modulation = row / shape.Tokens * shape.Stride;
        float average = mean[row], inverse = rstd[row];
        Row16 sums = default, dots = default;
        for (int c = 0; c < channels; c += Row16.Width)
        {
            Row16 g = Row16.MultiplyAdd(Row16.Load(dy, start + c), Scale(scale, modulation + c, affine), default);
            sums = Row16.Add(sums, g);
            dots = Row16.MultiplyAdd(g, Normalised(x, start + c, average, inverse), dots);
        }
        float meanG = Row16.Sum(sums) / channels;
        float meanGx = Row16.Sum(dots) / channels;
        for (int c = 0; c < channels; c += Row16.Width)
        {
            Row16 g = Row16.MultiplyAdd(Row16.Load(dy, start + c), Scale(scale, modulation + c, affine), Row16.Same(-meanG));
            Row16 d = Row16.Multiply(inverse, Row16.MultiplyAdd(-meanGx, Normalised(x, start + c, average, inverse), g));
            if (accumulate != 0) { d = Row16.Add(d, Row16.Load(dx, start + c)); }
            Row16.Store(d, dx, start + c);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Row16 Normalised(ArrayView<float> x, long at, float average, float inverse) =>
        Row16.Multiply(inverse, Row16.Add(Row16.Load(x, at), Row16.Same(-average)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Row16 Scale(ArrayView<float> scale, long at, NormAffine affine)
    {
        Row16 result = Row16.Same(affine.ScaleOffset);
        if (affine.HasScale != 0) { result = Row16.Add(result, Row16.Load(scale, at)); }
        return result;
    }
}
