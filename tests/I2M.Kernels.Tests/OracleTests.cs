using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>The oracle's gradients against central differences of its own values, composition by composition.</summary>
public sealed class OracleTests
{
    private const double Step = 1e-5;

    private static readonly PatchShape s_patches = new(2, 2, 4, 6, 2, 3);
    private static readonly Conv1dShape s_conv = new(2, 6, 3, 4, 3), s_depthwise = new(2, 6, 3, 3, 5);
    private static readonly FrameShape s_frames = new(2, 20, 4, 8, 5, 4);
    private static readonly OverlapAddShape s_overlap = new(2, 3, 8, 4, 2, 12);

    /// <summary>Shapes of the inputs, then the composition.</summary>
    private static readonly Dictionary<string, (int[][] Inputs, Func<Node[], Node> Compose)> s_cases = new()
    {
        ["arithmetic"] = ([[3, 4], [3, 4]], x => 2 * x[0] * x[1] - x[0] + 1),
        ["elementary"] = ([[12]], x => (x[0].Sin() + x[0].Cos() + 0.1 * x[0].Exp()).Tanh() + (x[0] * x[0] + 1).Log() + (x[0] * x[0] + 1).Sqrt() + (x[0] * x[0] + 1).Reciprocal() + x[0].Erf()),
        ["clamps"] = ([[31]], x => x[0].AtLeast(-0.5).AtMost(0.7)),
        ["matmul"] = ([[2, 3, 4], [2, 4, 5]], x => Node.MatMul(x[0], x[1])),
        ["silu"] = ([[9]], x => Compositions.Silu(x[0])),
        ["gelu erf"] = ([[9]], x => Compositions.GeluErf(x[0])),
        ["gelu tanh"] = ([[9]], x => Compositions.GeluTanh(x[0])),
        ["log clamp"] = ([[31]], x => Compositions.LogClamp(x[0], 0.3)),
        ["combine rows"] = ([[3], [3, 4], [3], [3, 4]], x => Compositions.CombineRows(x[0], x[1], x[2], x[3])),
        ["mix rows"] = ([[3], [3, 4], [4]], x => Compositions.MixRows(x[0], x[1], x[2])),
        ["gated residual"] = ([[2, 3, 4], [2, 3, 4], [2, 4]], x => Compositions.GatedResidual(x[0], x[1], x[2])),
        ["sum columns"] = ([[2, 3, 4]], x => Compositions.SumColumns(x[0], 0.7)),
        ["squared error"] = ([[3, 4], [3, 4]], x => Compositions.SquaredErrorRows(x[0], x[1])),
        ["layer norm"] = ([[3, 8], [8], [8]], x => Compositions.LayerNorm(x[0], x[1], x[2], 1e-3)),
        ["adaptive layer norm"] = ([[2, 3, 8], [2, 8], [2, 8]], x => Compositions.AdaLayerNorm(x[0], x[1], x[2], 1e-3)),
        ["softmax"] = ([[3, 5]], x => Compositions.Softmax(x[0])),
        ["log-sum-exp"] = ([[3, 5]], x => Compositions.LogSumExp(x[0])),
        ["cross-entropy"] = ([[3, 5]], x => Compositions.CrossEntropyRows(x[0], [4, 0, 2])),
        ["attention"] = ([[2, 3, 8], [2, 5, 8], [2, 5, 8]], x => Compositions.Attention(x[0], x[1], x[2], 2, 0.5).Output),
        ["attention's lse"] = ([[2, 3, 8], [2, 5, 8], [2, 5, 8]], x => Compositions.Attention(x[0], x[1], x[2], 2, 0.5).Lse),
        ["patchify"] = ([[2, 2, 4, 6]], x => Compositions.Patchify(x[0], s_patches)),
        ["gather rows"] = ([[4, 3]], x => Compositions.GatherRows(x[0], [1, 3, 1])),
        ["gemm"] = ([[40], [40], [3]], x => Compositions.Gemm(x[0], x[1], x[2], new GemmShape(GemmLayout.TT, 4, 3, 5) { Batch = 2, StrideA = 20, StrideB = 15 })),
        ["conv1d"] = ([[36], [36], [4]], x => Compositions.Conv1d(x[0], x[1], x[2], s_conv)),
        ["depthwise conv1d"] = ([[36], [15], [3]], x => Compositions.DepthwiseConv1d(x[0], x[1], x[2], s_depthwise)),
        ["real FFT"] = ([[2, 8]], x => Compositions.RealFft(x[0], 8, 1, 1)),
        ["inverse real FFT"] = ([[2, 10]], x => Compositions.InverseRealFft(x[0], 8, 0.125, 0.25)),
        ["frame"] = ([[2, 20], [8]], x => Compositions.Frame(x[0], x[1], s_frames)),
        ["overlap-add"] = ([[2, 3, 8]], x => Compositions.OverlapAdd(x[0], Node.Leaf([.. Enumerable.Range(1, 8).Select(i => i / 8.0)], 8), s_overlap)),
        ["magnitude"] = ([[12]], x => Compositions.Magnitude(x[0])),
        ["polar spectrum"] = ([[2, 8]], x => Compositions.PolarSpectrum(x[0], 4, 2.5)),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory, MemberData(nameof(Cases))]
    public void Gradients_equal_central_differences(string name)
    {
        var (shapes, compose) = s_cases[name];
        var random = new RandomData(5);
        double[][] values = [.. shapes.Select(s => Array.ConvertAll(random.Normal(Node.Size(s)), x => (double)x))];
        Node[] inputs = [.. values.Zip(shapes, (v, s) => Node.Leaf(v, s))];
        Node output = compose(inputs);
        double[] seed = Array.ConvertAll(random.Normal(output.Value.Length), x => (double)x);
        output.Backward(seed);
        for (int input = 0; input < inputs.Length; input++)
        {
            double[] numeric = [.. Enumerable.Range(0, values[input].Length).Select(i => (Loss(input, i, Step) - Loss(input, i, -Step)) / (2 * Step))];
            Tolerance.CentralDifferences.Check($"oracle: {name}, input {input}", inputs[input].Gradient, numeric);
        }

        double Loss(int input, int index, double step)
        {
            Node[] moved = [.. values.Select((v, n) => Node.Leaf(n == input ? [.. v.Select((x, i) => i == index ? x + step : x)] : v, shapes[n]))];
            return compose(moved).Value.Zip(seed, (y, s) => y * s).Sum();
        }
    }

    /// <summary>erf from the tables of Abramowitz and Stegun and, beyond them, the complement's leading digits.</summary>
    [Fact]
    public void Erf_equals_its_table()
    {
        double[] x = [0, 0.5, 1, 1.5, 2, 2.5, 3, -1], table = [0, 0.5204998778130465, 0.8427007929497149, 0.9661051464753107, 0.9953222650189527, 0.9995930479825550, 0.9999779095030014, -0.8427007929497149];
        Tolerance.ReferenceOracle.Check("erf", Array.ConvertAll(x, ErrorFunction.Erf), table);
    }

    /// <summary>A comparison that passes on NaN tests nothing.</summary>
    [Fact]
    public void A_comparison_fails_on_NaN_and_on_a_wrong_element()
    {
        Tolerance sum = Tolerance.Of(nameof(IBackend.Gemm));
        sum.Check("equal", [1f, 2f], new double[] { 1, 2 });
        Assert.ThrowsAny<Exception>(() => sum.Check("NaN", [1f, float.NaN], new double[] { 1, 2 }));
        Assert.ThrowsAny<Exception>(() => sum.Check("NaN expected", [1f, 2f], new double[] { 1, double.NaN }));
        Assert.ThrowsAny<Exception>(() => sum.Check("wrong", [1f, 2.001f], new double[] { 1, 2 }));
        Assert.ThrowsAny<Exception>(() => sum.Check("short", [1f], new double[] { 1, 2 }));
    }

    [Fact]
    public void Every_operation_has_a_row_in_the_tolerance_table()
    {
        string[] machinery = [nameof(IBackend.CopyFromHost), nameof(IBackend.CopyToHost), nameof(IBackend.OpenUpload), nameof(IBackend.OpenDownload), nameof(IBackend.Synchronize)];
        IEnumerable<string> operations = typeof(IBackend).GetMethods().Where(m => !m.IsSpecialName).Select(m => m.Name).Distinct().Except(machinery);
        Assert.Equal(operations.Order(), Tolerance.Operations.Order());
    }
}
