using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>When kernels with 16-byte accesses can take an operation's operands.</summary>
public sealed partial class IlgpuBackend
{
    /// <summary>
    /// True on GPUs, CUDA's and OpenCL's, when all operands that are there start at a multiple of 16 bytes; buffers themselves start at multiples of 128 or more.
    /// OpenCL drivers for processors find vectors across work items by themselves.
    /// </summary>
    private bool AreVectors(BufferView a, BufferView b = default, BufferView c = default, BufferView d = default, BufferView e = default, BufferView f = default) =>
        !IsProcessor && ((a.Offset | b.Offset | c.Offset | d.Offset | e.Offset | f.Offset) & 3) == 0;

    /// <summary>The same for kernels that also exchange numbers within a warp, which only CUDA's do.</summary>
    private bool AreWarpVectors(BufferView a, BufferView b = default, BufferView c = default, BufferView d = default, BufferView e = default, BufferView f = default) =>
        IsCuda && AreVectors(a, b, c, d, e, f);

    /// <summary>True when all rows and modulation vectors of a shape are whole vectors of four.</summary>
    private static bool IsVectorShape(ModulationShape shape) => shape.Channels % 4 == 0 && (shape.Batch == 1 || shape.Stride % 4 == 0);

    /// <summary>1 for a bfloat16 operand, as kernels take it.</summary>
    private static int IsNarrow(BufferView view) => view.Type == ElementType.BFloat16 ? 1 : 0;

    /// <summary>Enough groups for one work item per vector of four; the last vector may be a partial one.</summary>
    private static KernelConfig VectorGrid(long elements) => Grid((elements + 3) / 4);
}
