using System.Numerics;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void GuideRows(BufferView conditional, BufferView unconditional, int rows, float scale, float rescale, BufferView destination)
    {
        RequireLength(conditional, destination.Length);
        RequireLength(unconditional, destination.Length);
        long columns = ColumnsOf(destination, rows);
        if (destination.Length == 0) { return; }
        // Rows are few and long: a group as large as the device allows hides the way to memory. It does not depend on the row count, and so a row's bits do not.
        int items = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Min(columns, SamplingKernels.MostItems));
        while (items > _device.Limits.GroupThreads) { items /= 2; }
        Launch(SamplingKernels.GuideRows, Groups(rows, items), View(conditional), View(unconditional), columns, scale, rescale, View(destination));
    }
}
