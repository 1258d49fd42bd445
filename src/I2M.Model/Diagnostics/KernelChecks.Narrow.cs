using I2M.Kernels;

namespace I2M.Model.Diagnostics;

/// <summary>What mixed precision takes: operands in bfloat16, factors of reduced precision, the optimiser's copy; and the ways data take between host and device.</summary>
public static partial class KernelChecks
{
    /// <summary>Words of a place in a block of scratch memory, enough for any operand here and a multiple of what buffers align to.</summary>
    private const int Room = 4096;
    private const int M = 80, Outputs = 96, Inputs = 72;

    private static IEnumerable<KernelCheck> Narrow() => NarrowProducts().Concat(NarrowRows()).Select(c => c with { Narrow = true });

    private static IEnumerable<KernelCheck> NarrowProducts() =>
    [
        new("Gemm", [M * Inputs, Inputs * Outputs], [M * Outputs, M * Outputs], static (b, x, y) =>
        {
            using var scope = new BufferScope(b.Pool);
            BufferView block = scope.Rent(2 * Room), left = Rounded(b, x[0], block, 0), right = Rounded(b, x[1], block, 1);
            var shape = new GemmShape(GemmLayout.NT, M, Outputs, Inputs);
            b.Gemm(left, right, BufferView.None, shape with { Accumulate = true }, y[0]);
            b.Gemm(x[0], x[1], BufferView.None, shape with { Precision = MatmulPrecision.TensorFloat32 }, y[1]);
        }),
        new("Gemm", [M * Inputs, Inputs * Outputs, Outputs, M * Outputs], [M * Outputs, M * Outputs, M * Outputs, Outputs], static (b, x, y) =>
        {
            using var scope = new BufferScope(b.Pool);
            BufferView block = scope.Rent(6 * Room), left = Rounded(b, x[0], block, 0), right = Rounded(b, x[1], block, 1), before = Rounded(b, x[3], block, 2);
            BufferView c = Place(block, 3, M * Outputs), pre = Place(block, 4, M * Outputs), gradient = Place(block, 5, M * Outputs);
            var shape = new GemmShape(GemmLayout.NN, M, Outputs, Inputs);
            b.Gemm(left, right, new GemmEpilogue { Bias = x[2], Activation = GemmActivation.GeluTanh, PreActivation = pre, Residual = x[3] }, shape, c);
            b.Gemm(left, right, new GemmEpilogue { Activation = GemmActivation.GeluErf, GeluGradientOf = before, ColumnSums = y[3] }, shape, gradient);
            Widen(b, c, y[0]);
            Widen(b, pre, y[1]);
            Widen(b, gradient, y[2]);
        }),
        new("Attention", [Activations, Keys, Keys, Activations], [Activations, Statistics, Activations, Keys, Keys], static (b, x, y) =>
        {
            using var scope = new BufferScope(b.Pool);
            BufferView block = scope.Rent(8 * Room), q = Rounded(b, x[0], block, 0), k = Rounded(b, x[1], block, 1), v = Rounded(b, x[2], block, 2), dOut = Rounded(b, x[3], block, 3);
            BufferView o = Place(block, 4, Activations), dq = Place(block, 5, Activations), dk = Place(block, 6, Keys), dv = Place(block, 7, Keys);
            b.Attention(q, k, v, s_attention, o, y[1]);
            b.AttentionBackward(q, k, v, o, y[1], dOut, s_attention, dq, dk, dv);
            Widen(b, o, y[0]);
            Widen(b, dq, y[2]);
            Widen(b, dk, y[3]);
            Widen(b, dv, y[4]);
        }),
    ];

    private static IEnumerable<KernelCheck> NarrowRows() =>
    [
        new("Norm", [Activations, Width, Width, Modulations, Activations], [Activations, Rows, Rows, Activations, Width, Width, Activations, Activations, Modulations], static (b, x, y) =>
        {
            using var scope = new BufferScope(b.Pool);
            BufferView block = scope.Rent(2 * Room), result = Place(block, 0, Activations), dy = Rounded(b, x[4], block, 1);
            b.LayerNorm(x[0], x[1], x[2], Width, Eps, result, y[1], y[2]);
            b.LayerNormBackward(x[0], x[1], y[1], y[2], dy, Width, y[3], y[4], y[5]);
            Widen(b, result, y[0]);
            b.AdaLayerNorm(x[0], x[3].From(Width), x[3], s_modulation, Eps, result, y[1], y[2]);
            b.AdaLayerNormBackward(x[0], x[3].From(Width), y[1], y[2], dy, s_modulation, y[7], y[8].From(Width), y[8]);
            Widen(b, result, y[6]);
        }),
        new("Norm", [Activations, Activations, Modulations, Activations], [Activations, Activations, Rows, Rows, Activations, Activations, Modulations], static (b, x, y) =>
        {
            using var scope = new BufferScope(b.Pool);
            BufferView block = scope.Rent(4 * Room), h = Rounded(b, x[1], block, 0), dy = Rounded(b, x[3], block, 1), result = Place(block, 2, Activations), dh = Place(block, 3, Activations);
            b.ResidualAdaLayerNorm(x[0], h, x[2], x[2].From(Width), x[2].From(2 * Width), s_modulation, Eps, y[0], result, y[2], y[3]);
            b.ResidualAdaLayerNormBackward(y[0], h, x[2], x[2].From(Width), y[2], y[3], dy, s_modulation, y[4], dh, y[6], y[6].From(Width), y[6].From(2 * Width));
            Widen(b, result, y[1]);
            Widen(b, dh, y[5]);
        }),
        new("Elementwise", [Activations, Activations, Modulations], [Activations, Activations, Modulations], static (b, x, y) =>
        {
            using var scope = new BufferScope(b.Pool);
            BufferView block = scope.Rent(2 * Room), h = Rounded(b, x[1], block, 0), dh = Place(block, 1, Activations);
            b.GatedResidual(x[0], h, x[2], s_modulation, y[0]);
            b.GatedResidualBackward(h, x[2], x[0], s_modulation, dh, y[2]);
            Widen(b, dh, y[1]);
        }),
        new("Reduce", [Activations], [Batch * Width], static (b, x, y) =>
        {
            using var scope = new BufferScope(b.Pool);
            b.SumColumns(Rounded(b, x[0], scope.Rent(Room), 0), new ReduceShape(Batch, Tokens, Width), 0.5f, true, y[0]);
        }),
        new("Convert", [N], [N, R * C], static (b, x, y) =>
        {
            using var scope = new BufferScope(b.Pool);
            BufferView narrow = Rounded(b, x[0], scope.Rent(Room), 0);
            Widen(b, narrow, y[0]);
            b.ConvertRows(narrow, new RowBlock(1, 0, 10, 40, 30), y[1]);
        }),
        new("Optimizer", [N, 1], [N, N, N, N, N, N], static (b, x, y) =>
        {
            using var scope = new BufferScope(b.Pool);
            BufferView scalars = scope.Rent(AdamWStep.ScalarWords), shadow = Place(scope.Rent(Room), 0, N);
            Span<float> values = stackalloc float[AdamWStep.ScalarWords];
            s_step.WriteScalars(0.9f, values);
            b.CopyFromHost(values, scalars);
            b.AdamWEma(x[1], scalars, y[3], y[0], y[1], y[2], y[4], shadow);
            Widen(b, shadow, y[5]);
        }) { Positive = true },
    ];

    /// <summary>Every buffer of an upload takes its turn twice.</summary>
    private static KernelCheck Transfers() => new("Transfers", [N], [N, N, N, N, N], static (b, x, y) =>
    {
        using var scope = new BufferScope(b.Pool);
        BufferView place = scope.Rent(N);
        using (IUpload upload = b.OpenUpload(place))
        {
            for (int turn = 0; turn < 4; turn++)
            {
                Span<float> memory = upload.Map();
                for (int i = 0; i < memory.Length; i++) { memory[i] = turn + 0.001f * i; }
                upload.Send();
                b.Copy(place, y[turn]);
            }
        }
        using IDownload download = b.OpenDownload(x[0]);
        download.Queue();
        b.CopyFromHost(download.Read(), y[4]);
    });

    /// <summary>A place for bfloat16 elements in a block.</summary>
    private static BufferView Place(BufferView block, int place, long elements) =>
        block.Slice((long)place * Room, ElementType.BFloat16.Words(elements)).As(ElementType.BFloat16);

    /// <summary>x rounded to bfloat16, in a place of a block.</summary>
    private static BufferView Rounded(IBackend b, BufferView x, BufferView block, int place)
    {
        BufferView narrow = Place(block, place, x.Length);
        b.Convert(x, x.Length, narrow);
        return narrow;
    }

    private static void Widen(IBackend b, BufferView narrow, BufferView y) => b.Convert(narrow, y.Length, y);
}
