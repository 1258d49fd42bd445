using ILGPU;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <summary>From so many rows on, copying b into panels, which the processor then reads word after word, costs less than it saves.</summary>
    private const int PackMinRows = 64;

    /// <summary>A product on a device that is a processor. For few rows b is read in place where whole panels of sixteen columns lie in rows.</summary>
    private void GemmPanels(BufferView a, BufferView b, BufferView bias, BufferView residual, in GemmShape shape, BufferView c)
    {
        using var scope = new BufferScope(Pool);
        GemmSizes sizes = Sizes(shape, bias, residual);
        sizes.RowTiles = (shape.M + Tile4x16.Rows - 1) / Tile4x16.Rows;
        int count = (shape.N + Row16.Width - 1) / Row16.Width;
        PanelLayout panels = new() { Count = count, Panel = Row16.Width, Step = sizes.StepB, Batch = shape.StrideB };
        if (shape.K > 0 && (shape.M >= PackMinRows || sizes.ColumnB != 1 || shape.N % Row16.Width != 0))
        {
            int matrices = shape.StrideB == 0 ? 1 : shape.Batch;
            panels = PanelsOf(shape.K, shape.N, matrices);
            BufferView packed = scope.Rent(panels.Count * panels.Panel * matrices);
            var source = new PanelSource { Rows = shape.K, Columns = shape.N, Step = sizes.StepB, Column = sizes.ColumnB, Heads = 1, Batch = shape.StrideB };
            PackPanels(b, source, matrices, packed);
            b = packed;
        }
        int items = checked(sizes.RowTiles * count * shape.Batch);
        KernelConfig config = Groups((items + ProcessorGemm.Items - 1) / ProcessorGemm.Items, ProcessorGemm.Items);
        Launch(ProcessorGemm.Tiles, config, View(a), View(b), ViewOr(bias, c), ViewOr(residual, c), View(c), sizes, panels, items);
    }

    /// <summary>Packed panels of so many [rows, columns] matrices, one after the other.</summary>
    private static PanelLayout PanelsOf(int rows, int columns, int matrices)
    {
        int count = (columns + Row16.Width - 1) / Row16.Width;
        long panel = (long)rows * Row16.Width;
        return new PanelLayout { Count = count, Panel = panel, Step = Row16.Width, Batch = matrices > 1 ? count * panel : 0 };
    }

    /// <summary>Packs so many matrices one after the other.</summary>
    private void PackPanels(BufferView source, in PanelSource sizes, int matrices, BufferView panels)
    {
        long items = (long)sizes.Rows * sizes.Panels * matrices;
        Launch(ProcessorGemm.Pack, Grid(items), View(source), View(panels), sizes, items);
    }
}
