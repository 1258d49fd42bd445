using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Convolutions in time, channels last. A dense convolution is a matrix product between these two: <see cref="Unfold"/> writes the
/// window of every time step as a row, <see cref="Fold"/> is its transpose. Depthwise convolutions need no product.
/// </summary>
internal static class Conv1dKernels
{
    // Rows that an item of DepthwiseWeight adds up.
    private const int ChunkRows = 64;

    /// <summary>Chunks of rows that <see cref="DepthwiseWeight"/> leaves partial sums of.</summary>
    public static int Chunks(int rows) => (rows + ChunkRows - 1) / ChunkRows;

    /// <summary>windows[b·length + t, i·kernel + j] = x[b, t + j − kernel/2, i], zero outside; one item per element.</summary>
    public static void Unfold(ArrayView<float> x, Conv1dShape s, ArrayView<float> windows)
    {
        long item = (long)Grid.IdxX * Group.DimX + Group.IdxX;
        if (item >= windows.Length) { return; }
        long row = item / (s.InChannels * s.Kernel);
        int column = (int)(item % (s.InChannels * s.Kernel));
        int shift = column % s.Kernel - s.Kernel / 2;
        int source = (int)(row % s.Length) + shift;
        float value = 0f;
        if (source >= 0 && source < s.Length) { value = x[(row + shift) * s.InChannels + column / s.Kernel]; }
        windows[item] = value;
    }

    /// <summary>dx[b,t,i] = Σ_j dwindows[b·length + t − j + kernel/2, i·kernel + j]; one item per element.</summary>
    public static void Fold(ArrayView<float> dwindows, Conv1dShape s, ArrayView<float> dx)
    {
        long item = (long)Grid.IdxX * Group.DimX + Group.IdxX;
        if (item >= dx.Length) { return; }
        long row = item / s.InChannels;
        int channel = (int)(item % s.InChannels);
        int time = (int)(row % s.Length);
        float sum = 0f;
        for (int j = 0; j < s.Kernel; j++)
        {
            int shift = s.Kernel / 2 - j;
            if (time + shift >= 0 && time + shift < s.Length) { sum += dwindows[(row + shift) * s.InChannels * s.Kernel + channel * s.Kernel + j]; }
        }
        dx[item] = sum;
    }

    /// <summary>
    /// y[b,t,c] = bias[c] + Σ_j weight[c, j] · x[b, t + direction·(j − kernel/2), c]: direction 1 is the forward pass, −1 the gradient of the
    /// input. One item per element.
    /// </summary>
    public static void Depthwise(ArrayView<float> x, ArrayView<float> weight, ArrayView<float> bias, int hasBias, int direction, Conv1dShape s, ArrayView<float> y)
    {
        long item = (long)Grid.IdxX * Group.DimX + Group.IdxX;
        if (item >= y.Length) { return; }
        int channel = (int)(item % s.InChannels);
        int time = (int)(item / s.InChannels % s.Length);
        float sum = 0f;
        for (int j = 0; j < s.Kernel; j++)
        {
            int shift = direction * (j - s.Kernel / 2);
            if (time + shift >= 0 && time + shift < s.Length) { sum += weight[channel * s.Kernel + j] * x[item + (long)shift * s.InChannels]; }
        }
        if (hasBias != 0) { sum += bias[channel]; }
        y[item] = sum;
    }

    /// <summary>
    /// First stage of the depthwise weight gradient: partial[chunk, c, j] = Σ x[b, t + j − kernel/2, c] · dy[b,t,c] over a chunk of the
    /// batch·length rows. One item per tap, channel and chunk; neighbours work on neighbouring channels.
    /// </summary>
    public static void DepthwiseWeight(ArrayView<float> x, ArrayView<float> dy, Conv1dShape s, int columnGroups, ArrayView<float> partial)
    {
        int item = Grid.IdxX % columnGroups * Group.DimX + Group.IdxX;
        int chunk = Grid.IdxX / columnGroups;
        if (item >= s.InChannels * s.Kernel) { return; }
        int channel = item % s.InChannels;
        int tap = item / s.InChannels;
        int shift = tap - s.Kernel / 2;
        int end = IntrinsicMath.Min((chunk + 1) * ChunkRows, s.Batch * s.Length);
        float sum = 0f;
        for (int row = chunk * ChunkRows; row < end; row++)
        {
            int source = row % s.Length + shift;
            if (source >= 0 && source < s.Length) { sum += x[(long)(row + shift) * s.InChannels + channel] * dy[(long)row * s.InChannels + channel]; }
        }
        partial[((long)chunk * s.InChannels + channel) * s.Kernel + tap] = sum;
    }
}
