using I2M.Autograd;
using I2M.Kernels;
using I2M.Kernels.Dry;
using I2M.Model.Benchmarks.Reference;
using I2M.Model.Data;
using I2M.Model.Dit;
using I2M.Model.Planning;
using I2M.Model.Training;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>
/// One optimiser step of the trainer on a random batch: forward, backward, clipping, AdamW, average. Verified in three ways:
/// a small network of the same structure against double precision, tensor by tensor (<see cref="TrainStepCheck"/>); the timed network itself in the
/// same way along one direction where that is affordable; and where it is not, the timed network's gradient against central differences of its own
/// loss, (L(θ+εg) − L(θ−εg))/2ε against ‖g‖², which float32 allows to a thousandth. In another precision the small network's step is compared with its own in
/// float32, loss and gradient, after that was verified.
/// </summary>
public sealed class TrainStepCase : BenchmarkCase
{
    /// <summary>AdamW's first moment after one step is this share of the clipped gradient.</summary>
    private const double FirstMomentShare = 1 - 0.9f;
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
        Work = new BenchmarkWork(BenchmarkBound.Compute, StepPlan.Make(() => DryBackend.Of(backend), config).Flops, 4.0 * 12 * _trainer.Arena.Length) { Arithmetic = config.Precision.Arithmetic(), Amount = config.BatchSize, Product = "samples" };
    }

    /// <summary>Largest relative errors of the loss and of a gradient in other precisions, and of the slope.</summary>
    private (double Loss, double Gradient, double Slope) Limits => _trainer.Config.Precision switch
    {
        Precision.BFloat16 => (0.02, 0.05, 0.05),
        Precision.TensorFloat32 => (2e-3, 5e-3, 0.01),
        _ => (0, 0, 0.003),
    };

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
        TrainConfig mini = _trainer.Config with { Model = model, BatchSize = MiniBatch, ConditionDropout = 0.5 };
        var (exact, batch) = Create(Backend, mini with { Precision = Precision.Float32 });
        using (exact)
        {
            var check = new TrainStepCheck(Backend, exact, batch);
            StepResult expected = Step(exact, batch);
            double worst = check.Verify(expected, true, cancel);
            return mini.Precision == Precision.Float32 ? worst : Math.Max(worst, VerifyAgainst(exact, expected, mini, batch));
        }
    }

    /// <summary>The same first step in the timed precision: its loss, and the gradient that its first moment holds.</summary>
    private double VerifyAgainst(DiffusionTrainer exact, StepResult expected, TrainConfig config, Batch batch)
    {
        using DiffusionTrainer trainer = Create(Backend, config).Trainer;
        StepResult step = Step(trainer, batch);
        string name = config.Precision.Name();
        double worst = Verification.Check($"loss in {name}", step.Loss, expected.Loss, Limits.Loss);
        double[] gradient = Gradient(exact, expected), error = Gradient(trainer, step);
        double length = Math.Sqrt(DoubleMath.Dot(gradient, gradient));
        for (int i = 0; i < error.Length; i++) { error[i] -= gradient[i]; }
        return Math.Max(worst, Verification.Check($"gradient in {name}", length + Math.Sqrt(DoubleMath.Dot(error, error)), length, Limits.Gradient));
    }

    private double[] Gradient(DiffusionTrainer trainer, StepResult step)
    {
        double scale = 1 / (FirstMomentShare * Math.Min(1, trainer.Config.ClipNorm / (step.GradientNorm + 1e-6)));
        return Array.ConvertAll(Read(trainer.Optimizer.FirstMoment), m => scale * m);
    }

    private double VerifyStep(DiffusionTrainer trainer, Batch batch, bool eachTensor, CancellationToken cancel)
    {
        var check = new TrainStepCheck(Backend, trainer, batch);
        return check.Verify(Step(trainer, batch), eachTensor, cancel);
    }

    /// <summary>(L(θ+εm) − L(θ−εm))/2ε against g·m, m = (1 − β₁)·c·g being AdamW's first moment after one step.</summary>
    private double VerifySlope(CancellationToken cancel)
    {
        BufferView values = _trainer.Arena.Values, weights = Rent(values.Length), direction = Rent(values.Length);
        Backend.Copy(values, weights);
        StepResult step = Step(_trainer, _batch);
        Backend.Copy(_trainer.Optimizer.FirstMoment, direction);
        double clip = Math.Min(1, _trainer.Config.ClipNorm / (step.GradientNorm + 1e-6));
        double slope = clip * FirstMomentShare * step.GradientNorm * step.GradientNorm, epsilon = LossChange * step.Loss / slope;
        double above = LossAt(epsilon), below = LossAt(-epsilon);
        Backend.Copy(weights, values);
        _trainer.Arena.RefreshCopy();
        return Verification.Check("gradient along itself", slope, (above - below) / (2 * epsilon), Limits.Slope);

        double LossAt(double by)
        {
            cancel.ThrowIfCancellationRequested();
            Backend.Axpby(1, weights, (float)by, direction, values);
            _trainer.Arena.RefreshCopy();
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
        trainer.Arena.RefreshCopy();
        DitConfig model = config.Model;
        float[] mels = RandomWeights.Normal(backend, 1, config.BatchSize * model.MelBands * model.MelFrames);
        float[] images = RandomWeights.Normal(backend, 2, config.BatchSize * 3 * model.ImageSize * model.ImageSize);
        return (trainer, new Batch(mels, images, new int[config.BatchSize]));
    }
}
