using I2M.Kernels;

namespace I2M.Model.Diagnostics;

/// <summary>One check or more of every family; together they call every operation of the contract. Sizes end off every vector and tile.</summary>
public static partial class KernelChecks
{
    private const int N = 1037, R = 37, C = 45, Batch = 2, Tokens = 21, Heads = 2, HeadDim = 24;
    private const int Rows = Batch * Tokens, Width = Heads * HeadDim;
    private const float Eps = 1e-5f;
    private static readonly ModulationShape s_modulation = new(Batch, Tokens, Width, 3 * Width);
    private static readonly AttentionShape s_attention = new(Batch, Heads, Tokens, Tokens + 2, HeadDim, 0.2f);
    private static readonly Conv1dShape s_conv = new(Batch, Tokens, 12, 20, 7), s_depthwise = new(Batch, Tokens, 12, 12, 7);
    private static readonly FrameShape s_frames = new(Batch, 150, 10, 64, 16, 32);
    private static readonly OverlapAddShape s_overlap = new(Batch, 10, 64, 16, 32, 144);
    private static readonly PatchShape s_patches = new(Batch, 3, 12, 20, 4, 5);
    private static readonly AdamWStep s_step = new(1e-3f, 0.9f, 0.999f, 1e-8f, 0.01f, 3);
    private static readonly int[] s_indices = [3, 0, 2, 3, 1];
    private const long Modulations = 3L * Batch * Width, Activations = (long)Rows * Width, Keys = Batch * (Tokens + 2L) * Width, Statistics = (long)Batch * Heads * Tokens;

    /// <summary>All checks.</summary>
    public static IReadOnlyList<KernelCheck> All { get; } = [.. Pointwise(), .. Products(), .. Sums(), .. Audio(), .. Moves(), .. Training(), .. Narrow(), Transfers()];

    /// <summary>The families, in the checks' order.</summary>
    public static IEnumerable<string> Families => All.Select(c => c.Family).Distinct();

    private static IEnumerable<KernelCheck> Pointwise() =>
    [
        new("Activations", [N, N], [N, N, N, N, N, N], static (b, x, y) =>
        {
            b.Silu(x[0], y[0]);
            b.SiluBackward(x[0], x[1], y[1]);
            b.GeluErf(x[0], y[2]);
            b.GeluErfBackward(x[0], x[1], y[3]);
            b.GeluTanh(x[0], y[4]);
            b.GeluTanhBackward(x[0], x[1], y[5]);
        }),
        new("Activations", [N, N], [N, N], static (b, x, y) =>
        {
            b.LogClamp(x[0], 0.1f, y[0]);
            b.LogClampBackward(x[0], 0.1f, x[1], y[1]);
        }) { Positive = true },
        new("Elementwise", [N, N, 1], [N, N, N, N, N, N, N], static (b, x, y) =>
        {
            b.Fill(y[0], 1.5f);
            b.Copy(x[0], y[1]);
            b.Axpby(0.3f, x[0], -2, x[1], y[2]);
            b.Scale(0.7f, x[0], y[3]);
            b.ScaleByDevice(x[2], x[0], y[4]);
            b.Multiply(x[0], x[1], y[5]);
            b.Clamp(x[0], -0.5f, 0.5f, y[6]);
        }),
        new("Elementwise", [R * C, R * C, R, R, C], [R * C, R * C, R * C, R * C, C], static (b, x, y) =>
        {
            b.AddBroadcast(x[0], x[4], y[0]);
            b.CombineRows(x[2], x[0], x[3], x[1], R, y[1]);
            b.Scale(1e10f, x[2], x[2]); // A normal number so often, clamped, is one or zero.
            b.Clamp(x[2], 0, 1, x[2]);
            b.MixRows(x[2], x[0], x[4], R, y[2]);
            b.MixRowsBackward(x[2], x[1], R, y[3], y[4]);
        }),
        new("Elementwise", [Activations, Activations, Modulations], [Activations, Activations, Modulations], static (b, x, y) =>
        {
            b.GatedResidual(x[0], x[1], x[2], s_modulation, y[0]);
            b.GatedResidualBackward(x[0], x[2], x[1], s_modulation, y[1], y[2]);
        }),
        new("Sampling", [R * C, R * C], [R * C], static (b, x, y) => b.GuideRows(x[0], x[1], R, 3, 0.7f, y[0])),
        new("Random", [R * C, 4 * R], [N, N, R * C, R * C, N, R * C, R * C], static (b, x, y) =>
        {
            using var scope = new BufferScope(b.Pool);
            BufferView number = scope.Rent(2);
            b.CopyFromHost([3, 0], number);
            b.RandomUniform(5, 2, 3, y[0]);
            b.RandomNormal(5, 2, 3, y[1]);
            b.QSample(x[0], x[1], R, 5, 2, 0, y[2], y[3]);
            b.QSample(x[0], x[1], R, 5, 2, 1, y[5], y[6], number);
            var bits = new int[N];
            b.RandomBits(5, 2, 3, y[4]);
            b.CopyToHost(y[4], bits);
            b.CopyFromHost(Array.ConvertAll(bits, static word => (float)(word >> 8)), y[4]);
        }),
    ];

    private static IEnumerable<KernelCheck> Products()
    {
        foreach (GemmLayout layout in Enum.GetValues<GemmLayout>())
        {
            yield return new KernelCheck("Gemm", [R * 70, 70 * C, C, R * C], [R * C, R * C, R * C, R * C, C], (b, x, y) =>
            {
                var shape = new GemmShape(layout, R, C, 70);
                b.Gemm(x[0], x[1], new GemmEpilogue { Bias = x[2], Activation = GemmActivation.GeluErf, PreActivation = y[1], Residual = x[3] }, shape, y[0]);
                b.Gemm(x[0], x[1], new GemmEpilogue { Activation = GemmActivation.GeluTanh, GeluGradientOf = x[3], ColumnSums = y[4], AddsColumnSums = true }, shape, y[2]);
                using PackedMatrix packed = b.Pack(x[1], shape);
                b.Gemm(x[0], packed, x[2], shape, y[3]);
            });
        }
        yield return new KernelCheck("Attention", [Activations, Keys, Keys, Activations], [Activations, Statistics, Activations, Keys, Keys], static (b, x, y) =>
        {
            b.Attention(x[0], x[1], x[2], s_attention, y[0], y[1]);
            b.AttentionBackward(x[0], x[1], x[2], y[0], y[1], x[3], s_attention, y[2], y[3], y[4]);
        });
        yield return new KernelCheck("Conv1d", [Rows * 12, 20 * 12 * 7, 20, Rows * 20], [Rows * 20, Rows * 12, 20 * 12 * 7, 20], static (b, x, y) =>
        {
            b.Conv1d(x[0], x[1], x[2], s_conv, y[0]);
            b.Conv1dBackwardInput(x[1], x[3], s_conv, y[1]);
            b.Conv1dBackwardWeight(x[0], x[3], s_conv, y[2], y[3]);
        });
        yield return new KernelCheck("Conv1d", [Rows * 12, 12 * 7, 12, Rows * 12], [Rows * 12, Rows * 12, 12 * 7, 12], static (b, x, y) =>
        {
            b.DepthwiseConv1d(x[0], x[1], x[2], s_depthwise, y[0]);
            b.DepthwiseConv1dBackwardInput(x[1], x[3], s_depthwise, y[1]);
            b.DepthwiseConv1dBackwardWeight(x[0], x[3], s_depthwise, y[2], y[3]);
        });
    }

    private static IEnumerable<KernelCheck> Sums() =>
    [
        new("Reduce", [R * C, R * C, R], [R, C, R * C, 1, 1, R, R * C], static (b, x, y) =>
        {
            b.SumRows(x[0], y[0]);
            b.SumColumns(x[0], new ReduceShape(1, R, C), 0.5f, true, y[1]);
            b.BroadcastRows(x[1].Slice(0, C), new ReduceShape(1, R, C), 2, false, y[2]);
            b.SumSquares(x[0], y[3]);
            b.Dot(x[0], x[0], y[4]);
            b.SquaredErrorRows(x[0], x[1], y[5]);
            b.SquaredErrorRowsBackward(x[0], x[1], x[2], y[6]);
        }),
        new("Norm", [Activations, Width, Width, Activations], [Activations, Rows, Rows, Activations, Width, Width], static (b, x, y) =>
        {
            b.LayerNorm(x[0], x[1], x[2], Width, Eps, y[0], y[1], y[2]);
            b.LayerNormBackward(x[0], x[1], y[1], y[2], x[3], Width, y[3], y[4], y[5]);
        }),
        new("Norm", [Activations, Modulations, Activations], [Activations, Rows, Rows, Activations, Modulations], static (b, x, y) =>
        {
            b.AdaLayerNorm(x[0], x[1].From(Width), x[1], s_modulation, Eps, y[0], y[1], y[2]);
            b.AdaLayerNormBackward(x[0], x[1].From(Width), y[1], y[2], x[2], s_modulation, y[3], y[4].From(Width), y[4], accumulate: true);
        }),
        new("Norm", [Activations, Activations, Modulations, Activations], [Activations, Activations, Rows, Rows, Activations, Activations, Modulations], static (b, x, y) =>
        {
            b.ResidualAdaLayerNorm(x[0], x[1], x[2], x[2].From(Width), x[2].From(2 * Width), s_modulation, Eps, y[0], y[1], y[2], y[3]);
            b.ResidualAdaLayerNormBackward(y[0], x[1], x[2], x[2].From(Width), y[2], y[3], x[3], s_modulation, y[4], y[5], y[6], y[6].From(Width), y[6].From(2 * Width), accumulate: true);
        }),
        new("Softmax", [5 * C, 5 * C, 5], [5 * C, 5 * C, 5, 5 * C], static (b, x, y) =>
        {
            using var scope = new BufferScope(b.Pool);
            BufferView labels = scope.Rent(s_indices.Length);
            b.CopyFromHost(s_indices, labels);
            b.Softmax(x[0], C, y[0]);
            b.SoftmaxBackward(y[0], x[1], C, y[1]);
            b.CrossEntropyRows(x[0], labels, C, y[2]);
            b.CrossEntropyRowsBackward(x[0], labels, x[2], C, y[3]);
        }),
    ];

    private static IEnumerable<KernelCheck> Audio() =>
    [
        new("Fft", [5 * 64, 5 * 66], [5 * 66, 5 * 64], static (b, x, y) =>
        {
            b.RealFft(x[0], 64, 1, 1, y[0]);
            b.InverseRealFft(x[1], 64, 1f / 64, 2f / 64, y[1]);
        }),
        new("Fft", [2 * 150, 64, 2 * 640, 2 * 144], [2 * 640, 2 * 150, 2 * 144, 2 * 640], static (b, x, y) =>
        {
            b.Frame(x[0], x[1], s_frames, y[0]);
            b.FrameBackward(x[2], x[1], s_frames, y[1]);
            b.OverlapAdd(x[2], x[1], s_overlap, y[2]);
            b.OverlapAddBackward(x[3], x[1], s_overlap, y[3]);
        }) { Positive = true },
        new("Fft", [2 * N, N, R * 2 * C, R * 2 * C], [N, 2 * N, R * 2 * C, R * 2 * C], static (b, x, y) =>
        {
            b.Magnitude(x[0], y[0]);
            b.MagnitudeBackward(x[0], y[0], x[1], y[1]);
            b.PolarSpectrum(x[2], C, 2, y[2]);
            b.PolarSpectrumBackward(x[2], C, 2, x[3], y[3]);
        }),
    ];

    private static IEnumerable<KernelCheck> Moves() =>
    [
        new("Layout", [2 * 720, Activations], [2 * 720, 2 * 720, Activations, Activations, Activations], static (b, x, y) =>
        {
            b.Patchify(x[0], s_patches, y[0]);
            b.Unpatchify(x[0], s_patches, y[1]);
            b.SplitHeads(x[1], Batch, Tokens, Heads, HeadDim, y[2]);
            b.MergeHeads(x[1], Batch, Tokens, Heads, HeadDim, y[3]);
            b.Transpose(x[1], Batch, Tokens, Width, y[4]);
        }),
        new("Layout", [4 * C, 5 * C], [R * C, 5 * C, 4 * C], static (b, x, y) =>
        {
            using var scope = new BufferScope(b.Pool);
            BufferView indices = scope.Rent(s_indices.Length);
            b.CopyFromHost(s_indices, indices);
            b.CopyStrided(x[0], C, 4, 11, true, y[0], C + 3);
            b.GatherRows(x[0], indices, y[1]);
            b.ScatterAddRows(x[1], indices, y[2]);
        }),
    ];

    private static IEnumerable<KernelCheck> Training() =>
    [
        new("Optimizer", [N, 1], [N, N, N, N, N, 1], static (b, x, y) =>
        {
            b.AdamW(x[0], x[1], s_step, y[0], y[1], y[2]);
            b.AdamWEma(x[1], s_step, 0.9f, y[3], y[0], y[1], y[2], y[4]); // Calls the form with scalars on the device.
            b.Ema(y[0], 0.99f, y[4]);
            b.ClipFactor(x[1], 0.5f, y[5]);
        }) { Positive = true },
    ];
}
