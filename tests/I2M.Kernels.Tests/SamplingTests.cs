using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>Guidance of a sampler.</summary>
public sealed class SamplingTests
{
    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void GuideRows_matches_the_oracle(string backend, int size)
    {
        foreach (var (rows, columns) in new[] { (3, size + 3), (size, 40) })
        {
            foreach (var (scale, rescale) in new[] { (3f, 0.7f), (1.5f, 0f) })
            {
                using var run = new OperationRun(nameof(IBackend.GuideRows), backend, $"{rows}×{columns}");
                float[] c = run.Normal(rows * columns, mean: 0.5), u = run.Normal(rows * columns);
                BufferView bc = run.In(c), bu = run.In(u), y = run.Out(rows * columns), inPlace = run.InOut(c), overOther = run.InOut(u);
                run.Execute(b =>
                {
                    b.GuideRows(bc, bu, rows, scale, rescale, y);
                    b.GuideRows(inPlace, bu, rows, scale, rescale, inPlace);
                    b.GuideRows(bc, overOther, rows, scale, rescale, overOther);
                });
                double[] expected = Compositions.GuideRows(Node.Leaf(c, rows, columns), Node.Leaf(u, rows, columns), scale, rescale).Value;
                run.Close("guided", y, expected);
                run.Exact("over c", inPlace, run.Read(y));
                run.Exact("over u", overOther, run.Read(y));
            }
        }
    }

    /// <summary>A row that does not vary cannot be drawn to a deviation, and scale 1 leaves the conditional prediction as it is.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void GuideRows_of_flat_rows_and_without_guidance(string backend)
    {
        const int rows = 2, columns = 70;
        using var run = new OperationRun(nameof(IBackend.GuideRows), backend, $"{rows}×{columns}");
        float[] c = run.Normal(rows * columns), flat = new float[rows * columns];
        Array.Fill(flat, 0.5f);
        BufferView bc = run.In(c), bFlat = run.In(flat), same = run.Out(rows * columns), guided = run.Out(rows * columns);
        run.Execute(b =>
        {
            b.GuideRows(bFlat, bFlat, rows, 3, 0.7f, guided);
            b.GuideRows(bc, bFlat, rows, 1, 0, same);
        });
        run.Exact("flat", guided, flat);
        run.Exact("scale 1", same, c);
    }

    /// <summary>A row's bits are its own, however many rows there are.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void GuideRows_does_each_row_alone(string backend)
    {
        const int rows = 3, columns = 77;
        using var run = new OperationRun(nameof(IBackend.GuideRows), backend, $"{rows}×{columns}");
        float[] c = run.Normal(rows * columns), u = run.Normal(rows * columns);
        BufferView bc = run.In(c), bu = run.In(u), together = run.Out(rows * columns), alone = run.Out(rows * columns);
        run.Execute(b =>
        {
            b.GuideRows(bc, bu, rows, 3, 0.7f, together);
            for (int r = 0; r < rows; r++) { b.GuideRows(Row(bc, r), Row(bu, r), 1, 3, 0.7f, Row(alone, r)); }
        });
        run.Exact("alone", alone, run.Read(together));

        static BufferView Row(BufferView view, int r) => view.Slice(r * columns, columns);
    }
}
