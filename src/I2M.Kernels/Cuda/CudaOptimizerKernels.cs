using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>The parameter update with 16-byte accesses, four parameters an item.</summary>
internal static class CudaOptimizerKernels
{
    /// <summary>
    /// <see cref="OptimizerKernels.AdamWEma"/> and, with <paramref name="hasShadow"/>, the updated parameters in bfloat16, two a word. The last item takes
    /// what is left of the parameters one by one. A group reads the scalars once.
    /// </summary>
    [KernelBounds(IlgpuBackend.GroupSize, MinGroups = 8)]
    public static void AdamWEma(int hasScale, ArrayView<float> gradientScale, ArrayView<float> scalars,
        ArrayView<float> gradient, ArrayView<float> parameter, ArrayView<float> firstMoment, ArrayView<float> secondMoment, ArrayView<float> average,
        int hasShadow, ArrayView<float> shadow)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(AdamWStep.ScalarWords);
        if (Group.IdxX < AdamWStep.ScalarWords) { shared[Group.IdxX] = scalars[Group.IdxX]; }
        Group.Barrier();
        long i = GlobalIndex();
        long first = 4 * i;
        if (first >= parameter.Length) { return; }
        OptimizerKernels.AdamWScalars s = OptimizerKernels.Read(shared);
        float averageDecay = shared[8], averageGain = shared[9];
        float scale = 1f;
        if (hasScale != 0) { scale = gradientScale[0]; }
        if (first + 4 > parameter.Length)
        {
            Remainder(first, scale, s, averageDecay, averageGain, gradient, parameter, firstMoment, secondMoment, average);
            if (hasShadow != 0) { ShadowRemainder(first, parameter, shadow.Cast<uint>()); }
            return;
        }
        ArrayView<Float4> gradients = gradient.Cast<Float4>(), parameters = parameter.Cast<Float4>(), averages = average.Cast<Float4>();
        ArrayView<Float4> firsts = firstMoment.Cast<Float4>(), seconds = secondMoment.Cast<Float4>();
        Float4 g = gradients[i], p = parameters[i], m = firsts[i], v = seconds[i], a = averages[i];
        g = Float4.Multiply(scale, g);
        m = new Float4 { X = First(m.X, g.X, s), Y = First(m.Y, g.Y, s), Z = First(m.Z, g.Z, s), W = First(m.W, g.W, s) };
        v = new Float4 { X = Second(v.X, g.X, s), Y = Second(v.Y, g.Y, s), Z = Second(v.Z, g.Z, s), W = Second(v.W, g.W, s) };
        p = new Float4 { X = Updated(p.X, m.X, v.X, s), Y = Updated(p.Y, m.Y, v.Y, s), Z = Updated(p.Z, m.Z, v.Z, s), W = Updated(p.W, m.W, v.W, s) };
        a = new Float4
        {
            X = averageDecay * a.X + averageGain * p.X, Y = averageDecay * a.Y + averageGain * p.Y,
            Z = averageDecay * a.Z + averageGain * p.Z, W = averageDecay * a.W + averageGain * p.W,
        };
        firsts[i] = m;
        seconds[i] = v;
        parameters[i] = p;
        averages[i] = a;
        gradients[i] = default;
        if (hasShadow != 0) { shadow.Cast<BFloat16x4>()[i] = BFloat16x4.Narrow(p); }
    }

    private static void Remainder(long first, float scale, OptimizerKernels.AdamWScalars s, float averageDecay, float averageGain,
        ArrayView<float> gradient, ArrayView<float> parameter, ArrayView<float> firstMoment, ArrayView<float> secondMoment, ArrayView<float> average)
    {
        for (long i = first; i < parameter.Length; i++)
        {
            float g = scale * gradient[i];
            float m = First(firstMoment[i], g, s);
            float v = Second(secondMoment[i], g, s);
            float p = Updated(parameter[i], m, v, s);
            firstMoment[i] = m;
            secondMoment[i] = v;
            parameter[i] = p;
            average[i] = averageDecay * average[i] + averageGain * p;
            gradient[i] = 0f;
        }
    }

    /// <summary>The word of an odd last element holds a zero above it.</summary>
    private static void ShadowRemainder(long first, ArrayView<float> parameter, ArrayView<uint> shadow)
    {
        for (long i = first; i < parameter.Length; i += 2)
        {
            uint word = RoundToBFloat16(parameter[i]);
            if (i + 1 < parameter.Length) { word |= RoundToBFloat16(parameter[i + 1]) << 16; }
            shadow[i / 2] = word;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float First(float m, float g, OptimizerKernels.AdamWScalars s) => s.Beta1 * m + s.Gain1 * g;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Second(float v, float g, OptimizerKernels.AdamWScalars s) => s.Beta2 * v + s.Gain2 * g * g;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Updated(float p, float m, float v, OptimizerKernels.AdamWScalars s) =>
        p * s.Keep - s.StepSize * m / (Sqrt(v) * s.SecondCorrection + s.Epsilon);
}
