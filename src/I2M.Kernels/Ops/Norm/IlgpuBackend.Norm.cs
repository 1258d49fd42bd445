namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void LayerNorm(BufferView x, BufferView weight, BufferView bias, int channels, float eps, BufferView y, BufferView mean, BufferView rstd) =>
        Normalise(x, weight, bias, OneSample(x, channels), WeightAffine(weight, bias), eps, y, mean, rstd);

    /// <inheritdoc/>
    public void LayerNormBackward(BufferView x, BufferView weight, BufferView mean, BufferView rstd, BufferView dy, int channels,
        BufferView dx, BufferView dweight, BufferView dbias) =>
        NormaliseBackward(x, weight, mean, rstd, dy, OneSample(x, channels), WeightAffine(weight, BufferView.None), dx, dweight, dbias);

    /// <inheritdoc/>
    public void AdaLayerNorm(BufferView x, BufferView scale, BufferView shift, ModulationShape shape, float eps, BufferView y, BufferView mean, BufferView rstd) =>
        Normalise(x, scale, shift, shape, s_modulationAffine, eps, y, mean, rstd);

    /// <inheritdoc/>
    public void AdaLayerNormBackward(BufferView x, BufferView scale, BufferView mean, BufferView rstd, BufferView dy, ModulationShape shape,
        BufferView dx, BufferView dscale, BufferView dshift) =>
        NormaliseBackward(x, scale, mean, rstd, dy, shape, s_modulationAffine, dx, dscale, dshift);

    private static readonly NormAffine s_modulationAffine = new() { ScaleOffset = 1f, HasScale = 1, HasShift = 1 };

    private static ModulationShape OneSample(BufferView x, int channels) => new(1, checked((int)(x.Length / channels)), channels, 0);

    private static NormAffine WeightAffine(BufferView weight, BufferView bias) =>
        new() { ScaleOffset = weight.IsNone ? 1f : 0f, HasScale = weight.IsNone ? 0 : 1, HasShift = bias.IsNone ? 0 : 1 };

    private void Normalise(BufferView x, BufferView scale, BufferView shift, ModulationShape shape, NormAffine affine, float eps,
        BufferView y, BufferView mean, BufferView rstd)
    {
        long rows = (long)shape.Batch * shape.Tokens;
        if (rows == 0) { return; }
        Launch(NormKernels.Forward, Groups(rows, NormKernels.Items), View(x), ViewOr(scale, x), ViewOr(shift, x), View(y), View(mean), View(rstd), shape, affine, eps);
    }

    private void NormaliseBackward(BufferView x, BufferView scale, BufferView mean, BufferView rstd, BufferView dy, ModulationShape shape, NormAffine affine,
        BufferView dx, BufferView dscale, BufferView dshift)
    {
        long rows = (long)shape.Batch * shape.Tokens;
        if (rows == 0) { return; }
        Launch(NormKernels.BackwardInput, Groups(rows, NormKernels.Items), View(x), ViewOr(scale, x), View(mean), View(rstd), View(dy), View(dx), shape, affine);
        if (dscale.IsNone && dshift.IsNone) { return; }
        using var scope = new BufferScope(Pool);
        int chunks = ColumnSumKernels.Chunks(shape.Tokens);
        int columnGroups = (shape.Channels + GroupSize - 1) / GroupSize;
        long parts = (long)shape.Batch * chunks;
        BufferView partialScale = scope.Rent(parts * shape.Channels);
        BufferView partialShift = scope.Rent(parts * shape.Channels);
        Launch(NormKernels.BackwardAffine, Groups(parts * columnGroups, GroupSize), View(x), View(mean), View(rstd), View(dy),
            View(partialScale), View(partialShift), shape, ColumnSumKernels.ChunkRows(shape.Tokens), chunks, columnGroups);
        if (!dscale.IsNone) { AddChunks(partialScale, shape.Batch, chunks, shape.Channels, shape.Stride, dscale); }
        if (!dshift.IsNone) { AddChunks(partialShift, shape.Batch, chunks, shape.Channels, shape.Stride, dshift); }
    }

    /// <summary>Second stage of every column sum: destination[b · stride + c] += Σ_chunk partial[b, chunk, c].</summary>
    private void AddChunks(BufferView partial, int batch, int chunks, int columns, int stride, BufferView destination) =>
        Launch(ColumnSumKernels.AddChunks, Grid((long)batch * columns), View(partial), batch, chunks, columns, stride, View(destination));
}
