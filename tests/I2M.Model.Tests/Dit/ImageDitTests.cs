using I2M.Autograd;
using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Model.Diffusion;
using I2M.Model.Dit;
using I2M.Testing;
using Xunit;

namespace I2M.Model.Tests.Dit;

/// <summary>The default model: its gradients, and that its condition does what it says.</summary>
public sealed class ImageDitTests
{
    private const ulong Seed = 7;
    private const int Batch = 3;
    private static readonly int[] s_timesteps = [3, 500, 999];

    private static DitConfig Config { get; } = new()
    {
        MelBands = 8,
        MelFrames = 12,
        MelPatchBands = 4,
        MelPatchFrames = 4,
        ImageSize = 8,
        ImagePatch = 4,
        Hidden = 32,
        Layers = 2,
        Heads = 2,
        ImageTowerLayers = 1,
        ClassCount = 3,
    };

    /// <summary>
    /// Analytic gradients of a random projection of prediction and class logits against fourth-order central differences, for a few entries of every parameter.
    /// </summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void GradientsMatchCentralDifferences(string backend)
    {
        using Setup setup = Create(backend, perturb: true);
        ParameterArena arena = setup.Arena;
        float[] keep = [1, 0, 1];
        setup.Backward(keep);
        var error = new WorstError($"ImageDit gradients against central differences on {backend}", ModelTolerance.CentralDifferences);
        foreach (ParameterArena.Entry entry in arena.Entries)
        {
            float[] gradient = arena.Read(entry, arena.Gradients), values = arena.Read(entry, arena.Values);
            int largest = Enumerable.Range(0, gradient.Length).MaxBy(i => Math.Abs(gradient[i]));
            double unit = Math.Abs(gradient[largest]);
            foreach (int i in new[] { largest, gradient.Length / 3 })
            {
                double numeric = Derivative(setup, entry, values, i, keep);
                error.Add($"{entry.Name}[{i}]", Math.Abs(gradient[i] - numeric) / Math.Max(unit, 0.1));
            }
        }
        error.Check();
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void ANewModelPredictsZero(string backend)
    {
        using Setup setup = Create(backend, perturb: false);
        Assert.All(setup.Predict(setup.Images, [1, 1, 1]), value => Assert.Equal(0, value));
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void TheNullConditionIgnoresThePictureAndTheOtherUsesIt(string backend)
    {
        using Setup setup = Create(backend, perturb: true);
        float[] others = new RandomData(99).Normal(setup.Images.Length);
        Assert.Equal(setup.Predict(setup.Images, [0, 0, 0]), setup.Predict(others, [0, 0, 0]));
        float[] first = setup.Predict(setup.Images, [1, 0, 1]), second = setup.Predict(others, [1, 0, 1]);
        int sample = first.Length / Batch;
        Assert.Equal(first[sample..(2 * sample)], second[sample..(2 * sample)]);
        double changed = WorstError.Of(first[..sample], [.. second[..sample].Select(v => (double)v)]);
        TestContext.Current.TestOutputHelper?.WriteLine($"another picture changes the prediction by {changed:P1} on {backend}");
        Assert.True(changed > 0.01, $"the picture changes the prediction by {changed:P3} only");
    }

    /// <summary>Conditional and unconditional rows of one batch equal two separate passes, for every sample.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void OneGuidedBatchEqualsTwoPasses(string backend)
    {
        using Setup setup = Create(backend, perturb: true);
        float[] conditional = setup.Predict(setup.Images, [1, 1, 1]), unconditional = setup.Predict(setup.Images, [0, 0, 0]);
        float[] both = setup.Predict([.. setup.Images, .. setup.Images], [1, 1, 1, 0, 0, 0], copies: 2);
        var error = new WorstError($"guidance in one batch on {backend}", ModelTolerance.Rebatched);
        error.Add("conditional", both[..conditional.Length], [.. conditional.Select(v => (double)v)]);
        error.Add("unconditional", both[conditional.Length..], [.. unconditional.Select(v => (double)v)]);
        error.Check();
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void PredictionsInBFloat16AreThoseOfFloat32(string backend)
    {
        using Setup wide = Create(backend, perturb: true), narrow = Create(backend, perturb: true, Precision.BFloat16);
        float[] expected = wide.Predict(wide.Images, [1, 0, 1]), actual = narrow.Predict(narrow.Images, [1, 0, 1]);
        Assert.NotEqual(expected, actual);
        Tolerance.BFloat16Layers.Check($"prediction on {backend}", actual, [.. expected.Select(v => (double)v)]);
    }

    [Fact]
    public void GuidanceFollowsItsFormula()
    {
        float[] c = [1, 2, 4, -3], u = [0, 1, 5, -1];
        var result = new double[4];
        Guidance.Combine(c, u, 1, 0, result);
        Assert.Equal([1.0, 2, 4, -3], result);
        Guidance.Combine(c, u, 3, 0, result);
        Assert.Equal([3.0, 4, 2, -7], result);
        Guidance.Combine(c, u, 3, 1, result);
        Assert.Equal(Deviation([.. c.Select(v => (double)v)]), Deviation(result), 12);
    }

    private static double Deviation(double[] values) => Math.Sqrt(values.Sum(v => (v - values.Average()) * (v - values.Average())) / values.Length);

    /// <summary>(8(f(h) − f(−h)) − (f(2h) − f(−2h))) / 12h.</summary>
    private static double Derivative(Setup setup, ParameterArena.Entry entry, float[] values, int i, float[] keep)
    {
        const float h = 0.02f;
        double near = At(h) - At(-h), far = At(2 * h) - At(-2 * h);
        setup.Arena.Write(entry, setup.Arena.Values, values);
        return (8 * near - far) / (12 * h);

        double At(float step)
        {
            var moved = (float[])values.Clone();
            moved[i] += step;
            setup.Arena.Write(entry, setup.Arena.Values, moved);
            return setup.Projection(keep);
        }
    }

    private static Setup Create(string backend, bool perturb, Precision precision = Precision.Float32)
    {
        DitModel model = DitModel.Create(Config);
        var arena = new ParameterArena(Backends.Get(backend), model, Seed, precision: precision);
        var random = new RandomData(Seed);
        if (perturb)
        {
            foreach (ParameterArena.Entry entry in arena.Entries)
            {
                float[] noise = random.Normal(entry.Parameter.Length, 0.1);
                arena.Write(entry, arena.Values, [.. arena.Read(entry, arena.Values).Zip(noise, (a, b) => a + b)]);
            }
        }
        float[] mels = random.Normal(Batch * Config.MelTokens * Config.MelTokenLength), images = random.Normal(Batch * Config.ImageTokens * Config.ImageTokenLength);
        return new Setup(model, arena, mels, images, random.Normal(mels.Length), random.Normal(Batch * Config.ClassCount));
    }

    private sealed record Setup(DitModel Model, ParameterArena Arena, float[] Mels, float[] Images, float[] Weights, float[] ClassWeights) : IDisposable
    {
        public float[] Predict(float[] images, float[] keep, int copies = 1)
        {
            using var scope = new TensorScope();
            using var noGrad = GradMode.NoGrad();
            return Forward(images, keep, copies).Prediction.ToArray();
        }

        public double Projection(float[] keep)
        {
            using var scope = new TensorScope();
            using var noGrad = GradMode.NoGrad();
            var (prediction, logits) = Forward(Images, keep, 1);
            return Dot(prediction.ToArray(), Weights) + Dot(logits.ToArray(), ClassWeights);
        }

        public void Backward(float[] keep)
        {
            using var scope = new TensorScope();
            IBackend backend = Arena.Backend;
            var (prediction, logits) = Forward(Images, keep, 1);
            Tensor first = prediction.WeightedSum(Tensor.From(backend, Weights, Weights.Length)), second = logits.WeightedSum(Tensor.From(backend, ClassWeights, ClassWeights.Length));
            first.Add(second).Backward();
        }

        public void Dispose() => Arena.Dispose();

        private (Tensor Prediction, Tensor Logits) Forward(float[] images, float[] keep, int copies)
        {
            IBackend backend = Arena.Backend;
            int batch = Batch * copies;
            Tensor x = Tensor.From(backend, Repeat(Mels, copies), batch, Config.MelTokens, Config.MelTokenLength);
            Tensor tokens = Tensor.From(backend, images, batch, Config.ImageTokens, Config.ImageTokenLength);
            ImageCondition condition = Model.EncodeImage(tokens, Tensor.From(backend, keep, batch));
            return (Model.Denoise(x, Repeat(s_timesteps, copies), condition), condition.ClassLogits!);
        }

        private static T[] Repeat<T>(T[] values, int copies) => [.. Enumerable.Repeat(values, copies).SelectMany(v => v)];

        private static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
    }
}
