using I2M.Kernels;

namespace I2M.Testing;

public static partial class Compositions
{
    /// <summary>The discrete Fourier transform of rows of n samples by its definition: [rows, n/2+1, 2].</summary>
    public static Node RealFft(Node x, int n, double edge, double interior)
    {
        int bins = n / 2 + 1, rows = x.Value.Length / n;
        Node matrix = Node.Leaf(DftMatrix(n, edge, interior), 1, n, 2 * bins);
        return Node.MatMul(x.Reshape(1, rows, n), matrix).Reshape(rows, bins, 2);
    }

    /// <summary>The adjoint of <see cref="RealFft"/>, which with edge 1/n and interior 2/n is its inverse: [rows, n].</summary>
    public static Node InverseRealFft(Node spectrum, int n, double edge, double interior)
    {
        int bins = n / 2 + 1, rows = spectrum.Value.Length / (2 * bins);
        Node matrix = Node.Leaf(DftMatrix(n, edge, interior), 1, n, 2 * bins).SwapLast();
        return Node.MatMul(spectrum.Reshape(1, rows, 2 * bins), matrix).Reshape(rows, n);
    }

    /// <summary>Row j holds s_k·(cos, −sin)(2πjk/n) for every bin k; the angle is reduced modulo n in integers first.</summary>
    private static double[] DftMatrix(int n, double edge, double interior)
    {
        int bins = n / 2 + 1;
        var cos = new double[n];
        var sin = new double[n];
        for (int i = 0; i < n; i++) { (sin[i], cos[i]) = (Math.Sin(2 * Math.PI * i / n), Math.Cos(2 * Math.PI * i / n)); }
        var matrix = new double[n * 2 * bins];
        for (int j = 0; j < n; j++)
        {
            for (int k = 0; k < bins; k++)
            {
                bool atEdge = k == 0 || k == n / 2;
                int turn = (int)((long)j * k % n);
                matrix[(j * bins + k) * 2] = (atEdge ? edge : interior) * cos[turn];
                matrix[(j * bins + k) * 2 + 1] = atEdge ? 0 : -interior * sin[turn];
            }
        }
        return matrix;
    }

    /// <summary>window[j] · wave[b, reflect(f·hop + j − pad)]: [batch, frames, size].</summary>
    public static Node Frame(Node wave, Node? window, FrameShape s)
    {
        int perWave = s.Frames * s.Size;
        Node frames = wave.Gather([s.Batch, s.Frames, s.Size], i =>
            i / perWave * s.Samples + Reflect(i / s.Size % s.Frames * s.Hop + i % s.Size - s.Pad, s.Samples));
        return window is null ? frames : frames * window.TileTo(frames.Shape);
    }

    /// <summary>Σ_f window[j]·frames[b,f,j] / Σ_f window[j]²; samples under no window are 0.</summary>
    public static Node OverlapAdd(Node frames, Node? window, OverlapAddShape s)
    {
        double[] weights = window?.Value ?? [.. Enumerable.Repeat(1.0, s.Size)];
        Node windowed = frames * Node.Leaf(weights, s.Size).TileTo(frames.Shape);
        Node sum = windowed.ScatterAdd([s.Batch, s.Samples], i => Target(s, i));
        var scale = new double[s.Samples];
        for (int i = 0; i < s.Frames * s.Size; i++)
        {
            int sample = Target(s, i);
            if (sample >= 0) { scale[sample] += weights[i % s.Size] * weights[i % s.Size]; }
        }
        return sum * Node.Leaf(Array.ConvertAll(scale, e => e < 1e-11 ? 0 : 1 / e), s.Samples).TileTo(s.Batch, s.Samples);
    }

    /// <summary>√(re² + im²).</summary>
    public static Node Magnitude(Node spectrum)
    {
        int count = spectrum.Value.Length / 2;
        Node re = spectrum.Half(0, count), im = spectrum.Half(1, count);
        return (re * re + im * im).Sqrt();
    }

    /// <summary>min(e^m, limit) · (cos p, sin p) from [rows, 2·bins]: [rows, bins, 2].</summary>
    public static Node PolarSpectrum(Node x, int bins, double limit)
    {
        int rows = x.Value.Length / (2 * bins);
        Node magnitude = x.Gather([rows, bins], i => i / bins * 2 * bins + i % bins).Exp().AtMost(limit);
        Node phase = x.Gather([rows, bins], i => i / bins * 2 * bins + bins + i % bins);
        return Node.Interleave(magnitude * phase.Cos(), magnitude * phase.Sin());
    }

    /// <summary>Mirrors an index into [0, length) without repeating the edge.</summary>
    private static int Reflect(int index, int length)
    {
        int period = Math.Max(1, 2 * (length - 1));
        int folded = (index % period + period) % period;
        return folded < length ? folded : period - folded;
    }

    private static int Target(OverlapAddShape s, int i)
    {
        int sample = i / s.Size % s.Frames * s.Hop + i % s.Size - s.Trim;
        return sample < 0 || sample >= s.Samples ? -1 : i / (s.Size * s.Frames) * s.Samples + sample;
    }
}
