using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>What the forward kernel of a residual with its norm does.</summary>
internal struct ResidualNormPlan
{
    public ModulationShape Shape;
    public NormAffine Affine;
    public float Eps;

    /// <summary>1: there is a gate; h, y is bfloat16.</summary>
    public int HasGate, IsNarrowBranch, IsNarrowOutput;
}

/// <summary>What the backward kernel of a residual with its norm does.</summary>
internal struct ResidualNormBackwardPlan
{
    public ModulationShape Shape;

    /// <summary>Tokens that a warp works on, and the chunks of so many tokens that a sample has.</summary>
    public int ChunkTokens, Chunks;

    /// <summary>1: there is a gate; dx += instead of dx =.</summary>
    public int HasGate, Accumulate;

    /// <summary>1: the result is wanted; partial sums are those of dscale and dshift.</summary>
    public int WantsBranch, WantsGate, WantsSums;

    /// <summary>1: dy, h, dh is bfloat16.</summary>
    public int IsNarrowGradient, IsNarrowBranch, IsNarrowBranchGradient;
}

/// <summary>
/// AdaLN with the residual before it, under the conditions of <see cref="CudaNormKernels"/>: a warp per row, which is in registers from the addition to
/// the last use, so that neither the sum nor its gradient is read again.
/// </summary>
internal static class CudaResidualNormKernels
{
    /// <summary>Items of a group.</summary>
    public const int Items = 128;

    /// <summary>Warps of a group.</summary>
    public const int Warps = Items / CudaWarp.Lanes;

    /// <summary>sum = x + gate · h and y = x̂ · (1 + scale) + shift, x̂ the normalised sum; keeps mean and rstd.</summary>
    [KernelBounds(Items, MinGroups = 4)]
    public static void Forward(ArrayView<float> x, ArrayView<float> h, ArrayView<float> gate, ArrayView<float> scale, ArrayView<float> shift, ArrayView<float> sum, ArrayView<float> y,
        ArrayView<float> mean, ArrayView<float> rstd, ResidualNormPlan plan)
    {
        int lane = Group.IdxX % CudaWarp.Lanes;
        int count = plan.Shape.Channels / 4;
        long row = (long)Grid.IdxX * Warps + Group.IdxX / CudaWarp.Lanes;
        if (row >= mean.Length) { return; }
        long start = row * count;
        LaneRow branch = CudaNormKernels.Load(h, start, lane, count, plan.IsNarrowBranch);
        LaneRow stream = LaneRow.Load(x.Cast<Float4>(), start, lane, count);
        if (plan.HasGate != 0)
        {
            long modulation = row / plan.Shape.Tokens * (plan.Shape.Stride / 4);
            stream = LaneRow.MultiplyAdd(LaneRow.Load(gate.Cast<Float4>(), modulation, lane, count), branch, stream);
        }
        else { stream = LaneRow.Add(stream, branch); }
        LaneRow.Store(stream, sum.Cast<Float4>(), start, lane, count);
        CudaNormKernels.Normalise(stream, row, scale, shift, y, plan.IsNarrowOutput, mean, rstd, plan.Shape, plan.Affine, plan.Eps);
    }

    /// <summary>
    /// dx = (or +=) rstd · (g − mean(g) − x̂ · mean(g·x̂)) with g = dy · (1 + scale), dh = gate · dx, and a warp's sums of dy·x̂, dy and h·dx over its chunk of
    /// tokens: partials is [3, batch, chunks, channels].
    /// </summary>
    [KernelBounds(Items, MinGroups = 2)]
    public static void Backward(ArrayView<float> sum, ArrayView<float> h, ArrayView<float> gate, ArrayView<float> scale, ArrayView<float> mean, ArrayView<float> rstd, ArrayView<float> dy,
        ArrayView<float> dx, ArrayView<float> dh, ArrayView<float> partials, ResidualNormBackwardPlan plan)
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
        long modulation = (long)sample * (plan.Shape.Stride / 4);
        var dscale = default(LaneRow);
        var dshift = default(LaneRow);
        var dgate = default(LaneRow);
        for (; row < end; row++)
        {
            long start = row * count;
            float inverse = rstd[row];
            LaneRow normalised = LaneRow.Standardize(LaneRow.Load(sum.Cast<Float4>(), start, lane, count), mean[row], inverse, lane, count);
            LaneRow g = CudaNormKernels.Load(dy, start, lane, count, plan.IsNarrowGradient);
            dscale = LaneRow.MultiplyAdd(g, normalised, dscale);
            dshift = LaneRow.Add(dshift, g);
            g = LaneRow.Multiply(g, LaneRow.Scale(LaneRow.Load(scale.Cast<Float4>(), modulation, lane, count), 1f, 1f));
            float meanG = CudaWarp.Sum(LaneRow.Sum(g)) / channels;
            float meanGx = CudaWarp.Sum(LaneRow.Dot(g, normalised)) / channels;
            g = LaneRow.Add(g, LaneRow.Scale(normalised, -meanGx, -meanG));
            g = LaneRow.Scale(g, inverse, 0f);
            if (plan.Accumulate != 0) { g = LaneRow.Add(g, LaneRow.Load(dx.Cast<Float4>(), start, lane, count)); }
            LaneRow.Store(g, dx.Cast<Float4>(), start, lane, count);
            if (plan.WantsGate != 0) { dgate = LaneRow.MultiplyAdd(CudaNormKernels.Load(h, start, lane, count, plan.IsNarrowBranch), g, dgate); }
            if (plan.WantsBranch == 0) { continue; }
            if (plan.HasGate != 0) { g = LaneRow.Multiply(g, LaneRow.Load(gate.Cast<Float4>(), modulation, lane, count)); }
            CudaNormKernels.Store(g, dh, start, lane, count, plan.IsNarrowBranchGradient);
        }
        long parts = (long)plan.Shape.Batch * plan.Chunks;
        if (plan.WantsSums != 0)
        {
            LaneRow.Store(dscale, partials.Cast<Float4>(), (long)part * count, lane, count);
            LaneRow.Store(dshift, partials.Cast<Float4>(), (parts + part) * count, lane, count);
        }
        if (plan.WantsGate != 0) { LaneRow.Store(dgate, partials.Cast<Float4>(), (2 * parts + part) * count, lane, count); }
    }
}
