namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void AdamW(BufferView gradient, BufferView gradientScale, in AdamWStep step, BufferView parameter, BufferView firstMoment, BufferView secondMoment)
    {
        RequireStep(gradient, gradientScale, step, parameter, firstMoment, secondMoment);
        if (parameter.Length == 0) { return; }
        Launch(OptimizerKernels.AdamW, Grid(parameter.Length), View(gradient), gradientScale.IsNone ? 0 : 1, ViewOr(gradientScale, gradient), Prepare(step),
            View(parameter), View(firstMoment), View(secondMoment));
    }

    /// <inheritdoc/>
    public void AdamWEma(BufferView gradientScale, in AdamWStep step, float averageDecay, BufferView gradient, BufferView parameter, BufferView firstMoment, BufferView secondMoment,
        BufferView average, BufferView shadow = default)
    {
        RequireStep(gradient, gradientScale, step, parameter, firstMoment, secondMoment);
        RequireLength(average, parameter.Length);
        RequireShadow(shadow, parameter.Length);
        if (parameter.Length == 0) { return; }
        float gain = (float)(1.0 - averageDecay);
        if (AreVectors(gradient, parameter, firstMoment, secondMoment, average, shadow))
        {
            Launch(CudaOptimizerKernels.AdamWEma, Grid((parameter.Length + 3) / 4), gradientScale.IsNone ? 0 : 1, ViewOr(gradientScale, gradient), Prepare(step), averageDecay, gain,
                View(gradient), View(parameter), View(firstMoment), View(secondMoment), View(average), shadow.IsNone ? 0 : 1, ViewOr(shadow, parameter));
            return;
        }
        Launch(OptimizerKernels.AdamWEma, Grid(parameter.Length), gradientScale.IsNone ? 0 : 1, ViewOr(gradientScale, gradient), Prepare(step),
            averageDecay, gain, View(gradient), View(parameter), View(firstMoment), View(secondMoment), View(average));
        if (!shadow.IsNone) { Convert(parameter, parameter.Length, shadow); }
    }

    /// <inheritdoc/>
    public void Ema(BufferView parameter, float decay, BufferView average)
    {
        RequireLength(parameter, average.Length);
        if (average.Length > 0) { Launch(OptimizerKernels.Ema, Grid(average.Length), View(parameter), decay, (float)(1.0 - decay), View(average)); }
    }

    /// <inheritdoc/>
    public void ClipFactor(BufferView sumSquares, float maxNorm, BufferView factor)
    {
        RequireLength(sumSquares, 1);
        RequireLength(factor, 1);
        Launch(OptimizerKernels.ClipFactor, Grid(1), View(sumSquares), maxNorm, View(factor));
    }

    private static void RequireStep(BufferView gradient, BufferView gradientScale, in AdamWStep step, BufferView parameter, BufferView firstMoment, BufferView secondMoment)
    {
        RequireLength(gradient, parameter.Length);
        RequireLength(firstMoment, parameter.Length);
        RequireLength(secondMoment, parameter.Length);
        if (!gradientScale.IsNone) { RequireLength(gradientScale, 1); }
        Require(step.Step >= 1, nameof(step), $"Step counts from 1, {step.Step} given");
    }

    private static void RequireShadow(BufferView shadow, long length)
    {
        if (shadow.IsNone) { return; }
        Require(shadow.Type == ElementType.BFloat16, nameof(shadow), "bfloat16 expected");
        RequireLength(shadow, shadow.Type.Words(length));
    }

    private static OptimizerKernels.AdamWScalars Prepare(in AdamWStep step) => new()
    {
        Keep = (float)(1.0 - (double)step.LearningRate * step.WeightDecay),
        StepSize = (float)(step.LearningRate / (1.0 - Math.Pow(step.Beta1, step.Step))),
        SecondCorrection = (float)(1.0 / Math.Sqrt(1.0 - Math.Pow(step.Beta2, step.Step))),
        Beta1 = step.Beta1,
        Gain1 = (float)(1.0 - step.Beta1),
        Beta2 = step.Beta2,
        Gain2 = (float)(1.0 - step.Beta2),
        Epsilon = step.Epsilon,
    };
}
