using I2M.Autograd.Modules;
using I2M.Autograd.Optim;
using I2M.Kernels;
using I2M.Testing;
using Xunit;

namespace I2M.Autograd.Tests;

/// <summary>Parameters, their names, their memory and their initial values.</summary>
public sealed class ModuleTests
{
    private static readonly Initializer s_weight = Initializers.XavierUniform;

    [Fact]
    public void NamesAreTheCheckpointsInTheOrderOfRegistration()
    {
        var attention = new ModuleList<MultiHeadAttention>([new MultiHeadAttention(8, 2, s_weight)]);
        Assert.Equal(["0.in_proj_weight", "0.in_proj_bias", "0.out_proj.weight", "0.out_proj.bias"], attention.NamedParameters().Select(p => p.Name));
        var mlp = new Mlp(4, 16, tanh: false, s_weight, static _ => Initializers.Zeros);
        Assert.Equal(["mlp.0.weight", "mlp.0.bias", "mlp.2.weight", "mlp.2.bias"], mlp.NamedParameters("mlp.").Select(p => p.Name));
        Assert.Equal([16, 4], mlp.NamedParameters().First().Parameter.Shape);
        Assert.Equal(4 * 16 + 16 + 16 * 4 + 4, mlp.ParameterCount);
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void TheArenaPutsDecayedParametersFirst(string backend)
    {
        IBackend device = Backends.Get(backend);
        long before = device.Pool.LiveBytes;
        var module = new ModuleList<Module>([new LayerNorm(3), new Linear(3, 2, s_weight), new LayerNorm(2)]);
        using (var arena = new ParameterArena(device, module, seed: 1))
        {
            Assert.Equal((48L, 8L), (arena.Length, arena.DecayedLength));
            Assert.Equal([8L, 16, 0, 24, 32, 40], arena.Entries.Select(e => e.Offset));
            Assert.Equal(module.NamedParameters().Select(p => p.Name), arena.Entries.Select(e => e.Name));
            arena.Write(arena.Entries[1], arena.Values, [7, 8, 9]);
            Assert.Equal([7f, 8, 9], arena.Entries[1].Parameter.Value.ToArray());
            Assert.Equal([1f, 1, 1], arena.Read(arena.Entries[0], arena.Values));
        }
        Assert.Equal(before, device.Pool.LiveBytes);
    }

    /// <summary>What lies between parameters stays zero while they learn, in every block of the arena's layout.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void WhatLiesBetweenParametersStaysZero(string backend)
    {
        IBackend device = Backends.Get(backend);
        var module = new Mlp(3, 5, tanh: false, s_weight, static _ => Initializers.Ones);
        using var arena = new ParameterArena(device, module, seed: 1);
        using var optimizer = new AdamWOptimizer(arena, new AdamWOptions(WeightDecay: 0.1f));
        using var average = new ExponentialMovingAverage(arena, decay: 0.9);
        float[] before = Read(arena.Values);
        for (int step = 0; step < 2; step++)
        {
            using var scope = new TensorScope();
            Tensor y = module.Forward(Tensor.From(device, [1, 2, 3, 4, 5, 6], 2, 3));
            y.WeightedSum(Tensor.Full(device, 1, (int)y.Length)).Backward();
            optimizer.Step(0.01, average);
        }
        var used = new bool[arena.Length];
        foreach (ParameterArena.Entry entry in arena.Entries) { used.AsSpan((int)entry.Offset, entry.Parameter.Length).Fill(true); }
        Assert.Equal((0, 0), (arena.Length % ParameterArena.Alignment, arena.DecayedLength % ParameterArena.Alignment));
        Assert.Contains(false, used);
        Assert.NotEqual(before, Read(arena.Values));
        foreach (BufferView block in new[] { arena.Values, arena.Gradients, optimizer.FirstMoment, optimizer.SecondMoment, average.Values })
        {
            Assert.All(Read(block).Where((_, i) => !used[i]), value => Assert.Equal(0, value));
        }

        float[] Read(BufferView block)
        {
            var data = new float[block.Length];
            device.CopyToHost(block, data);
            return data;
        }
    }

    [Fact]
    public void AParameterWithoutMemoryIsRefused() =>
        Assert.Throws<InvalidOperationException>(() => new Linear(2, 2, s_weight).NamedParameters().First().Parameter.Value);

    [Fact]
    public void InitialValuesDependOnTheSeedAlone()
    {
        Assert.Equal(Values(1), Values(1));
        Assert.NotEqual(Values(1), Values(2));

        static float[] Values(ulong seed)
        {
            using var arena = new ParameterArena(Backends.Get("host"), new Linear(5, 7, s_weight), seed);
            return arena.Read(arena.Entries[0], arena.Values);
        }
    }

    /// <summary>Bounds, means and deviations of 2^16 values of a weight [256, 256] (fan-in 256, fan-out 256).</summary>
    [Fact]
    public void InitialisersHaveTheirMoments()
    {
        const int size = 256;
        CheckMoments("kaiming", Initializers.KaimingUniform, 1 / Math.Sqrt(3.0 * size), 1 / Math.Sqrt(size));
        CheckMoments("xavier", Initializers.XavierUniform, Math.Sqrt(2.0 / (2 * size)), Math.Sqrt(6.0 / (2 * size)));
        CheckMoments("bias", Initializers.UniformBias(64), 1 / Math.Sqrt(3.0 * 64), 1 / Math.Sqrt(64));
        CheckMoments("normal", Initializers.Normal(0.02), 0.02, 0.02 * 6);

        static void CheckMoments(string what, Initializer initializer, double deviation, double bound)
        {
            var values = new float[size * size];
            initializer(values, [size, size], seed: 3, stream: 5);
            double mean = values.Average(v => (double)v), square = values.Average(v => (double)v * v), worst = values.Max(Math.Abs);
            // Standard errors: σ/√n of the mean, at most σ²·√(2/n) of the square.
            Assert.True(Math.Abs(mean) <= Tolerance.StandardErrors * deviation / size, $"{what}: mean {mean:E2}");
            Assert.True(Math.Abs(square - deviation * deviation) <= Tolerance.StandardErrors * deviation * deviation * Math.Sqrt(2) / size, $"{what}: deviation {Math.Sqrt(square):E3}, expected {deviation:E3}");
            Assert.True(worst <= bound * 1.000001, $"{what}: largest {worst:E3}, bound {bound:E3}");
        }
    }

    /// <summary>The convolution's fan-in counts the kernel: [out 8, in 4, kernel 7].</summary>
    [Fact]
    public void FanInCountsTheKernel()
    {
        var values = new float[8 * 4 * 7 * 64];
        Initializers.KaimingUniform(values, [8 * 64, 4, 7], 1, 1);
        Assert.InRange(values.Max(), 0.95 / Math.Sqrt(28), 1 / Math.Sqrt(28));
    }

    [Fact]
    public void PositionsAreSinesOfColumnThenRow()
    {
        var values = new float[2 * 3 * 8];
        Initializers.SinCos2D(2, 3)(values, [1, 6, 8], 0, 0);
        // Token 5 is row 1, column 2; frequencies 1 and 1/100.
        double[] expected = [Math.Sin(2), Math.Sin(0.02), Math.Cos(2), Math.Cos(0.02), Math.Sin(1), Math.Sin(0.01), Math.Cos(1), Math.Cos(0.01)];
        for (int i = 0; i < 8; i++) { Assert.Equal(expected[i], values[40 + i], 1e-6); }
    }

    /// <summary>A weight gradient of the cross-attention's thirds lands in the packed array: the same as self-attention when context and x agree.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void CrossAttentionOverItselfIsSelfAttention(string backend)
    {
        IBackend device = Backends.Get(backend);
        var module = new MultiHeadAttention(32, 2, s_weight);
        using var weights = new ParameterArena(device, module, seed: 4);
        float[] data = new RandomData(8).Normal(2 * 5 * 32);
        var (self, selfGradients) = Run(x => module.Forward(x));
        var (cross, crossGradients) = Run(x => module.Forward(x, x));
        var error = new WorstError($"cross-attention over x against self-attention on {backend}", ModelTolerance.DitPrediction);
        error.Add("output", self, [.. cross.Select(v => (double)v)]);
        error.Add("gradients", selfGradients, [.. crossGradients.Select(v => (double)v)]);
        error.Check();

        (float[] Output, float[] Gradients) Run(Func<Tensor, Tensor> forward)
        {
            using var scope = new TensorScope();
            weights.ZeroGradients();
            Tensor y = forward(Tensor.From(device, data, 2, 5, 32));
            y.Backward(Tensor.From(device, new RandomData(9).Normal(data.Length), 2, 5, 32));
            var gradients = new float[weights.Length];
            device.CopyToHost(weights.Gradients, gradients);
            return (y.ToArray(), gradients);
        }
    }
}
