using I2M.Autograd;
using I2M.Kernels;
using I2M.Model.Dit;
using I2M.Model.Images;
using I2M.Model.Training;

namespace I2M.Model.Diffusion;

/// <summary>
/// Draws the samples of several pictures together, all on the device: pictures, timesteps and kept conditions go there in one copy, then every step is queued without
/// a wait, with both halves of guidance in one batch, the pictures' keys and values computed once, and the state never leaving the device. Where the device
/// records work, the network's part of a step is recorded once and replayed. Sample i draws from the noise stream <see cref="RandomStreams.Sampling"/> + first + i,
/// so that it does not depend on the others. Its tensors belong to the scope it was made in; dispose it after the results were read.
/// </summary>
internal sealed class BatchSampler : IDisposable
{
    /// <summary>Parts of the uploaded block start at multiples of so many words, as buffers do.</summary>
    private const int Align = 64;
    /// <summary>Steps that are queued before one is recorded: kernels are compiled by then.</summary>
    private const int WarmSteps = 1;
    private readonly IBackend _backend;
    private readonly DitModel _model;
    private readonly GenerateOptions _options;
    private readonly SamplerStep[] _plan;
    private readonly DataRange _range;
    private readonly int _count, _batch;
    private readonly long _values, _pixels;
    private readonly Tensor _inputs, _x, _prediction, _noise;
    private readonly Tensor[] _samples;
    private readonly IUpload _upload;
    private readonly BufferReserve _memory;
    private ImageCondition? _condition;
    private Tensor? _modulation;
    private RecordedWork? _recorded;
    private bool _records = true;

    /// <param name="backend">Where.</param>
    /// <param name="model">The network.</param>
    /// <param name="sampler">The steps.</param>
    /// <param name="options">Guidance and seed.</param>
    /// <param name="count">Pictures.</param>
    public BatchSampler(IBackend backend, DitModel model, ISampler sampler, GenerateOptions options, int count)
    {
        (_backend, _model, _options, _plan, _range, _count) = (backend, model, options, sampler.Plan(), sampler.Range, count);
        DitConfig config = model.Config;
        _batch = IsGuided ? 2 * count : count;
        (_values, _pixels) = ((long)config.MelTokens * config.MelTokenLength, 3L * config.ImageSize * config.ImageSize);
        _x = Tensor.Empty(backend, _batch, config.MelTokens, config.MelTokenLength);
        (_prediction, _noise) = (OfSamples(), OfSamples());
        _samples = [OfSamples(), OfSamples()];
        _inputs = Tensor.Empty(backend, checked((int)(FeaturesAt + (long)(_plan.Length + DitModel.FewestTableRows) * TimestepEmbedding.Features)));
        _upload = backend.OpenUpload(_inputs.View);
        _memory = backend.Pool.CreateReserve();

        Tensor OfSamples() => Tensor.Empty(backend, count, config.MelTokens, config.MelTokenLength);
    }

    /// <summary>Whether the network's part of a step is recorded where the device can do that.</summary>
    public bool RecordsSteps { init => _records = value; }

    private bool IsGuided => _options.Guidance != 1;

    private long KeepAt => Aligned(_batch * _pixels);

    private long FeaturesAt => KeepAt + Aligned(_batch);

    /// <summary>Queues everything.</summary>
    /// <param name="pictures">As many as were announced.</param>
    /// <param name="progress">Called with the steps queued and their number; the device is not far behind.</param>
    /// <param name="cancel">Stops between two steps.</param>
    /// <returns>Tokens [count, melTokens, melTokenLength].</returns>
    public Tensor Run(IReadOnlyList<RgbImage> pictures, Action<int, int>? progress, CancellationToken cancel)
    {
        int[] timesteps = [.. _plan.Select(s => s.Timestep)];
        Send(pictures, timesteps);
        _condition = Encode();
        using var modulations = new SamplingModulations(_model, timesteps, _condition, _batch, FeaturesOf(timesteps.Length));
        FillNoise(0, _x.View);
        CopyToUnguided();
        for (int i = 0; i < _plan.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            var (table, place) = modulations.At(_plan[i].Timestep);
            using (Tensor modulation = table.Of(place))
            {
                _modulation ??= Tensor.Empty(_backend, modulation.Type, modulation.Shape.ToArray());
                _backend.Copy(modulation.Data, _modulation.Data);
            }
            QueuePrediction(i);
            Advance(_plan[i], i);
            progress?.Invoke(i + 1, _plan.Length);
        }
        return _x.SliceRows(0, _count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _recorded?.Dispose();
        _upload.Dispose();
        _memory.Dispose();
    }

    private static long Aligned(long words) => (words + Align - 1) / Align * Align;

    /// <summary>Pictures, followed for guidance by the same with the null condition in their place, and the timesteps' features.</summary>
    private void Send(IReadOnlyList<RgbImage> pictures, int[] timesteps)
    {
        int size = _model.Config.ImageSize;
        Span<float> block = _upload.Map();
        for (int i = 0; i < _batch; i++)
        {
            Span<float> data = block.Slice((int)(i * _pixels), (int)_pixels);
            if (i < _count) { ImageTensor.ToChw(ImageResize.Bilinear(pictures[i], size, size), data); }
            else { block.Slice((int)((i - _count) * _pixels), (int)_pixels).CopyTo(data); }
            block[(int)KeepAt + i] = i < _count ? 1 : 0;
        }
        _model.FilledFeatures(timesteps).CopyTo(block[(int)FeaturesAt..]);
        _upload.Send();
    }

    private ImageCondition Encode()
    {
        int size = _model.Config.ImageSize;
        Tensor pictures = Tensor.Over(_backend, _inputs.View.Slice(0, _batch * _pixels), _batch, 3, size, size);
        using Tensor tokens = pictures.Patchify(_model.Config.ImagePatches(_batch));
        return _model.EncodeImage(tokens, Tensor.Over(_backend, _inputs.View.Slice(KeepAt, _batch), _batch));
    }

    private Tensor FeaturesOf(int steps) =>
        Tensor.Over(_backend, _inputs.View.From(FeaturesAt), steps + DitModel.FewestTableRows, TimestepEmbedding.Features);

    /// <summary>Replays the network's part of a step, records it when it is time, or queues it.</summary>
    private void QueuePrediction(int step)
    {
        // A recording pays off where it is replayed.
        if (_recorded is null && _records && step >= WarmSteps && step < _plan.Length - 1 && _backend is IWorkRecorder { CanRecord: true } recorder)
        {
            try { _recorded = recorder.Record(_memory, Predict); }
            catch (RecordingException) { _records = false; }
        }
        if (_recorded is not null)
        {
            _recorded.Replay();
            return;
        }
        using BufferReserve.Use memory = _memory.Begin();
        Predict();
    }

    /// <summary>The guided prediction. Nothing here depends on the step but through x and the modulations, which stay at their addresses.</summary>
    private void Predict()
    {
        using var scope = new TensorScope();
        BufferView output = _model.DenoiseWith(_x, _modulation!, _condition!).View;
        long half = _prediction.Length;
        if (IsGuided) { _backend.GuideRows(output.Slice(0, half), output.From(half), _count, (float)_options.Guidance, (float)_options.GuidanceRescale, _prediction.View); }
        else { _backend.Copy(output, _prediction.View); }
    }

    private void Advance(SamplerStep s, int number)
    {
        BufferView x = _x.View.Slice(0, _prediction.Length), p = _prediction.View, x0 = _samples[number % 2].View, before = _samples[1 - number % 2].View;
        _backend.Axpby((float)s.FromState, x, (float)s.FromPrediction, p, x0);
        _backend.Clamp(x0, (float)_range.Low, (float)_range.High, x0);
        _backend.Axpby((float)s.State, x, (float)s.Sample, x0, x);
        if (s.Before != 0) { _backend.Axpby(1, x, (float)s.Before, before, x); }
        if (s.Prediction != 0) { _backend.Axpby(1, x, (float)s.Prediction, p, x); }
        if (s.Noise > 0)
        {
            FillNoise(number + 1, _noise.View);
            _backend.Axpby(1, x, (float)s.Noise, _noise.View, x);
        }
        CopyToUnguided();
    }

    /// <summary>Normal numbers of each picture's own stream: the initial noise is block 0, that of step s block s + 1.</summary>
    private void FillNoise(int block, BufferView destination)
    {
        for (int i = 0; i < _count; i++)
        {
            _backend.RandomNormal(_options.Seed, RandomStreams.Sampling + (ulong)(_options.FirstPicture + i), block * _values, destination.Slice(i * _values, _values));
        }
    }

    /// <summary>The unconditional half of the batch denoises the same state.</summary>
    private void CopyToUnguided()
    {
        if (IsGuided) { _backend.Copy(_x.View.Slice(0, _prediction.Length), _x.View.From(_prediction.Length)); }
    }
}
