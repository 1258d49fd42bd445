using ILGPU;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void RandomBits(ulong seed, ulong stream, long offset, BufferView destination)
    {
        if (BlocksOf(offset, destination) is { } blocks) { Launch(RandomKernels.Bits, blocks, seed, stream, offset, IntView(destination)); }
    }

    /// <inheritdoc/>
    public void RandomUniform(ulong seed, ulong stream, long offset, BufferView destination)
    {
        if (BlocksOf(offset, destination) is { } blocks) { Launch(RandomKernels.Uniform, blocks, seed, stream, offset, View(destination)); }
    }

    /// <inheritdoc/>
    public void RandomNormal(ulong seed, ulong stream, long offset, BufferView destination)
    {
        if (BlocksOf(offset, destination) is { } blocks) { Launch(RandomKernels.Normal, blocks, seed, stream, offset, View(destination)); }
    }

    /// <inheritdoc/>
    public void QSample(BufferView x0, BufferView mix, int rows, ulong seed, ulong stream, long offset, BufferView noisy, BufferView target, BufferView batch = default)
    {
        RequireLength(mix, 4L * rows);
        RequireLength(noisy, x0.Length);
        RequireLength(target, x0.Length);
        if (!batch.IsNone) { RequireLength(batch, 2); }
        long columns = ColumnsOf(x0, rows);
        if (BlocksOf(offset, x0) is not { } blocks) { return; }
        int hasBatch = batch.IsNone ? 0 : 1;
        if (AreVectors(x0, noisy, target) && offset % 4 == 0 && columns % 4 == 0)
        {
            Launch(CudaNoiseKernels.QSample, blocks, seed, stream, offset, hasBatch, IntView(batch.IsNone ? mix : batch), View(x0), View(mix), (long)rows, columns, View(noisy), View(target));
            return;
        }
        // Where the batch starts within a block is known on the device only: a block more than the length holds covers all cases.
        if (hasBatch != 0) { blocks = Grid(x0.Length / 4 + 2); }
        Launch(RandomKernels.QSample, blocks, seed, stream, offset, hasBatch, IntView(batch.IsNone ? mix : batch), View(x0), View(mix), (long)rows, columns, View(noisy), View(target));
    }

    /// <summary>A work item per Philox block that [offset, offset + length) touches; null for no elements.</summary>
    private static KernelConfig? BlocksOf(long offset, BufferView destination)
    {
        Require(offset >= 0, nameof(offset), "at least 0 expected");
        return destination.Length == 0 ? null : Grid((offset + destination.Length - 1) / 4 - offset / 4 + 1);
    }
}
