using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;
using I2M.Model.Vocos;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>
/// A mel through Vocos with random weights, from host memory to host memory. The waveform is verified whole
/// against <see cref="DoubleVocos"/>.
/// </summary>
public sealed class VocosCase : BenchmarkCase
{
    private const double Limit = 1e-4;
    private readonly VocosConfig _config;
    private readonly VocosVocoder _vocoder;
    private readonly float[] _mel;
    private readonly int _frames;

    /// <param name="backend">Where.</param>
    /// <param name="config">Sizes.</param>
    /// <param name="frames">Mel frames.</param>
    public VocosCase(IBackend backend, VocosConfig config, int frames) : base(backend)
    {
        (_config, _frames) = (config, frames);
        _vocoder = new VocosVocoder(backend, _config, "random", trainable: false);
        Initialise(_vocoder.Arena);
        _mel = RandomWeights.Normal(backend, 1, _config.Mel.Bands * frames);
        double perFrame = 7.0 * _config.Mel.Bands * _config.Dim + _config.Layers * (7.0 * _config.Dim + 2.0 * _config.Dim * _config.IntermediateDim) + _config.Dim * (_config.Mel.FftSize + 2.0);
        double words = _vocoder.Arena.Length + _mel.Length + (double)_config.Mel.SampleCount(frames);
        Work = new BenchmarkWork(BenchmarkBound.Compute, 2 * perFrame * frames, 4 * words);
    }

    /// <inheritdoc/>
    public override void Queue() => _vocoder.Decode(_mel, _frames);

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        float[] wave = _vocoder.Decode(_mel, _frames);
        double[] expected = new DoubleVocos(_config, RandomWeights.Widen(_vocoder.Arena)).Decode(_mel, _frames);
        return Verification.Check("waveform", wave, expected, Limit, i => $"sample {i}");
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
