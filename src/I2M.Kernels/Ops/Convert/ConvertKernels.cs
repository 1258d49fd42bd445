using ILGPU;
using static I2M.Kernels.Ilgpu.DeviceMath;

namespace I2M.Kernels.Ilgpu;

/// <summary>Between float32 and bfloat16: one work item per word of two bfloat16 elements.</summary>
internal static class ConvertKernels
{
    public static void Narrow(ArrayView<float> x, long elements, ArrayView<int> d)
    {
        long i = GlobalIndex();
        if (i >= d.Length) { return; }
        uint low = RoundToBFloat16(x[2 * i]), high = 0;
        if (2 * i + 1 < elements) { high = RoundToBFloat16(x[2 * i + 1]); }
        d[i] = (int)(high << 16 | low);
    }

    public static void Widen(ArrayView<int> x, long elements, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= x.Length) { return; }
        if (2 * i + 1 < elements)
        {
            uint word = (uint)x[i];
            d[2 * i] = Interop.IntAsFloat(word << 16);
            d[2 * i + 1] = Interop.IntAsFloat(word & 0xFFFF0000u);
        }
        else
        {
            // Nobody need have written the half above an odd number of elements.
            d[2 * i] = Interop.IntAsFloat((uint)x.Cast<ushort>()[2 * i] << 16);
        }
    }

    /// <summary>The rows of a block, one work item per element; halves of a word may belong to different items.</summary>
    public static void NarrowRows(ArrayView<float> x, RowBlock block, ArrayView<ushort> d)
    {
        long i = GlobalIndex();
        if (i >= block.Batch * block.Rows * block.Width) { return; }
        long at = PlaceOf(block, i);
        d[at] = (ushort)RoundToBFloat16(x[at]);
    }

    public static void WidenRows(ArrayView<ushort> x, RowBlock block, ArrayView<float> d)
    {
        long i = GlobalIndex();
        if (i >= block.Batch * block.Rows * block.Width) { return; }
        long at = PlaceOf(block, i);
        d[at] = Interop.IntAsFloat((uint)x[at] << 16);
    }

    private static long PlaceOf(RowBlock block, long i)
    {
        long row = Quotient(i, block.Width), item = Quotient(row, block.Rows);
        return item * block.Stride + (row - item * block.Rows) * block.Leading + i - row * block.Width;
    }
}
