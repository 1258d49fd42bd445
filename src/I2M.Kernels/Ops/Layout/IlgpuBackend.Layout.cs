namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Patchify(BufferView picture, PatchShape shape, BufferView destination)
    {
        var patches = RequirePatches(shape, picture, destination);
        if (picture.Length > 0) { Launch(LayoutKernels.Patchify, Grid(picture.Length), View(picture), patches, View(destination)); }
    }

    /// <inheritdoc/>
    public void Unpatchify(BufferView tokens, PatchShape shape, BufferView destination)
    {
        var patches = RequirePatches(shape, destination, tokens);
        if (tokens.Length > 0) { Launch(LayoutKernels.Unpatchify, Grid(tokens.Length), View(tokens), patches, View(destination)); }
    }

    /// <inheritdoc/>
    public void SplitHeads(BufferView x, int batch, int tokens, int heads, int headDim, BufferView destination) =>
        SwapMiddle(x, batch, tokens, heads, headDim, destination);

    /// <inheritdoc/>
    public void MergeHeads(BufferView x, int batch, int tokens, int heads, int headDim, BufferView destination) =>
        SwapMiddle(x, batch, heads, tokens, headDim, destination);

    /// <inheritdoc/>
    public void CopyStrided(BufferView source, long sourceStride, int rows, int columns, bool accumulate, BufferView destination, long destinationStride)
    {
        RequireRows(source, sourceStride, rows, columns, nameof(source));
        RequireRows(destination, destinationStride, rows, columns, nameof(destination));
        long elements = (long)rows * columns;
        if (elements == 0) { return; }
        Launch(LayoutKernels.CopyStrided, Grid(elements), View(source), sourceStride, elements, (long)columns, accumulate ? 1 : 0, View(destination), destinationStride);
    }

    /// <inheritdoc/>
    public void Transpose(BufferView x, int batch, int rows, int columns, BufferView destination)
    {
        RequireLength(x, (long)batch * rows * columns);
        RequireLength(destination, x.Length);
        if (x.Length == 0) { return; }
        long tiles = ((rows + LayoutKernels.Tile - 1L) / LayoutKernels.Tile) * ((columns + LayoutKernels.Tile - 1L) / LayoutKernels.Tile);
        Launch(LayoutKernels.Transpose, Groups(batch * tiles, GroupSize), View(x), rows, columns, View(destination));
    }

    /// <inheritdoc/>
    public void GatherRows(BufferView table, BufferView indices, BufferView destination)
    {
        long columns = ColumnsOf(destination, indices.Length);
        if (destination.Length == 0) { return; }
        ColumnsOf(table, table.Length / columns);
        Launch(LayoutKernels.GatherRows, Grid(destination.Length), View(table), IntView(indices), columns, View(destination));
    }

    /// <inheritdoc/>
    public void ScatterAddRows(BufferView dy, BufferView indices, BufferView dtable)
    {
        // Every share reads all indices: enough shares to fill the device, and no more.
        const long wantedItems = 16384;
        long columns = ColumnsOf(dy, indices.Length);
        if (dy.Length == 0) { return; }
        long tableRows = dtable.Length / columns;
        ColumnsOf(dtable, tableRows);
        int shares = (int)Math.Clamp(wantedItems / columns, 1, Math.Max(1, tableRows));
        Launch(LayoutKernels.ScatterAddRows, Grid(shares * columns), View(dy), IntView(indices), columns, shares, View(dtable));
    }

    private void SwapMiddle(BufferView x, int batch, int outer, int inner, int length, BufferView destination)
    {
        RequireLength(x, (long)batch * outer * inner * length);
        RequireLength(destination, x.Length);
        if (x.Length == 0) { return; }
        Launch(LayoutKernels.SwapMiddle, Grid(x.Length), View(x), (long)outer, (long)inner, (long)length, View(destination));
    }

    private static LayoutKernels.Patches RequirePatches(PatchShape shape, BufferView picture, BufferView tokens)
    {
        Require(shape.PatchHeight > 0 && shape.PatchWidth > 0 && shape.Height % shape.PatchHeight == 0 && shape.Width % shape.PatchWidth == 0,
            nameof(shape), $"{shape.Height} × {shape.Width} does not divide into patches of {shape.PatchHeight} × {shape.PatchWidth}");
        RequireLength(picture, (long)shape.Batch * shape.Channels * shape.Height * shape.Width);
        RequireLength(tokens, picture.Length);
        return new LayoutKernels.Patches
        {
            Channels = shape.Channels,
            Height = shape.Height,
            Width = shape.Width,
            PatchHeight = shape.PatchHeight,
            PatchWidth = shape.PatchWidth,
        };
    }

    private static void RequireRows(BufferView view, long stride, int rows, int columns, string name)
    {
        if (rows == 0 || columns == 0) { return; }
        Require(rows == 1 || stride >= columns, name, $"stride {stride} is below {columns} columns");
        long needed = (rows - 1) * stride + columns;
        Require(view.Length >= needed, name, $"at least {needed} words expected, {view.Length} given");
    }
}
