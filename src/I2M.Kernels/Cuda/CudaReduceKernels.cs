using System.Runtime.CompilerServices;
using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>Sums with 16-byte loads, in a fixed order that depends on the length alone.</summary>
internal static class CudaReduceKernels
{
    /// <summary>Items of a group, and the vectors of four that an item has in flight.</summary>
    public const int Items = 256, Vectors = 8;

    /// <summary>Elements of a tile: one pass of a group.</summary>
    public const int Tile = Items * Vectors * 4;

    /// <summary>d[group] = Σ x² over the group's tiles; the last group also takes the elements past the last whole vector.</summary>
    [KernelBounds(Items, MinGroups = 4)]
    public static void SumSquares(ArrayView<float> x, int groupTiles, ArrayView<float> d)
    {
        var warps = SharedMemory.Allocate<float>(Items / CudaWarp.Lanes);
        ArrayView<Float4> vectors = x.Cast<Float4>();
        long count = x.Length / 4;
        var sum = default(Float4);
        long at = (long)Grid.IdxX * groupTiles * (Items * Vectors) + Group.IdxX;
        for (int tile = 0; tile < groupTiles; tile++)
        {
            Float4 a = Squares(vectors, at, count), b = Squares(vectors, at + Items, count);
            Float4 c = Squares(vectors, at + 2 * Items, count), e = Squares(vectors, at + 3 * Items, count);
            Float4 f = Squares(vectors, at + 4 * Items, count), g = Squares(vectors, at + 5 * Items, count);
            Float4 h = Squares(vectors, at + 6 * Items, count), k = Squares(vectors, at + 7 * Items, count);
            sum = Float4.Add(sum, Float4.Add(Float4.Add(Float4.Add(a, b), Float4.Add(c, e)), Float4.Add(Float4.Add(f, g), Float4.Add(h, k))));
            at += Items * Vectors;
        }
        float total = sum.X + sum.Y + (sum.Z + sum.W);
        long left = count * 4 + Group.IdxX;
        if (Grid.IdxX == Grid.DimX - 1 && left < x.Length) { total += x[left] * x[left]; }
        total = CudaWarp.Sum(total);
        if (Group.IdxX % CudaWarp.Lanes == 0) { warps[Group.IdxX / CudaWarp.Lanes] = total; }
        Group.Barrier();
        if (Group.IdxX != 0) { return; }
        d[Grid.IdxX] = warps[0] + warps[1] + (warps[2] + warps[3]) + (warps[4] + warps[5] + (warps[6] + warps[7]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float4 Squares(ArrayView<Float4> x, long i, long count)
    {
        var v = default(Float4);
        if (i < count) { v = x[i]; }
        return Float4.Multiply(v, v);
    }
}
