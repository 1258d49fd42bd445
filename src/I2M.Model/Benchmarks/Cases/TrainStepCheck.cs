using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;
using I2M.Model.Data;
using I2M.Model.Diffusion;
using I2M.Model.Dit;
using I2M.Model.Training;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>
/// Checks a whole first training step against a double-precision network. The step is the trainer's own; after it, AdamW's first moment is
/// (1 − β₁)·c·g with the clip factor c, so that the gradient g of every weight is known without a look inside. Checked are
/// <list type="bullet">
/// <item>the loss, against <see cref="DoubleDit"/> evaluated at the same weights, noise and timesteps;</item>
/// <item>the gradient, against central differences of that double-precision loss, for all weights together or for one tensor after the other: along g
/// itself, which shows a wrong length, and along random signs, which show an error e in any other direction at about ‖e‖/‖g‖;</item>
/// <item>the clip factor, and every updated weight against AdamW's formula in double.</item>
/// </list>
/// Cutting into patches and drawing noise are taken from the backend, whose own tests compare them exactly.
/// </summary>
internal sealed class TrainStepCheck
{
    private const double LossLimit = 1e-6, SlopeLimit = 1e-4, RandomSlopeLimit = 1e-3, NormLimit = 1e-5, WeightLimit = 1e-6;
    /// <summary>AdamW's decays, as the trainer uses them.</summary>
    private const double Beta1 = 0.9f, Beta2 = 0.999f, Epsilon = 1e-8f;
    private readonly DiffusionTrainer _trainer;
    private readonly TrainConfig _config;
    private readonly Dictionary<string, double[]> _weights;
    private readonly double[] _noisy, _target, _image;
    private readonly float[] _keep;
    private readonly DiffusionTargets _targets;

    /// <param name="backend">Where the trainer computes.</param>
    /// <param name="trainer">A trainer that has made no step.</param>
    /// <param name="batch">The batch of its first step.</param>
    public TrainStepCheck(IBackend backend, DiffusionTrainer trainer, Batch batch)
    {
        (_trainer, _config) = (trainer, trainer.Config);
        int samples = _config.BatchSize, values = _config.Model.MelBands * _config.Model.MelFrames;
        _weights = RandomWeights.Widen(trainer.Arena);
        _targets = DiffusionTargets.Draw(_config.Diffusion, _config.Diffusion.CreateSchedule(), samples, _config.Seed, RandomStreams.Timesteps, 0);
        double[] x0 = Tokens(backend, batch.Mels, _config.Model.MelPatches(samples)), noise = Noise(backend, x0.Length);
        _image = Tokens(backend, batch.Images, _config.Model.ImagePatches(samples));
        (_noisy, _target) = (new double[x0.Length], new double[x0.Length]);
        for (int i = 0; i < x0.Length; i++)
        {
            int b = i / values;
            _noisy[i] = _targets.SignalScale[b] * x0[i] + _targets.NoiseScale[b] * noise[i];
            _target[i] = _targets.TargetSample[b] * x0[i] + _targets.TargetNoise[b] * noise[i];
        }
        _keep = [.. Enumerable.Range(0, samples).Select(b => Philox.Uniform(_config.Seed, RandomStreams.Dropout, _config.Model.CompatSeed ? 0 : b) < _config.ConditionDropout ? 0f : 1f)];
    }

    /// <summary>Compares the step that the trainer just made.</summary>
    /// <param name="result">What it reported.</param>
    /// <param name="eachTensor">Checks the gradient of one tensor after the other.</param>
    /// <param name="cancel">Stops between two evaluations.</param>
    public double Verify(StepResult result, bool eachTensor, CancellationToken cancel)
    {
        double worst = Verification.Check("loss", result.Loss, Loss(_weights), LossLimit);
        ParameterArena arena = _trainer.Arena;
        double clip = Math.Min(1, _config.ClipNorm / (result.GradientNorm + 1e-6));
        var gradients = arena.Entries.ToDictionary(e => e.Name, e => Scaled(DoubleMath.Widen(arena.Read(e, _trainer.Optimizer.FirstMoment)), 1 / ((1 - Beta1) * clip)), StringComparer.Ordinal);
        double norm = Math.Sqrt(gradients.Values.Sum(g => DoubleMath.Dot(g, g)));
        worst = Math.Max(worst, Verification.Check("gradient norm", result.GradientNorm, norm, NormLimit));
        foreach (string[] names in eachTensor ? gradients.Keys.Select(k => new[] { k }) : [[.. gradients.Keys]])
        {
            cancel.ThrowIfCancellationRequested();
            worst = Math.Max(worst, VerifySlopes(gradients, names, norm));
        }
        return Math.Max(worst, VerifyUpdate(gradients, clip, result.LearningRate));
    }

    /// <summary>Both directions have length 1 in every named tensor: its own gradient's, and signs.</summary>
    private double VerifySlopes(Dictionary<string, double[]> gradients, string[] names, double norm)
    {
        // A tensor of next to no gradient has nothing to compare but rounding.
        string[] used = [.. names.Where(n => Length(gradients[n]) > 1e-4 * norm)];
        if (used.Length == 0) { return 0; }
        string what = $"gradient of {(used.Length == 1 ? used[0] : $"{used.Length} tensors")} along";
        Dictionary<string, double[]> own = used.ToDictionary(n => n, n => Scaled(gradients[n], 1 / Length(gradients[n])));
        double worst = Verification.Check($"{what} itself", used.Sum(n => Length(gradients[n])), Slope(own), SlopeLimit);
        var random = new Random(1);
        Dictionary<string, double[]> signs = used.ToDictionary(n => n, n => Array.ConvertAll(gradients[n], _ => (2 * random.Next(2) - 1) / Math.Sqrt(gradients[n].Length)));
        double scale = Math.Sqrt(used.Sum(n => DoubleMath.Dot(gradients[n], gradients[n]) / gradients[n].Length));
        return Math.Max(worst, Verification.Check($"{what} random signs", used.Sum(n => DoubleMath.Dot(gradients[n], signs[n])), Slope(signs), RandomSlopeLimit, scale));
    }

    /// <summary>(L(θ + εd) − L(θ − εd))/2ε.</summary>
    private double Slope(Dictionary<string, double[]> direction)
    {
        const double step = 1e-4;
        return (Loss(Moved(step)) - Loss(Moved(-step))) / (2 * step);

        Dictionary<string, double[]> Moved(double by)
        {
            var moved = new Dictionary<string, double[]>(_weights, StringComparer.Ordinal);
            foreach (var (name, d) in direction)
            {
                var values = (double[])_weights[name].Clone();
                DoubleMath.AddScaled(values, by, d);
                moved[name] = values;
            }
            return moved;
        }
    }

    /// <summary>p ← p·(1 − lr·wd) − lr·m̂/(√v̂ + ε) with the moments of a first step, m̂ = c·g and v̂ = (c·g)².</summary>
    private double VerifyUpdate(Dictionary<string, double[]> gradients, double clip, double rate)
    {
        double worst = 0;
        ParameterArena arena = _trainer.Arena;
        foreach (ParameterArena.Entry entry in arena.Entries)
        {
            double decay = _config.Model.CompatSeed || entry.Offset < arena.DecayedLength ? _config.WeightDecay : 0;
            float[] second = arena.Read(entry, _trainer.Optimizer.SecondMoment);
            double[] before = _weights[entry.Name], gradient = gradients[entry.Name], expected = new double[before.Length];
            for (int i = 0; i < expected.Length; i++)
            {
                double m = clip * gradient[i], v = second[i] / (1 - Beta2);
                expected[i] = before[i] * (1 - rate * decay) - rate * m / (Math.Sqrt(v) + Epsilon);
            }
            worst = Math.Max(worst, Verification.Check($"updated {entry.Name}", arena.Read(entry, arena.Values), expected, WeightLimit));
            worst = Math.Max(worst, Verification.Check($"second moment of {entry.Name}", second, [.. gradient.Select(g => (1 - Beta2) * clip * g * clip * g)], NormLimit));
        }
        return worst;
    }

    private double Loss(Dictionary<string, double[]> weights)
    {
        double[] prediction = new DoubleDit(_config.Model, weights).Predict(_noisy, _targets.Timesteps, _image, _keep);
        double sum = 0;
        for (int i = 0; i < prediction.Length; i++) { sum += (prediction[i] - _target[i]) * (prediction[i] - _target[i]); }
        return sum / prediction.Length;
    }

    private double[] Noise(IBackend backend, int length)
    {
        using Tensor noise = Tensor.Empty(backend, length);
        backend.RandomNormal(_config.Seed, RandomStreams.Noise, 0, noise.View);
        return DoubleMath.Widen(noise.ToArray());
    }

    private static double[] Tokens(IBackend backend, float[] data, PatchShape shape)
    {
        using Tensor whole = Tensor.From(backend, data, shape.Batch, shape.Channels, shape.Height, shape.Width);
        using Tensor tokens = whole.Patchify(shape);
        return DoubleMath.Widen(tokens.ToArray());
    }

    private static double[] Scaled(double[] x, double factor) => Array.ConvertAll(x, v => v * factor);

    private static double Length(double[] x) => Math.Sqrt(DoubleMath.Dot(x, x));
}
