using I2M.Autograd.Modules;
using I2M.Autograd.Optim;
using I2M.Kernels;
using I2M.Testing;
using Xunit;

namespace I2M.Autograd.Tests;

/// <summary>AdamW over an arena, averages of weights and learning rates.</summary>
public sealed class OptimTests
{
    /// <summary>
    /// Two steps of lr 0.01 and weight decay 0.5 on everything with loss Σ(x·Wᵀ + b); PyTorch's numbers from tracel-ai/burn 2c06be3,
    /// crates/burn-optim/src/optim/adamw.rs (MIT/Apache-2.0). Rows 0 and 5 of W.
    /// </summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void AdamWMatchesPyTorchThroughTheTape(string backend)
    {
        IBackend device = Backends.Get(backend);
        float[] weight = [-0.3206f, 0.1374f, 0.4043f, 0.32f, 0.0859f, 0.0671f, -0.0159f, -0.012f, 0.1258f, 0.1921f, 0.0293f, 0.3833f];
        float[] bias = [-0.3905f, 0.013f];
        float[][] inputs =
        [
            [0.6294f, 0.094f, 0.8176f, 0.8824f, 0.5228f, 0.431f, 0.7152f, 0.9559f, 0.7893f, 0.5684f, 0.5939f, 0.8883f],
            [0.8491f, 0.2108f, 0.8939f, 0.4433f, 0.5527f, 0.2528f, 0.327f, 0.0412f, 0.5538f, 0.9605f, 0.3195f, 0.9085f],
        ];
        double[] expected = [-0.337295, 0.117827, 0.380358, 0.296868, 0.065232, 0.046534, -0.035634, -0.030083, 0.104636, 0.170244, 0.009196, 0.35958, -0.406555, -0.00708];
        var linear = new Linear(6, 2, Initializers.Zeros);
        using var arena = new ParameterArena(device, linear, seed: 0);
        arena.Write(arena.Entries[0], arena.Values, weight);
        arena.Write(arena.Entries[1], arena.Values, bias);
        using var optimizer = new AdamWOptimizer(arena, new AdamWOptions(WeightDecay: 0.5f, DecayEverything: true, ClipNorm: 0));
        foreach (float[] x in inputs)
        {
            using var scope = new TensorScope();
            Tensor y = linear.Forward(Tensor.From(device, x, 2, 6));
            y.WeightedSum(Tensor.Full(device, 1, 4)).Backward();
            optimizer.Step(0.01);
            arena.ZeroGradients();
        }
        float[] found = [.. arena.Read(arena.Entries[0], arena.Values), .. arena.Read(arena.Entries[1], arena.Values)];
        double worst = found.Zip(expected, (f, e) => Math.Abs(f - e)).Max();
        TestContext.Current.TestOutputHelper?.WriteLine($"AdamW on {backend}: largest difference {worst:E2} from six printed decimals");
        Assert.True(worst <= 1e-6, $"largest difference {worst:E2}");
    }

    /// <summary>Keras' single step (keras-team/keras 1b78dea, adamw_test.py) leaves the undecayed part 0.5·0.004·w higher.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void DecayLeavesBiasesAloneUnlessToldOtherwise(string backend)
    {
        IBackend device = Backends.Get(backend);
        foreach (bool everything in new[] { false, true })
        {
            var linear = new Linear(1, 2, Initializers.Zeros);
            using var arena = new ParameterArena(device, linear, seed: 0);
            arena.Write(arena.Entries[0], arena.Values, [1, 2]);
            arena.Write(arena.Entries[1], arena.Values, [3, 4]);
            arena.Write(arena.Entries[0], arena.Gradients, [1, 6]);
            arena.Write(arena.Entries[1], arena.Gradients, [7, 2]);
            using var optimizer = new AdamWOptimizer(arena, new AdamWOptions(WeightDecay: 0.004f, DecayEverything: everything, ClipNorm: 0));
            optimizer.Step(0.5);
            double[] expected = everything ? [0.498, 1.496, 2.494, 3.492] : [0.498, 1.496, 2.5, 3.5];
            float[] found = [.. arena.Read(arena.Entries[0], arena.Values), .. arena.Read(arena.Entries[1], arena.Values)];
            for (int i = 0; i < 4; i++) { Assert.Equal(expected[i], found[i], 1e-5); }
            Assert.Equal(Math.Sqrt(90), optimizer.GradientNorm(), 1e-5);
        }
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void OnePassEqualsStepAverageAndZeroGradientsToTheBit(string backend)
    {
        IBackend device = Backends.Get(backend);
        foreach (bool everything in new[] { false, true })
        {
            Assert.Equal(Train(device, everything, onePass: false), Train(device, everything, onePass: true));
        }
    }

    /// <summary>Values, averages, moments, gradients and norm after three steps.</summary>
    private static float[] Train(IBackend device, bool decayEverything, bool onePass)
    {
        using var arena = new ParameterArena(device, new Linear(40, 30, Initializers.XavierUniform, Initializers.Ones), seed: 2);
        using var optimizer = new AdamWOptimizer(arena, new AdamWOptions(WeightDecay: 0.1f, DecayEverything: decayEverything, ClipNorm: 1));
        using var average = new ExponentialMovingAverage(arena, decay: 0.99);
        var random = new RandomData(4);
        for (int step = 0; step < 3; step++)
        {
            float[] gradient = random.Normal(arena.Length);
            device.CopyFromHost(gradient, arena.Gradients);
            if (onePass)
            {
                optimizer.Step(0.01, average);
                continue;
            }
            optimizer.Step(0.01);
            average.Update();
            arena.ZeroGradients();
        }
        Assert.Equal((3, 3L), (optimizer.StepCount, average.UpdateCount));
        int n = (int)arena.Length;
        var numbers = new float[5 * n + 1];
        BufferView[] blocks = [arena.Values, average.Values, optimizer.FirstMoment, optimizer.SecondMoment, arena.Gradients];
        for (int i = 0; i < blocks.Length; i++) { device.CopyToHost(blocks[i], numbers.AsSpan(i * n, n)); }
        numbers[^1] = (float)optimizer.GradientNorm();
        return numbers;
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void TheAverageWarmsUp(string backend)
    {
        IBackend device = Backends.Get(backend);
        using var arena = new ParameterArena(device, new Linear(1, 1, Initializers.Zeros), seed: 0);
        using var ema = new ExponentialMovingAverage(arena, decay: 0.5);
        double expected = 0;
        for (int n = 0; n < 20; n++)
        {
            device.Fill(arena.Values, n + 1);
            ema.Update();
            double decay = Math.Min(0.5, (1.0 + n) / (10.0 + n));
            expected = decay * expected + (1 - decay) * (n + 1);
        }
        var found = new float[ema.Values.Length];
        device.CopyToHost(ema.Values, found);
        Assert.All(found, value => Assert.Equal(expected, value, 1e-4));
        Assert.Equal(20, ema.UpdateCount);
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void AModelComputesWithItsAverageWhereBound(string backend)
    {
        IBackend device = Backends.Get(backend);
        var linear = new Linear(1, 1, Initializers.Ones);
        using var arena = new ParameterArena(device, linear, seed: 0);
        using var ema = new ExponentialMovingAverage(arena, decay: 0.9);
        device.Fill(arena.Values, 5);
        using var scope = new TensorScope();
        using var noGrad = GradMode.NoGrad();
        Tensor two = Tensor.Full(device, 2, 1, 1);
        Assert.Equal(15, linear.Forward(two).ToScalar());
        arena.Bind(ema.Values);
        Assert.Equal(2, linear.Forward(two).ToScalar());
        arena.Bind(arena.Values);
        Assert.Equal(15, linear.Forward(two).ToScalar());
    }

    /// <summary>Warm-up 2, total 10, peak 10: huggingface/transformers 1001bb0, tests/optimization/test_optimization.py (Apache-2.0).</summary>
    [Fact]
    public void RatesWarmUpAndFollowTheCosine()
    {
        var schedule = new LearningRateSchedule(10, WarmupSteps: 2, TotalSteps: 10);
        double[] expected = [0, 5, 10, 9.61, 8.53, 6.91, 5, 3.08, 1.46, 0.38];
        for (int step = 0; step < expected.Length; step++) { Assert.Equal(expected[step], schedule.At(step), 0.01); }
        Assert.Equal(0, schedule.At(10), 1e-12);
        Assert.Equal(0, schedule.At(1000), 1e-12);
    }

    /// <summary>CosineAnnealingLR with T_max 10 from 0.05 to 1e-10 (pytorch/pytorch 01f9ef3, test_lrscheduler.py).</summary>
    [Fact]
    public void RatesAnnealAsPyTorchs()
    {
        var schedule = new LearningRateSchedule(0.05, TotalSteps: 10, Floor: 1e-10);
        for (int x = 0; x <= 10; x++) { Assert.Equal(1e-10 + (0.05 - 1e-10) * (1 + Math.Cos(Math.PI * x / 10)) / 2, schedule.At(x), 1e-15); }
        Assert.Equal(0.05, new LearningRateSchedule(0.05).At(123), 1e-15);
    }
}
