using I2M.Kernels.Observation;

namespace I2M.Kernels;

/// <summary>The scalars of one AdamW step (Loshchilov &amp; Hutter 2019), PyTorch's form.</summary>
/// <param name="LearningRate">Step size.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="WeightDecay">Decoupled decay.</param>
/// <param name="Step">1-based number of the step, for the bias correction.</param>
public readonly record struct AdamWStep(float LearningRate, float Beta1, float Beta2, float Epsilon, float WeightDecay, int Step)
{
    /// <summary>Words that <see cref="WriteScalars"/> writes.</summary>
    public const int ScalarWords = 10;

    /// <summary>
    /// What <see cref="IBackend.AdamWEma(BufferView, BufferView, BufferView, BufferView, BufferView, BufferView, BufferView, BufferView)"/> reads on the device, computed in double:
    /// 1 − lr·wd, lr/(1−β1^t), 1/√(1−β2^t), β1, 1−β1, β2, 1−β2, ε, the decay of the average and 1 − decay.
    /// </summary>
    public void WriteScalars(float averageDecay, Span<float> destination)
    {
        destination[0] = (float)(1 - (double)LearningRate * WeightDecay);
        destination[1] = (float)(LearningRate / (1 - Math.Pow(Beta1, Step)));
        destination[2] = (float)(1 / Math.Sqrt(1 - Math.Pow(Beta2, Step)));
        destination[3] = Beta1;
        destination[4] = (float)(1 - (double)Beta1);
        destination[5] = Beta2;
        destination[6] = (float)(1 - (double)Beta2);
        destination[7] = Epsilon;
        destination[8] = averageDecay;
        destination[9] = (float)(1 - (double)averageDecay);
    }
}

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
    void AdamW(BufferView gradient, BufferView gradientScale, in AdamWStep step, [InPlace] BufferView parameter, [InPlace] BufferView firstMoment, [InPlace] BufferView secondMoment);

    /// <summary>
    /// <see cref="AdamW"/>, then <see cref="Ema"/> of the updated parameter, and the gradient set to zero for the next step, in one pass over memory that
    /// reads five arrays and writes five. Every number is the one that the separate operations give. With a shadow, the same pass writes the updated
    /// parameter rounded to bfloat16 as <see cref="Convert"/> does, for products that read bfloat16 weights.
    /// </summary>
    /// <param name="gradientScale">[1] on the device (the clip factor), or None (1).</param>
    /// <param name="scalars">[<see cref="AdamWStep.ScalarWords"/>] from <see cref="AdamWStep.WriteScalars"/>: on the device, so that a recorded step can be replayed with others.</param>
    /// <param name="gradient">[n], read, then 0.</param>
    /// <param name="parameter">[n], updated.</param>
    /// <param name="firstMoment">[n], updated.</param>
    /// <param name="secondMoment">[n], updated.</param>
    /// <param name="average">[n], updated.</param>
    /// <param name="shadow">[n] bfloat16, overwritten; or None.</param>
    void AdamWEma(BufferView gradientScale, BufferView scalars, [InPlace] BufferView gradient, [InPlace] BufferView parameter, [InPlace] BufferView firstMoment,
        [InPlace] BufferView secondMoment, [InPlace] BufferView average, BufferView shadow = default);

    /// <summary>The same with scalars from the host, which are copied first.</summary>
    void AdamWEma(BufferView gradientScale, in AdamWStep step, float averageDecay, [InPlace] BufferView gradient, [InPlace] BufferView parameter, [InPlace] BufferView firstMoment,
        [InPlace] BufferView secondMoment, [InPlace] BufferView average, BufferView shadow = default)
    {
        if (step.Step < 1) { throw new ArgumentException($"Step counts from 1, {step.Step} given.", nameof(step)); }
        Span<float> values = stackalloc float[AdamWStep.ScalarWords];
        step.WriteScalars(averageDecay, values);
        using var scratch = new BufferScope(Pool);
        BufferView scalars = scratch.Rent(values.Length);
        CopyFromHost(values, scalars);
        AdamWEma(gradientScale, scalars, gradient, parameter, firstMoment, secondMoment, average, shadow);
    }

    /// <summary>average[i] ← decay · average[i] + (1 − decay) · parameter[i].</summary>
    void Ema(BufferView parameter, float decay, [InPlace] BufferView average);

    /// <summary>factor[0] = min(1, maxNorm / (√sumSquares[0] + 1e-6)), PyTorch's clip_grad_norm_; stays on the device.</summary>
    void ClipFactor(BufferView sumSquares, float maxNorm, BufferView factor);
}
