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
    private readonly BufferView _sumSquares, _clipFactor, _scalars;

    /// <summary>Words of the scalars of a step; see <see cref="NextScalars"/>.</summary>
    public const int ScalarWords = 2 * AdamWStep.ScalarWords;

    /// <summary>First moments, in the arena's layout.</summary>
    public BufferView FirstMoment { get; }

    /// <summary>Second moments, in the arena's layout.</summary>
    public BufferView SecondMoment { get; }

    /// <summary>[1]: the sum of the squared gradients of the last step, before clipping.</summary>
    public BufferView SumSquares => _sumSquares;

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
        _scalars = backend.Pool.Rent(ScalarWords);
        backend.Fill(FirstMoment, 0);
        backend.Fill(SecondMoment, 0);
        backend.Fill(_sumSquares, 0);
    }

    /// <summary>Clips the arena's gradients, updates its values and leaves the gradients as they were.</summary>
    public void Step(double learningRate)
    {
        StepCount++;
        BufferView factor = QueueClipping();
        foreach (Group group in Groups(learningRate))
        {
            _arena.Backend.AdamW(group.Of(_arena.Gradients), factor, group.Step, group.Of(_arena.Values), group.Of(FirstMoment), group.Of(SecondMoment));
        }
        _arena.RefreshCopy();
    }

    /// <summary>
    /// A whole step in one pass over the arena: clips, updates the values and their bfloat16 copy, takes them into <paramref name="average"/> and leaves the gradients zero for the
    /// next step. Equal to <see cref="Step(double)"/>, <see cref="ExponentialMovingAverage.Update"/> and <see cref="ParameterArena.ZeroGradients"/>.
    /// </summary>
    public void Step(double learningRate, ExponentialMovingAverage average)
    {
        Span<float> scalars = stackalloc float[ScalarWords];
        NextScalars(learningRate, average, scalars);
        _arena.Backend.CopyFromHost(scalars, _scalars);
        Queue(_scalars, average);
    }

    /// <summary>Counts a step and an update of the average, and writes what <see cref="Queue"/> reads on the device: all of a step's numbers that are not the same in every step.</summary>
    public void NextScalars(double learningRate, ExponentialMovingAverage average, Span<float> destination)
    {
        StepCount++;
        float decay = average.NextDecay();
        AdamWStep decayed = StepOf(learningRate);
        decayed.WriteScalars(decay, destination);
        (decayed with { WeightDecay = 0 }).WriteScalars(decay, destination[AdamWStep.ScalarWords..]);
    }

    /// <summary>The work of <see cref="Step(double, ExponentialMovingAverage)"/> with scalars on the device: the same kernels with the same arguments every time.</summary>
    /// <param name="scalars">[<see cref="ScalarWords"/>] from <see cref="NextScalars"/>.</param>
    /// <param name="average">Takes the updated values.</param>
    public void Queue(BufferView scalars, ExponentialMovingAverage average)
    {
        BufferView factor = QueueClipping();
        foreach (Group group in Groups(default))
        {
            BufferView of = scalars.Slice(group.Step.WeightDecay == 0 ? AdamWStep.ScalarWords : 0, AdamWStep.ScalarWords);
            _arena.Backend.AdamWEma(factor, of, group.Of(_arena.Gradients), group.Of(_arena.Values), group.Of(FirstMoment), group.Of(SecondMoment), group.Of(average.Values),
                group.Of(_arena.Copy));
        }
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
        pool.Return(_scalars);
    }

    /// <summary>Queues the clip factor; None where nothing is clipped. The norm is a pass of its own: every update needs all of it.</summary>
    private BufferView QueueClipping()
    {
        IBackend backend = _arena.Backend;
        backend.SumSquares(_arena.Gradients, _sumSquares);
        if (_options.ClipNorm <= 0) { return BufferView.None; }
        backend.ClipFactor(_sumSquares, _options.ClipNorm, _clipFactor);
        return _clipFactor;
    }

    private AdamWStep StepOf(double learningRate) => new((float)learningRate, _options.Beta1, _options.Beta2, _options.Epsilon, _options.WeightDecay, StepCount);

    /// <summary>The decayed part of the arena and the rest, each where it is not empty.</summary>
    private IEnumerable<Group> Groups(double learningRate)
    {
        long decayed = _options.DecayEverything ? _arena.Length : _arena.DecayedLength;
        AdamWStep step = StepOf(learningRate);
        if (decayed > 0) { yield return new Group(0, decayed, step); }
        if (decayed < _arena.Length) { yield return new Group(decayed, _arena.Length - decayed, step with { WeightDecay = 0 }); }
    }

    /// <summary>A part of the arena that is updated alike.</summary>
    private readonly record struct Group(long Offset, long Length, AdamWStep Step)
    {
        public BufferView Of(BufferView block) => block.IsNone ? block : block.Slice(block.Type.Words(Offset), block.Type.Words(Length));
    }
}
