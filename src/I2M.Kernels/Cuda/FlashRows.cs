using System.Runtime.CompilerServices;

namespace I2M.Kernels.Ilgpu;

/// <summary>Addresses of rows of bfloat16 heads.</summary>
internal static class FlashRows
{
    /// <summary>The address of a chunk of 8 channels of a head's row.</summary>
    /// <param name="address">Of sample 0, row 0, channel 0.</param>
    /// <param name="s">Sizes.</param>
    /// <param name="sample">Sample.</param>
    /// <param name="rows">Rows a sample.</param>
    /// <param name="row">Row.</param>
    /// <param name="stride">Elements between two rows.</param>
    /// <param name="head">Head.</param>
    /// <param name="chunk">Chunk of the head's row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Address(long address, AttentionShape s, int sample, int rows, int row, int stride, int head, int chunk) =>
        address + 2 * (((long)sample * rows + row) * stride + head * s.HeadDim + chunk * 8);
}
