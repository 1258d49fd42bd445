using I2M.Kernels;
using I2M.Kernels.Dry;
using I2M.Kernels.Observation;
using I2M.Model.Data;
using I2M.Model.Training;

namespace I2M.Model.Planning;

/// <summary>How often a step calls an operation with the same sizes.</summary>
/// <param name="Key">Operation and sizes.</param>
/// <param name="Calls">How often.</param>
/// <param name="Flops">Useful operations of one call.</param>
/// <param name="Bytes">Bytes of one call.</param>
public readonly record struct PlannedOperation(OperationKey Key, int Calls, double Flops, double Bytes);

/// <summary>
/// What a training step will take, found by running the trainer itself on a backend that computes nothing (<see cref="DryBackend"/>): memory is what the
/// pool counted, work is the sum over the operations that were called. The one place that says how many operations a step has.
/// </summary>
public sealed record StepPlan
{
    private const int WarmSteps = 2;

    /// <summary>The settings that were planned.</summary>
    public required TrainConfig Config { get; init; }
    /// <summary>Weights of the model.</summary>
    public required long Parameters { get; init; }
    /// <summary>Device memory.</summary>
    public required MemoryPlan Memory { get; init; }
    /// <summary>The operations of one optimiser step.</summary>
    public required IReadOnlyList<PlannedOperation> Operations { get; init; }
    /// <summary>Floating-point operations that the model itself asks of a step, which rates and shares of the peak are taken of: recomputation does not count.</summary>
    public required double Flops { get; init; }

    /// <summary>Floating-point operations that the device does in a step, recomputation included.</summary>
    public double ExecutedFlops => Operations.Sum(o => o.Calls * o.Flops);

    /// <summary>Calls of operations in a step.</summary>
    public int Calls => Operations.Sum(o => o.Calls);

    /// <summary>Samples of a step.</summary>
    public int Samples => Config.BatchSize * Config.Accumulation;

    /// <summary>Mel and image tokens of a step.</summary>
    public long Tokens => (long)Samples * (Config.Model.MelTokens + Config.Model.ImageTokens);

    /// <summary>A checkpoint on disk but for its few kilobytes of description: weights, average and two moments in float32.</summary>
    public long CheckpointBytes => 4 * sizeof(float) * Parameters;

    /// <summary>Plans a step.</summary>
    /// <param name="open">Opens a dry backend; the plan disposes of it.</param>
    /// <param name="config">The run's settings.</param>
    /// <exception cref="I2MException">The settings do not fit together.</exception>
    public static StepPlan Make(Func<IBackend> open, TrainConfig config)
    {
        StepPlan plan = Run(open, config);
        return config.Recompute ? plan with { Flops = Run(open, config with { Recompute = false }).Flops } : plan;
    }

    private static StepPlan Run(Func<IBackend> open, TrainConfig config)
    {
        using IBackend dry = open();
        var counter = new Counter(dry.Pool);
        IBackend backend = ObservedBackend.Over(dry, counter);
        using var trainer = new DiffusionTrainer(backend, config, initialize: false);
        long persistent = dry.Pool.LiveBytes, arena = trainer.Arena.Length * sizeof(float);
        var batch = new Batch([], [], []); // Nobody looks at its contents.
        for (int step = 0; step < WarmSteps; step++)
        {
            counter.Begin();
            trainer.TrainStep(() => batch, static _ => { });
        }
        PlannedOperation[] operations = counter.Operations;
        double flops = operations.Sum(o => o.Calls * o.Flops);
        if (config.ValidateEvery > 0) { trainer.Validate(batch, Math.Min(config.BatchSize, TrainingRun.ValidationSamples), 0); }
        BufferPool pool = dry.Pool;
        return new StepPlan
        {
            Config = config,
            Parameters = trainer.Model.ParameterCount,
            Flops = flops,
            Operations = operations,
            Memory = new MemoryPlan
            {
                Weights = arena,
                Gradients = arena,
                Moments = 2 * arena,
                Average = arena,
                Other = persistent - 5 * arena,
                Activations = counter.MostBetween - persistent,
                Workspace = pool.PeakLiveBytes - counter.MostBetween,
                Kept = pool.PeakDeviceBytes - pool.PeakLiveBytes,
            },
        };
    }

    /// <summary>Counts the operations of a step and the most that lives between two of them.</summary>
    private sealed class Counter(BufferPool pool) : IOperationObserver
    {
        private readonly Dictionary<OperationKey, PlannedOperation> _operations = [];

        public long MostBetween { get; private set; }

        public PlannedOperation[] Operations => [.. _operations.Values];

        public void Begin() => _operations.Clear();

        public void Before(in OperationCall call)
        {
            OperationKey key = call.Key;
            int calls = _operations.TryGetValue(key, out PlannedOperation known) ? known.Calls : 0;
            _operations[key] = new PlannedOperation(key, calls + 1, call.Flops, call.Bytes);
            MostBetween = Math.Max(MostBetween, pool.LiveBytes);
        }

        public void After(in OperationCall call) { }
    }
}
