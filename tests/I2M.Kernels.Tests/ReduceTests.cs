using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

public sealed class ReduceTests
{
    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void SumRows_sums_rows_of_any_length(string backend, int size)
    {
        foreach (var (rows, columns) in new[] { (5, size), (size, 3), (1, 40 * size) })
        {
            using var run = new OperationRun(nameof(IBackend.SumRows), backend, $"{rows}×{columns}");
            float[] x = run.Normal(rows * columns, mean: 0.5);
            BufferView bx = run.In(x), sums = run.Out(rows);
            run.Execute(b => b.SumRows(bx, sums));
            run.Close("sums", sums, Node.Leaf(x, rows, columns).SumLast().Value, Math.Sqrt(columns));
        }
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void SumColumns_and_BroadcastRows_are_adjoint_and_accumulate(string backend, int size)
    {
        foreach (ReduceShape shape in new[] { new ReduceShape(1, size, 33), new ReduceShape(3, 7, size), new ReduceShape(2, size, 5) })
        {
            using var run = new OperationRun(nameof(IBackend.SumColumns), backend, shape);
            int count = shape.Batch * shape.Rows * shape.Columns, vectors = shape.Batch * shape.Columns;
            double scale = 0.375;
            float[] x = run.Normal(count), dy = run.Normal(vectors), before = run.Normal(vectors), beforeDx = run.Normal(count);
            BufferView bx = run.In(x), bdy = run.In(dy), sums = run.Out(vectors), sumsOn = run.InOut(before), rows = run.Out(count), rowsOn = run.InOut(beforeDx);
            run.Execute(b =>
            {
                b.SumColumns(bx, shape, (float)scale, accumulate: false, sums);
                b.SumColumns(bx, shape, (float)scale, accumulate: true, sumsOn);
                b.BroadcastRows(bdy, shape, (float)scale, accumulate: false, rows);
                b.BroadcastRows(bdy, shape, (float)scale, accumulate: true, rowsOn);
            });
            Node input = Node.Leaf(x, shape.Batch, shape.Rows, shape.Columns), expected = Compositions.SumColumns(input, scale);
            expected.Backward(dy);
            double unit = Math.Sqrt(shape.Rows);
            run.Close("sums", sums, expected.Value, unit);
            run.Close("accumulated sums", sumsOn, [.. before.Zip(expected.Value, (a, b) => a + b)], unit);
            run.Close("rows", rows, input.Gradient);
            run.Close("accumulated rows", rowsOn, [.. beforeDx.Zip(input.Gradient, (a, b) => a + b)], 1);
        }
    }

    /// <summary>Gradients of activations in bfloat16, and aligned ones in either type: several stages, whole vectors of columns and odd ones.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void SumColumns_takes_bfloat16(string backend)
    {
        foreach (ReduceShape shape in new[] { new ReduceShape(1, 1, 8), new ReduceShape(3, 67, 40), new ReduceShape(2, 33, 37), new ReduceShape(1, 4233, 16) })
        {
            foreach (var (narrow, aligned) in new[] { (true, true), (true, false), (false, true) })
            {
                using var run = new OperationRun(nameof(IBackend.SumColumns), backend, $"{shape}, {(narrow ? "bfloat16" : "float32")}", aligned: aligned);
                float[] x = run.Normal(shape.Batch * shape.Rows * shape.Columns), before = run.Normal(shape.Batch * shape.Columns);
                if (narrow) { x = BFloat16Data.Round(x); }
                BufferView sums = run.Out(before.Length), bx = narrow ? run.In(BFloat16Data.Pack(x)).As(ElementType.BFloat16) : run.In(x), sumsOn = run.InOut(before);
                run.Execute(b =>
                {
                    b.SumColumns(bx, shape, 0.5f, accumulate: false, sums);
                    b.SumColumns(bx, shape, 0.5f, accumulate: true, sumsOn);
                });
                double[] expected = Compositions.SumColumns(Node.Leaf(x, shape.Batch, shape.Rows, shape.Columns), 0.5).Value;
                run.Close("sums", sums, expected, Math.Sqrt(shape.Rows));
                run.Close("accumulated sums", sumsOn, [.. before.Zip(expected, (a, b) => a + b)], Math.Sqrt(shape.Rows));
            }
        }
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void SumSquares_and_Dot_reduce_to_one_number(string backend)
    {
        foreach (int size in Backends.Sizes.Append(4096).Append(100_003))
        {
            using var run = new OperationRun(nameof(IBackend.Dot), backend, size);
            float[] x = run.Normal(size), y = run.Normal(size, mean: 0.25);
            BufferView bx = run.In(x), by = run.In(y), squares = run.Out(1), dot = run.Out(1);
            run.Execute(b =>
            {
                b.SumSquares(bx, squares);
                b.Dot(bx, by, dot);
            });
            run.Close("Σx²", squares, [x.Sum(v => (double)v * v)]);
            double expected = x.Zip(y, (a, b) => (double)a * b).Sum(), terms = Math.Sqrt(x.Zip(y, (a, b) => (double)a * b * a * b).Sum());
            run.Close("Σx·y", dot, [expected], Tolerance.Of(nameof(IBackend.Dot)) with { Norm = double.PositiveInfinity }, terms);
        }
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void SquaredErrorRows_matches_the_oracle_forward_and_backward(string backend, int size)
    {
        foreach (var (rows, columns) in new[] { (4, size), (size, 5) })
        {
            using var run = new OperationRun(nameof(IBackend.SquaredErrorRows), backend, $"{rows}×{columns}");
            float[] x = run.Normal(rows * columns), y = run.Normal(rows * columns), dy = run.Normal(rows);
            BufferView bx = run.In(x), by = run.In(y), bdy = run.In(dy), loss = run.Out(rows), dx = run.Out(rows * columns);
            run.Execute(b =>
            {
                b.SquaredErrorRows(bx, by, loss);
                b.SquaredErrorRowsBackward(bx, by, bdy, dx);
            });
            Node input = Node.Leaf(x, rows, columns), expected = Compositions.SquaredErrorRows(input, Node.Leaf(y, rows, columns));
            expected.Backward(dy);
            run.Close("loss", loss, expected.Value);
            run.Close("dx", dx, input.Gradient, Tolerance.Of(nameof(IBackend.SquaredErrorRowsBackward)));
        }
    }
}
