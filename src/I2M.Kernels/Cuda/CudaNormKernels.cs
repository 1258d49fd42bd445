using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Algorithms;

namespace I2M.Kernels.Ilgpu;

/// <summary>What a backward kernel of a normalisation does.</summary>
internal struct NormBackwardPlan
{
    public ModulationShape Shape;
    public NormAffine Affine;

    /// <summary>Tokens that a warp works on, and the chunks of so many tokens that a sample has.</summary>
    public int ChunkTokens, Chunks;

    /// <summary>1: dx += instead of dx =; dy is bfloat16; partial sums of dscale and dshift are wanted.</summary>
    public int Accumulate, IsNarrow, WantsSums;
}

/// <summary>
/// The kernels of <see cref="NormKernels"/> for rows of up to <see cref="LaneRow.MaxChannels"/> channels, a multiple of four, that are aligned to 16
/// bytes: a warp per row, which stays in registers between the passes over it, so each element is read once and written once.
/// </summary>
internal static class CudaNormKernels
{
    /// <summary>Items of a group.</summary>
    public const int Items = 128;

    /// <summary>Warps of a group.</summary>
    public const int Warps = Items / CudaWarp.Lanes;

    /// <summary>y = x̂ · (offset + scale) + shift, bfloat16 with <paramref name="narrow"/>; keeps mean and rstd.</summary>
    [KernelBounds(Items, MinGroups = 5)]
    public static void Forward(ArrayView<float> x, ArrayView<float> scale, ArrayView<float> shift, ArrayView<float> y, int narrow, ArrayView<float> mean, ArrayView<float> rstd,
        ModulationShape shape, NormAffine affine, float eps)
    {
        int lane = Group.IdxX % CudaWarp.Lanes;
        int count = shape.Channels / 4;
        long row = (long)Grid.IdxX * Warps + Group.IdxX / CudaWarp.Lanes;
        if (row >= mean.Length) { return; }
        long start = row * count;
        Normalise(LaneRow.Load(x.Cast<Float4>(), start, lane, count), row, scale, shift, y, narrow, mean, rstd, shape, affine, eps);
    }

    /// <summary>
    /// dx = (or +=) rstd · (g − mean(g) − x̂ · mean(g·x̂)) with g = dy · (offset + scale), and a warp's sums of dy·x̂ and dy over its chunk of tokens,
    /// [batch, chunks, channels] each: x and dy are read once for all of it.
    /// </summary>
    [KernelBounds(Items, MinGroups = 2)]
    public static void Backward(ArrayView<float> x, ArrayView<float> scale, ArrayView<float> mean, ArrayView<float> rstd, ArrayView<float> dy, ArrayView<float> dx,
        ArrayView<float> partialScale, ArrayView<float> partialShift, NormBackwardPlan plan)
    {
        int lane = Group.IdxX % CudaWarp.Lanes;
        int channels = plan.Shape.Channels;
        int count = channels / 4;
        int part = Grid.IdxX * Warps + Group.IdxX / CudaWarp.Lanes;
        int sample = part / plan.Chunks;
        if (sample >= plan.Shape.Batch) { return; }
        int token = (part - sample * plan.Chunks) * plan.ChunkTokens;
        long row = (long)sample * plan.Shape.Tokens + token;
        long end = row + IntrinsicMath.Min(plan.ChunkTokens, plan.Shape.Tokens - token);
        var dscale = default(LaneRow);
        var dshift = default(LaneRow);
        for (; row < end; row++)
        {
            long start = row * count;
            float inverse = rstd[row];
            LaneRow normalised = LaneRow.Standardize(LaneRow.Load(x.Cast<Float4>(), start, lane, count), mean[row], inverse, lane, count);
            LaneRow g = Load(dy, start, lane, count, plan.IsNarrow);
            dscale = LaneRow.MultiplyAdd(g, normalised, dscale);
            dshift = LaneRow.Add(dshift, g);
            if (plan.Affine.HasScale != 0)
            {
                LaneRow weight = LaneRow.Load(scale.Cast<Float4>(), (long)sample * (plan.Shape.Stride / 4), lane, count);
                g = LaneRow.Multiply(g, LaneRow.Scale(weight, 1f, plan.Affine.ScaleOffset));
            }
            float meanG = CudaWarp.Sum(LaneRow.Sum(g)) / channels;
            float meanGx = CudaWarp.Sum(LaneRow.Dot(g, normalised)) / channels;
            g = LaneRow.Add(g, LaneRow.Scale(normalised, -meanGx, -meanG));
            g = LaneRow.Scale(g, inverse, 0f);
            if (plan.Accumulate != 0) { g = LaneRow.Add(g, LaneRow.Load(dx.Cast<Float4>(), start, lane, count)); }
            LaneRow.Store(g, dx.Cast<Float4>(), start, lane, count);
        }
        if (plan.WantsSums == 0) { return; }
        LaneRow.Store(dscale, partialScale.Cast<Float4>(), (long)part * count, lane, count);
        LaneRow.Store(dshift, partialShift.Cast<Float4>(), (long)part * count, lane, count);
    }

    /// <summary>Writes row <paramref name="row"/> of y from the warp's row r of x, and its mean and rstd.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Normalise(LaneRow r, long row, ArrayView<float> scale, ArrayView<float> shift, ArrayView<float> y, int narrow,
        ArrayView<float> mean, ArrayView<float> rstd, ModulationShape shape, NormAffine affine, float eps)
    {
        int lane = Group.IdxX % CudaWarp.Lanes;
        int count = shape.Channels / 4;
        long start = row * count;
        float average = CudaWarp.Sum(LaneRow.Sum(r)) / shape.Channels;
        r = LaneRow.Standardize(r, average, 1f, lane, count);
        float inverse = 1f / XMath.Sqrt(CudaWarp.Sum(LaneRow.Dot(r, r)) / shape.Channels + eps);
        if (lane == 0)
        {
            mean[row] = average;
            rstd[row] = inverse;
        }
        r = LaneRow.Scale(r, inverse, 0f);
        long modulation = row / shape.Tokens * (shape.Stride / 4);
        if (affine.HasScale != 0)
        {
            LaneRow weight = LaneRow.Load(scale.Cast<Float4>(), modulation, lane, count);
            r = LaneRow.Multiply(r, LaneRow.Scale(weight, 1f, affine.ScaleOffset));
        }
        if (affine.HasShift != 0) { r = LaneRow.Add(r, LaneRow.Load(shift.Cast<Float4>(), modulation, lane, count)); }
        Store(r, y, start, lane, count, narrow);
    }

    /// <summary>A row of float32 memory, or of bfloat16 memory where <paramref name="isNarrow"/> is not 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static LaneRow Load(ArrayView<float> x, long start, int lane, int count, int isNarrow)
    {
        LaneRow r;
        if (isNarrow != 0) { r = LaneRow.Load(x.Cast<BFloat16x4>(), start, lane, count); }
        else { r = LaneRow.Load(x.Cast<Float4>(), start, lane, count); }
        return r;
    }

    /// <summary>The same for writing, bfloat16 rounded to nearest even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Store(LaneRow r, ArrayView<float> d, long start, int lane, int count, int isNarrow)
    {
        if (isNarrow != 0) { LaneRow.Store(r, d.Cast<BFloat16x4>(), start, lane, count); }
        else { LaneRow.Store(r, d.Cast<Float4>(), start, lane, count); }
    }
}
