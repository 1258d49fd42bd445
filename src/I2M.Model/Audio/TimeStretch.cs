using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using I2M.Kernels;

namespace I2M.Model.Audio;

/// <summary>
/// Makes speech slower or faster without changing its pitch: waveform-similarity overlap-add (WSOLA), which keeps the waveform of every glottal pulse
/// and so, unlike a phase vocoder, adds no echo to speech.
/// </summary>
/// <remarks>
/// With hop H, Hann window w of 2H samples (w[n] + w[n+H] = 1) and f = output length / input length:
/// <code>
/// y[kH + n] += w[n] · x[q_k + n],   q_k = round(kH/f) + argmax_{|δ| ≤ T} Σ_n x[q_{k−1}+H+n] · x[round(kH/f)+δ+n] / ‖x[round(kH/f)+δ …]‖
/// </code>
/// so that each frame continues the one before it in phase. T is longer than half the period of the deepest voice. Sums have a fixed order and no fused
/// multiply-add: the result is the same on every machine.
/// Source: Verhelst and Roelands, "An overlap-add technique based on waveform similarity (WSOLA)", ICASSP 1993.
/// </remarks>
public static class TimeStretch
{
    private const double HopSeconds = 0.0125, ToleranceSeconds = 0.01;
    private const double MinFactor = 0.1, MaxFactor = 10;

    /// <summary>Stretches a clip; its pitch stays.</summary>
    /// <param name="clip">The input.</param>
    /// <param name="factor">Length of the result over that of the input, 0.1 to 10.</param>
    /// <returns>A clip of round(length · factor) samples, at least one.</returns>
    /// <exception cref="I2MException">The factor is out of range.</exception>
    public static AudioClip Stretch(AudioClip clip, double factor)
    {
        if (!(factor is >= MinFactor and <= MaxFactor)) throw new I2MException($"time stretch: factor {factor}, expected {MinFactor} to {MaxFactor}");
        if (factor == 1 || clip.Samples.Length == 0) return clip;
        var length = (long)Math.Max(1, Math.Round(clip.Samples.Length * factor));
        if (length > Array.MaxLength) throw new I2MException($"time stretch: {length:N0} samples, expected at most {Array.MaxLength:N0}");
        var hop = Math.Max(4, (int)Math.Round(clip.SampleRate * HopSeconds));
        var tolerance = Math.Max(1, (int)Math.Round(clip.SampleRate * ToleranceSeconds));
        return clip with { Samples = new Frames(clip.Samples, hop, tolerance).Stretch((int)length, factor) };
    }

    /// <summary>The input between zeros, and the search for frames that fit together.</summary>
    private sealed class Frames
    {
        private readonly int _hop, _tolerance, _margin, _last;
        private readonly float[] _input;
        private readonly double[] _energy; // _energy[i] = Σ_{j<i} input[j]²
        private readonly float[] _window;

        public Frames(float[] samples, int hop, int tolerance)
        {
            (_hop, _tolerance, _margin) = (hop, tolerance, 3 * hop + tolerance);
            _input = new float[samples.Length + 2 * _margin];
            samples.CopyTo(_input, _margin);
            _last = _input.Length - 2 * hop;
            _energy = new double[_input.Length + 1];
            for (var i = 0; i < _input.Length; i++) _energy[i + 1] = _energy[i] + (double)_input[i] * _input[i];
            _window = MelSpectrogram.HannWindow(2 * hop);
        }

        /// <summary>Frames start one hop early, so that the first samples too are covered twice.</summary>
        public float[] Stretch(int length, double factor)
        {
            var output = new float[length];
            var position = Clamp(_margin - (int)Math.Round(_hop / factor));
            for (var start = -_hop; start < length; start += _hop)
            {
                if (start > -_hop) position = Continue(Clamp(position + _hop), _margin + (int)Math.Round(start / factor));
                Add(output, start, position);
            }
            return output;
        }

        /// <summary>The frame near <paramref name="wanted"/> that is most like the one at <paramref name="natural"/>, where the last frame would go on.</summary>
        private int Continue(int natural, int wanted)
        {
            var target = _input.AsSpan(natural, 2 * _hop);
            var best = Clamp(wanted);
            var bestScore = Score(target, best);
            for (var candidate = Clamp(wanted - _tolerance); candidate <= Clamp(wanted + _tolerance); candidate++)
            {
                var score = Score(target, candidate);
                if (score > bestScore) (best, bestScore) = (candidate, score);
            }
            return best;
        }

        private double Score(ReadOnlySpan<float> target, int position)
        {
            const double faint = 1e-9; // below the noise of 16 bits: silence resembles nothing
            var energy = _energy[position + target.Length] - _energy[position];
            return energy < faint ? 0 : Dot(target, _input.AsSpan(position, target.Length)) / Math.Sqrt(energy);
        }

        private void Add(float[] output, int start, int position)
        {
            var from = Math.Max(0, -start);
            var to = Math.Min(2 * _hop, output.Length - start);
            for (var n = from; n < to; n++) output[start + n] += _window[n] * _input[position + n];
        }

        private int Clamp(int position) => Math.Clamp(position, 0, _last);
    }

    /// <summary>Two accumulators of eight lanes, whatever the processor has: the order of the sum is part of the result.</summary>
    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        ref var x = ref MemoryMarshal.GetReference(a);
        ref var y = ref MemoryMarshal.GetReference(b);
        var (even, odd) = (Vector256<float>.Zero, Vector256<float>.Zero);
        nuint i = 0, whole = (nuint)(a.Length / 16 * 16);
        for (; i < whole; i += 16)
        {
            even += Vector256.LoadUnsafe(ref x, i) * Vector256.LoadUnsafe(ref y, i);
            odd += Vector256.LoadUnsafe(ref x, i + 8) * Vector256.LoadUnsafe(ref y, i + 8);
        }
        Span<float> lanes = stackalloc float[8];
        (even + odd).CopyTo(lanes);
        var sum = 0f;
        foreach (var lane in lanes) sum += lane;
        for (var j = (int)whole; j < a.Length; j++) sum += a[j] * b[j];
        return sum;
    }
}
