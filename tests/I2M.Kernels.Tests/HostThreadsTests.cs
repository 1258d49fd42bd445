using I2M.Kernels.Host;
using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>The number of threads must not show in a single bit of any result.</summary>
public sealed class HostThreadsTests
{
    private const int Rows = 700, Columns = 96, Count = Rows * Columns;
    private static readonly ModulationShape s_modulation = new(5, Rows / 5, Columns, Columns);
    private static readonly AttentionShape s_attention = new(2, 3, 175, 151, 16, 0.25f);
    private static readonly Conv1dShape s_conv = new(2, Rows / 2, 24, Columns, 7), s_depthwise = s_conv with { InChannels = Columns };

    private delegate void Operation(IBackend backend, BufferView x, BufferView y, BufferView small, BufferView outputs);

    /// <summary>x and y hold <see cref="Count"/> numbers, small 20,000; outputs receives the results one after another.</summary>
    private static readonly Dictionary<string, Operation> s_operations = new()
    {
        ["elementwise"] = (b, x, y, _, o) => { b.GeluErf(x, o.Slice(0, Count)); b.Axpby(2, x, 3, y, o.Slice(Count, Count)); b.SiluBackward(x, y, o.Slice(2 * Count, Count)); },
        ["sums"] = (b, x, y, _, o) => { b.SumSquares(x, o.Slice(0, 1)); b.Dot(x, y, o.Slice(1, 1)); b.SumRows(x, o.Slice(2, Rows)); b.SquaredErrorRows(x, y, o.Slice(1000, 4)); b.SumColumns(x, new ReduceShape(1, Rows, Columns), 1, false, o.Slice(2000, Columns)); },
        ["gated residual"] = (b, x, y, small, o) => b.GatedResidualBackward(x, small, y, s_modulation, o.Slice(0, Count), o.Slice(Count, 5 * Columns)),
        ["mix rows"] = (b, x, y, small, o) => b.MixRowsBackward(small.Slice(0, Rows), x, Rows, o.Slice(0, Count), o.Slice(Count, Columns)),
        ["matrix product"] = (b, x, y, small, o) => { b.Gemm(x, y, BufferView.None, new GemmShape(GemmLayout.TN, Columns, Columns, Rows), o.Slice(0, Columns * Columns)); b.Gemm(x, y, small, new GemmShape(GemmLayout.NT, Rows, Rows, Columns), o.From(10_000)); },
        ["matrix product with GELU"] = (b, x, y, small, o) =>
        {
            var shape = new GemmShape(GemmLayout.NT, Rows, 200, Columns);
            b.Gemm(x, y, new GemmEpilogue { Bias = small, Activation = GemmActivation.GeluErf, PreActivation = o.Slice(0, 140_000), Residual = o.From(300_000) }, shape, o.Slice(140_000, 140_000));
            using PackedMatrix packed = b.Pack(y, shape);
            b.Gemm(x, packed, new GemmEpilogue { Activation = GemmActivation.GeluTanh, GeluGradientOf = o.Slice(0, 140_000) }, shape, o.From(400_000));
        },
        ["layer norm"] = (b, x, y, small, o) => { b.LayerNorm(x, small.Slice(0, Columns), small.Slice(Columns, Columns), Columns, 1e-6f, o.Slice(0, Count), o.Slice(Count, Rows), o.Slice(Count + Rows, Rows)); b.LayerNormBackward(x, small.Slice(0, Columns), o.Slice(Count, Rows), o.Slice(Count + Rows, Rows), y, Columns, o.Slice(2 * Count, Count), o.Slice(3 * Count, Columns), o.Slice(3 * Count + Columns, Columns)); },
        ["adaptive layer norm"] = (b, x, y, small, o) => { b.AdaLayerNorm(x, small, small.From(480), s_modulation, 1e-6f, o.Slice(0, Count), o.Slice(Count, Rows), o.Slice(Count + Rows, Rows)); b.AdaLayerNormBackward(x, small, o.Slice(Count, Rows), o.Slice(Count + Rows, Rows), y, s_modulation, o.Slice(2 * Count, Count), o.Slice(3 * Count, 480), o.Slice(3 * Count + 480, 480)); },
        ["residual with adaptive layer norm"] = (b, x, y, small, o) =>
        {
            BufferView sum = o.Slice(0, Count), dx = o.Slice(Count, Count), mean = o.Slice(5 * Count, Rows), rstd = o.Slice(5 * Count + Rows, Rows), gradients = o.From(5 * Count + 2 * Rows);
            b.ResidualAdaLayerNorm(x, y, small.From(960), small, small.From(480), s_modulation, 1e-6f, sum, o.Slice(2 * Count, Count), mean, rstd);
            b.ResidualAdaLayerNormBackward(sum, y, small.From(960), small, mean, rstd, x, s_modulation, dx, o.Slice(3 * Count, Count), gradients, gradients.From(480), gradients.From(960));
        },
        ["softmax"] = (b, x, y, _, o) => { b.Softmax(x, Columns, o.Slice(0, Count)); b.SoftmaxBackward(o.Slice(0, Count), y, Columns, o.Slice(Count, Count)); },
        ["attention"] = (b, x, y, _, o) => { b.Attention(x, y, x, s_attention, o.Slice(0, 16_800), o.Slice(16_800, 1_050)); b.AttentionBackward(x, y, x, o.Slice(0, 16_800), o.Slice(16_800, 1_050), y, s_attention, o.Slice(20_000, 16_800), o.Slice(40_000, 14_496), o.Slice(60_000, 14_496)); },
        ["convolution"] = (b, x, y, small, o) => { b.Conv1d(x.Slice(0, Rows * 24), small, BufferView.None, s_conv, o.Slice(0, Count)); b.Conv1dBackwardInput(small, y, s_conv, o.Slice(Count, Rows * 24)); b.Conv1dBackwardWeight(x, y, s_conv, o.Slice(2 * Count, 24 * Columns * 7), o.Slice(3 * Count, Columns)); },
        ["depthwise convolution"] = (b, x, y, small, o) => { b.DepthwiseConv1d(x, small, BufferView.None, s_depthwise, o.Slice(0, Count)); b.DepthwiseConv1dBackwardInput(small, y, s_depthwise, o.Slice(Count, Count)); b.DepthwiseConv1dBackwardWeight(x, y, s_depthwise, o.Slice(2 * Count, Columns * 7), o.Slice(3 * Count, Columns)); },
        ["Fourier"] = (b, x, y, small, o) => { b.RealFft(x.Slice(0, 65_536), 1024, 1, 1, o.Slice(0, 64 * 1026)); b.FrameBackward(x.Slice(0, 16 * 1024), BufferView.None, new FrameShape(1, 4096, 16, 1024, 256, 512), o.Slice(70_000, 4096)); b.OverlapAdd(x.Slice(0, 16 * 1024), small.Slice(0, 1024), new OverlapAddShape(1, 16, 1024, 256, 512, 3840), o.Slice(80_000, 3840)); },
        ["random"] = (b, x, y, _, o) => { b.RandomBits(1, 2, 3, o.Slice(0, Count)); b.RandomNormal(1, 2, 3, o.Slice(Count, Count)); },
        ["optimizer"] = (b, x, y, _, o) => { b.Copy(y, o.Slice(0, Count)); b.AdamW(x, BufferView.None, new AdamWStep(1e-3f, 0.9f, 0.99f, 1e-8f, 0.1f, 3), o.Slice(0, Count), o.Slice(Count, Count), o.Slice(2 * Count, Count)); },
        ["optimizer with average"] = (b, x, y, _, o) => { b.Copy(y, o.Slice(0, Count)); b.Copy(x, o.Slice(4 * Count, Count)); b.AdamWEma(BufferView.None, new AdamWStep(1e-3f, 0.9f, 0.99f, 1e-8f, 0.1f, 3), 0.9f, o.Slice(4 * Count, Count), o.Slice(0, Count), o.Slice(Count, Count), o.Slice(2 * Count, Count), o.Slice(3 * Count, Count)); },
        ["layout"] = (b, x, y, _, o) => { b.Transpose(x, 1, Rows, Columns, o.Slice(0, Count)); b.SplitHeads(x, 1, Rows, 6, 16, o.Slice(Count, Count)); b.Patchify(x, new PatchShape(1, 1, Rows, Columns, 4, 8), o.Slice(2 * Count, Count)); },
    };

    public static TheoryData<string> Operations => [.. s_operations.Keys];

    [Theory, MemberData(nameof(Operations))]
    public void Results_are_equal_to_the_bit_for_1_2_and_3_threads(string operation)
    {
        int[] single = Run(operation, 1);
        Assert.Contains(single, word => word != 0);
        foreach (int threads in new[] { 2, 3 }) { Assert.True(single.AsSpan().SequenceEqual(Run(operation, threads)), $"{operation}: {threads} threads gave other bits than one"); }
    }

    private static int[] Run(string operation, int threads)
    {
        using IBackend backend = new HostBackend(threads);
        var random = new RandomData(11);
        BufferView x = Upload(random.Normal(Count)), y = Upload(random.Normal(Count)), small = Upload(random.Normal(20_000)), outputs = Upload(new float[600_000]);
        s_operations[operation](backend, x, y, small, outputs);
        var words = new int[outputs.Length];
        backend.CopyToHost(outputs, words);
        return words;

        BufferView Upload(float[] values)
        {
            BufferView view = backend.Pool.Rent(values.Length);
            backend.CopyFromHost(values, view);
            return view;
        }
    }
}
