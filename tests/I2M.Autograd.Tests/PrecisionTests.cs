using I2M.Autograd.Modules;
using I2M.Autograd.Optim;
using I2M.Kernels;
using I2M.Testing;
using Xunit;

namespace I2M.Autograd.Tests;

/// <summary>Tensors of bfloat16: what takes them, how their gradients are kept, and the weights' copy.</summary>
public sealed class PrecisionTests
{
    private const string All = nameof(Backends.All);
    private static readonly Initializer s_weight = Initializers.Normal(0.3);

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void ARoundedCopyAddsUpItsGradientInFloat32(string backend)
    {
        using var scope = new TensorScope();
        IBackend b = Backends.Get(backend);
        // 1 + 2⁻⁸ lies half-way between two bfloat16 numbers and goes to the even one; 3 words hold 5 elements.
        Tensor x = Tensor.Variable(b, [1 + 1f / 256, 1 + 3f / 256, -2, 0.5f, 7], 1, 5);
        Tensor copy = x.As(ElementType.BFloat16);
        Assert.Equal((ElementType.BFloat16, ElementType.Float32, 3L), (copy.Type, copy.GradientType, copy.Data.Length));
        Assert.Equal([1f, 1 + 4f / 256, -2, 0.5f, 7], copy.ToArray());
        Tensor wide = copy.As(ElementType.Float32), again = copy.As(ElementType.Float32);
        wide.Scale(1 / 512f).Add(again).WeightedSum(Tensor.From(b, [1, 1, 1, 1, 1], 5)).Backward();
        Assert.Equal(Enumerable.Repeat(1 + 1f / 512, 5), x.GradientToArray());
    }

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void ATensorOfBFloat16UsedTwiceGetsBothGradients(string backend)
    {
        using var scope = new TensorScope();
        IBackend b = Backends.Get(backend);
        Tensor x = Tensor.Variable(b, [3, -1, 4, 1], 1, 4);
        Tensor y = x.LayerNorm(null, null, 0, ElementType.BFloat16);
        Assert.Equal(ElementType.BFloat16, y.GradientType);
        Tensor left = y.As(ElementType.Float32), right = y.As(ElementType.Float32);
        left.Multiply(right).WeightedSum(Tensor.From(b, [1, 2, 3, 4], 4)).Backward();
        float[] n = y.ToArray();
        using var plain = new TensorScope();
        Tensor z = Tensor.Variable(b, [3, -1, 4, 1], 1, 4);
        Tensor m = z.LayerNorm(null, null, 0);
        m.WeightedSum(Tensor.From(b, [2 * n[0], 4 * n[1], 6 * n[2], 8 * n[3]], 4)).Backward();
        Tolerance.StepBFloat16.Check($"{backend}: gradient", x.GradientToArray(), [.. z.GradientToArray().Select(v => (double)v)]);
    }

    [Fact]
    public void OperationsRefuseWhatTheyDoNotTake()
    {
        using var scope = new TensorScope();
        IBackend b = Backends.Get("host");
        Tensor x = Tensor.From(b, [1, 2, 3, 4, 5, 6], 2, 3).As(ElementType.BFloat16), weight = Tensor.From(b, [1, 2, 3], 1, 3);
        foreach (Func<Tensor> operation in new Func<Tensor>[] { () => x.Scale(2), () => x.Silu(), () => x.Add(x), () => x.Reshape(1, 2, 3).MeanTokens(), () => x.SliceColumns(0, 2) })
        {
            Assert.Contains("holds BFloat16; this operation takes Float32", Assert.Throws<InvalidOperationException>(operation).Message);
        }
        Assert.Contains("the input holds BFloat16, the weight Float32", Assert.Throws<ArgumentException>(() => x.Linear(weight, null)).Message);
        Assert.Contains("within a word", Assert.Throws<InvalidOperationException>(() => x.SliceRows(1, 1).ToArray()).Message);
        Assert.Contains("A backward pass starts from Float32", Assert.Throws<InvalidOperationException>(() => Tensor.Variable(b, [1, 2], 2).LayerNorm(null, null, 0, ElementType.BFloat16).Backward(Tensor.Full(b, 1, 2))).Message);
    }

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void TheCopyFollowsTheValues(string backend)
    {
        IBackend b = Backends.Get(backend);
        long live = b.Pool.LiveBytes;
        var module = new ModuleList<Module>([new Linear(5, 3, s_weight), new LayerNorm(3), new Linear(3, 7, s_weight)]);
        using (var arena = new ParameterArena(b, module, seed: 1, precision: Precision.BFloat16))
        {
            Assert.Equal(Precision.BFloat16, module.Items[2].Precision);
            Check();
            arena.Write(arena.Entries[1], arena.Values, [1 / 3f, 2 / 3f, 4 / 3f]);
            Check();
            using var optimizer = new AdamWOptimizer(arena, new AdamWOptions());
            using var average = new ExponentialMovingAverage(arena, 0.5);
            b.Fill(arena.Gradients, 0.25f);
            optimizer.Step(0.01);
            Check();
            optimizer.Step(0.01, average);
            Check();
            arena.Bind(average.Values);
            Assert.NotEqual(arena.Entries[0].Parameter.Value.ToArray(), arena.Read(arena.Entries[0], arena.Values));
            Check();
            arena.Bind(arena.Values);
            Check();

            void Check()
            {
                foreach (ParameterArena.Entry entry in arena.Entries)
                {
                    using Tensor rounded = entry.Parameter.Value.As(ElementType.BFloat16);
                    Assert.Equal(rounded.ToArray(), entry.Parameter.As(ElementType.BFloat16).ToArray());
                }
            }
        }
        Assert.Equal(live, b.Pool.LiveBytes);
    }

    [Theory, MemberData(All, MemberType = typeof(Backends))]
    public void LayersInBFloat16GiveTheGradientsOfFloat32(string backend)
    {
        double[][] wide = Gradients(Precision.Float32), narrow = Gradients(Precision.BFloat16);
        for (int i = 0; i < wide.Length; i++)
        {
            Tolerance.BFloat16Layers.Check($"{backend}: gradient {i}", narrow[i], wide[i]);
        }
        Assert.NotEqual(wide[0], narrow[0]);

        double[][] Gradients(Precision precision)
        {
            using var scope = new TensorScope();
            IBackend b = Backends.Get(backend);
            var attention = new MultiHeadAttention(16, 2, s_weight);
            var mlp = new Mlp(16, 32, tanh: true, s_weight, static _ => Initializers.Constant(0.1f));
            using var arena = new ParameterArena(b, new ModuleList<Module>([attention, mlp]), seed: 3, precision: precision);
            var random = new RandomData(5);
            Tensor x = Tensor.Variable(b, random.Normal(2 * 6 * 16), 2, 6, 16), gate = Tensor.Variable(b, random.Normal(2 * 16), 2, 16);
            ElementType type = precision.Activations();
            Tensor self = attention.AddSelf(x.LayerNorm(null, null, 1e-6f, type), x);
            Tensor cross = attention.ForwardProjected(self.LayerNorm(null, null, 1e-6f, type), attention.ProjectContext(x.As(type)));
            Tensor gated = self.GatedResidual(cross, gate);
            Tensor y = mlp.Forward(gated.LayerNorm(null, null, 1e-6f, type), gated);
            Assert.Equal((type, ElementType.Float32), (cross.Type, y.Type));
            y.WeightedSum(Tensor.From(b, random.Normal(y.Length), 2, 6, 16)).Backward();
            // The keys' bias has a gradient of zero in exact arithmetic: it is measured with the rest of its array.
            return [.. arena.Entries.Select(e => arena.Read(e, arena.Gradients)).Append(x.GradientToArray()).Append(gate.GradientToArray()).Select(g => Array.ConvertAll(g, static v => (double)v))];
        }
    }
}
