using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

public sealed class LayoutTests
{
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Patchify_cuts_and_Unpatchify_joins(string backend)
    {
        PatchShape[] shapes = [new(1, 1, 1, 1, 1, 1), new(2, 3, 8, 12, 4, 2), new(1, 1, 100, 280, 4, 8), new(3, 2, 31, 33, 31, 11), new(1, 3, 64, 64, 16, 16)];
        foreach (PatchShape shape in shapes)
        {
            using var run = new OperationRun(nameof(IBackend.Patchify), backend, shape);
            int count = shape.Batch * shape.Channels * shape.Height * shape.Width;
            float[] picture = run.Normal(count);
            BufferView source = run.In(picture), tokens = run.Out(count), back = run.Out(count);
            run.Execute(b =>
            {
                b.Patchify(source, shape, tokens);
                b.Unpatchify(tokens, shape, back);
            });
            run.Close("tokens", tokens, Compositions.Patchify(Node.Leaf(picture, shape.Batch, shape.Channels, shape.Height, shape.Width), shape).Value);
            run.Exact("round trip", back, picture);
        }
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void SplitHeads_and_MergeHeads_exchange_tokens_and_heads(string backend, int size)
    {
        foreach (var (batch, tokens, heads, headDim) in new[] { (2, size, 3, 16), (1, 5, size, 2), (3, 4, 2, size) })
        {
            using var run = new OperationRun(nameof(IBackend.SplitHeads), backend, $"{batch}×{tokens}×{heads}×{headDim}");
            float[] x = run.Normal(batch * tokens * heads * headDim);
            BufferView source = run.In(x), split = run.Out(x.Length), merged = run.Out(x.Length);
            run.Execute(b =>
            {
                b.SplitHeads(source, batch, tokens, heads, headDim, split);
                b.MergeHeads(split, batch, tokens, heads, headDim, merged);
            });
            run.Close("split", split, Compositions.SplitHeads(Node.Leaf(x, batch, tokens, heads, headDim)).Value);
            run.Exact("round trip", merged, x);
        }
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void Transpose_exchanges_rows_and_columns(string backend, int size)
    {
        foreach (var (batch, rows, columns) in new[] { (1, size, 33), (3, 31, size), (2, size, size) })
        {
            using var run = new OperationRun(nameof(IBackend.Transpose), backend, $"{batch}×{rows}×{columns}");
            float[] x = run.Normal(batch * rows * columns);
            BufferView source = run.In(x), y = run.Out(x.Length);
            run.Execute(b => b.Transpose(source, batch, rows, columns, y));
            run.Close("transposed", y, Node.Leaf(x, batch, rows, columns).SwapLast().Value);
        }
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void CopyStrided_copies_or_adds_columns_and_leaves_the_rest(string backend, int columns)
    {
        const int rows = 6;
        int sourceStride = columns + 3, destinationStride = 2 * columns + 1;
        using var run = new OperationRun(nameof(IBackend.CopyStrided), backend, $"{rows}×{columns}");
        float[] x = run.Normal(rows * sourceStride), before = run.Normal(rows * destinationStride);
        BufferView source = run.In(x), fresh = run.Out(rows * destinationStride), added = run.InOut(before);
        run.Execute(b =>
        {
            b.CopyStrided(source.From(2), sourceStride, rows, columns, accumulate: false, fresh.From(1), destinationStride);
            b.CopyStrided(source.From(2), sourceStride, rows, columns, accumulate: true, added.From(1), destinationStride);
        });
        float[] copied = run.Read(fresh), sum = run.Read(added);
        for (int i = 0; i < before.Length; i++)
        {
            int r = i / destinationStride, c = i % destinationStride - 1;
            bool inside = c >= 0 && c < columns;
            float value = inside ? x[r * sourceStride + 2 + c] : 0;
            if (inside) { Assert.True(copied[i] == value, $"{backend}: column {c} of row {r} is {copied[i]}, expected {value}"); }
            Assert.True(sum[i] == before[i] + value, $"{backend}: word {i} is {sum[i]}, expected {before[i] + value}");
        }
        run.StillPoison(fresh, i => i % destinationStride - 1 < 0 || i % destinationStride - 1 >= columns);
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void GatherRows_and_ScatterAddRows_are_adjoint(string backend, int size)
    {
        foreach (var (entries, lookups, columns) in new[] { (size, 40, 5), (7, size, 33), (3, 64, size) })
        {
            using var run = new OperationRun(nameof(IBackend.ScatterAddRows), backend, $"{lookups} of {entries}×{columns}");
            float[] table = run.Normal(entries * columns), dy = run.Normal(lookups * columns), before = run.Normal(entries * columns);
            int[] indices = run.Random.Indices(lookups, entries);
            BufferView bt = run.In(table), bi = run.In(indices), bdy = run.In(dy), y = run.Out(lookups * columns), dt = run.InOut(before);
            run.Execute(b =>
            {
                b.GatherRows(bt, bi, y);
                b.ScatterAddRows(bdy, bi, dt);
            });
            Node input = Node.Leaf(table, entries, columns), expected = Compositions.GatherRows(input, indices);
            expected.Backward(dy);
            run.Close("rows", y, expected.Value, Tolerance.Of(nameof(IBackend.GatherRows)));
            run.Close("dtable", dt, [.. before.Zip(input.Gradient, (b, g) => b + g)]);
        }
    }
}
