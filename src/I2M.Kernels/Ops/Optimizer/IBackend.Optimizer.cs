namespace I2M.Kernels;

/// <summary>The scalars of one AdamW step (Loshchilov &amp; Hutter 2019), PyTorch's form.</summary>
/// <param name="LearningRate">Step size.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="WeightDecay">Decoupled decay.</param>
/// <param name="Step">1-based number of the step, for the bias correction.</param>
public readonly record struct AdamWStep(float LearningRate, float Beta1, float Beta2, float Epsilon, float WeightDecay, int Step);

public partial interface IBackend
{
    /// <summary>
    /// One AdamW step in place, with g = gradientScale[0] · gradient[i]: p ← p·(1 − lr·wd); m ← β1·m + (1−β1)·g; v ← β2·v + (1−β2)·g²;
    /// p ← p − lr/(1−β1^t) · m / (√v/√(1−β2^t) + ε). Bias corrections are computed in double.
    /// </summary>
    /// <param name="gradient">[n]</param>
    /// <param name="gradientScale">[1] on the device (the clip factor), or None (1).</param>
    /// <param name="step">Scalars.</param>
    /// <param name="parameter">[n], updated.</param>
    /// <param name="firstMoment">[n], updated.</param>
    /// <param name="secondMoment">[n], updated.</param>
    void AdamW(BufferView gradient, BufferView gradientScale, in AdamWStep step, BufferView parameter, BufferView firstMoment, BufferView secondMoment);

    /// <summary>
    /// <see cref="AdamW"/>, then <see cref="Ema"/> of the updated parameter, and the gradient set to zero for the next step, in one pass over memory that
    /// reads five arrays and writes five. Every number is the one that the separate operations give. With a shadow, the same pass writes the updated
    /// parameter rounded to bfloat16 as <see cref="Convert"/> does, for products that read bfloat16 weights.
    /// </summary>
    /// <param name="gradientScale">[1] on the device (the clip factor), or None (1).</param>
    /// <param name="step">Scalars.</param>
    /// <param name="averageDecay">Decay of the moving average.</param>
    /// <param name="gradient">[n], read, then 0.</param>
    /// <param name="parameter">[n], updated.</param>
    /// <param name="firstMoment">[n], updated.</param>
    /// <param name="secondMoment">[n], updated.</param>
    /// <param name="average">[n], updated.</param>
    /// <param name="shadow">[n] bfloat16, overwritten; or None.</param>
    void AdamWEma(BufferView gradientScale, in AdamWStep step, float averageDecay, BufferView gradient, BufferView parameter, BufferView firstMoment, BufferView secondMoment,
        BufferView average, BufferView shadow = default);

    /// <summary>average[i] ← decay · average[i] + (1 − decay) · parameter[i].</summary>
    void Ema(BufferView parameter, float decay, BufferView average);

    /// <summary>factor[0] = min(1, maxNorm / (√sumSquares[0] + 1e-6)), PyTorch's clip_grad_norm_; stays on the device.</summary>
    void ClipFactor(BufferView sumSquares, float maxNorm, BufferView factor);
}
