namespace I2M.Kernels;

public partial interface IBackend
{
    /// <summary>
    /// The end of one residual branch and the AdaLN that opens the next, in one pass: sum[b,t,c] = x[b,t,c] + gate[b,c] · h[b,t,c] as
    /// <see cref="GatedResidual"/> has it, and y[b,t,c] = x̂[b,t,c] · (1 + scale[b,c]) + shift[b,c] with x̂ the LayerNorm without affine of sum. The three
    /// modulations are views into one buffer with <see cref="ModulationShape.Stride"/>. mean and rstd are kept for the backward pass.
    /// </summary>
    /// <param name="x">The residual stream, [batch, tokens, channels].</param>
    /// <param name="h">The branch's result, [batch, tokens, channels], float32 or bfloat16.</param>
    /// <param name="gate">[batch, channels], or None (1).</param>
    /// <param name="scale">[batch, channels]</param>
    /// <param name="shift">[batch, channels]</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="sum">The stream from here on, [batch, tokens, channels].</param>
    /// <param name="y">[batch, tokens, channels], float32 or bfloat16.</param>
    /// <param name="mean">[batch · tokens]</param>
    /// <param name="rstd">[batch · tokens]</param>
    void ResidualAdaLayerNorm(BufferView x, BufferView h, BufferView gate, BufferView scale, BufferView shift, ModulationShape shape, float eps,
        BufferView sum, BufferView y, BufferView mean, BufferView rstd);

    /// <summary>
    /// Backward of <see cref="ResidualAdaLayerNorm"/>. The gradient of x is that of sum: dx = d with d as in <see cref="AdaLayerNormBackward"/>, or with
    /// <paramref name="accumulate"/> dx += d, where dx holds what flows around the norm. From the whole of it dh[b,t,c] = gate[b,c] · dx[b,t,c]. Accumulates
    /// dgate[b,c] += Σ_t h · dx, dscale[b,c] += Σ_t dy · x̂ and dshift[b,c] += Σ_t dy, each with the modulation's stride. dy and dh are float32 or bfloat16; dh
    /// may be dy. dh, dgate, dscale and dshift may be None.
    /// </summary>
    void ResidualAdaLayerNormBackward(BufferView sum, BufferView h, BufferView gate, BufferView scale, BufferView mean, BufferView rstd, BufferView dy, ModulationShape shape,
        BufferView dx, BufferView dh, BufferView dgate, BufferView dscale, BufferView dshift, bool accumulate = false);
}
