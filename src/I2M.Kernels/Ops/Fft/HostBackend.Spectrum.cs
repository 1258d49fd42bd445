using System.Runtime.CompilerServices;

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
            for (long i = start; i < end; i++) { pm[i] = MathF.Sqrt(ps[2 * i] * ps[2 * i] + ps[2 * i + 1] * ps[2 * i + 1]); }
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
            for (long i = start; i < end; i++)
            {
                // Divided first: the direction is at most 1 however small the magnitude is.
                bool zero = pm[i] == 0;
                pds[2 * i] = zero ? 0 : pdm[i] * (ps[2 * i] / pm[i]);
                pds[2 * i + 1] = zero ? 0 : pdm[i] * (ps[2 * i + 1] / pm[i]);
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
            float* re = stackalloc float[ComplexTile], im = stackalloc float[ComplexTile], inside = stackalloc float[ComplexTile];
            for (long r = start; r < end; r++)
            {
                float* row = px + r * 2 * bins, gradient = pds + r * 2 * bins, result = pdx + r * 2 * bins;
                for (long k = 0; k < bins; k += ComplexTile)
                {
                    int count = (int)Math.Min(ComplexTile, bins - k);
                    ElementwiseDrivers.ApplyPair(new Polar(limit), row + k, row + bins + k, re, im, count);
                    ElementwiseDrivers.Apply(new BelowLimit(limit), row + k, inside, count);
                    PolarGradient(re, im, inside, gradient + 2 * k, count, result + k, result + bins + k);
                }
            }
        });
    }

    /// <summary>With X = e^m·(cos p, sin p): ∂X/∂m = X below the limit and ∂X/∂p = iX.</summary>
    private static void PolarGradient(float* re, float* im, float* inside, float* dspectrum, int count, float* dlogMagnitude, float* dphase)
    {
        for (int i = 0; i < count; i++)
        {
            float dre = dspectrum[2 * i], dim = dspectrum[2 * i + 1];
            dlogMagnitude[i] = inside[i] != 0 ? dre * re[i] + dim * im[i] : 0;
            dphase[i] = dim * re[i] - dre * im[i];
        }
    }

    private static void Interleave(float* first, float* second, int count, float* destination)
    {
        for (int i = 0; i < count; i++) { (destination[2 * i], destination[2 * i + 1]) = (first[i], second[i]); }
    }

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

    /// <summary>1 where e^m is at most the limit, else 0.</summary>
    private readonly struct BelowLimit(float limit) : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V logMagnitude) where V : struct, ILanes<V> =>
            V.WhereLess(V.All(limit), VectorMath.Exp(logMagnitude), V.All(0f), V.All(1f));
    }
}
