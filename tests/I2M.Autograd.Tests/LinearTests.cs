using I2M.Autograd.Modules;
using I2M.Kernels;
using I2M.Testing;
using Xunit;

namespace I2M.Autograd.Tests;

/// <summary>Linear layers fused with what follows them against the same made of single operations, and packed weights.</summary>
public sealed class LinearTests
{
    private static readonly Initializer s_weight = Initializers.XavierUniform;

    private delegate Tensor Forward(Tensor x, Tensor w1, Tensor b1, Tensor w2, Tensor b2, Tensor residual);

    /// <summary>One node, then the same of many.</summary>
    private static readonly Dictionary<string, (Forward Fused, Forward Plain)> s_cases = new()
    {
        ["linear and residual"] = (
            static (x, w1, b1, _, _, _) => x.Linear(w1.SliceRows(0, 12), b1.SliceRows(0, 12), GemmActivation.None, x),
            static (x, w1, b1, _, _, _) => x.Linear(w1.SliceRows(0, 12), b1.SliceRows(0, 12)).Add(x)),
        ["linear and GELU"] = (
            static (x, w1, b1, _, _, _) => x.Linear(w1, b1, GemmActivation.GeluErf),
            static (x, w1, b1, _, _, _) => x.Linear(w1, b1).GeluErf()),
        ["linear, GELU's tanh form and residual"] = (
            static (x, w1, b1, _, _, r) => x.Linear(w1.SliceRows(0, 12), b1.SliceRows(0, 12), GemmActivation.GeluTanh, r),
            static (x, w1, b1, _, _, r) => x.Linear(w1.SliceRows(0, 12), b1.SliceRows(0, 12)).GeluTanh().Add(r)),
        ["MLP"] = (
            static (x, w1, b1, w2, b2, _) => x.GeluMlp(w1, b1, w2, b2, GemmActivation.GeluErf),
            static (x, w1, b1, w2, b2, _) => x.Linear(w1, b1).GeluErf().Linear(w2, b2)),
        ["MLP and residual"] = (
            static (x, w1, b1, w2, b2, r) => x.GeluMlp(w1, b1, w2, b2, GemmActivation.GeluTanh, r),
            static (x, w1, b1, w2, b2, r) => x.Linear(w1, b1).GeluTanh().Linear(w2, b2).Add(r)),
        ["MLP onto its own input"] = (
            static (x, w1, b1, w2, b2, _) => x.GeluMlp(w1, b1, w2, b2, GemmActivation.GeluErf, x),
            static (x, w1, b1, w2, b2, _) => x.Linear(w1, b1).GeluErf().Linear(w2, b2).Add(x)),
    };

    public static TheoryData<string, string> Rows => Backends.With(s_cases.Keys.ToArray());

    /// <summary>One product for several layers gives what each gives alone, and their gradients; names, order and initial values are those of the layers.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void AStackIsItsLayersSideBySide(string backend)
    {
        IBackend device = Backends.Get(backend);
        const int inputs = 12, rows = 3;
        int[] outputs = [9, 20, 7];
        Linear[] layers = New(), alone = New();
        Linear stack = Linear.Stack([layers[1], layers[0], layers[2]]);
        int[] starts = [20, 0, 29];
        using var scope = new TensorScope();
        using var arena = new ParameterArena(device, new ModuleList<Linear>(layers), seed: 3);
        using var other = new ParameterArena(device, new ModuleList<Linear>(alone), seed: 3);
        Assert.Equal(other.Entries.Select(e => e.Name), arena.Entries.Select(e => e.Name));
        float[] x = new RandomData(2).Normal(rows * inputs), dy = new RandomData(3).Normal(rows * outputs.Sum());
        Tensor y = stack.Forward(Tensor.From(device, x, rows, inputs));
        y.Backward(Tensor.From(device, dy, rows, outputs.Sum()));
        float[] together = y.ToArray();
        var error = new WorstError($"stacked layers on {backend}", ModelTolerance.DitPrediction);
        for (int i = 0; i < layers.Length; i++)
        {
            Tensor own = alone[i].Forward(Tensor.From(device, x, rows, inputs));
            own.Backward(Tensor.From(device, Part(dy, i), rows, outputs[i]));
            error.Add($"layer {i}", Part(together, i), [.. own.ToArray().Select(v => (double)v)]);
        }
        for (int i = 0; i < arena.Entries.Count; i++)
        {
            Assert.Equal(other.Read(other.Entries[i], other.Values), arena.Read(arena.Entries[i], arena.Values));
            error.Add($"gradient of {arena.Entries[i].Name}", arena.Read(arena.Entries[i], arena.Gradients), [.. other.Read(other.Entries[i], other.Gradients).Select(v => (double)v)]);
        }
        error.Check();
        Assert.Throws<ArgumentException>(() => Linear.Stack([layers[0]]));
        Assert.Throws<ArgumentException>(() => Linear.Stack([new Linear(3, 2, s_weight), new Linear(4, 2, s_weight)]));

        Linear[] New() => [.. outputs.Select(n => new Linear(inputs, n, s_weight, Initializers.Ones))];

        float[] Part(float[] data, int layer) => [.. data.Where((_, i) => i % outputs.Sum() >= starts[layer] && i % outputs.Sum() < starts[layer] + outputs[layer])];
    }

    /// <summary>A stack's packed copy is dropped when a layer of it changes.</summary>
    [Fact]
    public void AStackReadsWhatItsLayersHold()
    {
        IBackend device = Backends.Get("host");
        Linear[] layers = [new Linear(32, 16, s_weight), new Linear(32, 24, s_weight)];
        Linear stack = Linear.Stack(layers);
        using var arena = new ParameterArena(device, new ModuleList<Linear>(layers), seed: 3, trainable: false);
        using var scope = new TensorScope();
        using var noGrad = GradMode.NoGrad();
        arena.PackWeights();
        Tensor x = Tensor.From(device, new RandomData(2).Normal(40 * 32), 40, 32);
        float[] before = stack.Forward(x).ToArray();
        arena.Write(arena.Entries[2], arena.Values, new float[24 * 32]);
        float[] after = stack.Forward(x).ToArray();
        Assert.Equal(before.Where((_, i) => i % 40 < 16), after.Where((_, i) => i % 40 < 16));
        Assert.All(after.Where((_, i) => i % 40 >= 16), value => Assert.Equal(0, value));
        Assert.Contains(before.Where((_, i) => i % 40 >= 16), value => value != 0);
    }

    [Theory, MemberData(nameof(Rows))]
    public void A_fused_node_is_the_composition(string backend, string name)
    {
        var (fused, plain) = s_cases[name];
        (float[] Values, float[][] Gradients) a = Run(backend, fused), b = Run(backend, plain);
        Tolerance tolerance = Tolerance.Of(nameof(IBackend.Gemm));
        tolerance.Check($"{name} on {backend}", a.Values, [.. b.Values.Select(v => (double)v)]);
        for (int i = 0; i < a.Gradients.Length; i++)
        {
            Assert.Equal(b.Gradients[i].Length, a.Gradients[i].Length);
            tolerance.Check($"{name} on {backend}, gradient {i}", a.Gradients[i], [.. b.Gradients[i].Select(v => (double)v)]);
        }
    }

    private static (float[] Values, float[][] Gradients) Run(string backend, Forward forward)
    {
        using var scope = new TensorScope();
        IBackend device = Backends.Get(backend);
        var random = new RandomData(7);
        Tensor x = New(2, 19, 12), w1 = New(40, 12), b1 = New(40), w2 = New(12, 40), b2 = New(12), residual = New(2, 19, 12);
        Tensor y = forward(x.Scale(1), w1, b1, w2, b2, residual);
        y.Backward(Tensor.From(device, new RandomData(8).Normal(y.Length), [.. y.Shape]));
        Tensor[] inputs = [x, w1, b1, w2, b2, residual];
        return (y.ToArray(), [.. inputs.Where(i => !i.Gradient.IsNone).Select(i => i.GradientToArray())]);

        Tensor New(params int[] shape) => Tensor.Variable(device, random.Normal(shape.Aggregate(1L, (p, s) => p * s)), shape);
    }

    [Fact]
    public void A_residual_of_another_shape_is_refused()
    {
        using var scope = new TensorScope();
        IBackend host = Backends.Get("host");
        Tensor x = Tensor.Full(host, 1, 3, 4), w = Tensor.Full(host, 1, 5, 4);
        Assert.Throws<ArgumentException>(() => x.Linear(w, null, GemmActivation.None, x));
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Packed_weights_give_the_same_bits_and_follow_the_values(string backend)
    {
        IBackend device = Backends.Get(backend);
        long before = device.Pool.LiveBytes;
        var attention = new MultiHeadAttention(32, 2, s_weight);
        var mlp = new Mlp(32, 128, tanh: false, s_weight, static _ => Initializers.Zeros);
        using (var arena = new ParameterArena(device, new ModuleList<Module>([attention, mlp]), seed: 4, trainable: false))
        using (var scope = new TensorScope())
        using (GradMode.NoGrad())
        {
            Tensor x = Tensor.From(device, new RandomData(8).Normal(2 * 40 * 32), 2, 40, 32);
            float[] plain = Both(x);
            arena.PackWeights();
            Assert.Equal(plain, Both(x));
            Assert.Equal(plain, Both(x));
            ParameterArena.Entry weight = arena.Entries.First(e => e.Name.EndsWith("in_proj_weight", StringComparison.Ordinal));
            float[] values = arena.Read(weight, arena.Values);
            arena.Write(weight, arena.Values, [.. values.Select(v => 2 * v)]);
            Assert.NotEqual(plain, Both(x));
            BufferView other = device.Pool.Rent(arena.Length);
            device.Copy(arena.Values, other);
            arena.Write(weight, other, values);
            arena.Bind(other);
            Assert.Equal(plain, Both(x));
            arena.Bind(arena.Values);
            device.Pool.Return(other);
        }
        Assert.Equal(before, device.Pool.LiveBytes);

        float[] Both(Tensor x)
        {
            using var scope = new TensorScope();
            return mlp.Forward(attention.Forward(attention.AddSelf(x, x), x), x).ToArray();
        }
    }

    [Fact]
    public void A_trainable_arena_packs_nothing()
    {
        using var arena = new ParameterArena(Backends.Get("host"), new Linear(4, 4, s_weight), seed: 1);
        Assert.Throws<InvalidOperationException>(arena.PackWeights);
    }

    [Fact]
    public void A_module_that_goes_from_inference_to_training_keeps_no_packed_weights()
    {
        IBackend device = Backends.Get("host");
        var linear = new Linear(32, 32, s_weight);
        using var scope = new TensorScope();
        using var noGrad = GradMode.NoGrad();
        Tensor x = Tensor.From(device, new RandomData(8).Normal(40 * 32), 40, 32);
        using var inference = new ParameterArena(device, linear, seed: 1, trainable: false);
        inference.PackWeights();
        linear.Forward(x);
        using var training = new ParameterArena(device, linear, seed: 1);
        float[] before = linear.Forward(x).ToArray();
        // As an optimiser does: all values at once.
        device.Scale(2, training.Values, training.Values);
        Assert.Equal(before.Select(y => 2 * y), linear.Forward(x).ToArray());
    }
}
