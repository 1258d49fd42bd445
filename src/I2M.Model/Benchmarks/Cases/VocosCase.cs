using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;
using I2M.Model.Vocos;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>
/// Mels through Vocos with random weights, from host memory to host memory. The first and the last waveform are verified whole
/// against <see cref="DoubleVocos"/>.
/// </summary>
public sealed class VocosCase : BenchmarkCase
{
    private const double Limit = 1e-4;
    private readonly VocosConfig _config;
    private readonly VocosVocoder _vocoder;
    private readonly float[] _mel;
    private readonly int _batch, _frames;

    /// <param name="backend">Where.</param>
    /// <param name="frames">Mel frames of a waveform.</param>
    /// <param name="batch">Waveforms at once.</param>
    /// <param name="config">Sizes; those of the published model unless given.</param>
    public VocosCase(IBackend backend, int frames, int batch = 1, VocosConfig? config = null) : base(backend)
    {
        (_config, _batch, _frames) = (config ?? new VocosConfig(), batch, frames);
        _vocoder = new VocosVocoder(backend, _config, "random", trainable: false);
        Initialise(_vocoder.Arena);
        _mel = RandomWeights.Normal(backend, 1, batch * _config.Mel.Bands * frames);
        double perFrame = 7.0 * _config.Mel.Bands * _config.Dim + _config.Layers * (7.0 * _config.Dim + 2.0 * _config.Dim * _config.IntermediateDim) + _config.Dim * (_config.Mel.FftSize + 2.0);
        double samples = (double)batch * _config.Mel.SampleCount(frames), words = _vocoder.Arena.Length + _mel.Length + samples;
        Work = new BenchmarkWork(BenchmarkBound.Compute, 2 * perFrame * batch * frames, 4 * words) { Amount = samples / _config.Mel.SampleRate, Product = "seconds of audio" };
    }

    /// <inheritdoc/>
    public override void Queue() => Decode();

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        float[] waves = Decode();
        var reference = new DoubleVocos(_config, RandomWeights.Widen(_vocoder.Arena));
        int values = _mel.Length / _batch, samples = waves.Length / _batch;
        double worst = 0;
        foreach (int item in new[] { 0, _batch - 1 }.Distinct())
        {
            cancel.ThrowIfCancellationRequested();
            double[] expected = reference.Decode(_mel[(item * values)..((item + 1) * values)], _frames);
            worst = Math.Max(worst, Verification.Check($"waveform {item}", waves.AsSpan(item * samples, samples), expected, Limit, i => $"sample {i}"));
        }
        return worst;
    }

    private float[] Decode()
    {
        using var scope = new TensorScope();
        return _vocoder.Decode(Tensor.From(Backend, _mel, _batch, _config.Mel.Bands, _frames)).ToArray();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _vocoder.Dispose();
        base.Dispose();
    }

    /// <summary>The vocoder's arena starts with zeros, as weights are usually loaded.</summary>
    private static void Initialise(ParameterArena arena)
    {
        foreach (ParameterArena.Entry entry in arena.Entries)
        {
            var values = new float[entry.Parameter.Length];
            entry.Parameter.Initializer(values, entry.Parameter.Shape, 1, (ulong)entry.Offset);
            arena.Write(entry, arena.Values, values);
        }
        RandomWeights.Fill(arena);
        arena.PackWeights();
    }
}
