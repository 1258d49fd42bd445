namespace I2M.Kernels;

/// <summary>Cutting [batch, samples] waveforms into [batch, frames, size] windows that start at frame · hop − pad; samples outside are mirrored without repeating the edge ("reflect").</summary>
/// <param name="Batch">Waveforms.</param>
/// <param name="Samples">Samples per waveform, more than <paramref name="Pad"/>.</param>
/// <param name="Frames">Frames per waveform.</param>
/// <param name="Size">Samples per frame (n_fft).</param>
/// <param name="Hop">Samples between two frames.</param>
/// <param name="Pad">Samples of mirrored padding before the first sample (size/2 for "center", (size−hop)/2 for "same").</param>
public readonly record struct FrameShape(int Batch, int Samples, int Frames, int Size, int Hop, int Pad);

/// <summary>Overlap-add of [batch, frames, size] into [batch, samples]: frame f starts at f · hop − trim.</summary>
public readonly record struct OverlapAddShape(int Batch, int Frames, int Size, int Hop, int Trim, int Samples);

public partial interface IBackend
{
    /// <summary>
    /// Real FFT of rows of n = 2^p ≤ 4096 samples, n/2+1 complex bins interleaved (re, im):
    /// X[k] = s_k Σ_j x[j] e^(−2πijk/n) with s_0 = s_{n/2} = <paramref name="edge"/> and s_k = <paramref name="interior"/> between.
    /// torch.fft.rfft is edge = interior = 1. Its adjoint (backward) is <see cref="InverseRealFft"/> with the same two factors.
    /// </summary>
    /// <param name="x">[rows, n]</param>
    /// <param name="n">Samples per row, a power of two.</param>
    /// <param name="edge">Factor of bins 0 and n/2.</param>
    /// <param name="interior">Factor of the bins between.</param>
    /// <param name="spectrum">[rows, n/2+1, 2]</param>
    void RealFft(BufferView x, int n, float edge, float interior, BufferView spectrum);

    /// <summary>
    /// x[j] = Σ_{k=0}^{n/2} s_k (Re X[k] cos(2πjk/n) − Im X[k] sin(2πjk/n)); the imaginary parts of bins 0 and n/2 do not matter.
    /// torch.fft.irfft is edge = 1/n, interior = 2/n. Its adjoint is <see cref="RealFft"/> with the same two factors.
    /// </summary>
    void InverseRealFft(BufferView spectrum, int n, float edge, float interior, BufferView x);

    /// <summary>frames[b,f,j] = window[j] · wave[b, reflect(f·hop + j − pad)]. window is [size] or None (1).</summary>
    void Frame(BufferView wave, BufferView window, FrameShape shape, BufferView frames);

    /// <summary>Adjoint of <see cref="Frame"/>: dwave[b,s] = Σ over all (f, j) that read sample s of window[j] · dframes[b,f,j], in the order of f.</summary>
    void FrameBackward(BufferView dframes, BufferView window, FrameShape shape, BufferView dwave);

    /// <summary>wave[b,s] = Σ_f window[j]·frames[b,f,j] / Σ_f window[j]², j = s + trim − f·hop: the end of an inverse STFT. Where the envelope is below 1e-11 the sample is 0.</summary>
    void OverlapAdd(BufferView frames, BufferView window, OverlapAddShape shape, BufferView wave);

    /// <summary>Adjoint of <see cref="OverlapAdd"/>: dframes[b,f,j] = window[j] · dwave[b,s] / envelope[s], 0 where s is trimmed away.</summary>
    void OverlapAddBackward(BufferView dwave, BufferView window, OverlapAddShape shape, BufferView dframes);

    /// <summary>magnitude[i] = √(re² + im²) of interleaved complex numbers; magnitude has half the length.</summary>
    void Magnitude(BufferView spectrum, BufferView magnitude);

    /// <summary>dspectrum = dmagnitude · (re, im) / magnitude, 0 where the magnitude is 0.</summary>
    void MagnitudeBackward(BufferView spectrum, BufferView magnitude, BufferView dmagnitude, BufferView dspectrum);

    /// <summary>
    /// Vocos' head: from [rows, 2·bins] with log-magnitudes m first and phases p second, the spectrum
    /// min(e^m, <paramref name="limit"/>) · (cos p, sin p), interleaved [rows, bins, 2].
    /// </summary>
    void PolarSpectrum(BufferView logMagnitudePhase, int bins, float limit, BufferView spectrum);

    /// <summary>Backward of <see cref="PolarSpectrum"/>; the gradient of m is 0 where e^m exceeds the limit.</summary>
    void PolarSpectrumBackward(BufferView logMagnitudePhase, int bins, float limit, BufferView dspectrum, BufferView dx);
}
