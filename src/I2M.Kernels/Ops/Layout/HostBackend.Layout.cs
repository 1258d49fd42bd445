using System.Runtime.Intrinsics;

namespace I2M.Kernels.Host;

public sealed unsafe partial class HostBackend
{
    /// <summary>Side of the square that a transposition reads and writes while both sides stay in the first cache.</summary>
    private const int TransposeTile = 32;

    /// <inheritdoc cref="IBackend.Patchify"/>
    public void Patchify(BufferView picture, PatchShape shape, BufferView destination)
    {
        float* picturePointer = PicturePointer(picture, destination, shape), tokens = Pointer(destination);
        RunPatchRows(shape, (line, element) => MoveParts(picturePointer + line, shape.PatchWidth, tokens + element, shape.TokenLength, shape.PatchWidth, shape.Width));
    }

    /// <inheritdoc cref="IBackend.Unpatchify"/>
    public void Unpatchify(BufferView tokens, PatchShape shape, BufferView destination)
    {
        float* picture = PicturePointer(destination, tokens, shape), source = Pointer(tokens);
        RunPatchRows(shape, (line, element) => MoveParts(source + element, shape.TokenLength, picture + line, shape.PatchWidth, shape.PatchWidth, shape.Width));
    }

    /// <inheritdoc cref="IBackend.SplitHeads"/>
    public void SplitHeads(BufferView x, int batch, int tokens, int heads, int headDim, BufferView destination) =>
        SwapMiddle(x, batch, tokens, heads, headDim, destination);

    /// <inheritdoc cref="IBackend.MergeHeads"/>
    public void MergeHeads(BufferView x, int batch, int tokens, int heads, int headDim, BufferView destination) =>
        SwapMiddle(x, batch, heads, tokens, headDim, destination);

    /// <inheritdoc cref="IBackend.CopyStrided"/>
    public void CopyStrided(BufferView source, long sourceStride, int rows, int columns, bool accumulate, BufferView destination, long destinationStride)
    {
        if (rows == 0 || columns == 0) { return; }
        if (destinationStride < columns && rows > 1) { throw new ArgumentException($"Rows of {columns} columns overlap at stride {destinationStride}.", nameof(destinationStride)); }
        RequireAtLeast((rows - 1) * sourceStride + columns, source);
        RequireAtLeast((rows - 1) * destinationStride + columns, destination);
        float* ps = Pointer(source), pd = Pointer(destination);
        _rows.Run(rows, RowGrain(MemoryGrain, columns), (start, end) =>
        {
            for (long r = start; r < end; r++)
            {
                float* from = ps + r * sourceStride, to = pd + r * destinationStride;
                if (accumulate) { AddTo(from, to, columns); }
                else { Move(from, to, columns); }
            }
        });
    }

    /// <inheritdoc cref="IBackend.Transpose"/>
    public void Transpose(BufferView x, int batch, int rows, int columns, BufferView destination)
    {
        RequireLength((long)batch * rows * columns, x);
        RequireLength(x.Length, destination);
        float* px = Pointer(x), pd = Pointer(destination);
        long strips = (rows + TransposeTile - 1L) / TransposeTile;
        _rows.Run(batch * strips, RowGrain(MemoryGrain, Math.Min(rows, TransposeTile) * (long)columns), (start, end) =>
        {
            for (long s = start; s < end; s++)
            {
                long b = s / strips, first = s % strips * TransposeTile, last = Math.Min(rows, first + TransposeTile), matrix = b * rows * columns;
                for (long c = 0; c < columns; c += TransposeTile)
                {
                    HostShuffles.Transpose(px + matrix + first * columns + c, columns, last - first, Math.Min(TransposeTile, columns - c), pd + matrix + c * rows + first, rows);
                }
            }
        });
    }

    /// <inheritdoc cref="IBackend.GatherRows"/>
    public void GatherRows(BufferView table, BufferView indices, BufferView destination)
    {
        if (indices.Length == 0) { return; }
        long columns = ColumnsOf(destination, indices.Length);
        float* pt = Pointer(table), pd = Pointer(destination);
        int* index = (int*)Pointer(indices);
        RequireIndices(index, indices.Length, RowsOf(table, columns), nameof(indices));
        _rows.Run(indices.Length, RowGrain(MemoryGrain, columns), (start, end) =>
        {
            for (long i = start; i < end; i++) { Move(pt + index[i] * columns, pd + i * columns, columns); }
        });
    }

    /// <inheritdoc cref="IBackend.ScatterAddRows"/>
    public void ScatterAddRows(BufferView dy, BufferView indices, BufferView dtable)
    {
        if (indices.Length == 0) { return; }
        // Threads share the columns, so that each element receives its terms in the order of i.
        const long ColumnTile = 64;
        long columns = ColumnsOf(dy, indices.Length), count = indices.Length;
        float* pdy = Pointer(dy), pdt = Pointer(dtable);
        int* index = (int*)Pointer(indices);
        RequireIndices(index, count, RowsOf(dtable, columns), nameof(indices));
        _rows.Run((columns + ColumnTile - 1) / ColumnTile, RowGrain(MemoryGrain, count * ColumnTile), (start, end) =>
        {
            long first = start * ColumnTile, width = Math.Min(columns, end * ColumnTile) - first;
            for (long i = 0; i < count; i++) { AddTo(pdy + i * columns + first, pdt + index[i] * columns + first, width); }
        });
    }

    private static float* PicturePointer(BufferView picture, BufferView tokens, PatchShape shape)
    {
        if (shape.Height % shape.PatchHeight != 0 || shape.Width % shape.PatchWidth != 0)
        {
            throw new ArgumentException($"Patches of {shape.PatchHeight}×{shape.PatchWidth} do not divide a picture of {shape.Height}×{shape.Width}.", nameof(shape));
        }
        RequireLength((long)shape.Batch * shape.Channels * shape.Height * shape.Width, picture);
        RequireLength(picture.Length, tokens);
        return Pointer(picture);
    }

    /// <summary>Calls body(offset in the picture, offset in the tokens of its first patch) for each line of the pictures.</summary>
    private void RunPatchRows(PatchShape shape, Action<long, long> body)
    {
        long lines = (long)shape.Batch * shape.Channels * shape.Height, across = shape.Width / shape.PatchWidth;
        _rows.Run(lines, RowGrain(MemoryGrain, shape.Width), (start, end) =>
        {
            for (long line = start; line < end; line++)
            {
                long y = line % shape.Height, c = line / shape.Height % shape.Channels, b = line / shape.Height / shape.Channels;
                long token = b * shape.Tokens + y / shape.PatchHeight * across;
                long element = (c * shape.PatchHeight + y % shape.PatchHeight) * shape.PatchWidth;
                body(line * shape.Width, token * shape.TokenLength + element);
            }
        });
    }

    /// <summary>Copies <paramref name="length"/> words in parts, the starts of which are a stride apart on either side.</summary>
    private static void MoveParts(float* source, long sourceStride, float* destination, long destinationStride, int part, long length)
    {
        for (long done = 0; done < length; done += part, source += sourceStride, destination += destinationStride)
        {
            int i = 0;
            for (; i + 8 <= part; i += 8) { Vector256.Load(source + i).Store(destination + i); }
            for (; i < part; i++) { destination[i] = source[i]; }
        }
    }

    /// <summary>[batch, outer, inner, length] → [batch, inner, outer, length].</summary>
    private void SwapMiddle(BufferView x, int batch, int outer, int inner, int length, BufferView destination)
    {
        RequireLength((long)batch * outer * inner * length, x);
        RequireLength(x.Length, destination);
        float* px = Pointer(x), pd = Pointer(destination);
        _rows.Run((long)batch * outer, RowGrain(MemoryGrain, (long)inner * length), (start, end) =>
        {
            for (long row = start; row < end; row++)
            {
                long b = row / outer, o = row % outer;
                for (long i = 0; i < inner; i++)
                {
                    Move(px + (row * inner + i) * length, pd + ((b * inner + i) * outer + o) * length, length);
                }
            }
        });
    }
}
