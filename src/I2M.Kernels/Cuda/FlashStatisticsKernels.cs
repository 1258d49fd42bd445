using System.Runtime.CompilerServices;
using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>What both passes of the backward attention need of every query: its lse and D = Σ_d do·o.</summary>
internal static class FlashStatisticsKernels
{
    /// <summary>Work items of a group.</summary>
    public const int Items = 128;

    /// <summary>Rows of a group.</summary>
    public const int Rows = Items / RowItems;

    /// <summary>The rows of a head are filled up to a multiple of this.</summary>
    public const int RowMultiple = 128;

    private const int RowItems = 8;

    /// <summary>
    /// statistics[b, h, q] = (−log2 e · lse, D), eight items a row. Rows beyond the last query get zeros: with rows of q and do that are zero too they add
    /// nothing to dk and dv.
    /// </summary>
    [KernelBounds(Items, MinGroups = 8)]
    public static void Collect(ArrayView<Float4> o, ArrayView<Float4> dOut, ArrayView<float> lse, ArrayView<float> statistics, AttentionShape s, int padded)
    {
        long row = (long)Grid.IdxX * Rows + Group.IdxX / RowItems;
        int part = Group.IdxX % RowItems;
        int query = (int)(row % padded);
        long head = row / padded;
        float sum = 0f;
        if (query < s.Queries)
        {
            long start = (head / s.Heads * s.Queries + query) * (s.StrideO / 8) + head % s.Heads * (s.HeadDim / 8);
            for (int chunk = part; chunk < s.HeadDim / 8; chunk += RowItems) { sum += Dot(o[start + chunk], dOut[start + chunk]); }
        }
        sum += Warp.ShuffleXor(sum, 4);
        sum += Warp.ShuffleXor(sum, 2);
        sum += Warp.ShuffleXor(sum, 1);
        if (part != 0) { return; }
        float exponent = 0f;
        if (query < s.Queries) { exponent = -1.44269504f * lse[head * s.Queries + query]; }
        statistics[2 * row] = exponent;
        statistics[2 * row + 1] = sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Dot(Float4 a, Float4 b) => Pair(a.X, b.X) + Pair(a.Y, b.Y) + (Pair(a.Z, b.Z) + Pair(a.W, b.W));

    /// <summary>Sum of the two products of a word of bfloat16 elements with another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Pair(float a, float b)
    {
        uint u = Interop.FloatAsInt(a), v = Interop.FloatAsInt(b);
        return Interop.IntAsFloat(u << 16) * Interop.IntAsFloat(v << 16) + Interop.IntAsFloat(u & 0xFFFF0000u) * Interop.IntAsFloat(v & 0xFFFF0000u);
    }
}
