using System.Numerics;
using System.Runtime.InteropServices;
using I2M.Kernels;

namespace I2M.Model.Audio;

/// <summary>
/// Windowed-sinc resampling with the defaults of torchaudio.functional.resample: Hann window, six zero crossings on
/// either side, cut-off at 0.99 of the lower Nyquist frequency.
/// </summary>
/// <remarks>
/// With both rates divided by their greatest common divisor (o input samples span the time of n output samples):
/// <code>
/// y[j] = Σ_m x[m] · h(b·(m/o − j/n)),   h(t) = (b/o) · sinc(t) · cos²(πt/12) for |t| &lt; 6, else 0,   b = 0.99·min(o, n)
/// </code>
/// h depends on j only through j mod n, so there are n short filters ("phases"); phase p = j mod n reads the input from
/// (j div n)·o on. Taps are computed in double and stored as float; each filter is padded with zeros to whole vectors.
/// Source of the definition: https://pytorch.org/audio/stable/generated/torchaudio.functional.resample.html
/// </remarks>
public static class Resampler
{
    private const int ZeroCrossings = 6;
    private const double RollOff = 0.99;

    /// <summary>Changes the sample rate; the same clip comes back when the rates agree.</summary>
    /// <param name="clip">The input.</param>
    /// <param name="targetRate">Wanted rate in Hz; the result has ⌈length · target / source⌉ samples.</param>
    /// <exception cref="I2MException">A rate is not positive, or the result would be too long.</exception>
    public static AudioClip Resample(AudioClip clip, int targetRate)
    {
        if (clip.SampleRate <= 0 || targetRate <= 0) throw new I2MException($"resample: {clip.SampleRate} Hz to {targetRate} Hz, expected positive rates");
        return clip.SampleRate == targetRate ? clip : new AudioClip(Resample(clip.Samples, clip.SampleRate, targetRate), targetRate);
    }

    private static float[] Resample(float[] input, int sourceRate, int targetRate)
    {
        var divisor = (int)BigInteger.GreatestCommonDivisor(sourceRate, targetRate);
        int source = sourceRate / divisor, target = targetRate / divisor;
        var length = ((long)input.Length * target + source - 1) / source;
        if (length > Array.MaxLength) throw new I2MException($"resample: {length:N0} samples, expected at most {Array.MaxLength:N0}");
        var output = new float[length];
        var filters = new PhaseFilters(source, target, phases: (int)Math.Min(target, length));
        var (phase, block) = (0, 0L);
        for (var j = 0; j < output.Length; j++)
        {
            output[j] = Apply(filters.Taps(phase), input, block + filters.Start(phase));
            if (++phase == target) (phase, block) = (0, block + source);
        }
        return output;
    }

    /// <summary>Σ taps[k]·input[start+k], input being zero outside its bounds.</summary>
    private static float Apply(ReadOnlySpan<float> taps, float[] input, long start)
    {
        if (start >= 0 && start + taps.Length <= input.Length) return Dot(taps, input.AsSpan((int)start, taps.Length));
        var sum = 0f;
        var from = (int)Math.Max(0, -start);
        var to = (int)Math.Min(taps.Length, input.Length - start);
        for (var k = from; k < to; k++) sum += taps[k] * input[start + k];
        return sum;
    }

    /// <summary>Dot product of two spans of equal length, a multiple of the vector length.</summary>
    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var va = MemoryMarshal.Cast<float, Vector<float>>(a);
        var vb = MemoryMarshal.Cast<float, Vector<float>>(b);
        var sum = Vector<float>.Zero;
        for (var i = 0; i < va.Length; i++) sum = Vector.FusedMultiplyAdd(va[i], vb[i], sum);
        return Vector.Sum(sum);
    }

    /// <summary>The filters h for p = 0 … phases−1, in one array with a common, vector-aligned length.</summary>
    private sealed class PhaseFilters
    {
        private readonly double _base;
        private readonly int _source, _target, _length;
        private readonly float[] _taps;
        private readonly int[] _starts;

        public PhaseFilters(int source, int target, int phases)
        {
            (_source, _target) = (source, target);
            _base = Math.Min(source, target) * RollOff;
            var support = (int)Math.Ceiling(2 * ZeroCrossings * source / _base) + 1;
            _length = (support + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;
            _taps = new float[phases * _length];
            _starts = new int[phases];
            for (var phase = 0; phase < phases; phase++) Fill(phase);
        }

        public ReadOnlySpan<float> Taps(int phase) => _taps.AsSpan(phase * _length, _length);

        /// <summary>First input index, counted from the phase's first input block, where |t| ≤ 6.</summary>
        public int Start(int phase) => _starts[phase];

        private void Fill(int phase)
        {
            var start = _starts[phase] = (int)Math.Ceiling(_source * ((double)phase / _target - ZeroCrossings / _base));
            for (var k = 0; k < _length; k++)
            {
                // m/o − p/n over a common denominator keeps the numerator an exact integer.
                var t = _base * ((long)(start + k) * _target - (long)phase * _source) / ((double)_source * _target);
                _taps[phase * _length + k] = (float)(Math.Abs(t) < ZeroCrossings ? _base / _source * Window(t) * Sinc(t) : 0);
            }
        }

        private static double Window(double t)
        {
            var c = Math.Cos(Math.PI * t / (2 * ZeroCrossings));
            return c * c;
        }

        private static double Sinc(double t) => t == 0 ? 1 : Math.Sin(Math.PI * t) / (Math.PI * t);
    }
}
