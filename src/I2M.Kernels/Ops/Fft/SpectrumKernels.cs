using ILGPU;
using ILGPU.Runtime;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>Magnitudes and phases of complex numbers stored as (re, im), one work item per number.</summary>
internal static class SpectrumKernels
{
    public static void Magnitude(ArrayView<float> spectrum, ArrayView<float> magnitude)
    {
        long i = GlobalIndex();
        if (i >= magnitude.Length) { return; }
        float re = spectrum[2 * i], im = spectrum[2 * i + 1];
        magnitude[i] = Sqrt(re * re + im * im);
    }

    public static void MagnitudeBackward(ArrayView<float> spectrum, ArrayView<float> magnitude, ArrayView<float> dmagnitude, ArrayView<float> dspectrum)
    {
        long i = GlobalIndex();
        if (i >= magnitude.Length) { return; }
        float re = 0f, im = 0f;
        if (magnitude[i] != 0f)
        {
            re = dmagnitude[i] * (spectrum[2 * i] / magnitude[i]);
            im = dmagnitude[i] * (spectrum[2 * i + 1] / magnitude[i]);
        }
        dspectrum[2 * i] = re;
        dspectrum[2 * i + 1] = im;
    }

    public static void Polar(ArrayView<float> x, long bins, float limit, long count, ArrayView<float> spectrum)
    {
        long i = GlobalIndex();
        if (i >= count) { return; }
        long at = i + Quotient(i, bins) * bins;
        float magnitude = Exp(x[at]), phase = x[at + bins];
        if (!IsNaN(magnitude) && magnitude > limit) { magnitude = limit; }
        spectrum[2 * i] = magnitude * Cos(phase);
        spectrum[2 * i + 1] = magnitude * Sin(phase);
    }

    public static void PolarBackward(ArrayView<float> x, long bins, float limit, long count, ArrayView<float> dspectrum, ArrayView<float> dx)
    {
        long i = GlobalIndex();
        if (i >= count) { return; }
        long at = i + Quotient(i, bins) * bins;
        float magnitude = Exp(x[at]), phase = x[at + bins];
        float c = Cos(phase), s = Sin(phase), dre = dspectrum[2 * i], dim = dspectrum[2 * i + 1];
        float gradient = magnitude * (dre * c + dim * s);
        if (!IsNaN(magnitude) && magnitude > limit)
        {
            magnitude = limit;
            gradient = 0f;
        }
        dx[at] = gradient;
        dx[at + bins] = magnitude * (dim * c - dre * s);
    }
}
