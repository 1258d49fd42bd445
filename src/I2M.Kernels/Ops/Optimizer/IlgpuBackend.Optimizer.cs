namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void AdamW(BufferView gradient, BufferView gradientScale, in AdamWStep step, BufferView parameter, BufferView firstMoment, BufferView secondMoment)
    {
        RequireOperands(gradient, gradientScale, parameter, firstMoment, secondMoment);
        Require(step.Step >= 1, nameof(step), $"Step counts from 1, {step.Step} given");
        if (parameter.Length == 0) { return; }
        Launch(OptimizerKernels.AdamW, Grid(parameter.Length), View(gradient), gradientScale.IsNone ? 0 : 1, ViewOr(gradientScale, gradient), Prepare(step),
            View(parameter), View(firstMoment), View(secondMoment));
    }

    /// <inheritdoc/>
    public void AdamWEma(BufferView gradientScale, BufferView scalars, BufferView gradient, BufferView parameter, BufferView firstMoment, BufferView secondMoment,
        BufferView average, BufferView shadow = default)
    {
        RequireOperands(gradient, gradientScale, parameter, firstMoment, secondMoment);
        RequireLength(scalars, AdamWStep.ScalarWords);
        RequireLength(average, parameter.Length);
        RequireShadow(shadow, parameter.Length);
        if (parameter.Length == 0) { return; }
        if (AreVectors(gradient, parameter, firstMoment, secondMoment, average, shadow))
        {
            Launch(CudaOptimizerKernels.AdamWEma, Grid((parameter.Length + 3) / 4), gradientScale.IsNone ? 0 : 1, ViewOr(gradientScale, gradient), View(scalars),
                View(gradient), View(parameter), View(firstMoment), View(secondMoment), View(average), shadow.IsNone ? 0 : 1, ViewOr(shadow, parameter));
            return;
        }
        Launch(OptimizerKernels.AdamWEma, Grid(parameter.Length), gradientScale.IsNone ? 0 : 1, ViewOr(gradientScale, gradient), View(scalars),
            View(gradient), View(parameter), View(firstMoment), View(secondMoment), View(average));
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

    private static void RequireOperands(BufferView gradient, BufferView gradientScale, BufferView parameter, BufferView firstMoment, BufferView secondMoment)
    {
        RequireLength(gradient, parameter.Length);
        RequireLength(firstMoment, parameter.Length);
        RequireLength(secondMoment, parameter.Length);
        if (!gradientScale.IsNone) { RequireLength(gradientScale, 1); }
    }

    private static void RequireShadow(BufferView shadow, long length)
    {
        if (shadow.IsNone) { return; }
        Require(shadow.Type == ElementType.BFloat16, nameof(shadow), "bfloat16 expected");
        RequireLength(shadow, shadow.Type.Words(length));
    }

    private static OptimizerKernels.AdamWScalars Prepare(in AdamWStep step)
    {
        Span<float> s = stackalloc float[AdamWStep.ScalarWords];
        step.WriteScalars(0, s);
        return new OptimizerKernels.AdamWScalars { Keep = s[0], StepSize = s[1], SecondCorrection = s[2], Beta1 = s[3], Gain1 = s[4], Beta2 = s[5], Gain2 = s[6], Epsilon = s[7] };
    }
}
