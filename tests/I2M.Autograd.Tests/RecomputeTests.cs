using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Testing;
using Xunit;

namespace I2M.Autograd.Tests;

/// <summary>A recomputed part of a graph has the same value and the same gradients, to the bit, and keeps less.</summary>
public sealed class RecomputeTests
{
    private const int Rows = 24, Channels = 16, Parts = 3;

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void GradientsAreEqualToTheBit(string backend)
    {
        Result kept = Run(Backends.Get(backend), recompute: false), again = Run(Backends.Get(backend), recompute: true);
        Assert.Equal(kept.Value, again.Value);
        Assert.Equal(kept.Input, again.Input);
        Assert.Equal(kept.Shared, again.Shared);
        Assert.Equal(kept.Weights, again.Weights);
        Assert.Contains(kept.Input, g => g != 0);
        Assert.Contains(kept.Shared, g => g != 0);
        TestContext.Current.TestOutputHelper?.WriteLine($"{backend}: {kept.LiveBytes} bytes live before the backward pass, {again.LiveBytes} with recomputation");
        Assert.True(again.LiveBytes < kept.LiveBytes, $"{again.LiveBytes} bytes with recomputation, {kept.LiveBytes} without");
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void AllMemoryGoesBack(string backend)
    {
        IBackend device = Backends.Get(backend);
        long live = device.Pool.LiveBytes;
        Run(device, recompute: true);
        Assert.Equal(live, device.Pool.LiveBytes);
    }

    [Fact]
    public void NothingIsRecordedWithoutGradients()
    {
        IBackend device = Backends.Get("host");
        int calls = 0;
        using var scope = new TensorScope();
        Tensor x = Tensor.Variable(device, [1, 2, 3], 3);
        using (GradMode.NoGrad())
        {
            Tensor y = Recompute.Run(inputs => { calls++; return inputs[0].Scale(2); }, x);
            Assert.False(y.RequiresGrad);
            Assert.Equal([2f, 4, 6], y.ToArray());
        }
        Assert.Equal(1, calls);
        Tensor sum = Recompute.Run(inputs => { calls++; return inputs[0].Scale(3); }, x).WeightedSum(Tensor.Full(device, 1, 3));
        Assert.Equal(2, calls);
        using (GradMode.NoGrad()) { sum.Backward(); }
        Assert.Equal(3, calls);
        Assert.Equal([3f, 3, 3], x.GradientToArray());
    }

    [Fact]
    public void AnInputAppearsOnce()
    {
        using var scope = new TensorScope();
        Tensor x = Tensor.Variable(Backends.Get("host"), [1, 2], 2);
        Assert.Throws<ArgumentException>(() => Recompute.Run(inputs => inputs[0].Add(inputs[1]), x, x));
        Assert.Throws<ArgumentException>(() => Recompute.Run(_ => x.Scale(2)));
    }

    /// <summary>Residual parts that all read a shared vector, as the blocks of a diffusion transformer do.</summary>
    private static Result Run(IBackend device, bool recompute)
    {
        var random = new RandomData(3);
        var parts = new ModuleList<Part>(Enumerable.Range(0, Parts).Select(_ => new Part()));
        using var arena = new ParameterArena(device, parts, seed: 5);
        using var scope = new TensorScope();
        Tensor x = Tensor.Variable(device, random.Normal(2 * Rows * Channels), 2, Rows, Channels), v = Tensor.Variable(device, random.Normal(2 * Channels), 2, Channels);
        Tensor shared = v.Silu(), h = x.Scale(0.5f);
        foreach (Part part in parts.Items)
        {
            Tensor next = recompute ? Recompute.Run(inputs => part.Forward(inputs[0], inputs[1]), h, shared) : part.Forward(h, shared);
            h.Dispose();
            h = next;
        }
        // The shared vector is read once more after the parts, so its gradient has begun when theirs arrive.
        Tensor last = h.AdaLayerNorm(shared.ConcatColumns(shared), scaleChunk: 0, shiftChunk: 1, 1e-6f);
        Tensor loss = last.WeightedSum(Tensor.From(device, random.Normal(h.Length), [.. h.Shape]));
        long live = device.Pool.LiveBytes;
        loss.Backward();
        var weights = new float[arena.Length];
        device.CopyToHost(arena.Gradients, weights);
        return new Result(loss.ToScalar(), x.GradientToArray(), v.GradientToArray(), weights, live);
    }

    private sealed record Result(float Value, float[] Input, float[] Shared, float[] Weights, long LiveBytes);

    private sealed class Part : Module
    {
        private readonly Linear _modulation;
        private readonly Mlp _mlp;

        public Part()
        {
            _modulation = AddModule("modulation", new Linear(Channels, 2 * Channels, Initializers.XavierUniform));
            _mlp = AddModule("mlp", new Mlp(Channels, 4 * Channels, tanh: false, Initializers.XavierUniform, static _ => Initializers.Zeros));
        }

        public Tensor Forward(Tensor x, Tensor shared)
        {
            using Tensor modulation = _modulation.Forward(shared);
            using Tensor normed = x.AdaLayerNorm(modulation, scaleChunk: 0, shiftChunk: 1, 1e-6f);
            using Tensor m = _mlp.Forward(normed);
            return x.Add(m);
        }
    }
}
