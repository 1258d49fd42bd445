using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

/// <summary>Magnitudes and polar form of interleaved complex numbers.</summary>
public sealed unsafe partial class HostBackend
{
    /// <summary>Complex numbers whose parts are computed side by side on the stack before they are interleaved.</summary>
    private const int ComplexTile = 256;

    /// <inheritdoc cref="IBackend.Magnitude"/>
    public void Magnitude(BufferView spectrum, BufferView magnitude)
    {
        RequireLength(2 * magnitude.Length, spectrum);
        float* ps = Pointer(spectrum), pm = Pointer(magnitude);
        _rows.Run(magnitude.Length, MathGrain, (start, end) =>
        {
            float* re = stackalloc float[ComplexTile], im = stackalloc float[ComplexTile];
            for (long i = start; i < end; i += ComplexTile)
            {
                int count = (int)Math.Min(ComplexTile, end - i);
                HostShuffles.Deinterleave(ps + 2 * i, count, re, im);
                ElementwiseDrivers.Apply(new Length(), re, im, pm + i, count);
            }
        });
    }

    /// <inheritdoc cref="IBackend.MagnitudeBackward"/>
    public void MagnitudeBackward(BufferView spectrum, BufferView magnitude, BufferView dmagnitude, BufferView dspectrum)
    {
        RequireLength(2 * magnitude.Length, spectrum);
        RequireLength(magnitude.Length, dmagnitude);
        RequireLength(spectrum.Length, dspectrum);
        float* ps = Pointer(spectrum), pm = Pointer(magnitude), pdm = Pointer(dmagnitude), pds = Pointer(dspectrum);
        _rows.Run(magnitude.Length, MathGrain, (start, end) =>
        {
            float* re = stackalloc float[ComplexTile], im = stackalloc float[ComplexTile];
            for (long i = start; i < end; i += ComplexTile)
            {
                int count = (int)Math.Min(ComplexTile, end - i);
                HostShuffles.Deinterleave(ps + 2 * i, count, re, im);
                ElementwiseDrivers.Apply(new Direction(), re, pm + i, pdm + i, re, count);
                ElementwiseDrivers.Apply(new Direction(), im, pm + i, pdm + i, im, count);
                Interleave(re, im, count, pds + 2 * i);
            }
        });
    }

    /// <inheritdoc cref="IBackend.PolarSpectrum"/>
    public void PolarSpectrum(BufferView logMagnitudePhase, int bins, float limit, BufferView spectrum)
    {
        long rows = RowsOf(logMagnitudePhase, 2L * bins);
        RequireLength(logMagnitudePhase.Length, spectrum);
        float* px = Pointer(logMagnitudePhase), ps = Pointer(spectrum);
        _rows.Run(rows, RowGrain(MathGrain, bins), (start, end) =>
        {
            float* re = stackalloc float[ComplexTile], im = stackalloc float[ComplexTile];
            for (long r = start; r < end; r++)
            {
                float* row = px + r * 2 * bins, result = ps + r * 2 * bins;
                for (long k = 0; k < bins; k += ComplexTile)
                {
                    int count = (int)Math.Min(ComplexTile, bins - k);
                    ElementwiseDrivers.ApplyPair(new Polar(limit), row + k, row + bins + k, re, im, count);
                    Interleave(re, im, count, result + 2 * k);
                }
            }
        });
    }

    /// <inheritdoc cref="IBackend.PolarSpectrumBackward"/>
    public void PolarSpectrumBackward(BufferView logMagnitudePhase, int bins, float limit, BufferView dspectrum, BufferView dx)
    {
        long rows = RowsOf(logMagnitudePhase, 2L * bins);
        RequireLength(logMagnitudePhase.Length, dspectrum);
        RequireLength(logMagnitudePhase.Length, dx);
        float* px = Pointer(logMagnitudePhase), pds = Pointer(dspectrum), pdx = Pointer(dx);
        _rows.Run(rows, RowGrain(MathGrain, bins), (start, end) =>
        {
            float* dre = stackalloc float[ComplexTile], dim = stackalloc float[ComplexTile];
            for (long r = start; r < end; r++)
            {
                float* row = px + r * 2 * bins, gradient = pds + r * 2 * bins, result = pdx + r * 2 * bins;
                for (long k = 0; k < bins; k += ComplexTile)
                {
                    int count = (int)Math.Min(ComplexTile, bins - k);
                    HostShuffles.Deinterleave(gradient + 2 * k, count, dre, dim);
                    PolarGradient(limit, row + k, row + bins + k, dre, dim, count, result + k, result + bins + k);
                }
            }
        });
    }

    private static void PolarGradient(float limit, float* logMagnitude, float* phase, float* dre, float* dim, int count, float* dlogMagnitude, float* dphase)
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated) { i = PolarGradient<Lanes512>(limit, logMagnitude, phase, dre, dim, i, count, dlogMagnitude, dphase); }
        else if (Vector256.IsHardwareAccelerated) { i = PolarGradient<Lanes256>(limit, logMagnitude, phase, dre, dim, i, count, dlogMagnitude, dphase); }
        else if (Vector128.IsHardwareAccelerated) { i = PolarGradient<Lanes128>(limit, logMagnitude, phase, dre, dim, i, count, dlogMagnitude, dphase); }
        PolarGradient<Lanes32>(limit, logMagnitude, phase, dre, dim, i, count, dlogMagnitude, dphase);
    }

    /// <summary>With X = e^m·(cos p, sin p): ∂X/∂m = X up to the limit, 0 beyond, and ∂X/∂p = iX.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int PolarGradient<V>(float limit, float* logMagnitude, float* phase, float* dre, float* dim, int i, int count, float* dlogMagnitude, float* dphase)
        where V : struct, ILanes<V>
    {
        V bound = V.All(limit);
        for (; i <= count - V.Count; i += V.Count)
        {
            V magnitude = VectorMath.Exp(V.Load(logMagnitude + i)), bounded = V.Min(bound, magnitude), re = bounded * VectorMath.CosSin(V.Load(phase + i), out V sin), im = bounded * sin;
            V gradientRe = V.Load(dre + i), gradientIm = V.Load(dim + i);
            V.WhereLess(bound, magnitude, V.All(0f), V.MulAdd(gradientRe, re, gradientIm * im)).Store(dlogMagnitude + i);
            V.MulAdd(gradientIm, re, -(gradientRe * im)).Store(dphase + i);
        }
        return i;
    }

    private static void Interleave(float* first, float* second, int count, float* destination) => HostShuffles.Interleave(first, second, count, destination);

    /// <summary>min(e^m, limit) · (cos p, sin p).</summary>
    private readonly struct Polar(float limit) : IBinaryPair
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V logMagnitude, V phase, out V imaginary) where V : struct, ILanes<V>
        {
            V magnitude = V.Min(V.All(limit), VectorMath.Exp(logMagnitude)), cos = VectorMath.CosSin(phase, out V sin);
            imaginary = magnitude * sin;
            return magnitude * cos;
        }
    }

    /// <summary>√(x² + y²).</summary>
    private readonly struct Length : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x, V y) where V : struct, ILanes<V> => V.Sqrt(V.MulAdd(x, x, y * y));
    }

    /// <summary>dy · (part / magnitude), 0 where the magnitude is; divided first: the direction is at most 1 however small the magnitude is.</summary>
    private readonly struct Direction : ITernary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V part, V magnitude, V dy) where V : struct, ILanes<V> =>
            V.WhereLess(magnitude, V.All(float.Epsilon), V.All(0f), dy * (part / magnitude));
    }
}
