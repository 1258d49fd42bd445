using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

public sealed unsafe partial class HostBackend
{
    /// <inheritdoc cref="IBackend.AdamW"/>
    public void AdamW(BufferView gradient, BufferView gradientScale, in AdamWStep step, BufferView parameter, BufferView firstMoment, BufferView secondMoment)
    {
        RequireLength(parameter.Length, gradient);
        RequireLength(parameter.Length, firstMoment);
        RequireLength(parameter.Length, secondMoment);
        if (!gradientScale.IsNone) { RequireLength(1, gradientScale); }
        float* scalars = stackalloc float[AdamWStep.ScalarWords];
        step.WriteScalars(0, new Span<float>(scalars, AdamWStep.ScalarWords));
        var update = new AdamWUpdate(scalars, gradientScale.IsNone ? 1 : *Pointer(gradientScale));
        float* pg = Pointer(gradient), pp = Pointer(parameter), pm = Pointer(firstMoment), pv = Pointer(secondMoment);
        _rows.Run(parameter.Length, MathGrain, (start, end) => update.Apply(pg + start, pp + start, pm + start, pv + start, end - start));
    }

    /// <inheritdoc/>
    public void AdamWEma(BufferView gradientScale, BufferView scalars, BufferView gradient, BufferView parameter, BufferView firstMoment, BufferView secondMoment,
        BufferView average, BufferView shadow = default)
    {
        RequireLength(parameter.Length, gradient);
        RequireLength(parameter.Length, firstMoment);
        RequireLength(parameter.Length, secondMoment);
        RequireLength(parameter.Length, average);
        if (!shadow.IsNone)
        {
            if (shadow.Type != ElementType.BFloat16) { throw new ArgumentException("bfloat16 expected.", nameof(shadow)); }
            RequireLength(shadow.Type.Words(parameter.Length), shadow);
        }
        if (!gradientScale.IsNone) { RequireLength(1, gradientScale); }
        RequireLength(AdamWStep.ScalarWords, scalars);
        float* s = Pointer(scalars);
        var update = new AdamWUpdate(s, gradientScale.IsNone ? 1 : *Pointer(gradientScale));
        var mean = new Combination(s[8], s[9]);
        float* pg = Pointer(gradient), pp = Pointer(parameter), pm = Pointer(firstMoment), pv = Pointer(secondMoment), pa = Pointer(average);
        ushort* narrow = (ushort*)Pointer(shadow);
        _rows.Run(parameter.Length, MathGrain, (start, end) =>
        {
            update.Apply(mean, pg + start, pp + start, pm + start, pv + start, pa + start, end - start);
            // The chunk's parameters are still in the cache.
            if (narrow is not null) { Narrow((uint*)pp + start, narrow + start, end - start); }
        });
        if (narrow is not null && parameter.Length % 2 != 0) { narrow[parameter.Length] = 0; }
    }

    /// <inheritdoc cref="IBackend.Ema"/>
    public void Ema(BufferView parameter, float decay, BufferView average) =>
        Map(new Combination(decay, (float)(1 - (double)decay)), average, parameter, average, MemoryGrain);

    /// <inheritdoc cref="IBackend.ClipFactor"/>
    public void ClipFactor(BufferView sumSquares, float maxNorm, BufferView factor)
    {
        RequireLength(1, sumSquares);
        RequireLength(1, factor);
        *Pointer(factor) = (float)Math.Min(1, maxNorm / (Math.Sqrt(*Pointer(sumSquares)) + 1e-6));
    }

    /// <summary>The scalars of <see cref="AdamWStep.WriteScalars"/> and the two passes: AdamW alone, or with the average and the zeroed gradient.</summary>
    private readonly struct AdamWUpdate
    {
        private readonly float _gradientScale, _keep, _beta1, _rest1, _beta2, _rest2, _rate, _inverseRoot, _epsilon;

        public AdamWUpdate(float* scalars, float gradientScale)
        {
            _gradientScale = gradientScale;
            (_keep, _rate, _inverseRoot) = (scalars[0], scalars[1], scalars[2]);
            (_beta1, _rest1, _beta2, _rest2, _epsilon) = (scalars[3], scalars[4], scalars[5], scalars[6], scalars[7]);
        }

        public void Apply(float* gradient, float* parameter, float* first, float* second, long length)
        {
            long i = 0;
            if (Vector512.IsHardwareAccelerated) { i = Loop<Lanes512>(gradient, parameter, first, second, i, length); }
            else if (Vector256.IsHardwareAccelerated) { i = Loop<Lanes256>(gradient, parameter, first, second, i, length); }
            else if (Vector128.IsHardwareAccelerated) { i = Loop<Lanes128>(gradient, parameter, first, second, i, length); }
            Loop<Lanes32>(gradient, parameter, first, second, i, length);
        }

        public void Apply(Combination mean, float* gradient, float* parameter, float* first, float* second, float* average, long length)
        {
            long i = 0;
            if (Vector512.IsHardwareAccelerated) { i = Loop<Lanes512>(mean, gradient, parameter, first, second, average, i, length); }
            else if (Vector256.IsHardwareAccelerated) { i = Loop<Lanes256>(mean, gradient, parameter, first, second, average, i, length); }
            else if (Vector128.IsHardwareAccelerated) { i = Loop<Lanes128>(mean, gradient, parameter, first, second, average, i, length); }
            Loop<Lanes32>(mean, gradient, parameter, first, second, average, i, length);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private long Loop<V>(float* gradient, float* parameter, float* first, float* second, long i, long length) where V : struct, ILanes<V>
        {
            for (; i <= length - V.Count; i += V.Count) { Advance<V>(gradient + i, parameter + i, first + i, second + i); }
            return i;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private long Loop<V>(Combination mean, float* gradient, float* parameter, float* first, float* second, float* average, long i, long length) where V : struct, ILanes<V>
        {
            for (; i <= length - V.Count; i += V.Count)
            {
                V updated = Advance<V>(gradient + i, parameter + i, first + i, second + i);
                mean.Apply(V.Load(average + i), updated).Store(average + i);
                V.All(0).Store(gradient + i);
            }
            return i;
        }

        /// <summary>One register of the update; returns the new parameters.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private V Advance<V>(float* gradient, float* parameter, float* first, float* second) where V : struct, ILanes<V>
        {
            V g = V.All(_gradientScale) * V.Load(gradient);
            V m = V.MulAdd(V.All(_beta1), V.Load(first), V.All(_rest1) * g);
            V v = V.MulAdd(V.All(_beta2), V.Load(second), V.All(_rest2) * g * g);
            V denominator = V.MulAdd(V.Sqrt(v), V.All(_inverseRoot), V.All(_epsilon));
            V updated = V.MulAdd(V.All(_keep), V.Load(parameter), V.All(-_rate) * m / denominator);
            updated.Store(parameter);
            m.Store(first);
            v.Store(second);
            return updated;
        }
    }
}
