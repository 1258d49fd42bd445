using I2M.Kernels;
using I2M.Testing;
using Xunit;

namespace I2M.Autograd.Tests;

/// <summary>A residual with its norm as one node has the values and gradients of the two operations, whichever of its two results is read.</summary>
public sealed class ResidualNormTests
{
    private const int Batch = 2, Tokens = 7, Channels = 36, Count = Batch * Tokens * Channels, Chunks = 4;
    private const float Eps = 1e-6f;

    [Flags]
    public enum Read
    {
        Sum = 1,
        Normed = 2,
        Both = 3,
    }

    [Theory, MemberData(nameof(Rows))]
    public void OneNodeEqualsTwo(string backend, Read read)
    {
        float[][] fused = Gradients(backend, read, (x, h, m) => x.ResidualAdaLayerNorm(h, m, gateChunk: 2, scaleChunk: 0, shiftChunk: 3, Eps));
        float[][] apart = Gradients(backend, read, (x, h, m) =>
        {
            Tensor sum = x.GatedResidual(h, m, chunk: 2);
            return new ResidualNorm(sum, sum.AdaLayerNorm(m, scaleChunk: 0, shiftChunk: 3, Eps));
        });
        var error = new WorstError($"residual with its norm on {backend}, reading {read}", ModelTolerance.DitPrediction);
        string[] names = ["sum", "normed", "dx", "dh", "dmodulation"];
        for (int i = 0; i < names.Length; i++)
        {
            Assert.Contains(fused[i], value => value != 0);
            error.Add(names[i], fused[i], [.. apart[i].Select(v => (double)v)]);
        }
        error.Check();
        Assert.All(fused[4].Where((_, i) => i / Channels % Chunks == 1), value => Assert.Equal(0, value));
    }

    public static TheoryData<string, Read> Rows => Backends.With([Read.Sum, Read.Normed, Read.Both]);

    [Fact]
    public void NothingIsRecordedWithoutGradients()
    {
        IBackend device = Backends.Get("host");
        long live = device.Pool.LiveBytes;
        using (var scope = new TensorScope())
        {
            using var noGrad = GradMode.NoGrad();
            Tensor x = Tensor.Variable(device, new float[Count], Batch, Tokens, Channels), m = Tensor.Full(device, 1, Batch, Chunks * Channels);
            using ResidualNorm result = x.ResidualAdaLayerNorm(x, m, 0, 1, 2, Eps);
            Assert.False(result.Sum.RequiresGrad || result.Normed.RequiresGrad);
        }
        Assert.Equal(live, device.Pool.LiveBytes);
    }

    /// <summary>Both results, then the gradients of a random projection of what is read. x and h come from one tensor, so that gradients meet.</summary>
    private static float[][] Gradients(string backend, Read read, Func<Tensor, Tensor, Tensor, ResidualNorm> operation)
    {
        IBackend device = Backends.Get(backend);
        var random = new RandomData(6);
        using var scope = new TensorScope();
        Tensor x = Tensor.Variable(device, random.Normal(Count), Batch, Tokens, Channels), w = Tensor.Variable(device, random.Normal(Count), Batch, Tokens, Channels);
        Tensor m = Tensor.Variable(device, random.Normal(Batch * Chunks * Channels), Batch, Chunks * Channels), h = x.Multiply(w);
        ResidualNorm result = operation(x, h, m);
        Tensor sum = result.Sum.WeightedSum(Tensor.From(device, random.Normal(Count), Count)), normed = result.Normed.WeightedSum(Tensor.From(device, random.Normal(Count), Count));
        Tensor loss = read switch { Read.Sum => sum, Read.Normed => normed, _ => sum.Add(normed) };
        loss.Backward();
        return [result.Sum.ToArray(), result.Normed.ToArray(), x.GradientToArray(), w.GradientToArray(), m.GradientToArray()];
    }
}
