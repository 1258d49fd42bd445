namespace I2M.Kernels;

public partial interface IBackend
{
    /// <summary>
    /// LayerNorm over the last dimension: y = (x − mean) · rstd · weight + bias with rstd = 1/√(var + eps), var the biased variance in two passes.
    /// mean and rstd are kept for the backward pass.
    /// </summary>
    /// <param name="x">[rows, channels]</param>
    /// <param name="weight">[channels] or None (1).</param>
    /// <param name="bias">[channels] or None (0).</param>
    /// <param name="channels">Normalised dimension; rows = x.Length / channels.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="y">[rows, channels], float32 or bfloat16</param>
    /// <param name="mean">[rows]</param>
    /// <param name="rstd">[rows]</param>
    void LayerNorm(BufferView x, BufferView weight, BufferView bias, int channels, float eps, BufferView y, BufferView mean, BufferView rstd);

    /// <summary>
    /// Backward of <see cref="LayerNorm"/>. With x̂ = (x − mean)·rstd and g = dy·weight: dx = rstd · (g − mean_c(g) − x̂ · mean_c(g·x̂));
    /// accumulates dweight[c] += Σ_r dy·x̂ and dbias[c] += Σ_r dy (both may be None). With <paramref name="accumulate"/> dx += …, so that the
    /// gradient of a residual stream that flows around the norm needs no pass of its own; without, dx may be dy. dy is float32 or bfloat16.
    /// </summary>
    void LayerNormBackward(BufferView x, BufferView weight, BufferView mean, BufferView rstd, BufferView dy, int channels,
        BufferView dx, BufferView dweight, BufferView dbias, bool accumulate = false);

    /// <summary>
    /// AdaLN: y[b,t,c] = x̂[b,t,c] · (1 + scale[b,c]) + shift[b,c], x̂ the LayerNorm without affine of x. scale and shift are views into
    /// one modulation buffer with <see cref="ModulationShape.Stride"/>. y is float32 or bfloat16.
    /// </summary>
    void AdaLayerNorm(BufferView x, BufferView scale, BufferView shift, ModulationShape shape, float eps, BufferView y, BufferView mean, BufferView rstd);

    /// <summary>
    /// Backward of <see cref="AdaLayerNorm"/>: dx (or, with <paramref name="accumulate"/>, dx +=) as in <see cref="LayerNormBackward"/> with weight 1 + scale[b];
    /// accumulates dscale[b,c] += Σ_t dy·x̂ and dshift[b,c] += Σ_t dy, both with the modulation's stride. dy is float32 or bfloat16.
    /// </summary>
    void AdaLayerNormBackward(BufferView x, BufferView scale, BufferView mean, BufferView rstd, BufferView dy, ModulationShape shape,
        BufferView dx, BufferView dscale, BufferView dshift, bool accumulate = false);
}
