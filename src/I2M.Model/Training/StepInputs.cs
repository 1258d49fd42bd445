using System.Runtime.InteropServices;
using I2M.Autograd;
using I2M.Autograd.Optim;
using I2M.Kernels;
using I2M.Model.Data;
using I2M.Model.Diffusion;
using I2M.Model.Dit;

namespace I2M.Model.Training;

/// <summary>
/// Everything that changes from one part of a step to the next, in one block of device memory at a fixed address, brought there by one copy: pictures and mels as tokens,
/// mixing weights, kept conditions, timesteps, labels, the position in the noise, and the optimiser's scalars. The work itself then is the same every time.
/// </summary>
internal sealed class StepInputs : IDisposable
{
    /// <summary>Places start at multiples of so many words, as buffers do.</summary>
    private const int Align = 64;
    private readonly IBackend _backend;
    private readonly TrainConfig _config;
    private readonly BufferView _block;
    private readonly IUpload _upload;
    private readonly Place _mels, _images, _mix, _keep, _features, _labels, _number, _scalars;

    /// <summary>Part of the block.</summary>
    private readonly record struct Place(int Offset, int Length)
    {
        public Span<float> In(Span<float> block) => block.Slice(Offset, Length);
    }

    /// <param name="backend">Where.</param>
    /// <param name="config">Sizes; the block has room for <see cref="TrainConfig.BatchSize"/> samples.</param>
    public StepInputs(IBackend backend, TrainConfig config)
    {
        (_backend, _config) = (backend, config);
        DitConfig model = config.Model;
        int samples = config.BatchSize, end = 0;
        _mels = Next(model.MelTokens * model.MelTokenLength, samples);
        _images = Next(model.ImageTokens * model.ImageTokenLength, samples);
        _mix = Next(4, samples);
        _keep = Next(1, samples);
        _features = Next(TimestepEmbedding.Features, samples);
        _labels = Next(1, samples);
        _number = Next(2, 1);
        _scalars = Next(AdamWOptimizer.ScalarWords, 1);
        _block = backend.Pool.Rent(end);
        _upload = backend.OpenUpload(_block);

        Place Next(int each, int count)
        {
            var place = new Place(end, checked(each * count));
            end = checked((place.Offset + place.Length + Align - 1) / Align * Align);
            return place;
        }
    }

    /// <summary>Mel tokens [samples, melTokens, melTokenLength].</summary>
    public Tensor Mels(int samples) => Over(_mels, samples, _config.Model.MelTokens, _config.Model.MelTokenLength);

    /// <summary>Picture tokens [samples, imageTokens, imageTokenLength].</summary>
    public Tensor Images(int samples) => Over(_images, samples, _config.Model.ImageTokens, _config.Model.ImageTokenLength);

    /// <summary>As <see cref="IBackend.QSample"/> takes it, [4, samples].</summary>
    public BufferView Mix(int samples) => _block.Slice(_mix.Offset, 4 * samples);

    /// <summary>1 keeps a sample's picture, [samples].</summary>
    public Tensor Keep(int samples) => Over(_keep, samples);

    /// <summary>Features of the timesteps, [samples, features].</summary>
    public Tensor Features(int samples) => Over(_features, samples, TimestepEmbedding.Features);

    /// <summary>Class indices, [samples].</summary>
    public Tensor Labels(int samples) => Over(_labels, samples);

    /// <summary>The number of the part, a 64-bit integer in two words.</summary>
    public BufferView Number => _block.Slice(_number.Offset, _number.Length);

    /// <summary>As <see cref="AdamWOptimizer.Queue"/> takes them.</summary>
    public BufferView Scalars => _block.Slice(_scalars.Offset, _scalars.Length);

    /// <summary>Writes a part's data and queues their copy to the device; where nothing is computed, writes nothing.</summary>
    /// <param name="batch">At least so many samples.</param>
    /// <param name="targets">Timesteps and mixing weights of so many samples.</param>
    /// <param name="keep">1 keeps a sample's picture.</param>
    /// <param name="number">Number of the part.</param>
    /// <param name="scalars">Writes the optimiser's scalars into its argument; null where no update follows.</param>
    public void Send(Batch batch, DiffusionTargets targets, ReadOnlySpan<float> keep, long number, ScalarWriter? scalars)
    {
        int samples = targets.Timesteps.Length;
        DitConfig model = _config.Model;
        if (samples > _config.BatchSize) { throw new ArgumentException($"{samples} samples given, room for {_config.BatchSize}.", nameof(targets)); }
        Span<float> block = _upload.Map();
        if (block.IsEmpty)
        {
            _upload.Send();
            return;
        }
        HostPatches.Write(batch.Mels, model.MelPatches(samples), _mels.In(block));
        HostPatches.Write(batch.Images, model.ImagePatches(samples), _images.In(block));
        Span<float> mix = _mix.In(block);
        targets.SignalScale.CopyTo(mix);
        targets.NoiseScale.CopyTo(mix[samples..]);
        targets.TargetSample.CopyTo(mix[(2 * samples)..]);
        targets.TargetNoise.CopyTo(mix[(3 * samples)..]);
        keep.CopyTo(_keep.In(block));
        TimestepEmbedding.WriteFeatures(targets.Timesteps, model.CompatSeed, _features.In(block));
        batch.Labels.AsSpan(0, samples).CopyTo(MemoryMarshal.Cast<float, int>(_labels.In(block)));
        MemoryMarshal.Cast<float, long>(_number.In(block))[0] = number;
        scalars?.Invoke(_scalars.In(block));
        _upload.Send();
    }

    /// <summary>Writes <see cref="AdamWOptimizer.ScalarWords"/> words.</summary>
    public delegate void ScalarWriter(Span<float> destination);

    /// <inheritdoc/>
    public void Dispose()
    {
        _upload.Dispose();
        _backend.Pool.Return(_block);
    }

    private Tensor Over(Place place, params int[] shape) => Tensor.Over(_backend, _block.Slice(place.Offset, place.Length), shape);
}
