using ILGPU;
using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Attention(BufferView q, BufferView k, BufferView v, in AttentionShape shape, BufferView o, BufferView lse)
    {
        if (shape.Batch == 0 || shape.Heads == 0 || shape.Queries == 0) { return; }
        RequireHeads(shape);
        RequireLength(lse, (long)shape.Batch * shape.Heads * shape.Queries);
        bool narrow = WidenedAttention.IsNarrow(shape, lse, [q], [o], [k], [v]);
        if (narrow && IsCuda && FlashAttention.Obstacle(shape, q, k, v, o) is null)
        {
            FlashForward(q, k, v, shape, o, lse);
            return;
        }
        RequireRows(q, k, v, o, shape);
        if (IsProcessor && shape.HeadDim % Row16.Width == 0)
        {
            if (narrow) { WidenedAttention.Forward(this, q, k, v, shape, o, lse); }
            else { ProcessorAttentionForward(q, k, v, shape, o, lse); }
            return;
        }
        int tiles = AttentionRowTiles(shape.Queries);
        int slabs = AttentionSlabs(shape);
        Launch(AttentionKernels.Forward, AttentionGroups(shape, tiles, slabs), View(q), View(k), View(v), View(o), View(lse), shape, IsNarrow(q), tiles, slabs);
    }

    /// <inheritdoc/>
    public void AttentionBackward(BufferView q, BufferView k, BufferView v, BufferView o, BufferView lse, BufferView dOut, in AttentionShape shape,
        BufferView dq, BufferView dk, BufferView dv)
    {
        long rows = (long)shape.Batch * shape.Heads * shape.Queries;
        if (rows == 0) { return; }
        RequireHeads(shape);
        RequireLength(lse, rows);
        bool narrow = WidenedAttention.IsNarrow(shape, lse, [q, dq], [o, dOut], [k, dk], [v, dv]);
        if (narrow && IsCuda && FlashAttention.Obstacle(shape, q, k, v, o, dOut, dq, dk, dv) is null)
        {
            FlashBackward(q, k, v, o, lse, dOut, shape, dq, dk, dv);
            return;
        }
        RequireRows(q, k, v, o, shape);
        RequireRows(dq, dk, dv, dOut, shape);
        bool byProcessor = IsProcessor && shape.HeadDim % Row16.Width == 0;
        if (narrow && byProcessor)
        {
            WidenedAttention.Backward(this, q, k, v, o, lse, dOut, shape, dq, dk, dv);
            return;
        }
        using var scope = new BufferScope(Pool);
        BufferView delta = scope.Rent(rows);
        long deltaGroups = (rows + AttentionBackwardKernels.DeltaRows - 1) / AttentionBackwardKernels.DeltaRows;
        Launch(AttentionBackwardKernels.Delta, Groups(deltaGroups, AttentionBackwardKernels.DeltaItems), View(o), View(dOut), View(delta), shape, IsNarrow(o));
        if (byProcessor)
        {
            ProcessorAttentionGradients(q, k, v, lse, delta, dOut, shape, dq, dk, dv);
            return;
        }
        int slabs = AttentionSlabs(shape);
        int keyTiles = AttentionRowTiles(shape.Keys);
        Launch(AttentionBackwardKernels.Keys, AttentionGroups(shape, keyTiles, slabs), View(q), View(k), View(v), View(lse), View(delta), View(dOut),
            View(dk), View(dv), shape, IsNarrow(q), keyTiles, slabs);
        int queryTiles = AttentionRowTiles(shape.Queries);
        Launch(AttentionBackwardKernels.Queries, AttentionGroups(shape, queryTiles, slabs), View(q), View(k), View(v), View(lse), View(delta), View(dOut),
            View(dq), shape, IsNarrow(q), queryTiles, slabs);
    }

    private void RequireHeads(in AttentionShape s)
    {
        Require(s.HeadDim > 0, nameof(s.HeadDim), $"at least 1 expected, {s.HeadDim} given");
        RequireAtMost(nameof(Attention), "head dimension", s.HeadDim, AttentionShape.MostHeadDim);
        Require(s.Keys > 0, nameof(s.Keys), "at least one key expected");
    }

    private static void RequireRows(BufferView q, BufferView k, BufferView v, BufferView o, in AttentionShape s)
    {
        int width = s.Heads * s.HeadDim;
        RequireRows(q, s.Queries, width, s.StrideQ, s.Batch, (long)s.Queries * s.StrideQ, nameof(q));
        RequireRows(k, s.Keys, width, s.StrideK, s.Batch, (long)s.Keys * s.StrideK, nameof(k));
        RequireRows(v, s.Keys, width, s.StrideV, s.Batch, (long)s.Keys * s.StrideV, nameof(v));
        RequireRows(o, s.Queries, width, s.StrideO, s.Batch, (long)s.Queries * s.StrideO, nameof(o));
    }

    private static int AttentionRowTiles(int rows) => (rows + AttentionTiles.Rows - 1) / AttentionTiles.Rows;

    private static int AttentionSlabs(in AttentionShape shape) => (shape.HeadDim + AttentionTiles.Slab - 1) / AttentionTiles.Slab;

    private static KernelConfig AttentionGroups(in AttentionShape shape, int tiles, int slabs) =>
        new(new Index3D(checked(shape.Batch * shape.Heads * tiles * slabs), 1, 1), new Index3D(AttentionTiles.Side, AttentionTiles.SideY, 1));
}
