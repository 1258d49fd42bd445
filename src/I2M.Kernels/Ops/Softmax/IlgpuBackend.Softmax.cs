namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Softmax(BufferView x, int columns, BufferView y)
    {
        if (x.Length == 0) { return; }
        Launch(SoftmaxKernels.Forward, Groups(x.Length / columns, SoftmaxKernels.Items), View(x), columns, View(y));
    }

    /// <inheritdoc/>
    public void SoftmaxBackward(BufferView y, BufferView dy, int columns, BufferView dx)
    {
        if (y.Length == 0) { return; }
        Launch(SoftmaxKernels.Backward, Groups(y.Length / columns, SoftmaxKernels.Items), View(y), View(dy), columns, View(dx));
    }

    /// <inheritdoc/>
    public void CrossEntropyRows(BufferView x, BufferView labels, int columns, BufferView loss)
    {
        if (x.Length == 0) { return; }
        Launch(SoftmaxKernels.CrossEntropy, Groups(x.Length / columns, SoftmaxKernels.Items), View(x), IntView(labels), columns, View(loss));
    }

    /// <inheritdoc/>
    public void CrossEntropyRowsBackward(BufferView x, BufferView labels, BufferView dloss, int columns, BufferView dx)
    {
        if (x.Length == 0) { return; }
        Launch(SoftmaxKernels.CrossEntropyBackward, Groups(x.Length / columns, SoftmaxKernels.Items), View(x), IntView(labels), View(dloss), columns, View(dx));
    }
}
