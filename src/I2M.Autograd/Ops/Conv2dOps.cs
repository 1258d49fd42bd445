using I2M.Kernels;

namespace I2M.Autograd;

/// <summary>A two-dimensional convolution with zero padding: kernel, strides and padding on either side, along height and width.</summary>
public readonly record struct Conv2dGeometry(int KernelHeight, int KernelWidth, int StrideHeight = 1, int StrideWidth = 1, int PadHeight = 0, int PadWidth = 0)
{
    /// <summary>Rows of the result for so many rows of the input.</summary>
    public int OutHeight(int height) => (height + 2 * PadHeight - KernelHeight) / StrideHeight + 1;

    /// <summary>Columns of the result for so many columns of the input.</summary>
    public int OutWidth(int width) => (width + 2 * PadWidth - KernelWidth) / StrideWidth + 1;
}

public static partial class TensorOps
{
    /// <summary>
    /// y[b,h,w,o] = bias[o] + Σ weight[o,i,j,c] · x[b, h·strideHeight + i − padHeight, w·strideWidth + j − padWidth, c], channels last. The neighbourhoods are laid
    /// out side by side, first the rows and then the columns, and meet the weight in one matrix product.
    /// </summary>
    /// <param name="x">[batch, height, width, channels]</param>
    /// <param name="weight">[out, kernelHeight, kernelWidth, channels]</param>
    /// <param name="bias">[out]</param>
    /// <param name="g">Kernel, strides and padding.</param>
    public static Tensor Conv2d(this Tensor x, Tensor weight, Tensor bias, Conv2dGeometry g)
    {
        int batch = x.Shape[0], height = x.Shape[1], width = x.Shape[2], channels = x.Shape[3], outHeight = g.OutHeight(height), outWidth = g.OutWidth(width), taken = g.KernelWidth * channels;
        if (weight.Length != (long)weight.Shape[0] * g.KernelHeight * taken) { throw new ArgumentException($"Conv2d: the weight [{string.Join(", ", weight.Shape.ToArray())}] does not fit {g} and {channels} channels."); }
        if (height + 2 * g.PadHeight < g.KernelHeight || width + 2 * g.PadWidth < g.KernelWidth) { throw new ArgumentException($"Conv2d: {height} × {width} is smaller than the kernel of {g}."); }
        using Tensor lines = x.Reshape(batch, height, width * channels);
        using Tensor rows = Unfold(lines, g.KernelHeight, g.StrideHeight, g.PadHeight);                       // [batch, outHeight, kernelHeight·width·channels]
        using Tensor row = rows.Reshape(batch * outHeight * g.KernelHeight, width, channels);
        using Tensor columns = Unfold(row, g.KernelWidth, g.StrideWidth, g.PadWidth);                         // [batch·outHeight·kernelHeight, outWidth, kernelWidth·channels]
        using Tensor byRow = columns.Reshape(batch * outHeight, g.KernelHeight, outWidth * taken);
        using Tensor byPlace = byRow.SplitHeads(outWidth);                                                    // [batch·outHeight, outWidth, kernelHeight, kernelWidth·channels]
        using Tensor places = byPlace.Reshape(batch, outHeight, outWidth, g.KernelHeight * taken);
        return places.Linear(weight, bias);
    }

    /// <summary>[batch, length, channels] → [batch, places, kernel·channels]: what a kernel sees at each of its places, zeros beyond the ends.</summary>
    private static Tensor Unfold(Tensor x, int kernel, int stride, int pad)
    {
        int batch = x.Shape[0], length = x.Shape[1], channels = x.Shape[2], padded = length + 2 * pad, places = (padded - kernel) / stride + 1;
        if (kernel == 1 && stride == 1 && pad == 0) { return x.Reshape(batch, length, channels); }
        Tensor line = x.Reshape(batch, length * channels);
        if (pad > 0)
        {
            Tensor zeros = Tensor.Full(x.Backend, 0, batch, pad * channels);
            line = zeros.ConcatColumns(line).ConcatColumns(zeros);
        }
        return line.Frame(null, new FrameShape(batch, padded * channels, places, kernel * channels, stride * channels, 0));
    }
}
