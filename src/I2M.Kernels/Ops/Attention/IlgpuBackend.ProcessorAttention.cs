using ILGPU;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    private void ProcessorAttentionForward(BufferView q, BufferView k, BufferView v, in AttentionShape shape, BufferView o, BufferView lse)
    {
        using var scope = new BufferScope(Pool);
        ProcessorAttentionSizes sizes = ProcessorSizes(shape, shape.Queries, shape.Keys);
        BufferView keyPanels = HeadPanels(k, shape, shape.Keys, shape.StrideK, scope.Rent(HeadPanelWords(shape, sizes)));
        Launch(ProcessorAttention.Forward, HeadGroups(shape, sizes), View(q), View(keyPanels), View(v), View(o), View(lse), shape, sizes);
    }

    private void ProcessorAttentionGradients(BufferView q, BufferView k, BufferView v, BufferView lse, BufferView delta, BufferView dOut, in AttentionShape shape,
        BufferView dq, BufferView dk, BufferView dv)
    {
        using (var scope = new BufferScope(Pool))
        {
            ProcessorAttentionSizes sizes = ProcessorSizes(shape, shape.Keys, shape.Queries);
            BufferView queryPanels = HeadPanels(q, shape, shape.Queries, shape.StrideQ, scope.Rent(HeadPanelWords(shape, sizes)));
            BufferView outputPanels = HeadPanels(dOut, shape, shape.Queries, shape.StrideO, scope.Rent(HeadPanelWords(shape, sizes)));
            Launch(ProcessorAttentionBackward.Keys, HeadGroups(shape, sizes), View(k), View(v), View(q), View(dOut), View(queryPanels), View(outputPanels),
                View(lse), View(delta), View(dk), View(dv), shape, sizes);
        }
        using (var scope = new BufferScope(Pool))
        {
            ProcessorAttentionSizes sizes = ProcessorSizes(shape, shape.Queries, shape.Keys);
            BufferView keyPanels = HeadPanels(k, shape, shape.Keys, shape.StrideK, scope.Rent(HeadPanelWords(shape, sizes)));
            BufferView valuePanels = HeadPanels(v, shape, shape.Keys, shape.StrideV, scope.Rent(HeadPanelWords(shape, sizes)));
            Launch(ProcessorAttentionBackward.Queries, HeadGroups(shape, sizes), View(q), View(dOut), View(k), View(keyPanels), View(valuePanels),
                View(lse), View(delta), View(dq), shape, sizes);
        }
    }

    /// <summary>Items over so many rows of a head; so many others are its columns, packed in panels of sixteen.</summary>
    private static ProcessorAttentionSizes ProcessorSizes(in AttentionShape shape, int rows, int columns)
    {
        PanelLayout panels = PanelsOf(shape.HeadDim, columns, 1);
        return new ProcessorAttentionSizes { Tiles = (rows + Tile4x16.Rows - 1) / Tile4x16.Rows, Panel = panels.Panel, HeadPanels = panels.Count * panels.Panel };
    }

    private static long HeadPanelWords(in AttentionShape shape, in ProcessorAttentionSizes sizes) => shape.Batch * shape.Heads * sizes.HeadPanels;

    /// <summary>One item a group: neighbouring items would share one private memory's worth of the nearest cache.</summary>
    private static KernelConfig HeadGroups(in AttentionShape shape, in ProcessorAttentionSizes sizes) => Groups((long)shape.Batch * shape.Heads * sizes.Tiles, 1);

    /// <summary>Packs the rows of every head as columns; returns <paramref name="panels"/>.</summary>
    private BufferView HeadPanels(BufferView source, in AttentionShape shape, int count, int stride, BufferView panels)
    {
        var from = new PanelSource { Rows = shape.HeadDim, Columns = count, Step = 1, Column = stride, Heads = shape.Heads, Batch = (long)count * stride, Head = shape.HeadDim };
        PackPanels(source, from, shape.Batch * shape.Heads, panels);
        return panels;
    }
}
