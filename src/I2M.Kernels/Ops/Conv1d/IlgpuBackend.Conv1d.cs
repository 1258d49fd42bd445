namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <summary>Most words of scratch that a dense convolution unfolds its input to at a time (64 MiB), unless one sample needs more.</summary>
    private const long WindowWords = 1L << 24;

    /// <inheritdoc/>
    public void Conv1d(BufferView x, BufferView weight, BufferView bias, Conv1dShape shape, BufferView y)
    {
        RequireDense(x, weight, y, shape);
        if (x.Length == 0) { return; }
        int depth = shape.InChannels * shape.Kernel;
        int samples = SamplesAtATime(shape);
        using var scope = new BufferScope(Pool);
        BufferView windows = scope.Rent((long)samples * shape.Length * depth);
        for (int first = 0; first < shape.Batch; first += samples)
        {
            Conv1dShape part = shape with { Batch = Math.Min(samples, shape.Batch - first) };
            int rows = part.Batch * shape.Length;
            BufferView partWindows = Unfold(x, part, first, windows);
            Gemm(partWindows, weight, bias, new GemmShape(GemmLayout.NT, rows, shape.OutChannels, depth), Samples(y, part, first, shape.OutChannels));
        }
    }

    /// <inheritdoc/>
    public void Conv1dBackwardInput(BufferView weight, BufferView dy, Conv1dShape shape, BufferView dx)
    {
        RequireDense(dx, weight, dy, shape);
        if (dx.Length == 0) { return; }
        int depth = shape.InChannels * shape.Kernel;
        int samples = SamplesAtATime(shape);
        using var scope = new BufferScope(Pool);
        BufferView windows = scope.Rent((long)samples * shape.Length * depth);
        for (int first = 0; first < shape.Batch; first += samples)
        {
            Conv1dShape part = shape with { Batch = Math.Min(samples, shape.Batch - first) };
            int rows = part.Batch * shape.Length;
            BufferView partWindows = windows.Slice(0, (long)rows * depth);
            Gemm(Samples(dy, part, first, shape.OutChannels), weight, BufferView.None, new GemmShape(GemmLayout.NN, rows, depth, shape.OutChannels), partWindows);
            BufferView target = Samples(dx, part, first, shape.InChannels);
            Launch(Conv1dKernels.Fold, Grid(target.Length), View(partWindows), part, View(target));
        }
    }

    /// <inheritdoc/>
    public void Conv1dBackwardWeight(BufferView x, BufferView dy, Conv1dShape shape, BufferView dweight, BufferView dbias)
    {
        RequireDense(x, dweight, dy, shape);
        if (x.Length == 0) { return; }
        int depth = shape.InChannels * shape.Kernel;
        int samples = SamplesAtATime(shape);
        using var scope = new BufferScope(Pool);
        BufferView windows = scope.Rent((long)samples * shape.Length * depth);
        for (int first = 0; first < shape.Batch; first += samples)
        {
            Conv1dShape part = shape with { Batch = Math.Min(samples, shape.Batch - first) };
            int rows = part.Batch * shape.Length;
            BufferView partWindows = Unfold(x, part, first, windows);
            var product = new GemmShape(GemmLayout.TN, shape.OutChannels, depth, rows) { Accumulate = true };
            Gemm(Samples(dy, part, first, shape.OutChannels), partWindows, BufferView.None, product, dweight);
        }
        if (!dbias.IsNone) { SumColumns(dy, new ReduceShape(1, shape.Batch * shape.Length, shape.OutChannels), 1f, true, dbias); }
    }

    /// <inheritdoc/>
    public void DepthwiseConv1d(BufferView x, BufferView weight, BufferView bias, Conv1dShape shape, BufferView y)
    {
        if (!bias.IsNone) { RequireLength(bias, shape.InChannels); }
        Depthwise(x, weight, bias, 1, shape, y);
    }

    /// <inheritdoc/>
    public void DepthwiseConv1dBackwardInput(BufferView weight, BufferView dy, Conv1dShape shape, BufferView dx) =>
        Depthwise(dy, weight, BufferView.None, -1, shape, dx);

    /// <inheritdoc/>
    public void DepthwiseConv1dBackwardWeight(BufferView x, BufferView dy, Conv1dShape shape, BufferView dweight, BufferView dbias)
    {
        int rows = shape.Batch * shape.Length;
        int columns = shape.InChannels * shape.Kernel;
        RequireLength(x, (long)rows * shape.InChannels);
        RequireLength(dy, x.Length);
        RequireLength(dweight, columns);
        if (x.Length == 0) { return; }
        int chunks = Conv1dKernels.Chunks(rows);
        int columnGroups = (columns + GroupSize - 1) / GroupSize;
        using var scope = new BufferScope(Pool);
        BufferView partial = scope.Rent((long)chunks * columns);
        Launch(Conv1dKernels.DepthwiseWeight, Groups((long)chunks * columnGroups, GroupSize), View(x), View(dy), shape, columnGroups, View(partial));
        SumColumns(partial, new ReduceShape(1, chunks, columns), 1f, true, dweight);
        if (!dbias.IsNone) { SumColumns(dy, new ReduceShape(1, rows, shape.InChannels), 1f, true, dbias); }
    }

    private void Depthwise(BufferView x, BufferView weight, BufferView bias, int direction, Conv1dShape shape, BufferView y)
    {
        RequireLength(x, (long)shape.Batch * shape.Length * shape.InChannels);
        RequireLength(y, x.Length);
        RequireLength(weight, (long)shape.InChannels * shape.Kernel);
        if (x.Length == 0) { return; }
        if (shape.Kernel == CudaConv1dKernels.Taps && shape.InChannels % 4 == 0 && AreVectors(x, weight, bias, y))
        {
            long items = (long)shape.Batch * ((shape.Length + CudaConv1dKernels.Steps - 1) / CudaConv1dKernels.Steps) * (shape.InChannels / 4);
            Launch(CudaConv1dKernels.Depthwise, Grid(items), View(x), View(weight), ViewOr(bias, x), bias.IsNone ? 0 : 1, direction, shape, View(y));
            return;
        }
        Launch(Conv1dKernels.Depthwise, Grid(y.Length), View(x), View(weight), ViewOr(bias, x), bias.IsNone ? 0 : 1, direction, shape, View(y));
    }

    private static void RequireDense(BufferView x, BufferView weight, BufferView y, Conv1dShape s)
    {
        RequireLength(x, (long)s.Batch * s.Length * s.InChannels);
        RequireLength(weight, (long)s.OutChannels * s.InChannels * s.Kernel);
        RequireLength(y, (long)s.Batch * s.Length * s.OutChannels);
    }

    private static int SamplesAtATime(Conv1dShape s) => (int)Math.Clamp(WindowWords / ((long)s.Length * s.InChannels * s.Kernel), 1, s.Batch);

    private static BufferView Samples(BufferView rows, Conv1dShape part, int first, int channels) =>
        rows.Slice((long)first * part.Length * channels, (long)part.Batch * part.Length * channels);

    private BufferView Unfold(BufferView x, Conv1dShape part, int first, BufferView windows)
    {
        BufferView target = windows.Slice(0, (long)part.Batch * part.Length * part.InChannels * part.Kernel);
        Launch(Conv1dKernels.Unfold, Grid(target.Length), View(Samples(x, part, first, part.InChannels)), part, View(target));
        return target;
    }
}
