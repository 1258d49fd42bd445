using ILGPU;
using ILGPU.Runtime;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>Moves of data, one work item per element unless a kernel says otherwise.</summary>
internal static class LayoutKernels
{
    /// <summary>Edge of a transposed tile.</summary>
    public const int Tile = 32;

    /// <summary>Extents of the picture and of a patch.</summary>
    public struct Patches
    {
        public long Channels, Height, Width, PatchHeight, PatchWidth;

        /// <summary>Address in tokens of picture element i.</summary>
        public readonly long TokenIndex(long i)
        {
            long row = Quotient(i, Width), x = i - row * Width;
            long plane = Quotient(row, Height), y = row - plane * Height;
            long b = Quotient(plane, Channels), c = plane - b * Channels;
            long gridY = Quotient(y, PatchHeight), gridX = Quotient(x, PatchWidth);
            long across = Quotient(Width, PatchWidth), down = Quotient(Height, PatchHeight);
            long token = (b * down + gridY) * across + gridX;
            return ((token * Channels + c) * PatchHeight + y - gridY * PatchHeight) * PatchWidth + x - gridX * PatchWidth;
        }
    }

    public static void Patchify(ArrayView<float> picture, Patches patches, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[patches.TokenIndex(i)] = picture[i]; }
    }

    public static void Unpatchify(ArrayView<float> tokens, Patches patches, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i < d.Length) { d[i] = tokens[patches.TokenIndex(i)]; }
    }

    /// <summary>[batch, outer, inner, length] → [batch, inner, outer, length].</summary>
    public static void SwapMiddle(ArrayView<float> x, long outer, long inner, long length, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        long row = Quotient(i, length);
        long rest = Quotient(row, outer), o = row - rest * outer;
        long b = Quotient(rest, inner), n = rest - b * inner;
        d[i] = x[((b * outer + o) * inner + n) * length + i - row * length];
    }

    public static void CopyStrided(ArrayView<float> source, long sourceStride, long elements, long columns, int accumulate, ArrayView<float> d, long stride)
    {
        long i = GlobalIndex();
        if (i >= elements) { return; }
        long r = Quotient(i, columns), c = i - r * columns;
        float value = source[r * sourceStride + c];
        if (accumulate != 0) { value += d[r * stride + c]; }
        d[r * stride + c] = value;
    }

    /// <summary>A group per 32 × 32 tile; a column of padding keeps the reads down a column in different shared-memory banks.</summary>
    public static void Transpose(ArrayView<float> x, int rows, int columns, ArrayView<float> d)
    {
        ArrayView<float> tile = SharedMemory.Allocate<float>(Tile * (Tile + 1));
        int across = (columns + Tile - 1) / Tile, down = (rows + Tile - 1) / Tile;
        int group = Grid.IdxX, batch = group / (across * down);
        int row0 = group / across % down * Tile, column0 = group % across * Tile;
        int lane = Group.IdxX % Tile, step = Group.DimX / Tile;
        long plane = (long)batch * rows * columns;
        for (int r = Group.IdxX / Tile; r < Tile; r += step)
        {
            if (row0 + r < rows && column0 + lane < columns) { tile[r * (Tile + 1) + lane] = x[plane + (long)(row0 + r) * columns + column0 + lane]; }
        }
        Group.Barrier();
        for (int c = Group.IdxX / Tile; c < Tile; c += step)
        {
            if (column0 + c < columns && row0 + lane < rows) { d[plane + (long)(column0 + c) * rows + row0 + lane] = tile[lane * (Tile + 1) + c]; }
        }
    }

    public static void GatherRows(ArrayView<float> table, ArrayView<int> indices, long columns, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        long row = Quotient(i, columns);
        d[i] = table[indices[row] * columns + i - row * columns];
    }

    /// <summary>
    /// A work item per (share, column) walks all indices in order and adds the rows whose index falls to its share, index mod shares.
    /// One item alone writes an element, so there is neither an atomic nor another order.
    /// </summary>
    public static void ScatterAddRows(ArrayView<float> dy, ArrayView<int> indices, long columns, int shares, ArrayView<float> dtable)
    {
        long i = GlobalIndex();
        if (i >= shares * columns) { return; }
        long share = Quotient(i, columns), c = i - share * columns;
        for (long row = 0; row < indices.Length; row++)
        {
            int index = indices[row];
            if (index % shares == share) { dtable[index * columns + c] += dy[row * columns + c]; }
        }
    }
}
