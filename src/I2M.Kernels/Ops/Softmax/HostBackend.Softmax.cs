using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

public sealed unsafe partial class HostBackend
{
    /// <inheritdoc cref="IBackend.Softmax"/>
    public void Softmax(BufferView x, int columns, BufferView y)
    {
        long rows = RowsOf(x, columns);
        RequireLength(x.Length, y);
        float* px = Pointer(x), py = Pointer(y);
        _rows.Run(rows, RowGrain(MathGrain, columns), (start, end) =>
        {
            for (long r = start; r < end; r++) { SoftmaxRow(px + r * columns, py + r * columns, columns, 1); }
        });
    }

    /// <inheritdoc cref="IBackend.SoftmaxBackward"/>
    public void SoftmaxBackward(BufferView y, BufferView dy, int columns, BufferView dx)
    {
        long rows = RowsOf(y, columns);
        RequireLength(y.Length, dy);
        RequireLength(y.Length, dx);
        float* py = Pointer(y), pdy = Pointer(dy), pdx = Pointer(dx);
        _rows.Run(rows, RowGrain(MemoryGrain, columns), (start, end) =>
        {
            for (long r = start, i = r * columns; r < end; r++, i += columns)
            {
                float projection = (float)Reductions.Sum(new Product(), py + i, pdy + i, columns);
                ElementwiseDrivers.Apply(new SoftmaxGradient(projection), py + i, pdy + i, pdx + i, columns);
            }
        });
    }

    /// <inheritdoc cref="IBackend.CrossEntropyRows"/>
    public void CrossEntropyRows(BufferView x, BufferView labels, int columns, BufferView loss)
    {
        long rows = RowsOf(x, columns);
        RequireLength(rows, labels);
        RequireLength(rows, loss);
        float* px = Pointer(x), pl = Pointer(loss);
        int* label = (int*)Pointer(labels);
        RequireIndices(label, rows, columns, nameof(labels));
        _rows.Run(rows, RowGrain(MathGrain, columns), (start, end) =>
        {
            for (long r = start; r < end; r++)
            {
                float* row = px + r * columns;
                float max = Reductions.Max(row, columns);
                // The maximum is taken off the label's logit first: the small logarithm is not rounded to the size of the logits.
                pl[r] = (float)(Math.Log(Reductions.Sum(new ExpOfDifference(max), row, columns)) - ((double)row[label[r]] - max));
            }
        });
    }

    /// <inheritdoc cref="IBackend.CrossEntropyRowsBackward"/>
    public void CrossEntropyRowsBackward(BufferView x, BufferView labels, BufferView dloss, int columns, BufferView dx)
    {
        long rows = RowsOf(x, columns);
        RequireLength(x.Length, dx);
        RequireLength(rows, labels);
        RequireLength(rows, dloss);
        float* px = Pointer(x), pdl = Pointer(dloss), pdx = Pointer(dx);
        int* label = (int*)Pointer(labels);
        RequireIndices(label, rows, columns, nameof(labels));
        _rows.Run(rows, RowGrain(MathGrain, columns), (start, end) =>
        {
            for (long r = start; r < end; r++)
            {
                SoftmaxRow(px + r * columns, pdx + r * columns, columns, pdl[r]);
                pdx[r * columns + label[r]] -= pdl[r];
            }
        });
    }

    /// <summary>y = factor · softmax(x) of one row.</summary>
    private static void SoftmaxRow(float* x, float* y, long columns, float factor)
    {
        ElementwiseDrivers.Apply(new ExpOfDifference(Reductions.Max(x, columns)), x, y, columns);
        double sum = Reductions.Sum(new Identity(), y, columns);
        ElementwiseDrivers.Apply(new Scaled((float)(factor / sum)), y, y, columns);
    }

    /// <summary>e^(x − center).</summary>
    private readonly struct ExpOfDifference(float center) : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x) where V : struct, ILanes<V> => VectorMath.Exp(x - V.All(center));
    }

    /// <summary>y · (dy − projection).</summary>
    private readonly struct SoftmaxGradient(float projection) : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V y, V dy) where V : struct, ILanes<V> => y * (dy - V.All(projection));
    }
}
