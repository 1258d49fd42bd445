namespace I2M.Kernels.Host;

// Dense convolution as a matrix product. With x padded by kernel/2 zero steps on both sides, the window of step t is the consecutive
// words x[t·channels .. (t + kernel)·channels), so the matrix of windows needs no copies: it is x with overlapping rows. The weights are
// rearranged once to [rows, kernel, channels] to match.
//   y  [t, o]      = Σ windows(x)[t, (j,i)]  · w[o, (j,i)]
//   dx [t, i]      = Σ windows(dy)[t, (j,o)] · w[i, (kernel−1−j, o)]      the adjoint of a "same" convolution flips the taps
//   dw [o, (j,i)]  = Σ_t dy[t, o] · windows(x)[t, (j,i)]                  t runs over all samples
public sealed unsafe partial class HostBackend
{
    private const int ConvolutionGrain = 1 << 14;

    /// <inheritdoc cref="IBackend.Conv1d"/>
    public void Conv1d(BufferView x, BufferView weight, BufferView bias, Conv1dShape shape, BufferView y)
    {
        CheckConvolution(shape, x, y, weight, bias);
        using var scope = new BufferScope(Pool);
        BufferView padded = scope.Rent(PaddedWords(shape, shape.InChannels)), rearranged = scope.Rent(WeightWords(shape));
        PadSteps(Pointer(x), shape, shape.InChannels, Pointer(padded));
        OutputMajorTaps(Pointer(weight), shape, Pointer(rearranged));
        Gemm(padded, rearranged, bias, WindowProduct(shape, shape.InChannels, shape.OutChannels), y);
    }

    /// <inheritdoc cref="IBackend.Conv1dBackwardInput"/>
    public void Conv1dBackwardInput(BufferView weight, BufferView dy, Conv1dShape shape, BufferView dx)
    {
        CheckConvolution(shape, dx, dy, weight, BufferView.None);
        using var scope = new BufferScope(Pool);
        BufferView padded = scope.Rent(PaddedWords(shape, shape.OutChannels)), rearranged = scope.Rent(WeightWords(shape));
        PadSteps(Pointer(dy), shape, shape.OutChannels, Pointer(padded));
        InputMajorFlippedTaps(Pointer(weight), shape, Pointer(rearranged));
        Gemm(padded, rearranged, BufferView.None, WindowProduct(shape, shape.OutChannels, shape.InChannels), dx);
    }

    /// <inheritdoc cref="IBackend.Conv1dBackwardWeight"/>
    public void Conv1dBackwardWeight(BufferView x, BufferView dy, Conv1dShape shape, BufferView dweight, BufferView dbias)
    {
        CheckConvolution(shape, x, dy, dweight, dbias);
        if (dy.Length == 0) { return; }
        using var scope = new BufferScope(Pool);
        BufferView padded = scope.Rent(PaddedWords(shape, shape.InChannels)), sums = scope.Rent(WeightWords(shape));
        BufferView gradients = scope.Rent(PaddedWords(shape, shape.OutChannels));
        PadSteps(Pointer(x), shape, shape.InChannels, Pointer(padded));
        PadSteps(Pointer(dy), shape, shape.OutChannels, Pointer(gradients));
        // One sum over all samples: between them dy is 0, so that the windows which belong to two samples do not count.
        long skipped = (long)(shape.Kernel / 2) * shape.OutChannels;
        int steps = shape.Batch * (shape.Length + shape.Kernel - 1) - (shape.Kernel - 1);
        var product = new GemmShape(GemmLayout.TN, shape.OutChannels, shape.Kernel * shape.InChannels, steps) { LeadingB = shape.InChannels };
        Gemm(gradients.From(skipped), padded, BufferView.None, product, sums);
        AddOutputMajorTaps(Pointer(sums), shape, Pointer(dweight));
        AddBiasGradient(dy, shape, dbias);
    }

    private static long PaddedWords(Conv1dShape s, int channels) => (long)s.Batch * (s.Length + s.Kernel - 1) * channels;

    private static long WeightWords(Conv1dShape s) => (long)s.OutChannels * s.InChannels * s.Kernel;

    /// <summary>windows [length, kernel·from] times rearranged weights [to, kernel·from] transposed, per sample.</summary>
    private static GemmShape WindowProduct(Conv1dShape s, int from, int to) => new(GemmLayout.NT, s.Length, to, s.Kernel * from)
    {
        LeadingA = from,
        Batch = s.Batch,
        StrideA = (long)(s.Length + s.Kernel - 1) * from,
        StrideC = (long)s.Length * to,
    };

    /// <summary>Copies sequences between kernel/2 zero steps.</summary>
    private void PadSteps(float* source, Conv1dShape s, int channels, float* destination)
    {
        int margin = s.Kernel / 2, steps = s.Length + s.Kernel - 1;
        _rows.Run((long)s.Batch * steps, Math.Max(1, ConvolutionGrain / channels), (start, end) =>
        {
            for (long i = start; i < end; i++)
            {
                long step = i % steps - margin;
                var row = new Span<float>(destination + i * channels, channels);
                if (step < 0 || step >= s.Length) { row.Clear(); }
                else { new ReadOnlySpan<float>(source + (i / steps * s.Length + step) * channels, channels).CopyTo(row); }
            }
        });
    }

    /// <summary>[out, in, kernel] to [out, kernel, in].</summary>
    private void OutputMajorTaps(float* weight, Conv1dShape s, float* destination) =>
        RunOutputs(s, (o, words) => HostShuffles.Transpose(weight + o * words, s.Kernel, s.InChannels, s.Kernel, destination + o * words, s.InChannels));

    /// <summary>Adds [out, kernel, in] to [out, in, kernel].</summary>
    private void AddOutputMajorTaps(float* sums, Conv1dShape s, float* dweight) =>
        RunOutputs(s, (o, words) =>
        {
            for (int i = 0; i < s.InChannels; i++)
            {
                for (int j = 0; j < s.Kernel; j++) { dweight[o * words + i * s.Kernel + j] += sums[o * words + (long)j * s.InChannels + i]; }
            }
        });

    /// <summary>Calls body(o, words of one output's weights) for all outputs.</summary>
    private void RunOutputs(Conv1dShape s, Action<long, long> body)
    {
        long words = (long)s.InChannels * s.Kernel;
        _rows.Run(s.OutChannels, Math.Max(1, ConvolutionGrain / words), (start, end) =>
        {
            for (long o = start; o < end; o++) { body(o, words); }
        });
    }

    /// <summary>[out, in, kernel] to [in, kernel, out] with the taps in reverse: a negative stride.</summary>
    private void InputMajorFlippedTaps(float* weight, Conv1dShape s, float* destination) =>
        _rows.Run(s.InChannels, Math.Max(1, ConvolutionGrain / ((long)s.OutChannels * s.Kernel)), (start, end) =>
        {
            for (long i = start; i < end; i++)
            {
                float* last = destination + (i * s.Kernel + s.Kernel - 1) * s.OutChannels;
                HostShuffles.Transpose(weight + i * s.Kernel, (long)s.InChannels * s.Kernel, s.OutChannels, s.Kernel, last, -s.OutChannels);
            }
        });

    private void AddBiasGradient(BufferView dy, Conv1dShape s, BufferView dbias)
    {
        if (!dbias.IsNone && dy.Length > 0) { SumColumns(dy, new ReduceShape(1, s.Batch * s.Length, s.OutChannels), 1, accumulate: true, dbias); }
    }

    private static void CheckConvolution(Conv1dShape s, BufferView x, BufferView y, BufferView weight, BufferView bias)
    {
        if (s.Kernel < 1 || s.Kernel % 2 == 0 || s.Batch < 0 || s.Length < 0 || s.InChannels < 1 || s.OutChannels < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(s), $"{s}: the kernel must be odd, channels positive, sizes not negative.");
        }
        long steps = (long)s.Batch * s.Length;
        CheckExtent("x", x, steps, s.InChannels, s.InChannels, 1, 0);
        CheckExtent("y", y, steps, s.OutChannels, s.OutChannels, 1, 0);
        CheckExtent("weight", weight, 1, WeightWords(s), 0, 1, 0);
        if (!bias.IsNone) { CheckExtent("bias", bias, 1, s.OutChannels, 0, 1, 0); }
    }
}
