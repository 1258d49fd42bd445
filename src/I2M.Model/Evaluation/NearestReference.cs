using System.Numerics;
using I2M.Kernels;

namespace I2M.Model.Evaluation;

/// <summary>
/// Tells which class a mel is closest to: dynamic time warping against reference mels of every class, so that a slower or later
/// word still matches. Mels are clipped at an audible floor and averaged over four frames first.
/// </summary>
public sealed class NearestReference
{
    private const int Pool = 4, Band = 12;
    private const float Floor = -11.5f;
    private readonly List<(int Class, float[] Frames)> _references = [];
    private readonly int _bands, _frames;

    /// <param name="bands">Mel bands.</param>
    /// <param name="frames">Frames of every mel.</param>
    public NearestReference(int bands, int frames)
    {
        if (frames < Pool) { throw new I2MException($"a mel of {frames} frames is too short to compare: expected at least {Pool}"); }
        (_bands, _frames) = (bands, frames);
    }

    /// <summary>Adds a real mel [bands, frames] of a class.</summary>
    public void Add(int classIndex, ReadOnlySpan<float> mel) => _references.Add((classIndex, Compress(mel)));

    /// <summary>The class of the nearest reference; some class also for a mel that is not a number.</summary>
    public int Classify(ReadOnlySpan<float> mel)
    {
        float[] frames = Compress(mel);
        double best = double.PositiveInfinity;
        int winner = -1;
        foreach (var (classIndex, reference) in _references)
        {
            double distance = Warp(frames, reference, best);
            if (winner < 0 || distance < best) { (best, winner) = (distance, classIndex); }
        }
        return winner;
    }

    /// <summary>[bands, frames] → [frames/4, bands], each value the mean of four frames.</summary>
    private float[] Compress(ReadOnlySpan<float> mel)
    {
        int count = _frames / Pool;
        var result = new float[count * _bands];
        for (int f = 0; f < count; f++)
        {
            for (int b = 0; b < _bands; b++)
            {
                float sum = 0;
                for (int i = 0; i < Pool; i++) { sum += Math.Max(mel[b * _frames + f * Pool + i], Floor); }
                result[f * _bands + b] = sum / Pool;
            }
        }
        return result;
    }

    /// <summary>The least sum of squared distances along a monotone path within a band around the diagonal; gives up above <paramref name="limit"/>.</summary>
    private double Warp(float[] a, float[] b, double limit)
    {
        int count = a.Length / _bands;
        double[] previous = new double[count + 1], current = new double[count + 1];
        Array.Fill(previous, double.PositiveInfinity);
        previous[0] = 0;
        for (int i = 1; i <= count; i++)
        {
            Array.Fill(current, double.PositiveInfinity);
            double least = double.PositiveInfinity;
            for (int j = Math.Max(1, i - Band); j <= Math.Min(count, i + Band); j++)
            {
                double step = Math.Min(previous[j - 1], Math.Min(previous[j], current[j - 1]));
                current[j] = step + Distance(a.AsSpan((i - 1) * _bands, _bands), b.AsSpan((j - 1) * _bands, _bands));
                least = Math.Min(least, current[j]);
            }
            if (least >= limit) { return double.PositiveInfinity; }
            (previous, current) = (current, previous);
        }
        return previous[count];
    }

    private static float Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        Vector<float> sum = Vector<float>.Zero;
        int i = 0;
        for (; i <= a.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> d = new Vector<float>(a[i..]) - new Vector<float>(b[i..]);
            sum += d * d;
        }
        float total = Vector.Sum(sum);
        for (; i < a.Length; i++) { total += (a[i] - b[i]) * (a[i] - b[i]); }
        return total;
    }
}
