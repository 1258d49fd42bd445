using ILGPU;
using ILGPU.Runtime;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>Parameter updates, one work item per parameter: p parameter, g gradient, m and v moments.</summary>
internal static class OptimizerKernels
{
    /// <summary>What one step's scalars come to, computed on the host in double.</summary>
    public struct AdamWScalars
    {
        /// <summary>1 − lr · weight decay.</summary>
        public float Keep;
        /// <summary>lr / (1 − β1^t).</summary>
        public float StepSize;
        /// <summary>1 / √(1 − β2^t).</summary>
        public float SecondCorrection;
        /// <summary>β and 1 − β of both moments, and ε.</summary>
        public float Beta1, Gain1, Beta2, Gain2, Epsilon;
    }

    public static void AdamW(ArrayView<float> gradient, int hasScale, ArrayView<float> gradientScale, AdamWScalars s,
        ArrayView<float> parameter, ArrayView<float> firstMoment, ArrayView<float> secondMoment)
    {
        long i = GlobalIndex();
        if (i >= parameter.Length) { return; }
        Advance(i, hasScale != 0 ? gradientScale[0] * gradient[i] : gradient[i], s, parameter, firstMoment, secondMoment);
    }

    /// <summary>Scalars as <see cref="AdamWStep.WriteScalars"/> lays them out.</summary>
    public static void AdamWEma(int hasScale, ArrayView<float> gradientScale, ArrayView<float> scalars,
        ArrayView<float> gradient, ArrayView<float> parameter, ArrayView<float> firstMoment, ArrayView<float> secondMoment, ArrayView<float> average)
    {
        long i = GlobalIndex();
        if (i >= parameter.Length) { return; }
        AdamWScalars s = Read(scalars);
        float updated = Advance(i, hasScale != 0 ? gradientScale[0] * gradient[i] : gradient[i], s, parameter, firstMoment, secondMoment);
        average[i] = scalars[8] * average[i] + scalars[9] * updated;
        gradient[i] = 0;
    }

    internal static AdamWScalars Read(ArrayView<float> scalars) => new()
    {
        Keep = scalars[0],
        StepSize = scalars[1],
        SecondCorrection = scalars[2],
        Beta1 = scalars[3],
        Gain1 = scalars[4],
        Beta2 = scalars[5],
        Gain2 = scalars[6],
        Epsilon = scalars[7],
    };

    /// <summary>The update of parameter i by its gradient g; returns the new value.</summary>
    private static float Advance(long i, float g, AdamWScalars s, ArrayView<float> parameter, ArrayView<float> firstMoment, ArrayView<float> secondMoment)
    {
        float m = s.Beta1 * firstMoment[i] + s.Gain1 * g;
        float v = s.Beta2 * secondMoment[i] + s.Gain2 * g * g;
        float updated = parameter[i] * s.Keep - s.StepSize * m / (Sqrt(v) * s.SecondCorrection + s.Epsilon);
        firstMoment[i] = m;
        secondMoment[i] = v;
        parameter[i] = updated;
        return updated;
    }

    public static void Ema(ArrayView<float> parameter, float decay, float gain, ArrayView<float> average)
    {
        long i = GlobalIndex();
        if (i < average.Length) { average[i] = decay * average[i] + gain * parameter[i]; }
    }

    public static void ClipFactor(ArrayView<float> sumSquares, float maxNorm, ArrayView<float> factor)
    {
        if (GlobalIndex() != 0) { return; }
        float f = maxNorm / (Sqrt(sumSquares[0]) + 1e-6f);
        // A comparison, not a minimum, which would turn a NaN into 1 on CUDA.
        if (!IsNaN(f) && f > 1f) { f = 1f; }
        factor[0] = f;
    }
}
