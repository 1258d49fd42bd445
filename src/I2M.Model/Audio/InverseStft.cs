using I2M.Autograd;
using I2M.Kernels;

namespace I2M.Model.Audio;

/// <summary>The inverse short-time Fourier transform with Vocos' two paddings: irFFT, window, overlap-add, division by the window's envelope, trim.</summary>
public static class InverseStft
{
    /// <summary>Spectra [batch·frames, bins, 2] → waveforms [batch, samples]; "center" gives (frames−1)·hop samples, "same" frames·hop.</summary>
    public static Tensor Apply(Tensor spectrum, Tensor window, MelSettings settings, int batch)
    {
        int frames = spectrum.Shape[0] / batch;
        var shape = new OverlapAddShape(batch, frames, settings.FftSize, settings.HopLength, settings.Pad, settings.SampleCount(frames));
        using Tensor time = spectrum.InverseRealFft();                             // [batch·frames, fftSize]
        return time.OverlapAdd(window, shape);                                     // [batch, samples]
    }
}
