using I2M.Kernels;

namespace I2M.Autograd;

public static partial class TensorOps
{
    /// <summary>Picture [batch, channels, height, width] → tokens [batch, tokens, tokenLength].</summary>
    public static Tensor Patchify(this Tensor picture, PatchShape shape)
    {
        Tensor tokens = Tensor.Empty(picture.Backend, shape.Batch, shape.Tokens, shape.TokenLength);
        picture.Backend.Patchify(picture.View, shape, tokens.View);
        return GradMode.Records(picture) ? tokens.Attach(new PatchNode(picture, shape, patchify: true)) : tokens;
    }

    /// <summary>Tokens [batch, tokens, tokenLength] → picture [batch, channels, height, width].</summary>
    public static Tensor Unpatchify(this Tensor tokens, PatchShape shape)
    {
        Tensor picture = Tensor.Empty(tokens.Backend, shape.Batch, shape.Channels, shape.Height, shape.Width);
        tokens.Backend.Unpatchify(tokens.View, shape, picture.View);
        return GradMode.Records(tokens) ? picture.Attach(new PatchNode(tokens, shape, patchify: false)) : picture;
    }

    /// <summary>Columns [start, start + count) of the last dimension.</summary>
    public static Tensor SliceColumns(this Tensor x, int start, int count)
    {
        int[] shape = x.Shape.ToArray();
        int columns = shape[^1];
        shape[^1] = count;
        Tensor y = Tensor.Empty(x.Backend, shape);
        x.Backend.CopyStrided(x.View.From(start), columns, x.Rows, count, accumulate: false, y.View, count);
        return GradMode.Records(x) ? y.Attach(new SliceColumnsNode(x, start, count)) : y;
    }

    /// <summary>Rows [start, start + count) of the first dimension, without a copy; either type, with a float32 gradient.</summary>
    public static Tensor SliceRows(this Tensor x, int start, int count)
    {
        int[] shape = x.Shape.ToArray();
        long row = x.Length / shape[0];
        if (GradMode.Records(x) && x.GradientType != ElementType.Float32) { throw new InvalidOperationException($"SliceRows passes Float32 gradients; that of the tensor holds {x.GradientType}."); }
        shape[0] = count;
        Tensor y = x.AliasPart(start * row, shape);
        return GradMode.Records(x) ? y.Attach(new SliceRowsNode(x, start * row, count * row)) : y;
    }

    /// <summary>a and b side by side along the last dimension.</summary>
    public static Tensor ConcatColumns(this Tensor a, Tensor b)
    {
        int[] shape = a.Shape.ToArray();
        int left = a.Columns, right = b.Columns, columns = left + right;
        shape[^1] = columns;
        Tensor y = Tensor.Empty(a.Backend, shape);
        a.Backend.CopyStrided(a.View, left, a.Rows, left, accumulate: false, y.View, columns);
        a.Backend.CopyStrided(b.View, right, b.Rows, right, accumulate: false, y.View.From(left), columns);
        return GradMode.Records(a, b) ? y.Attach(new ConcatColumnsNode(a, b)) : y;
    }

    /// <summary>[batch, rows, columns] → [batch, columns, rows].</summary>
    public static Tensor TransposeLast(this Tensor x)
    {
        int rows = x.Shape[^2], columns = x.Shape[^1], batch = (int)(x.Length / ((long)rows * columns));
        int[] shape = x.Shape.ToArray();
        (shape[^2], shape[^1]) = (columns, rows);
        Tensor y = Tensor.Empty(x.Backend, shape);
        x.Backend.Transpose(x.View, batch, rows, columns, y.View);
        return GradMode.Records(x) ? y.Attach(new TransposeNode(x, batch, rows, columns)) : y;
    }

    /// <summary>[batch, tokens, channels] → [batch, heads, tokens, channels/heads].</summary>
    public static Tensor SplitHeads(this Tensor x, int heads)
    {
        int batch = x.Shape[0], tokens = x.Shape[1], headDim = x.Shape[2] / heads;
        Tensor y = Tensor.Empty(x.Backend, batch, heads, tokens, headDim);
        x.Backend.SplitHeads(x.View, batch, tokens, heads, headDim, y.View);
        return GradMode.Records(x) ? y.Attach(new HeadsNode(x, batch, tokens, heads, headDim, split: true)) : y;
    }

    /// <summary>[batch, heads, tokens, headDim] → [batch, tokens, heads·headDim].</summary>
    public static Tensor MergeHeads(this Tensor x)
    {
        int batch = x.Shape[0], heads = x.Shape[1], tokens = x.Shape[2], headDim = x.Shape[3];
        Tensor y = Tensor.Empty(x.Backend, batch, tokens, heads * headDim);
        x.Backend.MergeHeads(x.View, batch, tokens, heads, headDim, y.View);
        return GradMode.Records(x) ? y.Attach(new HeadsNode(x, batch, tokens, heads, headDim, split: false)) : y;
    }

    /// <summary>Rows of a table [entries, columns] by 32-bit indices [n] → [n, columns]: an embedding.</summary>
    public static Tensor GatherRows(this Tensor table, Tensor indices)
    {
        Tensor y = Tensor.Empty(table.Backend, (int)indices.Length, table.Columns);
        table.Backend.GatherRows(table.View, indices.View, y.View);
        return GradMode.Records(table) ? y.Attach(new GatherRowsNode(table, indices)) : y;
    }

    private sealed class PatchNode(Tensor x, PatchShape shape, bool patchify) : GradNode(x)
    {
        private readonly PatchShape _shape = shape;
        private readonly bool _patchify = patchify;

        public override void Backward()
        {
            using Target dx = Overwrite(0);
            if (_patchify) { Backend.Unpatchify(OutputGradient, _shape, dx.View); }
            else { Backend.Patchify(OutputGradient, _shape, dx.View); }
        }
    }

    private sealed class SliceColumnsNode(Tensor x, int start, int count) : GradNode(x)
    {
        private readonly int _start = start, _count = count, _rows = x.Rows, _columns = x.Columns;

        public override void Backward() =>
            Backend.CopyStrided(OutputGradient, _count, _rows, _count, accumulate: true, Accumulate(0).From(_start), _columns);
    }

    private sealed class SliceRowsNode(Tensor x, long offset, long length) : GradNode(x)
    {
        private readonly long _offset = offset, _length = length;

        public override void Backward()
        {
            BufferView part = Accumulate(0).Slice(_offset, _length);
            Backend.Axpby(1, OutputGradient, 1, part, part);
        }
    }

    private sealed class ConcatColumnsNode(Tensor a, Tensor b) : GradNode(a, b)
    {
        private readonly int _rows = a.Rows, _left = a.Columns, _right = b.Columns;

        public override void Backward()
        {
            Give(0, 0, _left);
            Give(1, _left, _right);
        }

        private void Give(int i, int start, int count)
        {
            if (!Needs(i)) { return; }
            BufferView d = AccumulateOrOverwrite(i, out bool accumulate);
            Backend.CopyStrided(OutputGradient.From(start), _left + _right, _rows, count, accumulate, d, count);
        }
    }

    private sealed class TransposeNode(Tensor x, int batch, int rows, int columns) : GradNode(x)
    {
        private readonly int _batch = batch, _rows = rows, _columns = columns;

        public override void Backward()
        {
            using Target dx = Overwrite(0);
            Backend.Transpose(OutputGradient, _batch, _columns, _rows, dx.View);
        }
    }

    private sealed class HeadsNode(Tensor x, int batch, int tokens, int heads, int headDim, bool split) : GradNode(x)
    {
        private readonly int _batch = batch, _tokens = tokens, _heads = heads, _headDim = headDim;
        private readonly bool _split = split;

        public override void Backward()
        {
            using Target dx = Overwrite(0);
            if (_split) { Backend.MergeHeads(OutputGradient, _batch, _tokens, _heads, _headDim, dx.View); }
            else { Backend.SplitHeads(OutputGradient, _batch, _tokens, _heads, _headDim, dx.View); }
        }
    }

    private sealed class GatherRowsNode : GradNode
    {
        private readonly BufferView _indices;

        public GatherRowsNode(Tensor table, Tensor indices) : base(table) => _indices = Save(indices);

        public override void Backward() => Backend.ScatterAddRows(OutputGradient, _indices, Accumulate(0));
    }
}
