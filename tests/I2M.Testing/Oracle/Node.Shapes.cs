namespace I2M.Testing;

/// <summary>The index maps that compositions use most, all of them gathers and scatters.</summary>
public sealed partial class Node
{
    /// <summary>The same elements under another shape.</summary>
    public Node Reshape(params int[] shape) => Gather(shape, i => i);

    /// <summary>[…, columns] → […]: the sum of each row.</summary>
    public Node SumLast()
    {
        int columns = Columns;
        return ScatterAdd(Shape[..^1], i => i / columns);
    }

    /// <summary>[…, columns] → […]: the mean of each row.</summary>
    public Node MeanLast() => 1.0 / Columns * SumLast();

    /// <summary>[…] → […, columns]: each element repeated.</summary>
    public Node ExpandLast(int columns) => Gather([.. Shape, columns], i => i / columns);

    /// <summary>[columns] → shape, whose last dimensions have as many elements: repeated over the leading ones.</summary>
    public Node TileTo(params int[] shape)
    {
        int length = Value.Length;
        return Gather(shape, i => i % length);
    }

    /// <summary>[batch, rows, columns] → [batch, columns, rows].</summary>
    public Node SwapLast()
    {
        int rows = Shape[^2], columns = Columns;
        return Gather([.. Shape[..^2], columns, rows], i =>
        {
            int item = i / (rows * columns), c = i / rows % columns, r = i % rows;
            return (item * rows + r) * columns + c;
        });
    }

    /// <summary>Every second element from <paramref name="start"/>: real or imaginary parts of interleaved complex numbers.</summary>
    public Node Half(int start, params int[] shape) => Gather(shape, i => 2 * i + start);

    /// <summary>(re, im) interleaved along a new last dimension.</summary>
    public static Node Interleave(Node re, Node im)
    {
        int[] shape = [.. re.Shape, 2];
        return re.Gather(shape, i => i % 2 == 0 ? i / 2 : -1) + im.Gather(shape, i => i % 2 == 1 ? i / 2 : -1);
    }
}
