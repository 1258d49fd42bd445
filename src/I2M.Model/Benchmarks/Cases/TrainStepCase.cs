using I2M.Kernels;
using I2M.Kernels.Dry;
using I2M.Model.Data;
using I2M.Model.Dit;
using I2M.Model.Planning;
using I2M.Model.Training;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>
/// One optimiser step of the trainer on a random batch: forward, backward, clipping, AdamW, average. Verified in three ways:
/// a small network of the same structure against double precision, tensor by tensor (<see cref="TrainStepCheck"/>); the timed network itself in the
/// same way along one direction where that is affordable; and where it is not, the timed network's gradient against central differences of its own
/// loss, (L(θ+εg) − L(θ−εg))/2ε against ‖g‖², which float32 allows to a thousandth.
/// </summary>
public sealed class TrainStepCase : BenchmarkCase
{
    private const double SlopeLimit = 0.003;
    /// <summary>Share of the loss that a step of the central difference changes: far above float32's rounding, small enough to be straight.</summary>
    private const double LossChange = 0.01;
    private const int MiniBatch = 3;
    private readonly bool _inDouble;
    private readonly DiffusionTrainer _trainer;
    private readonly Batch _batch;

    /// <param name="backend">Where.</param>
    /// <param name="config">The network and batch.</param>
    /// <param name="inDouble">Whether the timed network itself is evaluated in double.</param>
    public TrainStepCase(IBackend backend, TrainConfig config, bool inDouble) : base(backend)
    {
        _inDouble = inDouble;
        (_trainer, _batch) = Create(backend, config);
        // Weights read twice, gradients written and read, three words of AdamW read and written, the average read and written.
        Work = new BenchmarkWork(BenchmarkBound.Compute, StepPlan.Make(() => DryBackend.Of(backend), config).Flops, 4.0 * 12 * _trainer.Arena.Length);
    }

    /// <inheritdoc/>
    public override void Queue() => Step(_trainer, _batch);

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        double worst = VerifyMini(cancel);
        cancel.ThrowIfCancellationRequested();
        return Math.Max(worst, _inDouble ? VerifyStep(_trainer, _batch, false, cancel) : VerifySlope(cancel));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _trainer.Dispose();
        base.Dispose();
    }

    /// <summary>The same structure with two heads and blocks, few tokens, and both kept and dropped pictures.</summary>
    private double VerifyMini(CancellationToken cancel)
    {
        DitConfig model = _trainer.Config.Model;
        model = model with
        {
            Hidden = 2 * model.Hidden / model.Heads,
            Heads = 2,
            Layers = 2,
            ImageTowerLayers = Math.Min(1, model.ImageTowerLayers),
            MelFrames = 3 * model.MelPatchFrames,
            ImageSize = 3 * model.ImagePatch,
        };
        var (trainer, batch) = Create(Backend, _trainer.Config with { Model = model, BatchSize = MiniBatch, ConditionDropout = 0.5 });
        using (trainer) { return VerifyStep(trainer, batch, true, cancel); }
    }

    private double VerifyStep(DiffusionTrainer trainer, Batch batch, bool eachTensor, CancellationToken cancel)
    {
        var check = new TrainStepCheck(Backend, trainer, batch);
        return check.Verify(Step(trainer, batch), eachTensor, cancel);
    }

    /// <summary>(L(θ+εm) − L(θ−εm))/2ε against g·m, m = (1 − β₁)·c·g being AdamW's first moment after one step.</summary>
    private double VerifySlope(CancellationToken cancel)
    {
        const double firstMoment = 1 - 0.9f;
        BufferView values = _trainer.Arena.Values, weights = Rent(values.Length), direction = Rent(values.Length);
        Backend.Copy(values, weights);
        StepResult step = Step(_trainer, _batch);
        Backend.Copy(_trainer.Optimizer.FirstMoment, direction);
        double clip = Math.Min(1, _trainer.Config.ClipNorm / (step.GradientNorm + 1e-6));
        double slope = clip * firstMoment * step.GradientNorm * step.GradientNorm, epsilon = LossChange * step.Loss / slope;
        double above = LossAt(epsilon), below = LossAt(-epsilon);
        Backend.Copy(weights, values);
        return Verification.Check("gradient along itself", slope, (above - below) / (2 * epsilon), SlopeLimit);

        double LossAt(double by)
        {
            cancel.ThrowIfCancellationRequested();
            Backend.Axpby(1, weights, (float)by, direction, values);
            // The first step's noise and timesteps again.
            _trainer.Optimizer.StepCount = 0;
            return Step(_trainer, _batch).Loss;
        }
    }

    private static StepResult Step(DiffusionTrainer trainer, Batch batch) => trainer.TrainStep(() => batch, static _ => { });

    private static (DiffusionTrainer Trainer, Batch Batch) Create(IBackend backend, TrainConfig config)
    {
        var trainer = new DiffusionTrainer(backend, config);
        RandomWeights.Fill(trainer.Arena);
        DitConfig model = config.Model;
        float[] mels = RandomWeights.Normal(backend, 1, config.BatchSize * model.MelBands * model.MelFrames);
        float[] images = RandomWeights.Normal(backend, 2, config.BatchSize * 3 * model.ImageSize * model.ImageSize);
        return (trainer, new Batch(mels, images, new int[config.BatchSize]));
    }
}
