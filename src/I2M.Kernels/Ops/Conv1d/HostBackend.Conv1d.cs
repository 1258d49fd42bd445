namespace I2M.Kernels.Host;

// Dense convolution as a matrix product. With x padded by kernel/2 zero steps on both sides, the window of step t is the consecutive
// words x[t·channels .. (t + kernel)·channels), so the matrix of windows needs no copies: it is x with overlapping rows. The weights are
// rearranged once to [rows, kernel, channels] to match.
//   y  [t, o]      = Σ windows(x)[t, (j,i)]  · w[o, (j,i)]
//   dx [t, i]      = Σ windows(dy)[t, (j,o)] · w[i, (kernel−1−j, o)]      the adjoint of a "same" convolution flips the taps
//   dw [o, (j,i)]  = Σ_t dy[t, o] · windows(x)[t, (j,i)]
public sealed unsafe partial class HostBackend
{
    private const int ConvolutionGrain = 1 << 14;
    /// <summary>Steps summed before their sum is added to the total, so that rounding errors stay small over long sequences.</summary>
    private const int SumBlock = 128;

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
        using var scope = new BufferScope(Pool);
        BufferView padded = scope.Rent(PaddedWords(shape, shape.InChannels)), sums = scope.Rent(WeightWords(shape));
        PadSteps(Pointer(x), shape, shape.InChannels, Pointer(padded));
        long paddedItem = PaddedWords(shape, shape.InChannels) / Math.Max(1, shape.Batch), item = (long)shape.Length * shape.OutChannels;
        Span(sums).Clear();
        for (int sample = 0; sample < shape.Batch; sample++)
        {
            var product = new GemmShape(GemmLayout.TN, shape.OutChannels, shape.Kernel * shape.InChannels, shape.Length) { LeadingB = shape.InChannels, Accumulate = true };
            Gemm(dy.Slice(sample * item, item), padded.Slice(sample * paddedItem, paddedItem), BufferView.None, product, sums);
        }
        AddOutputMajorTaps(Pointer(sums), shape, Pointer(dweight));
        if (!dbias.IsNone) { AddColumnSums(Pointer(dy), (long)shape.Batch * shape.Length, shape.OutChannels, Pointer(dbias)); }
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
        _rows.Run(s.OutChannels, Math.Max(1, ConvolutionGrain / (s.InChannels * s.Kernel)), (start, end) =>
        {
            for (long o = start * s.InChannels; o < end * s.InChannels; o++)
            {
                float* taps = destination + o / s.InChannels * s.Kernel * s.InChannels + o % s.InChannels;
                for (int j = 0; j < s.Kernel; j++) { taps[(long)j * s.InChannels] = weight[o * s.Kernel + j]; }
            }
        });

    /// <summary>Adds [out, kernel, in] to [out, in, kernel].</summary>
    private void AddOutputMajorTaps(float* sums, Conv1dShape s, float* dweight) =>
        _rows.Run(s.OutChannels, Math.Max(1, ConvolutionGrain / (s.InChannels * s.Kernel)), (start, end) =>
        {
            for (long o = start * s.InChannels; o < end * s.InChannels; o++)
            {
                float* taps = sums + o / s.InChannels * s.Kernel * s.InChannels + o % s.InChannels;
                for (int j = 0; j < s.Kernel; j++) { dweight[o * s.Kernel + j] += taps[(long)j * s.InChannels]; }
            }
        });

    /// <summary>[out, in, kernel] to [in, kernel, out] with the taps in reverse.</summary>
    private void InputMajorFlippedTaps(float* weight, Conv1dShape s, float* destination) =>
        _rows.Run(s.InChannels, Math.Max(1, ConvolutionGrain / (s.OutChannels * s.Kernel)), (start, end) =>
        {
            for (long i = start; i < end; i++)
            {
                for (int j = 0; j < s.Kernel; j++)
                {
                    float* row = destination + (i * s.Kernel + j) * s.OutChannels;
                    for (int o = 0; o < s.OutChannels; o++) { row[o] = weight[((long)o * s.InChannels + i) * s.Kernel + s.Kernel - 1 - j]; }
                }
            }
        });

    /// <summary>sums[c] += Σ rows; blocks of columns in parallel, blocks of rows in order.</summary>
    private void AddColumnSums(float* rows, long count, int columns, float* sums)
    {
        const int Width = 64;
        _rows.Run((columns + Width - 1) / Width, Math.Max(1, ConvolutionGrain / (Width * Math.Max(1, count))), (start, end) =>
        {
            float* block = stackalloc float[Width];
            for (long column = start * Width; column < Math.Min(columns, end * Width); column += Width)
            {
                int width = (int)Math.Min(Width, columns - column);
                for (long row = 0; row < count; row += SumBlock)
                {
                    new Span<float>(block, Width).Clear();
                    for (long r = row; r < Math.Min(count, row + SumBlock); r++)
                    {
                        for (int i = 0; i < width; i++) { block[i] += rows[r * columns + column + i]; }
                    }
                    for (int i = 0; i < width; i++) { sums[column + i] += block[i]; }
                }
            }
        });
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
