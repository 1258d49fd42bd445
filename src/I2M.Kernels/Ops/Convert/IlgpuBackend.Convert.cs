using ILGPU;
using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Convert(BufferView source, long elements, BufferView destination)
    {
        Require(source.Type != destination.Type, nameof(destination), $"both views hold {source.Type}");
        RequireLength(source, source.Type.Words(elements));
        RequireLength(destination, destination.Type.Words(elements));
        if (elements == 0) { return; }
        if (destination.Type == ElementType.BFloat16) { Launch(ConvertKernels.Narrow, Grid(destination.Length), View(source), elements, IntView(destination)); }
        else { Launch(ConvertKernels.Widen, Grid(source.Length), IntView(source), elements, View(destination)); }
    }

    /// <inheritdoc/>
    public void ConvertRows(BufferView source, in RowBlock block, BufferView destination)
    {
        Require(source.Type != destination.Type, nameof(destination), $"both views hold {source.Type}");
        RequireRows(source, block.Rows, block.Width, block.Leading, block.Batch, block.Stride, nameof(source));
        RequireRows(destination, block.Rows, block.Width, block.Leading, block.Batch, block.Stride, nameof(destination));
        if (block.Extent == 0) { return; }
        KernelConfig grid = Grid(block.Batch * block.Rows * block.Width);
        if (destination.Type == ElementType.BFloat16) { Launch(ConvertKernels.NarrowRows, grid, View(source), block, View(destination).Cast<ushort>()); }
        else { Launch(ConvertKernels.WidenRows, grid, View(source).Cast<ushort>(), block, View(destination)); }
    }
}
