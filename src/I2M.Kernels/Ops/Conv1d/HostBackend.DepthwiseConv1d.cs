using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

// Depthwise convolution, vectorised over channels; weights are rearranged once to [kernel, channels].
public sealed unsafe partial class HostBackend
{
    /// <inheritdoc cref="IBackend.DepthwiseConv1d"/>
    public void DepthwiseConv1d(BufferView x, BufferView weight, BufferView bias, Conv1dShape shape, BufferView y)
    {
        CheckConvolution(shape with { InChannels = 1 }, x, y, weight, bias);
        CheckDepthwise(shape, x);
        Depthwise(Pointer(x), Pointer(weight), Pointer(bias), shape, flip: false, Pointer(y));
    }

    /// <inheritdoc cref="IBackend.DepthwiseConv1dBackwardInput"/>
    public void DepthwiseConv1dBackwardInput(BufferView weight, BufferView dy, Conv1dShape shape, BufferView dx)
    {
        CheckConvolution(shape with { InChannels = 1 }, dx, dy, weight, BufferView.None);
        CheckDepthwise(shape, dx);
        Depthwise(Pointer(dy), Pointer(weight), null, shape, flip: true, Pointer(dx));
    }

    /// <inheritdoc cref="IBackend.DepthwiseConv1dBackwardWeight"/>
    public void DepthwiseConv1dBackwardWeight(BufferView x, BufferView dy, Conv1dShape shape, BufferView dweight, BufferView dbias)
    {
        CheckConvolution(shape with { InChannels = 1 }, x, dy, dweight, dbias);
        CheckDepthwise(shape, x);
        float* input = Pointer(x), gradient = Pointer(dy), sums = Pointer(dweight);
        int width = 4 * Vector512<float>.Count;
        long work = (long)shape.Batch * shape.Length * shape.Kernel * width;
        _rows.Run((shape.OutChannels + width - 1) / width, Math.Max(1, ConvolutionGrain / Math.Max(1, work)), (start, end) =>
        {
            for (long channel = start * width; channel < Math.Min(shape.OutChannels, end * width); channel += width)
            {
                int count = (int)Math.Min(width, shape.OutChannels - channel);
                if (Vector512.IsHardwareAccelerated) { HostDepthwise<Width512, Vector512<float>>.AddWeightGradient(input, gradient, shape, (int)channel, count, sums); }
                else if (Vector256.IsHardwareAccelerated) { HostDepthwise<Width256, Vector256<float>>.AddWeightGradient(input, gradient, shape, (int)channel, count, sums); }
                else { HostDepthwise<Width128, Vector128<float>>.AddWeightGradient(input, gradient, shape, (int)channel, count, sums); }
            }
        });
        AddBiasGradient(dy, shape, dbias);
    }

    /// <summary>The adjoint with respect to the input is the same convolution with flipped taps.</summary>
    private void Depthwise(float* x, float* weight, float* bias, Conv1dShape shape, bool flip, float* y)
    {
        int channels = shape.OutChannels, kernel = shape.Kernel;
        using var scope = new BufferScope(Pool);
        float* taps = Pointer(scope.Rent((long)kernel * channels));
        for (int c = 0; c < channels; c++)
        {
            for (int j = 0; j < kernel; j++) { taps[(long)j * channels + c] = weight[(long)c * kernel + (flip ? kernel - 1 - j : j)]; }
        }
        _rows.Run((long)shape.Batch * shape.Length, Math.Max(8, ConvolutionGrain / channels), (start, end) =>
        {
            if (Vector512.IsHardwareAccelerated) { HostDepthwise<Width512, Vector512<float>>.Steps(x, taps, bias, shape, start, end, y); }
            else if (Vector256.IsHardwareAccelerated) { HostDepthwise<Width256, Vector256<float>>.Steps(x, taps, bias, shape, start, end, y); }
            else { HostDepthwise<Width128, Vector128<float>>.Steps(x, taps, bias, shape, start, end, y); }
        });
    }

    private static void CheckDepthwise(Conv1dShape s, BufferView x)
    {
        if (s.InChannels != s.OutChannels) { throw new ArgumentException($"{s}: a depthwise convolution has as many outputs as inputs.", nameof(s)); }
        CheckExtent("x", x, (long)s.Batch * s.Length, s.InChannels, s.InChannels, 1, 0);
    }
}
