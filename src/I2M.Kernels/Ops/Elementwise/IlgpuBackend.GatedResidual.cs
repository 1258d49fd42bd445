namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void GatedResidual(BufferView x, BufferView h, BufferView gate, ModulationShape shape, BufferView destination)
    {
        RequireModulated(x, shape);
        RequireLength(h, h.Type.Words(x.Length));
        RequireModulated(destination, shape);
        RequireGate(gate, shape);
        if (destination.Length == 0) { return; }
        bool vectors = IsVectorShape(shape) && AreVectors(x, h, gate, destination);
        if (vectors && h.Type == ElementType.BFloat16)
        {
            Launch(CudaElementwiseKernels.GatedNarrowResidual, VectorGrid(destination.Length), View(x), View(h), View(gate), shape, View(destination));
            return;
        }
        using var wide = new WideOperands(this);
        h = wide.Read(h, x.Length);
        if (vectors) { Launch(CudaElementwiseKernels.GatedResidual, VectorGrid(destination.Length), View(x), View(h), View(gate), shape, View(destination)); }
        else
        {
            Launch(ElementwiseKernels.GatedResidual, Grid(destination.Length), View(x), View(h), View(gate),
                (long)shape.Tokens, (long)shape.Channels, (long)shape.Stride, View(destination));
        }
    }

    /// <inheritdoc/>
    public void GatedResidualBackward(BufferView h, BufferView gate, BufferView dy, ModulationShape shape, BufferView dh, BufferView dgate)
    {
        RequireModulated(dy, shape);
        if (!dh.IsNone)
        {
            RequireLength(dh, dh.Type.Words(dy.Length));
            RequireGate(gate, shape);
        }
        if (!dgate.IsNone)
        {
            RequireLength(h, h.Type.Words(dy.Length));
            RequireGate(dgate, shape);
        }
        if (dy.Length == 0) { return; }
        if (!dh.IsNone) { Gated(gate, dy, shape, dh); }
        if (!dgate.IsNone) { DotGate(dy, h, shape, dgate); }
    }

    /// <summary>dh = gate · dy.</summary>
    private void Gated(BufferView gate, BufferView dy, ModulationShape shape, BufferView dh)
    {
        bool vectors = IsVectorShape(shape) && AreVectors(gate, dy, dh);
        if (vectors && dh.Type == ElementType.BFloat16)
        {
            Launch(CudaElementwiseKernels.GatedNarrow, VectorGrid(dy.Length), View(gate), View(dy), shape, View(dh));
            return;
        }
        using var wide = new WideOperands(this);
        BufferView result = wide.Write(dh, dy.Length);
        if (vectors) { Launch(CudaElementwiseKernels.Gated, VectorGrid(dy.Length), View(gate), View(dy), shape, View(result)); }
        else { Launch(ElementwiseKernels.Gated, Grid(dy.Length), View(gate), View(dy), (long)shape.Tokens, (long)shape.Channels, (long)shape.Stride, View(result)); }
        wide.Narrow(result, dy.Length, dh);
    }

    /// <summary>dgate += Σ_t h · dy.</summary>
    private void DotGate(BufferView dy, BufferView h, ModulationShape shape, BufferView dgate)
    {
        var sums = new ReduceShape(shape.Batch, shape.Tokens, shape.Channels);
        if (h.Type == ElementType.BFloat16 && IsVectorShape(shape) && AreVectors(dy, h, dgate))
        {
            DotNarrowColumns(dy, h, sums, dgate, shape.Stride);
            return;
        }
        using var wide = new WideOperands(this);
        h = wide.Read(h, dy.Length);
        ReduceColumns(ReduceKernels.DotColumns, View(dy), View(h), sums, 1f, true, dgate, shape.Stride);
    }

    /// <summary>destination[b · stride + c] += Σ_r x[b,r,c] · y[b,r,c], y in bfloat16: the first stage by a kernel with 16-byte loads, the others as everywhere.</summary>
    private void DotNarrowColumns(BufferView x, BufferView y, ReduceShape shape, BufferView destination, long stride)
    {
        int chunks = Math.Max(1, (shape.Rows + ReduceKernels.ItemTerms - 1) / ReduceKernels.ItemTerms);
        bool last = chunks == 1;
        long outputs = (long)shape.Batch * shape.Columns;
        using var scope = new BufferScope(Pool);
        BufferView sums = last ? destination : scope.Rent(outputs * chunks);
        var stage = new ColumnSum
        {
            Items = outputs / 4 * chunks,
            Rows = shape.Rows,
            Columns = shape.Columns / 4,
            Chunks = chunks,
            OutputStride = last ? stride : shape.Columns,
            Scale = 1f,
            Accumulate = last ? 1 : 0,
        };
        Launch(CudaReduceKernels.DotNarrowColumns, Grid(stage.Items), View(x), View(y), stage, View(sums));
        if (!last) { ReduceColumns(ReduceKernels.SumColumns, View(sums), View(sums), shape with { Rows = chunks }, 1f, true, destination, stride); }
    }
}
