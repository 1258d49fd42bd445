using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Algorithms;

namespace I2M.Kernels.Ilgpu;

/// <summary>The rows of one head of one sample: row r starts at element Start + r · Stride and has Width elements.</summary>
internal struct HeadRows
{
    public ArrayView<float> Data;
    public long Start;
    public int Stride, Count, Width, IsNarrow;

    /// <summary>Rows of head <paramref name="head"/> of sample <paramref name="sample"/> in a [batch, count, stride] buffer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static HeadRows Of(ArrayView<float> data, int sample, int head, int count, int stride, int width, int isNarrow = 0) => new()
    {
        Data = data,
        Start = (long)sample * count * stride + (long)head * width,
        Stride = stride,
        Count = count,
        Width = width,
        IsNarrow = isNarrow,
    };
}

/// <summary>
/// Building blocks of the attention kernels. A group of 16×8 items works on a block of scores of 32 rows by 64 columns; an item owns rows
/// 4y..4y+3 and columns x, x+16, x+32, x+48. Head dimensions are walked in slabs of 64 channels, which bounds shared memory. A group
/// produces one slab of its result rows, so heads wider than 64 channels recompute their scores once per slab.
/// </summary>
internal static class AttentionTiles
{
    /// <summary>Items of a group along x.</summary>
    public const int Side = 16;

    /// <summary>Items of a group along y.</summary>
    public const int SideY = 8;

    /// <summary>Rows of a block: queries in the forward pass.</summary>
    public const int Rows = 32;

    /// <summary>Columns of a block: keys in the forward pass.</summary>
    public const int Columns = 64;

    /// <summary>Channels that a group holds at a time.</summary>
    public const int Slab = 64;

    /// <summary>Words between two rows of a tile in shared memory; odd, so that a column lies in different banks.</summary>
    public const int Pitch = Slab + 1;

    private const int Items = Side * SideY;

    /// <summary>
    /// c + left · rightᵀ over all channels for the 32 left rows from left0 and the 64 right rows from right0. The walk over slabs ends with
    /// lastSlab, which stays in the two tiles. leftLoaded: the left tile already holds the only slab.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile4x4 Products(HeadRows left, int left0, ArrayView<float> leftTile, bool leftLoaded, HeadRows right, int right0, ArrayView<float> rightTile,
        int slabs, int lastSlab)
    {
        var c = default(Tile4x4);
        for (int i = 1; i <= slabs; i++)
        {
            int channel0 = (lastSlab + i) % slabs * Slab;
            if (!leftLoaded) { Load(left, left0, Rows, channel0, leftTile); }
            Load(right, right0, Columns, channel0, rightTile);
            Group.Barrier();
            int width = IntrinsicMath.Min(Slab, left.Width - channel0);
            for (int d = 0; d < width; d += 16)
            {
                c = Tile4x4.AddOuter16(c, leftTile, 4 * Group.IdxY * Pitch + d, Pitch, 1, rightTile, Group.IdxX * Pitch + d, Side * Pitch, 1);
            }
            Group.Barrier();
        }
        return c;
    }

    /// <summary>c + weights · tile, weights [32, 64] and tile [64, slab].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Tile4x4 Weighted(Tile4x4 c, ArrayView<float> weights, ArrayView<float> tile)
    {
        for (int j = 0; j < Columns; j += 16)
        {
            c = Tile4x4.AddOuter16(c, weights, 4 * Group.IdxY * Pitch + j, Pitch, 1, tile, j * Pitch + Group.IdxX, Side, Pitch);
        }
        return c;
    }

    /// <summary>tile[r, c] = channel channel0 + c of row first + r; zero outside.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(HeadRows source, int first, int rows, int channel0, ArrayView<float> tile)
    {
        for (int i = Group.IdxY * Side + Group.IdxX; i < rows * Slab; i += Items)
        {
            int row = i / Slab;
            int channel = i % Slab;
            float value = 0f;
            if (first + row < source.Count && channel0 + channel < source.Width)
            {
                value = Elements.Load(source.Data, source.Start + (long)(first + row) * source.Stride + channel0 + channel, source.IsNarrow);
            }
            tile[row * Pitch + channel] = value;
        }
    }

    /// <summary>Writes an item's block of scores to shared memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Share(Tile4x4 c, ArrayView<float> weights) => Tile4x4.Store(c, weights, 4 * Group.IdxY * Pitch + Group.IdxX, Pitch, Side);

    /// <summary>Writes an item's block of result rows, times a factor, where it lies inside.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(HeadRows target, int row0, int channel0, Tile4x4 c, float factor)
    {
        int row = row0 + 4 * Group.IdxY;
        StoreRow(target, row, channel0, c.R0, factor);
        StoreRow(target, row + 1, channel0, c.R1, factor);
        StoreRow(target, row + 2, channel0, c.R2, factor);
        StoreRow(target, row + 3, channel0, c.R3, factor);
    }

    /// <summary>Writes an item's four words of a result row, times a factor, where they lie inside.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreRow(HeadRows target, int row, int channel0, Float4 v, float factor)
    {
        if (row >= target.Count) { return; }
        long start = target.Start + (long)row * target.Stride;
        int channel = channel0 + Group.IdxX;
        if (channel < target.Width) { Elements.Store(target.Data, start + channel, v.X * factor, target.IsNarrow); }
        if (channel + Side < target.Width) { Elements.Store(target.Data, start + channel + Side, v.Y * factor, target.IsNarrow); }
        if (channel + 2 * Side < target.Width) { Elements.Store(target.Data, start + channel + 2 * Side, v.Z * factor, target.IsNarrow); }
        if (channel + 3 * Side < target.Width) { Elements.Store(target.Data, start + channel + 3 * Side, v.W * factor, target.IsNarrow); }
    }

    /// <summary>e^(scale·s − lse) per component.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 Probabilities(float scale, Float4 s, Float4 lse) => new()
    {
        X = XMath.Exp(scale * s.X - lse.X),
        Y = XMath.Exp(scale * s.Y - lse.Y),
        Z = XMath.Exp(scale * s.Z - lse.Z),
        W = XMath.Exp(scale * s.W - lse.W),
    };

    /// <summary>p ∘ (dp − delta).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float4 LogitGradients(Float4 p, Float4 dp, Float4 delta) => new()
    {
        X = p.X * (dp.X - delta.X),
        Y = p.Y * (dp.Y - delta.Y),
        Z = p.Z * (dp.Z - delta.Z),
        W = p.W * (dp.W - delta.W),
    };
}
