using System.Runtime.CompilerServices;
using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// Sums and maxima over all work items of a one-dimensional group through shared memory: a binary tree, so the order is fixed.
/// Every work item must call them; all get the result. The group size must be a power of two and scratch must hold one word per item.
/// Scratch may be reused from call to call: each begins with a barrier.
/// </summary>
internal static class GroupReduce
{
    /// <summary>The sum of all items' values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(float value, ArrayView<float> scratch)
    {
        int item = Group.IdxX;
        Group.Barrier();
        scratch[item] = value;
        Group.Barrier();
        for (int width = Group.DimX / 2; width > 0; width /= 2)
        {
            if (item < width) { scratch[item] += scratch[item + width]; }
            Group.Barrier();
        }
        return scratch[0];
    }

    /// <summary>The largest of all items' values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(float value, ArrayView<float> scratch)
    {
        int item = Group.IdxX;
        Group.Barrier();
        scratch[item] = value;
        Group.Barrier();
        for (int width = Group.DimX / 2; width > 0; width /= 2)
        {
            if (item < width)
            {
                float other = scratch[item + width];
                if (other > scratch[item]) { scratch[item] = other; }
            }
            Group.Barrier();
        }
        return scratch[0];
    }
}
