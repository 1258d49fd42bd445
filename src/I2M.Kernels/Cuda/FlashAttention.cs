namespace I2M.Kernels.Ilgpu;

/// <summary>Which attention in bfloat16 the tensor-core kernels can do. What they cannot, the portable kernels do in float32.</summary>
internal static class FlashAttention
{
    /// <summary>Channels of 16 bytes.</summary>
    private const int Chunk = 8;

    /// <summary>Words of 16 bytes.</summary>
    private const int ChunkWords = 4;

    /// <summary>The kernels step over up to 32 rows with an offset of 31 bits.</summary>
    private const int MostStride = 1 << 24;

    /// <summary>Why the tensor-core kernels cannot do this attention, or null when they can.</summary>
    /// <param name="s">Sizes and strides.</param>
    /// <param name="views">All bfloat16 operands.</param>
    public static string? Obstacle(in AttentionShape s, params ReadOnlySpan<BufferView> views)
    {
        if (s.HeadDim % Chunk != 0) { return $"the head dimension {s.HeadDim} is not a multiple of {Chunk}"; }
        if ((s.StrideQ | s.StrideK | s.StrideV | s.StrideO) % Chunk != 0)
        {
            return $"the strides {s.StrideQ}, {s.StrideK}, {s.StrideV}, {s.StrideO} are not all multiples of {Chunk}";
        }
        if (Math.Max(Math.Max(s.StrideQ, s.StrideK), Math.Max(s.StrideV, s.StrideO)) > MostStride) { return $"a stride is above {MostStride}"; }
        if (!(s.Scale > 0)) { return $"the scale {s.Scale} is not above 0, so the largest product is not the largest logit"; }
        foreach (BufferView view in views)
        {
            if (view.Offset % ChunkWords != 0) { return $"a view begins at word {view.Offset}, no multiple of {ChunkWords}"; }
        }
        return null;
    }

    /// <summary>The width of the kernels for a head: 32, 64, 96 or 128 channels.</summary>
    public static int Width(int headDim) => (headDim + 31) / 32 * 32;
}
