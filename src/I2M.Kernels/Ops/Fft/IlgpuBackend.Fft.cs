using System.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <summary>Twiddle factors by FFT length, rented once and kept for the backend's life.</summary>
    private readonly Dictionary<int, BufferView> _twiddles = [];

    /// <summary>Those between the passes of <see cref="CudaFftKernels"/>, kept likewise.</summary>
    private BufferView _passTwiddles;

    /// <inheritdoc/>
    public void RealFft(BufferView x, int n, float edge, float interior, BufferView spectrum)
    {
        int rows = RequireRealFft(x, n, spectrum);
        if (rows == 0) { return; }
        if (IsWarpFft(x, n, spectrum))
        {
            KernelConfig config = Groups((rows + CudaFftKernels.Rows - 1) / CudaFftKernels.Rows, CudaFftKernels.Items);
            Launch(CudaFftKernels.Forward, config, View(x), View(PassTwiddles()), View(Twiddles(n)), edge, interior, rows, View(spectrum));
            return;
        }
        Launch(FftKernels.Forward, Groups(rows, GroupSize), View(x), View(Twiddles(n)), n, BitOperations.Log2((uint)n) - 1, edge, interior, View(spectrum));
    }

    /// <inheritdoc/>
    public void InverseRealFft(BufferView spectrum, int n, float edge, float interior, BufferView x)
    {
        int rows = RequireRealFft(x, n, spectrum);
        if (rows == 0) { return; }
        if (IsWarpFft(x, n, spectrum))
        {
            KernelConfig config = Groups((rows + CudaFftKernels.Rows - 1) / CudaFftKernels.Rows, CudaFftKernels.Items);
            Launch(CudaFftKernels.Inverse, config, View(spectrum), View(PassTwiddles()), View(Twiddles(n)), edge, interior, rows, View(x));
            return;
        }
        Launch(FftKernels.Inverse, Groups(rows, GroupSize), View(spectrum), View(Twiddles(n)), n, BitOperations.Log2((uint)n) - 1, edge, interior, View(x));
    }

    /// <inheritdoc/>
    public void Frame(BufferView wave, BufferView window, FrameShape shape, BufferView frames)
    {
        var geometry = RequireFrames(wave, window, shape, frames);
        if (frames.Length > 0) { Launch(FrameKernels.Frame, Grid(frames.Length), View(wave), ViewOr(window, wave), geometry, View(frames)); }
    }

    /// <inheritdoc/>
    public void FrameBackward(BufferView dframes, BufferView window, FrameShape shape, BufferView dwave)
    {
        var geometry = RequireFrames(dwave, window, shape, dframes);
        if (dwave.Length > 0) { Launch(FrameKernels.FrameBackward, Grid(dwave.Length), View(dframes), ViewOr(window, dframes), geometry, View(dwave)); }
    }

    /// <inheritdoc/>
    public void OverlapAdd(BufferView frames, BufferView window, OverlapAddShape shape, BufferView wave)
    {
        var geometry = RequireOverlap(frames, window, shape, wave);
        if (wave.Length > 0) { Launch(FrameKernels.OverlapAdd, Grid(wave.Length), View(frames), ViewOr(window, frames), geometry, View(wave)); }
    }

    /// <inheritdoc/>
    public void OverlapAddBackward(BufferView dwave, BufferView window, OverlapAddShape shape, BufferView dframes)
    {
        var geometry = RequireOverlap(dframes, window, shape, dwave);
        if (dframes.Length > 0) { Launch(FrameKernels.OverlapAddBackward, Grid(dframes.Length), View(dwave), ViewOr(window, dwave), geometry, View(dframes)); }
    }

    /// <inheritdoc/>
    public void Magnitude(BufferView spectrum, BufferView magnitude)
    {
        RequireLength(spectrum, 2 * magnitude.Length);
        if (magnitude.Length > 0) { Launch(SpectrumKernels.Magnitude, Grid(magnitude.Length), View(spectrum), View(magnitude)); }
    }

    /// <inheritdoc/>
    public void MagnitudeBackward(BufferView spectrum, BufferView magnitude, BufferView dmagnitude, BufferView dspectrum)
    {
        RequireLength(spectrum, 2 * magnitude.Length);
        RequireLength(dmagnitude, magnitude.Length);
        RequireLength(dspectrum, spectrum.Length);
        if (magnitude.Length == 0) { return; }
        Launch(SpectrumKernels.MagnitudeBackward, Grid(magnitude.Length), View(spectrum), View(magnitude), View(dmagnitude), View(dspectrum));
    }

    /// <inheritdoc/>
    public void PolarSpectrum(BufferView logMagnitudePhase, int bins, float limit, BufferView spectrum)
    {
        RequireLength(logMagnitudePhase, spectrum.Length);
        long count = RequireBins(spectrum, bins);
        if (count > 0) { Launch(SpectrumKernels.Polar, Grid(count), View(logMagnitudePhase), (long)bins, limit, count, View(spectrum)); }
    }

    /// <inheritdoc/>
    public void PolarSpectrumBackward(BufferView logMagnitudePhase, int bins, float limit, BufferView dspectrum, BufferView dx)
    {
        RequireLength(logMagnitudePhase, dspectrum.Length);
        RequireLength(dx, dspectrum.Length);
        long count = RequireBins(dspectrum, bins);
        if (count == 0) { return; }
        Launch(SpectrumKernels.PolarBackward, Grid(count), View(logMagnitudePhase), (long)bins, limit, count, View(dspectrum), View(dx));
    }

    private static long RequireBins(BufferView spectrum, int bins)
    {
        Require(bins > 0 && spectrum.Length % (2L * bins) == 0, nameof(bins), $"{spectrum.Length} words are not whole rows of {bins} complex bins");
        return spectrum.Length / 2;
    }

    /// <summary>Rows of a real FFT of n samples.</summary>
    private static int RequireRealFft(BufferView x, int n, BufferView spectrum)
    {
        Require(n is >= 2 and <= FftKernels.MaxLength && BitOperations.IsPow2(n), nameof(n), $"a power of two from 2 to {FftKernels.MaxLength} expected, {n} given");
        Require(x.Length % n == 0, nameof(x), $"{x.Length} words are not whole rows of {n}");
        long rows = x.Length / n;
        RequireLength(spectrum, rows * (n + 2));
        return checked((int)rows);
    }

    /// <summary>Whether the CUDA kernels of one length take these rows: samples in 16-byte accesses, bins in those of 8, as a row of bins is no multiple of 16.</summary>
    private bool IsWarpFft(BufferView x, int n, BufferView spectrum) => n == CudaFftKernels.Length && AreVectors(x) && spectrum.Offset % 2 == 0;

    /// <summary>See <see cref="CudaFftKernels.PassTwiddles"/>.</summary>
    private BufferView PassTwiddles()
    {
        if (!_passTwiddles.IsNone) { return _passTwiddles; }
        var values = new float[2 * CudaFftKernels.PassTwiddles];
        for (int i = 0; i < CudaFftKernels.PassTwiddles; i++)
        {
            int turns = i / CudaFftKernels.Columns * (i % CudaFftKernels.Columns);
            (double sin, double cos) = Math.SinCos(2 * Math.PI * turns / CudaFftKernels.PassTwiddles);
            values[2 * i] = (float)cos;
            values[2 * i + 1] = (float)-sin;
        }
        _passTwiddles = Pool.Rent(values.Length);
        CopyFromHost(values.AsSpan(), _passTwiddles);
        return _passTwiddles;
    }

    private BufferView Twiddles(int n)
    {
        if (_twiddles.TryGetValue(n, out BufferView table)) { return table; }
        var values = new float[n];
        for (int k = 0; k < n / 2; k++)
        {
            (double sin, double cos) = Math.SinCos(2 * Math.PI * k / n);
            values[2 * k] = (float)cos;
            values[2 * k + 1] = (float)sin;
        }
        table = Pool.Rent(n);
        CopyFromHost(values.AsSpan(), table);
        _twiddles.Add(n, table);
        return table;
    }

    private static FrameKernels.Geometry RequireFrames(BufferView wave, BufferView window, FrameShape shape, BufferView frames)
    {
        Require(shape.Hop > 0 && shape.Pad >= 0 && shape.Samples > shape.Pad, nameof(shape), $"hop above 0 and more samples than padding expected in {shape}");
        RequireLength(wave, (long)shape.Batch * shape.Samples);
        RequireLength(frames, (long)shape.Batch * shape.Frames * shape.Size);
        if (!window.IsNone) { RequireLength(window, shape.Size); }
        return Geometry(shape.Samples, shape.Frames, shape.Size, shape.Hop, shape.Pad, window);
    }

    private static FrameKernels.Geometry RequireOverlap(BufferView frames, BufferView window, OverlapAddShape shape, BufferView wave)
    {
        Require(shape.Hop > 0 && shape.Trim >= 0, nameof(shape), $"hop above 0 and trim of at least 0 expected in {shape}");
        RequireLength(wave, (long)shape.Batch * shape.Samples);
        RequireLength(frames, (long)shape.Batch * shape.Frames * shape.Size);
        if (!window.IsNone) { RequireLength(window, shape.Size); }
        return Geometry(shape.Samples, shape.Frames, shape.Size, shape.Hop, shape.Trim, window);
    }

    private static FrameKernels.Geometry Geometry(int samples, int frames, int size, int hop, int start, BufferView window) =>
        new() { Samples = samples, Frames = frames, Size = size, Hop = hop, Start = start, HasWindow = window.IsNone ? 0 : 1 };
}
