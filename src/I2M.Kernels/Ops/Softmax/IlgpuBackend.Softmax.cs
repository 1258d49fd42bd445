namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Softmax(BufferView x, int columns, BufferView y)
    {
        RequireLength(y, x.Length);
        if (x.Length == 0) { return; }
        Launch(SoftmaxKernels.Forward, Groups(RowsOf(x, columns), SoftmaxKernels.Items), View(x), columns, View(y));
    }

    /// <inheritdoc/>
    public void SoftmaxBackward(BufferView y, BufferView dy, int columns, BufferView dx)
    {
        RequireLength(dy, y.Length);
        RequireLength(dx, y.Length);
        if (y.Length == 0) { return; }
        Launch(SoftmaxKernels.Backward, Groups(RowsOf(y, columns), SoftmaxKernels.Items), View(y), View(dy), columns, View(dx));
    }

    /// <inheritdoc/>
    public void CrossEntropyRows(BufferView x, BufferView labels, int columns, BufferView loss)
    {
        RequireLength(labels, RowsOf(x, columns));
        RequireLength(loss, labels.Length);
        if (x.Length == 0) { return; }
        Launch(SoftmaxKernels.CrossEntropy, Groups(RowsOf(x, columns), SoftmaxKernels.Items), View(x), IntView(labels), columns, View(loss));
    }

    /// <inheritdoc/>
    public void CrossEntropyRowsBackward(BufferView x, BufferView labels, BufferView dloss, int columns, BufferView dx)
    {
        RequireLength(labels, RowsOf(x, columns));
        RequireLength(dloss, labels.Length);
        RequireLength(dx, x.Length);
        if (x.Length == 0) { return; }
        Launch(SoftmaxKernels.CrossEntropyBackward, Groups(RowsOf(x, columns), SoftmaxKernels.Items), View(x), IntView(labels), View(dloss), columns, View(dx));
    }

    /// <summary>Rows of a [rows, columns] view.</summary>
    private static long RowsOf(BufferView view, int columns)
    {
        Require(columns > 0 && view.Length % columns == 0, nameof(view), $"{view.Length} words are not a whole number of rows of {columns}");
        return view.Length / columns;
    }
}
