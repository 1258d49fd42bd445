using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Autograd.Optim;
using I2M.Kernels;

namespace I2M.Model.Vocos.Training;

/// <summary>
/// The discriminators with their optimiser, and the hinge losses of both sides (as Vocos' own training weighs them):
/// <code>
/// discriminators: mean max(0, 1 − D(true)) + mean max(0, 1 + D(decoded))
/// vocoder:        mean max(0, 1 − D(decoded)) + Σ over layers of mean |D_l(true) − D_l(decoded)|
/// </code>
/// averaged over the discriminators of a kind.
/// </summary>
public sealed class Adversary : IDisposable
{
    private readonly IBackend _backend;
    private readonly DiscriminatorSet _set;
    private readonly double _resolutionWeight;

    /// <summary>The discriminators' weights.</summary>
    public ParameterArena Arena { get; }

    /// <summary>AdamW's state.</summary>
    public AdamWOptimizer Optimizer { get; }

    /// <param name="backend">Where to compute.</param>
    /// <param name="config">Settings.</param>
    public Adversary(IBackend backend, VocoderConfig config)
    {
        _backend = backend;
        _resolutionWeight = config.ResolutionWeight;
        _set = new DiscriminatorSet(config.DiscriminatorWidth);
        Arena = new ParameterArena(backend, _set, config.Seed + 1);
        Optimizer = new AdamWOptimizer(Arena, VocoderTrainer.Options(config));
    }

    /// <summary>One step of the discriminators.</summary>
    /// <param name="wave">True waveforms [batch, samples].</param>
    /// <param name="decoded">Decoded ones; no gradient goes there.</param>
    /// <param name="learningRate">Rate.</param>
    /// <returns>Their loss, a scalar.</returns>
    public Tensor Learn(Tensor wave, Tensor decoded, double learningRate)
    {
        Tensor constant = Tensor.Over(_backend, decoded.View, decoded.Shape.ToArray());
        Tensor? loss = null;
        foreach (var (discriminator, weight) in _set.Weighted(_resolutionWeight))
        {
            Tensor one = Hinge(discriminator.Forward(wave)[^1], 1).Add(Hinge(discriminator.Forward(constant)[^1], -1));
            loss = Sum(loss, one, weight);
        }
        Arena.ZeroGradients();
        loss!.Backward();
        Optimizer.Step(learningRate);
        return loss;
    }

    /// <summary>The vocoder's side: how badly it deceives, and how far its waveforms are from true ones in the discriminators' eyes. A scalar.</summary>
    public Tensor Judge(Tensor wave, Tensor decoded)
    {
        Arena.Bind(Arena.Values, constant: true);
        try { return JudgeBy(wave, decoded); }
        finally { Arena.Bind(Arena.Values); }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Optimizer.Dispose();
        Arena.Dispose();
    }

    private Tensor JudgeBy(Tensor wave, Tensor decoded)
    {
        Tensor? loss = null;
        foreach (var (discriminator, weight) in _set.Weighted(_resolutionWeight))
        {
            List<Tensor> expected = Constant(discriminator, wave), noticed = discriminator.Forward(decoded);
            Tensor one = Hinge(noticed[^1], 1);
            for (int i = 0; i < noticed.Count; i++) { one = one.Add(noticed[i].Subtract(expected[i]).Abs().Mean()); }
            loss = Sum(loss, one, weight);
        }
        return loss!;
    }

    private static List<Tensor> Constant(Discriminator discriminator, Tensor wave)
    {
        using var noGrad = GradMode.NoGrad();
        return discriminator.Forward(wave);
    }

    private static Tensor Sum(Tensor? sum, Tensor next, float weight) => sum is null ? next.Scale(weight) : TensorOps.Axpby(1, sum, weight, next);

    /// <summary>mean max(0, 1 − sign · score).</summary>
    private Tensor Hinge(Tensor scores, float sign)
    {
        Tensor margin = Tensor.Full(_backend, 1, scores.Shape.ToArray());
        return TensorOps.Axpby(-sign, scores, 1, margin).LeakyRelu(0).Mean();
    }
}
