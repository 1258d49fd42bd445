using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Autograd.Optim;
using I2M.Kernels;
using I2M.Model.Dit;
using I2M.Model.Io;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Dit;

/// <summary>The compatible model against PyTorch's numbers for the original: prediction, gradients and eight training steps.</summary>
public sealed class SimpleDitReferenceTests
{
    private const string Backends = nameof(Testing.Backends.All);

    /// <summary>The reference model's sizes: 5×7 mel tokens of 4×8, 4×4 image tokens of 4×4 pixels.</summary>
    public static DitConfig Config { get; } = new()
    {
        CompatSeed = true,
        MelBands = 20,
        MelFrames = 56,
        ImageSize = 16,
        ImagePatch = 4,
        Hidden = 64,
        Layers = 2,
        Heads = 4,
        ImageTowerLayers = 0,
    };

    [Fact]
    public void ThePresetsHaveTheOriginalsSizes()
    {
        DitModel full = DitModel.Create(DitPresets.Get("full", compatSeed: true));
        Assert.Equal(159_956_768, full.ParameterCount);
        Assert.Equal(230, full.NamedParameters().Count());
        DitModel standard = DitModel.Create(new DitConfig { CompatSeed = true, Hidden = 512, Layers = 6, Heads = 8 });
        Assert.Equal(36_980_256, standard.ParameterCount);
    }

    [Theory, MemberData(Backends, MemberType = typeof(Backends))]
    public void PredictionAndGradientsMatchPyTorch(string backend)
    {
        using SafetensorsFile file = SafetensorsFile.Open(ReferenceData.Path("simpledit.safetensors"));
        DitModel model = DitModel.Create(Config);
        using var arena = Load(Testing.Backends.Get(backend), model, file, "weights.");
        using (var scope = new TensorScope())
        {
            Tensor prediction = Predict(model, arena.Backend, file, 0);
            var error = new WorstError($"SimpleDit prediction on {backend}", ModelTolerance.DitPrediction);
            error.Add("pred", prediction.ToArray(), file.ReadDoubles("pred"));
            error.Check();
            prediction.MseLoss(Read(arena.Backend, file, "step0.noise")).Backward();
        }
        var gradients = new WorstError($"SimpleDit gradients on {backend}", ModelTolerance.DitGradients);
        var zeros = new WorstError($"SimpleDit key-bias gradients, zero in exact arithmetic, on {backend}", ModelTolerance.DitZeroGradients);
        foreach (ParameterArena.Entry entry in arena.Entries)
        {
            float[] actual = arena.Read(entry, arena.Gradients);
            double[] expected = file.ReadDoubles($"grads.{entry.Name}");
            gradients.Add(entry.Name, WithoutKeys(entry.Name, actual), WithoutKeys(entry.Name, expected));
            if (IsPackedBias(entry.Name)) { zeros.Add(entry.Name, Norm(Keys(actual)) / Norm(expected)); }
        }
        gradients.Check();
        zeros.Check();
    }

    [Theory, MemberData(Backends, MemberType = typeof(Backends))]
    public void EightTrainingStepsMatchPyTorch(string backend)
    {
        using SafetensorsFile file = SafetensorsFile.Open(ReferenceData.Path("simpledit.safetensors"));
        DitModel model = DitModel.Create(Config);
        using var arena = Load(Testing.Backends.Get(backend), model, file, "weights.");
        using var optimizer = new AdamWOptimizer(arena, new AdamWOptions(WeightDecay: 0.01f, DecayEverything: true, ClipNorm: 1));
        double[] losses = file.ReadDoubles("losses"), norms = file.ReadDoubles("grad_norms");
        var error = new WorstError($"SimpleDit losses and norms on {backend}", ModelTolerance.DitLosses);
        for (int step = 0; step < losses.Length; step++)
        {
            using var scope = new TensorScope();
            Tensor loss = Predict(model, arena.Backend, file, step).MseLoss(Read(arena.Backend, file, $"step{step}.noise"));
            loss.Backward();
            optimizer.Step(1e-3);
            arena.ZeroGradients();
            error.Add($"loss {step}", Math.Abs(loss.ToScalar() / losses[step] - 1));
            error.Add($"norm {step}", Math.Abs(optimizer.GradientNorm() / norms[step] - 1));
        }
        error.Check();
        var weights = new WorstError($"SimpleDit weights after eight steps on {backend}", ModelTolerance.DitWeights);
        foreach (ParameterArena.Entry entry in arena.Entries)
        {
            weights.Add(entry.Name, WithoutKeys(entry.Name, arena.Read(entry, arena.Values)), WithoutKeys(entry.Name, file.ReadDoubles($"weights_after.{entry.Name}")));
        }
        weights.Check();
    }

    private static ParameterArena Load(IBackend backend, DitModel model, SafetensorsFile file, string prefix)
    {
        var arena = new ParameterArena(backend, model, seed: null);
        foreach (ParameterArena.Entry entry in arena.Entries) { arena.Write(entry, arena.Values, file.ReadSingles(prefix + entry.Name)); }
        return arena;
    }

    private static Tensor Predict(DitModel model, IBackend backend, SafetensorsFile file, int step)
    {
        Tensor context = Read(backend, file, $"step{step}.context");
        int[] timesteps = [.. file.ReadInt64s($"step{step}.t").Select(t => (int)t)];
        ImageCondition condition = model.EncodeImage(context, Tensor.Full(backend, 1, timesteps.Length));
        return model.Denoise(Read(backend, file, $"step{step}.noisy"), timesteps, condition);
    }

    private static Tensor Read(IBackend backend, SafetensorsFile file, string name) =>
        Tensor.From(backend, file.ReadSingles(name), [.. file.Tensors[name].Shape.Select(size => (int)size)]);

    private static bool IsPackedBias(string name) => name.EndsWith("in_proj_bias", StringComparison.Ordinal);

    /// <summary>The middle third of a packed bias: softmax does not see what is added to every key, so its true gradient is zero.</summary>
    private static T[] Keys<T>(T[] packed) => packed[(packed.Length / 3)..(2 * packed.Length / 3)];

    private static T[] WithoutKeys<T>(string name, T[] values) =>
        IsPackedBias(name) ? [.. values[..(values.Length / 3)], .. values[(2 * values.Length / 3)..]] : values;

    private static double Norm(float[] values) => Math.Sqrt(values.Sum(v => (double)v * v));

    private static double Norm(double[] values) => Math.Sqrt(values.Sum(v => v * v));
}
