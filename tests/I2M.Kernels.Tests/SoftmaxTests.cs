using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

public sealed class SoftmaxTests
{
    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void Softmax_matches_the_oracle_forward_and_backward(string backend, int size)
    {
        foreach (var (rows, columns) in new[] { (5, size), (size, 33), (2, 8 * size) })
        {
            using var run = new OperationRun(nameof(IBackend.Softmax), backend, $"{rows}×{columns}");
            int count = rows * columns;
            float[] x = run.Normal(count, deviation: 3, mean: 50), dy = run.Normal(count);
            BufferView bx = run.In(x), bdy = run.In(dy), y = run.Out(count), yInPlace = run.InOut(x), dx = run.Out(count), dxInPlace = run.InOut(dy);
            run.Execute(b =>
            {
                b.Softmax(bx, columns, y);
                b.Softmax(yInPlace, columns, yInPlace);
                b.SoftmaxBackward(y, bdy, columns, dx);
                b.SoftmaxBackward(y, dxInPlace, columns, dxInPlace);
            });
            Node input = Node.Leaf(x, rows, columns), expected = Compositions.Softmax(input);
            expected.Backward(dy);
            run.Close("y", y, expected.Value);
            run.Close("dx", dx, input.Gradient, columns > 1 ? Tolerance.Of(nameof(IBackend.SoftmaxBackward)) : Tolerance.Zero, columns > 1 ? null : 1);
            run.Exact("y in place", yInPlace, run.Read(y));
            run.Exact("dx in place", dxInPlace, run.Read(dx));
        }
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void CrossEntropyRows_matches_the_oracle_forward_and_backward(string backend, int size)
    {
        foreach (var (rows, columns) in new[] { (5, size), (size, 10) })
        {
            using var run = new OperationRun(nameof(IBackend.CrossEntropyRows), backend, $"{rows}×{columns}");
            int count = rows * columns;
            float[] x = run.Normal(count, deviation: 2), dloss = run.Normal(rows);
            int[] labels = run.Random.Indices(rows, columns);
            BufferView bx = run.In(x), bl = run.In(labels), bd = run.In(dloss), loss = run.Out(rows), dx = run.Out(count);
            run.Execute(b =>
            {
                b.CrossEntropyRows(bx, bl, columns, loss);
                b.CrossEntropyRowsBackward(bx, bl, bd, columns, dx);
            });
            Node input = Node.Leaf(x, rows, columns), expected = Compositions.CrossEntropyRows(input, labels);
            expected.Backward(dloss);
            Tolerance zero = Tolerance.Zero;
            run.Close("loss", loss, expected.Value, columns > 1 ? Tolerance.Of(nameof(IBackend.CrossEntropyRows)) : zero, scale: 2);
            run.Close("dx", dx, input.Gradient, columns > 1 ? Tolerance.Of(nameof(IBackend.CrossEntropyRowsBackward)) : zero, scale: 1);
        }
    }
}
