using ILGPU;
using ILGPU.Runtime;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>Windows over waveforms and their adjoints, as gathers: one work item per output element sums its contributions in the order of the frames.</summary>
internal static class FrameKernels
{
    /// <summary>Extents of framing or of overlap-add; frame f starts at f · Hop − Start.</summary>
    public struct Geometry
    {
        public int Samples, Frames, Size, Hop, Start, HasWindow;

        public readonly float Weight(ArrayView<float> window, long j)
        {
            float weight = 1f;
            if (HasWindow != 0) { weight = window[j]; }
            return weight;
        }

        /// <summary>First frame that ends after padded position p.</summary>
        public readonly long FirstFrame(long p)
        {
            long past = p - Size + 1;
            return past <= 0 ? 0 : Quotient(past + Hop - 1, Hop);
        }

        /// <summary>Last frame that starts at or before padded position p ≥ 0.</summary>
        public readonly long LastFrame(long p)
        {
            long f = Quotient(p, Hop);
            return f < Frames ? f : Frames - 1;
        }

        /// <summary>Σ_f window[p − f·hop]².</summary>
        public readonly float Envelope(ArrayView<float> window, long p)
        {
            float sum = 0f;
            long last = LastFrame(p);
            for (long f = FirstFrame(p); f <= last; f++)
            {
                float w = Weight(window, p - f * Hop);
                sum += w * w;
            }
            return sum;
        }
    }

    public static void Frame(ArrayView<float> wave, ArrayView<float> window, Geometry g, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        long frame = Quotient(i, g.Size), j = i - frame * g.Size;
        long b = Quotient(frame, g.Frames), f = frame - b * g.Frames;
        d[i] = g.Weight(window, j) * wave[b * g.Samples + Reflect(f * g.Hop + j - g.Start, g.Samples)];
    }

    public static void FrameBackward(ArrayView<float> dframes, ArrayView<float> window, Geometry g, ArrayView<float> dwave)
    {
        long i = GlobalIndex();
        if (i >= dwave.Length) { return; }
        long b = Quotient(i, g.Samples), s = i - b * g.Samples;
        long frames = b * g.Frames;
        long end = (long)(g.Frames - 1) * g.Hop + g.Size - g.Start;
        float sum = 0f;
        if (s > g.Start && s < 2L * (g.Samples - 1) - (end - 1))
        {
            // No mirror image of this sample is read: only the frames over the sample itself count.
            long p = s + g.Start, last = g.LastFrame(p);
            for (long f = g.FirstFrame(p); f <= last; f++)
            {
                long j = p - f * g.Hop;
                sum += g.Weight(window, j) * dframes[(frames + f) * g.Size + j];
            }
        }
        else
        {
            for (long f = 0; f < g.Frames; f++) { sum += FrameShare(dframes, window, g, frames + f, f * g.Hop - g.Start, s); }
        }
        dwave[i] = sum;
    }

    /// <summary>Sum over the positions of one frame that read sample s: s + k·period and −s + k·period, period = 2·(samples − 1).</summary>
    private static float FrameShare(ArrayView<float> dframes, ArrayView<float> window, Geometry g, long frame, long start, long s)
    {
        float sum = 0f;
        if (g.Samples == 1)
        {
            for (int j = 0; j < g.Size; j++) { sum += g.Weight(window, j) * dframes[frame * g.Size + j]; }
            return sum;
        }
        long period = 2L * (g.Samples - 1);
        long first = start / period - 1, last = (start + g.Size) / period + 1;
        for (long k = first; k <= last; k++)
        {
            // At both ends the two series are the same one.
            long mirrored = k * period - s - start, direct = k * period + s - start;
            if (s != 0 && s != g.Samples - 1 && mirrored >= 0 && mirrored < g.Size) { sum += g.Weight(window, mirrored) * dframes[frame * g.Size + mirrored]; }
            if (direct >= 0 && direct < g.Size) { sum += g.Weight(window, direct) * dframes[frame * g.Size + direct]; }
        }
        return sum;
    }

    public static void OverlapAdd(ArrayView<float> frames, ArrayView<float> window, Geometry g, ArrayView<float> wave)
    {
        long i = GlobalIndex();
        if (i >= wave.Length) { return; }
        long b = Quotient(i, g.Samples), p = i - b * g.Samples + g.Start;
        float sum = 0f;
        long last = g.LastFrame(p);
        for (long f = g.FirstFrame(p); f <= last; f++)
        {
            long j = p - f * g.Hop;
            sum += g.Weight(window, j) * frames[(b * g.Frames + f) * g.Size + j];
        }
        float envelope = g.Envelope(window, p);
        float value = 0f;
        if (envelope >= 1e-11f) { value = sum / envelope; }
        wave[i] = value;
    }

    public static void OverlapAddBackward(ArrayView<float> dwave, ArrayView<float> window, Geometry g, ArrayView<float> dframes)
    {
        long i = GlobalIndex();
        if (i >= dframes.Length) { return; }
        long frame = Quotient(i, g.Size), j = i - frame * g.Size;
        long b = Quotient(frame, g.Frames), p = (frame - b * g.Frames) * g.Hop + j, s = p - g.Start;
        float value = 0f;
        if (s >= 0 && s < g.Samples)
        {
            float envelope = g.Envelope(window, p);
            if (envelope >= 1e-11f) { value = g.Weight(window, j) * dwave[b * g.Samples + s] / envelope; }
        }
        dframes[i] = value;
    }

    private static long Reflect(long p, long samples)
    {
        if (samples == 1) { return 0; }
        long period = 2 * (samples - 1);
        if (p < 0) { p = -p; }
        if (p >= period) { p %= period; }
        return p < samples ? p : period - p;
    }
}
