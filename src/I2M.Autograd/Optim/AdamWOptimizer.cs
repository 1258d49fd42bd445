using I2M.Autograd.Modules;
using I2M.Kernels;

namespace I2M.Autograd.Optim;

/// <summary>The settings of AdamW.</summary>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="WeightDecay">Decoupled decay of the decayed group.</param>
/// <param name="DecayEverything">True applies the decay to biases, norms and positions too, as the original did.</param>
/// <param name="ClipNorm">Largest global gradient norm; 0 does not clip.</param>
public sealed record AdamWOptions(float Beta1 = 0.9f, float Beta2 = 0.999f, float Epsilon = 1e-8f, float WeightDecay = 0.01f, bool DecayEverything = false, float ClipNorm = 1);

/// <summary>
/// AdamW over a parameter arena with clipping by the global norm. The norm and the clip factor stay on the device: a step queues work and waits
/// for nothing.
/// </summary>
public sealed class AdamWOptimizer : IDisposable
{
    private readonly ParameterArena _arena;
    private readonly AdamWOptions _options;
    private readonly BufferView _sumSquares, _clipFactor;

    /// <summary>First moments, in the arena's layout.</summary>
    public BufferView FirstMoment { get; }

    /// <summary>Second moments, in the arena's layout.</summary>
    public BufferView SecondMoment { get; }

    /// <summary>Steps taken.</summary>
    public int StepCount { get; set; }

    /// <summary>Moments start at zero.</summary>
    public AdamWOptimizer(ParameterArena arena, AdamWOptions options)
    {
        (_arena, _options) = (arena, options);
        IBackend backend = arena.Backend;
        FirstMoment = backend.Pool.Rent(arena.Length);
        SecondMoment = backend.Pool.Rent(arena.Length);
        _sumSquares = backend.Pool.Rent(1);
        _clipFactor = backend.Pool.Rent(1);
        backend.Fill(FirstMoment, 0);
        backend.Fill(SecondMoment, 0);
        backend.Fill(_sumSquares, 0);
    }

    /// <summary>Clips the arena's gradients, updates its values and leaves the gradients as they were.</summary>
    public void Step(double learningRate)
    {
        StepCount++;
        IBackend backend = _arena.Backend;
        backend.SumSquares(_arena.Gradients, _sumSquares);
        BufferView factor = BufferView.None;
        if (_options.ClipNorm > 0)
        {
            backend.ClipFactor(_sumSquares, _options.ClipNorm, _clipFactor);
            factor = _clipFactor;
        }
        long decayed = _options.DecayEverything ? _arena.Length : _arena.DecayedLength;
        Update(0, decayed, learningRate, _options.WeightDecay, factor);
        Update(decayed, _arena.Length - decayed, learningRate, 0, factor);
    }

    /// <summary>The global gradient norm of the last step, before clipping; waits for queued work.</summary>
    public double GradientNorm()
    {
        Span<float> sum = stackalloc float[1];
        _arena.Backend.CopyToHost(_sumSquares, sum);
        return Math.Sqrt(sum[0]);
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        BufferPool pool = _arena.Backend.Pool;
        pool.Return(FirstMoment);
        pool.Return(SecondMoment);
        pool.Return(_sumSquares);
        pool.Return(_clipFactor);
    }

    private void Update(long offset, long length, double learningRate, float decay, BufferView factor)
    {
        if (length == 0) { return; }
        var step = new AdamWStep((float)learningRate, _options.Beta1, _options.Beta2, _options.Epsilon, decay, StepCount);
        _arena.Backend.AdamW(_arena.Gradients.Slice(offset, length), factor, step, _arena.Values.Slice(offset, length),
            FirstMoment.Slice(offset, length), SecondMoment.Slice(offset, length));
    }
}
