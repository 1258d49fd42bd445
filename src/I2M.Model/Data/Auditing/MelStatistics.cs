using I2M.Model.Audio;

namespace I2M.Model.Data.Auditing;

/// <summary>
/// Sums over mels from which mean, deviation, class means and mean squared distances between clips follow, without keeping any mel. Values are added as integers
/// in steps of 2^−16, so the result does not depend on the order in which threads add; memory depends on classes and the mel's size alone.
/// </summary>
/// <remarks>
/// For clips a of class A and b of class B: E‖a − b‖² = S_A + S_B + ‖μ_A − μ_B‖² with μ the class's mean and S the sum of its variances over all values.
/// </remarks>
public sealed class MelStatistics
{
    /// <summary>Most classes whose sums are kept; clips of further ones count in the statistics of bands alone.</summary>
    public const int MaxClasses = 100;

    private const double Step = 1.0 / 65_536;
    private readonly Lock _lock = new();
    private readonly ClassSums[] _classes;
    private readonly long[] _bandSums;
    private readonly Int128[] _bandSquares;
    private long _speechFrames;
    private long _highest = long.MinValue;

    /// <param name="bands">Mel bands.</param>
    /// <param name="frames">Frames of every mel.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="floor">Lower values are raised to this level first.</param>
    public MelStatistics(int bands, int frames, int classes, double floor)
    {
        (Bands, Frames, Floor) = (bands, frames, floor);
        _classes = [.. Enumerable.Range(0, Math.Min(classes, MaxClasses)).Select(_ => new ClassSums(bands * frames))];
        (_bandSums, _bandSquares) = (new long[bands], new Int128[bands]);
    }

    /// <summary>Mel bands.</summary>
    public int Bands { get; }

    /// <summary>Frames of every mel.</summary>
    public int Frames { get; }

    /// <summary>The floor.</summary>
    public double Floor { get; }

    /// <summary>Classes whose sums are kept.</summary>
    public int Classes => _classes.Length;

    /// <summary>Frames in which somebody speaks.</summary>
    public long SpeechFrames => _speechFrames;

    /// <summary>Adds a clip; may be called from several threads.</summary>
    /// <param name="mel">Log-mel, [bands, frames].</param>
    /// <param name="uses">Classes of the pairs that use it, and how many pairs of each; a class below 0 is none.</param>
    public void Add(ReadOnlySpan<float> mel, IReadOnlyList<(int Class, int Count)> uses)
    {
        var values = new int[mel.Length];
        for (int i = 0; i < values.Length; i++) { values[i] = (int)Math.Round(Math.Max(mel[i], Floor) / Step); }
        AddBands(values, mel, uses.Sum(u => u.Count));
        Int128 squares = 0;
        foreach (int v in values) { squares += (long)v * v; }
        foreach (var (c, count) in uses.Where(u => u.Class >= 0 && u.Class < _classes.Length)) { _classes[c].Add(values, squares, count); }
    }

    /// <summary>Mean over the speech frames of all clips, as <see cref="MelNormalizer.Measure"/>.</summary>
    public double Mean => Total(_bandSums) * Step / ((double)_speechFrames * Bands);

    /// <summary>Standard deviation over the speech frames of all clips.</summary>
    public double Deviation => Math.Sqrt(Math.Max(1e-6, (double)_bandSquares.Aggregate((Int128)0, (a, b) => a + b) * Step * Step / ((double)_speechFrames * Bands) - Mean * Mean));

    /// <summary>Highest value in a speech frame.</summary>
    public double Highest => _highest * Step;

    /// <summary>Mean and standard deviation of a band over the speech frames.</summary>
    public (double Mean, double Deviation) Band(int band)
    {
        double mean = _bandSums[band] * Step / _speechFrames;
        return (mean, Math.Sqrt(Math.Max(0, (double)_bandSquares[band] * Step * Step / _speechFrames - mean * mean)));
    }

    /// <summary>Clips of a class, each counted once for every pair that uses it.</summary>
    public long Count(int c) => _classes[c].Count;

    /// <summary>Sum over all values of the variance within a class, unbiased; 0 for a class of one clip.</summary>
    public double Spread(int c) => _classes[c].Spread;

    /// <summary>‖μ_A − μ_B‖² of two classes' means; of chance alone it would be S_A/n_A + S_B/n_B.</summary>
    public double MeanDistanceSquared(int a, int b) => _classes[a].DistanceSquared(_classes[b]);

    private static double Total(long[] sums) => (double)sums.Aggregate((Int128)0, (total, s) => total + s);

    private void AddBands(int[] values, ReadOnlySpan<float> mel, int count)
    {
        var (sums, squares) = (new long[Bands], new long[Bands]);
        long frames = 0, highest = long.MinValue;
        for (int f = 0; f < Frames; f++)
        {
            float loudest = float.NegativeInfinity;
            for (int b = 0; b < Bands; b++) { loudest = Math.Max(loudest, mel[b * Frames + f]); }
            if (loudest < MelNormalizer.DefaultFloor + 3) { continue; }
            frames++;
            for (int b = 0; b < Bands; b++)
            {
                long v = values[b * Frames + f];
                sums[b] += v;
                squares[b] += v * v;
                highest = Math.Max(highest, v);
            }
        }
        lock (_lock)
        {
            _speechFrames += frames * count;
            _highest = Math.Max(_highest, highest);
            for (int b = 0; b < Bands; b++)
            {
                _bandSums[b] += sums[b] * count;
                _bandSquares[b] += (Int128)squares[b] * count;
            }
        }
    }

    private sealed class ClassSums(int length)
    {
        private readonly Lock _lock = new();
        private readonly long[] _sums = new long[length];
        private Int128 _squares;

        public long Count { get; private set; }

        public double Spread
        {
            get
            {
                if (Count < 2) { return 0; }
                double ofMean = 0;
                foreach (long s in _sums) { ofMean += Square(s * Step / Count); }
                return Math.Max(0, (double)_squares * Step * Step / Count - ofMean) * Count / (Count - 1);
            }
        }

        public void Add(int[] values, Int128 squares, int count)
        {
            lock (_lock)
            {
                Count += count;
                _squares += squares * count;
                for (int i = 0; i < values.Length; i++) { _sums[i] += (long)values[i] * count; }
            }
        }

        public double DistanceSquared(ClassSums other)
        {
            double sum = 0;
            for (int i = 0; i < _sums.Length; i++) { sum += Square(_sums[i] * Step / Count - other._sums[i] * Step / other.Count); }
            return sum;
        }

        private static double Square(double x) => x * x;
    }
}
