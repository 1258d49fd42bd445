using ILGPU;
using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Attention(BufferView q, BufferView k, BufferView v, in AttentionShape shape, BufferView o, BufferView lse)
    {
        if (shape.Batch == 0 || shape.Heads == 0 || shape.Queries == 0) { return; }
        int tiles = AttentionRowTiles(shape.Queries);
        int slabs = AttentionSlabs(shape);
        Launch(AttentionKernels.Forward, AttentionGroups(shape, tiles, slabs), View(q), View(k), View(v), View(o), View(lse), shape, tiles, slabs);
    }

    /// <inheritdoc/>
    public void AttentionBackward(BufferView q, BufferView k, BufferView v, BufferView o, BufferView lse, BufferView dOut, in AttentionShape shape,
        BufferView dq, BufferView dk, BufferView dv)
    {
        long rows = (long)shape.Batch * shape.Heads * shape.Queries;
        if (rows == 0) { return; }
        using var scope = new BufferScope(Pool);
        BufferView delta = scope.Rent(rows);
        long deltaGroups = (rows + AttentionBackwardKernels.DeltaRows - 1) / AttentionBackwardKernels.DeltaRows;
        Launch(AttentionBackwardKernels.Delta, Groups(deltaGroups, AttentionBackwardKernels.DeltaItems), View(o), View(dOut), View(delta), shape);
        int slabs = AttentionSlabs(shape);
        int keyTiles = AttentionRowTiles(shape.Keys);
        Launch(AttentionBackwardKernels.Keys, AttentionGroups(shape, keyTiles, slabs), View(q), View(k), View(v), View(lse), View(delta), View(dOut),
            View(dk), View(dv), shape, keyTiles, slabs);
        int queryTiles = AttentionRowTiles(shape.Queries);
        Launch(AttentionBackwardKernels.Queries, AttentionGroups(shape, queryTiles, slabs), View(q), View(k), View(v), View(lse), View(delta), View(dOut),
            View(dq), shape, queryTiles, slabs);
    }

    private static int AttentionRowTiles(int rows) => (rows + AttentionTiles.Rows - 1) / AttentionTiles.Rows;

    private static int AttentionSlabs(in AttentionShape shape) => (shape.HeadDim + AttentionTiles.Slab - 1) / AttentionTiles.Slab;

    private static KernelConfig AttentionGroups(in AttentionShape shape, int tiles, int slabs) =>
        new(new Index3D(checked(shape.Batch * shape.Heads * tiles * slabs), 1, 1), new Index3D(AttentionTiles.Side, AttentionTiles.SideY, 1));
}
