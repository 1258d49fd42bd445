using ILGPU;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void LayerNorm(BufferView x, BufferView weight, BufferView bias, int channels, float eps, BufferView y, BufferView mean, BufferView rstd) =>
        Normalise(x, weight, bias, OneSample(x, channels), WeightAffine(weight, bias), eps, y, mean, rstd);

    /// <inheritdoc/>
    public void LayerNormBackward(BufferView x, BufferView weight, BufferView mean, BufferView rstd, BufferView dy, int channels,
        BufferView dx, BufferView dweight, BufferView dbias, bool accumulate = false) =>
        NormaliseBackward(x, weight, mean, rstd, dy, OneSample(x, channels), WeightAffine(weight, BufferView.None), dx, dweight, dbias, accumulate);

    /// <inheritdoc/>
    public void AdaLayerNorm(BufferView x, BufferView scale, BufferView shift, ModulationShape shape, float eps, BufferView y, BufferView mean, BufferView rstd) =>
        Normalise(x, scale, shift, shape, s_modulationAffine, eps, y, mean, rstd);

    /// <inheritdoc/>
    public void AdaLayerNormBackward(BufferView x, BufferView scale, BufferView mean, BufferView rstd, BufferView dy, ModulationShape shape,
        BufferView dx, BufferView dscale, BufferView dshift, bool accumulate = false) =>
        NormaliseBackward(x, scale, mean, rstd, dy, shape, s_modulationAffine, dx, dscale, dshift, accumulate);

    private static readonly NormAffine s_modulationAffine = new() { ScaleOffset = 1f, HasScale = 1, HasShift = 1 };

    private static ModulationShape OneSample(BufferView x, int channels) => new(1, checked((int)(x.Length / channels)), channels, 0);

    private static NormAffine WeightAffine(BufferView weight, BufferView bias) =>
        new() { ScaleOffset = weight.IsNone ? 1f : 0f, HasScale = weight.IsNone ? 0 : 1, HasShift = bias.IsNone ? 0 : 1 };

    private void Normalise(BufferView x, BufferView scale, BufferView shift, ModulationShape shape, NormAffine affine, float eps,
        BufferView y, BufferView mean, BufferView rstd)
    {
        long rows = (long)shape.Batch * shape.Tokens;
        RequireModulated(x, shape);
        RequireLength(y, y.Type.Words(x.Length));
        RequireLength(mean, rows);
        RequireLength(rstd, rows);
        if (!scale.IsNone) { RequireGate(scale, shape); }
        if (!shift.IsNone) { RequireGate(shift, shape); }
        if (x.Length == 0) { return; }
        if (IsWarpRow(shape) && AreWarpVectors(x, scale, shift, y))
        {
            Launch(CudaNormKernels.Forward, Groups((rows + CudaNormKernels.Warps - 1) / CudaNormKernels.Warps, CudaNormKernels.Items), View(x), ViewOr(scale, x), ViewOr(shift, x),
                View(y), IsNarrow(y), View(mean), View(rstd), shape, affine, eps);
            return;
        }
        if (IsProcessor && shape.Channels % Row16.Width == 0)
        {
            using var wide = new WideOperands(this);
            BufferView output = wide.Write(y, x.Length);
            Launch(ProcessorNorm.Forward, ProcessorRows(rows), View(x), ViewOr(scale, x), ViewOr(shift, x), View(output), View(mean), View(rstd), shape, affine, eps);
            wide.Narrow(output, x.Length, y);
            return;
        }
        Launch(NormKernels.Forward, Groups(rows, NormKernels.Items), View(x), ViewOr(scale, x), ViewOr(shift, x), View(y), View(mean), View(rstd), shape, affine, eps, IsNarrow(y));
    }

    private void NormaliseBackward(BufferView x, BufferView scale, BufferView mean, BufferView rstd, BufferView dy, ModulationShape shape, NormAffine affine,
        BufferView dx, BufferView dscale, BufferView dshift, bool accumulate)
    {
        long rows = (long)shape.Batch * shape.Tokens;
        RequireModulated(x, shape);
        RequireLength(dy, dy.Type.Words(x.Length));
        RequireModulated(dx, shape);
        RequireLength(mean, rows);
        RequireLength(rstd, rows);
        if (!scale.IsNone) { RequireGate(scale, shape); }
        if (!dscale.IsNone) { RequireGate(dscale, shape); }
        if (!dshift.IsNone) { RequireGate(dshift, shape); }
        if (x.Length == 0) { return; }
        if (IsWarpRow(shape) && AreWarpVectors(x, scale, dy, dx))
        {
            NormaliseBackwardByWarps(x, scale, mean, rstd, dy, shape, affine, dx, dscale, dshift, accumulate);
            return;
        }
        // The sums first: dx may be dy.
        if (!dscale.IsNone || !dshift.IsNone) { NormaliseBackwardAffine(x, mean, rstd, dy, shape, dscale, dshift); }
        if (IsProcessor && shape.Channels % Row16.Width == 0)
        {
            using var wide = new WideOperands(this);
            Launch(ProcessorNorm.BackwardInput, ProcessorRows(rows), View(x), ViewOr(scale, x), View(mean), View(rstd), View(wide.Read(dy, x.Length)), View(dx), shape, affine, accumulate ? 1 : 0);
            return;
        }
        Launch(NormKernels.BackwardInput, Groups(rows, NormKernels.Items), View(x), ViewOr(scale, x), View(mean), View(rstd), View(dy), View(dx), shape, affine, accumulate ? 1 : 0, IsNarrow(dy));
    }

    /// <summary>Rows that <see cref="CudaNormKernels"/> take.</summary>
    private static bool IsWarpRow(ModulationShape shape) => IsVectorShape(shape) && shape.Channels <= LaneRow.MaxChannels;

    /// <summary>Tokens that a warp of a backward kernel works on: few rows are spread over more warps; many leave fewer partial sums.</summary>
    private static int WarpTokens(long rows)
    {
        const int ManyRows = 16384;
        return rows >= ManyRows ? 16 : 4;
    }

    private void NormaliseBackwardByWarps(BufferView x, BufferView scale, BufferView mean, BufferView rstd, BufferView dy, ModulationShape shape, NormAffine affine,
        BufferView dx, BufferView dscale, BufferView dshift, bool accumulate)
    {
        int chunkTokens = WarpTokens((long)shape.Batch * shape.Tokens), chunks = (shape.Tokens + chunkTokens - 1) / chunkTokens;
        bool wantsSums = !dscale.IsNone || !dshift.IsNone;
        long parts = (long)shape.Batch * chunks, words = wantsSums ? parts * shape.Channels : 0;
        using var scope = new BufferScope(Pool);
        BufferView partialScale = scope.Rent(words), partialShift = scope.Rent(words);
        var plan = new NormBackwardPlan
        {
            Shape = shape, Affine = affine, ChunkTokens = chunkTokens, Chunks = chunks,
            Accumulate = accumulate ? 1 : 0, IsNarrow = IsNarrow(dy), WantsSums = wantsSums ? 1 : 0,
        };
        Launch(CudaNormKernels.Backward, Groups((parts + CudaNormKernels.Warps - 1) / CudaNormKernels.Warps, CudaNormKernels.Items),
            View(x), ViewOr(scale, x), View(mean), View(rstd), View(dy), View(dx), View(partialScale), View(partialShift), plan);
        SumPartials(partialScale, partialShift, shape, chunks, dscale, dshift);
    }

    /// <summary>One item a row.</summary>
    private static KernelConfig ProcessorRows(long rows) => Groups((rows + ProcessorNorm.Items - 1) / ProcessorNorm.Items, ProcessorNorm.Items);

    /// <summary>dscale and dshift: partial sums over chunks of tokens, then the sum of the chunks.</summary>
    private void NormaliseBackwardAffine(BufferView x, BufferView mean, BufferView rstd, BufferView dy, ModulationShape shape, BufferView dscale, BufferView dshift)
    {
        using var scope = new BufferScope(Pool);
        int chunks = NormKernels.Chunks(shape.Tokens);
        int columnGroups = (shape.Channels + GroupSize - 1) / GroupSize;
        long parts = (long)shape.Batch * chunks;
        BufferView partialScale = scope.Rent(parts * shape.Channels);
        BufferView partialShift = scope.Rent(parts * shape.Channels);
        Launch(NormKernels.BackwardAffine, Groups(parts * columnGroups, GroupSize), View(x), View(mean), View(rstd), View(dy),
            View(partialScale), View(partialShift), shape, chunks, columnGroups, IsNarrow(dy));
        SumPartials(partialScale, partialShift, shape, chunks, dscale, dshift);
    }

    private void SumPartials(BufferView partialScale, BufferView partialShift, ModulationShape shape, int chunks, BufferView dscale, BufferView dshift)
    {
        var sums = new ReduceShape(shape.Batch, chunks, shape.Channels);
        if (!dscale.IsNone) { ReduceColumns(ReduceKernels.SumColumns, View(partialScale), View(partialScale), sums, 1f, true, dscale, shape.Stride); }
        if (!dshift.IsNone) { ReduceColumns(ReduceKernels.SumColumns, View(partialShift), View(partialShift), sums, 1f, true, dshift, shape.Stride); }
    }
}
