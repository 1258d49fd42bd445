using I2M.Model.Audio;
using I2M.Model.Vocos;

namespace I2M.Model.Benchmarks.Reference;

/// <summary>The Vocos vocoder in double precision for one mel, from weights under their checkpoint names; the inverse transform is summed from its definition.</summary>
/// <param name="config">Sizes.</param>
/// <param name="weights">Parameter name → values.</param>
internal sealed class DoubleVocos(VocosConfig config, IReadOnlyDictionary<string, double[]> weights)
{
    private const double Eps = 1e-6;
    private const int Taps = 7;

    /// <summary>Log-mel [bands, frames] → waveform.</summary>
    public double[] Decode(float[] mel, int frames)
    {
        int bands = config.Mel.Bands, dim = config.Dim;
        var x = new double[mel.Length];
        for (int t = 0; t < frames; t++)
        {
            for (int b = 0; b < bands; b++) { x[t * bands + b] = mel[b * frames + t]; }
        }
        double[] h = Norm("backbone.norm", Embed(x, frames));
        for (int i = 0; i < config.Layers; i++)
        {
            string name = $"backbone.convnext.{i}.";
            double[] expanded = Linear(name + "pwconv1", Norm(name + "norm", Depthwise(name + "dwconv", h, frames)), dim);
            double[] change = Linear(name + "pwconv2", DoubleMath.Map(expanded, DoubleMath.GeluErf), config.IntermediateDim);
            double[] gamma = weights[name + "gamma"], next = new double[h.Length];
            for (int k = 0; k < h.Length; k++) { next[k] = h[k] + gamma[k % dim] * change[k]; }
            h = next;
        }
        return Synthesise(Linear("head.out", Norm("backbone.final_layer_norm", h), dim), frames);
    }

    /// <summary>The first convolution: a linear layer over windows of seven frames.</summary>
    private double[] Embed(double[] x, int frames)
    {
        int bands = config.Mel.Bands, length = bands * Taps;
        var windows = new double[frames * length];
        for (int t = 0; t < frames; t++)
        {
            for (int j = 0; j < Taps; j++)
            {
                int from = t + j - Taps / 2;
                if (from < 0 || from >= frames) { continue; }
                for (int b = 0; b < bands; b++) { windows[t * length + b * Taps + j] = x[from * bands + b]; }
            }
        }
        return Linear("backbone.embed", windows, length);
    }

    private double[] Depthwise(string name, double[] x, int frames)
    {
        int dim = config.Dim;
        double[] weight = weights[name + ".weight"], bias = weights[name + ".bias"], y = new double[x.Length];
        for (int i = 0; i < y.Length; i++)
        {
            int t = i / dim, c = i % dim;
            y[i] = bias[c];
            for (int j = Math.Max(0, Taps / 2 - t); j < Math.Min(Taps, frames + Taps / 2 - t); j++) { y[i] += weight[c * Taps + j] * x[(t + j - Taps / 2) * dim + c]; }
        }
        return y;
    }

    /// <summary>Log-magnitudes and phases → spectra → windowed frames by the inverse Fourier sum → overlap, divided by the windows' squares.</summary>
    private double[] Synthesise(double[] head, int frames)
    {
        MelSettings mel = config.Mel;
        int n = mel.FftSize, bins = mel.Bins;
        double[] window = DoubleMath.Widen(MelSpectrogram.HannWindow(n));
        (double[] cosines, double[] sines) = (Waves(Math.Cos), Waves(Math.Sin));
        var (sum, envelope) = (new double[(frames - 1) * mel.HopLength + n], new double[(frames - 1) * mel.HopLength + n]);
        for (int t = 0; t < frames; t++)
        {
            var (re, im) = (new double[bins], new double[bins]);
            for (int k = 0; k < bins; k++)
            {
                double magnitude = Math.Min(Math.Exp(head[t * 2 * bins + k]), 100), phase = head[t * 2 * bins + bins + k], weight = k == 0 || k == bins - 1 ? 1 : 2;
                (re[k], im[k]) = (weight / n * magnitude * Math.Cos(phase), -weight / n * magnitude * Math.Sin(phase));
            }
            for (int i = 0; i < n; i++)
            {
                double value = DoubleMath.Dot(re, cosines.AsSpan(i * bins, bins)) + DoubleMath.Dot(im, sines.AsSpan(i * bins, bins));
                sum[t * mel.HopLength + i] += window[i] * value;
                envelope[t * mel.HopLength + i] += window[i] * window[i];
            }
        }
        var wave = new double[mel.SampleCount(frames)];
        for (int i = 0; i < wave.Length; i++) { wave[i] = sum[i + mel.Pad] / envelope[i + mel.Pad]; }
        return wave;

        double[] Waves(Func<double, double> f)
        {
            var table = new double[n * bins];
            for (int i = 0; i < table.Length; i++) { table[i] = f(2 * Math.PI * (i / bins * (i % bins) % n) / n); }
            return table;
        }
    }

    private double[] Norm(string name, double[] x)
    {
        double[] weight = weights[name + ".weight"], bias = weights[name + ".bias"];
        return DoubleMath.LayerNorm(x, config.Dim, Eps, (_, c) => weight[c], (_, c) => bias[c]);
    }

    private double[] Linear(string name, double[] x, int inputs)
    {
        double[] bias = weights[name + ".bias"];
        return DoubleMath.Linear(x, inputs, weights[name + ".weight"], bias, 0, bias.Length);
    }
}
