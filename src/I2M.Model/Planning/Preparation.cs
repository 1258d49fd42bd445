using System.Diagnostics;
using I2M.Model.Audio;
using I2M.Model.Data;
using I2M.Model.Dit;
using I2M.Model.Images;
using I2M.Model.Training;

namespace I2M.Model.Planning;

/// <summary>
/// What <see cref="BatchLoader"/> does beside a step, on as many threads, with made-up mels and pictures that are in memory. Where its threads and those that compute share the
/// processors, a step is longer by more than the share: whoever waits for the last rows of an operation waits for a thread that has lost its processor. So that is measured.
/// </summary>
internal sealed class Preparation
{
    /// <summary>Of a step's time, what the samples beside it may take: those of a run, whose steps are longer, fit into them as well.</summary>
    private const double ShareOfStep = 0.5;
    private readonly TrainConfig _config;
    private readonly MelNormalizer _normalizer;
    private readonly RgbImage _picture;
    private readonly float[] _mel;
    private readonly float[][] _normalised, _tokens;
    private readonly ParallelOptions _workers = new() { MaxDegreeOfParallelism = BatchLoader.DefaultWorkers };
    private readonly double _alone;
    private readonly int _samples;

    /// <param name="config">Sizes, augmentation, samples of a batch.</param>
    /// <param name="stepSeconds">Time of the step that it will stand beside.</param>
    public Preparation(TrainConfig config, double stepSeconds)
    {
        (_config, _normalizer) = (config, MelNormalizer.CompatSeed(config.Mel));
        DitConfig model = config.Model;
        int size = model.ImageSize, batch = config.BatchSize;
        _picture = new RgbImage(size, size, new byte[3 * size * size]);
        _mel = Calibration.Waves(model.MelBands * model.MelFrames);
        (_normalised, _tokens) = (Buffers(batch, _mel.Length), Buffers(batch, 3 * size * size));
        Prepare(batch); // Compiles.
        long start = Stopwatch.GetTimestamp();
        Prepare(batch);
        _alone = Stopwatch.GetElapsedTime(start).TotalSeconds / batch;
        _samples = (int)Math.Clamp(ShareOfStep * stepSeconds / _alone, 1, batch);
    }

    /// <summary>Prepares samples on other threads while a step is made.</summary>
    /// <param name="step">Makes it and returns its seconds.</param>
    public double Beside(Func<double> step)
    {
        Task task = Task.Run(() => Prepare(_samples));
        double seconds = step();
        task.Wait();
        return seconds;
    }

    /// <summary>
    /// Seconds that a step is longer for each sample: between an even share of the processors and the whole time of the threads that prepare. Medians, because what disturbs
    /// a long step is more than its few samples.
    /// </summary>
    /// <param name="plain">Steps by themselves.</param>
    /// <param name="accompanied">Steps with samples prepared beside them.</param>
    public double SecondsPerSample(IReadOnlyList<double> plain, IReadOnlyList<double> accompanied)
    {
        double busy = _alone * Math.Min(_workers.MaxDegreeOfParallelism, _config.BatchSize);
        return Math.Clamp((Median(accompanied) - Median(plain)) / _samples, busy / Environment.ProcessorCount, busy);
    }

    private void Prepare(int samples) => Parallel.For(0, samples, _workers, i =>
    {
        int size = _config.Model.ImageSize;
        _normalizer.Normalize(_mel, _normalised[i]);
        ImageTensor.ToChw(_config.Augment ? ImageAugment.Apply(_picture, size, size, _config.Seed, 0, i + 1, _config.Augmentation) : _picture, _tokens[i]);
    });

    private static float[][] Buffers(int count, int length) => [.. Enumerable.Range(0, count).Select(_ => new float[length])];

    private static double Median(IReadOnlyList<double> values)
    {
        double[] sorted = [.. values.Order()];
        return 0.5 * (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]);
    }
}
