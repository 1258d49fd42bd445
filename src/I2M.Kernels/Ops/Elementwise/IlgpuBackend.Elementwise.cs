using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Fill(BufferView destination, float value)
    {
        if (destination.Length > 0) { Launch(ElementwiseKernels.Fill, Grid(destination.Length), View(destination), value); }
    }

    /// <inheritdoc/>
    public void Copy(BufferView source, BufferView destination)
    {
        RequireLength(source, destination.Length);
        if (destination.Length == 0) { return; }
        try { _device.Copy(View(source), View(destination)); }
        catch (AcceleratorException e) { throw Lost($"a copy of {destination.Length * 4L:N0} bytes on the device", e); }
    }

    /// <inheritdoc/>
    public void Axpby(float a, BufferView x, float b, BufferView y, BufferView destination)
    {
        RequireLength(x, destination.Length);
        RequireLength(y, destination.Length);
        if (destination.Length == 0) { return; }
        if (AreVectors(x, y, destination)) { Launch(CudaElementwiseKernels.Axpby, VectorGrid(destination.Length), a, View(x), b, View(y), View(destination)); }
        else { Launch(ElementwiseKernels.Axpby, Grid(destination.Length), a, View(x), b, View(y), View(destination)); }
    }

    /// <inheritdoc/>
    public void Scale(float a, BufferView x, BufferView destination)
    {
        RequireLength(x, destination.Length);
        if (destination.Length == 0) { return; }
        if (AreVectors(x, destination)) { Launch(CudaElementwiseKernels.Scale, VectorGrid(destination.Length), a, 0, View(x), View(x), View(destination)); }
        else { Launch(ElementwiseKernels.Scale, Grid(destination.Length), a, View(x), View(destination)); }
    }

    /// <inheritdoc/>
    public void ScaleByDevice(BufferView factor, BufferView x, BufferView destination)
    {
        RequireLength(factor, 1);
        RequireLength(x, destination.Length);
        if (destination.Length == 0) { return; }
        if (AreVectors(x, destination)) { Launch(CudaElementwiseKernels.Scale, VectorGrid(destination.Length), 1f, 1, View(factor), View(x), View(destination)); }
        else { Launch(ElementwiseKernels.ScaleByDevice, Grid(destination.Length), View(factor), View(x), View(destination)); }
    }

    /// <inheritdoc/>
    public void Multiply(BufferView x, BufferView y, BufferView destination)
    {
        RequireLength(x, destination.Length);
        RequireLength(y, destination.Length);
        if (destination.Length == 0) { return; }
        if (AreVectors(x, y, destination)) { Launch(CudaElementwiseKernels.Multiply, VectorGrid(destination.Length), View(x), View(y), View(destination)); }
        else { Launch(ElementwiseKernels.Multiply, Grid(destination.Length), View(x), View(y), View(destination)); }
    }

    /// <inheritdoc/>
    public void Clamp(BufferView x, float low, float high, BufferView destination)
    {
        RequireLength(x, destination.Length);
        if (destination.Length > 0) { Launch(ElementwiseKernels.Clamp, Grid(destination.Length), View(x), low, high, View(destination)); }
    }

    /// <inheritdoc/>
    public void AddBroadcast(BufferView x, BufferView v, BufferView destination)
    {
        RequireLength(x, destination.Length);
        ColumnsOf(x, v.Length);
        if (destination.Length == 0) { return; }
        if (AreVectors(x, v, destination) && v.Length % 4 == 0) { Launch(CudaElementwiseKernels.AddBroadcast, VectorGrid(destination.Length), View(x), View(v), View(destination)); }
        else { Launch(ElementwiseKernels.AddBroadcast, Grid(destination.Length), View(x), View(v), View(destination)); }
    }

    /// <inheritdoc/>
    public void CombineRows(BufferView a, BufferView x, BufferView b, BufferView y, int rows, BufferView destination)
    {
        RequireLength(a, rows);
        RequireLength(b, rows);
        RequireLength(x, destination.Length);
        RequireLength(y, destination.Length);
        long columns = ColumnsOf(x, rows);
        if (destination.Length == 0) { return; }
        if (AreVectors(x, y, destination) && columns % 4 == 0)
        {
            Launch(CudaElementwiseKernels.CombineRows, VectorGrid(destination.Length), View(a), View(x), View(b), View(y), columns, View(destination));
            return;
        }
        Launch(ElementwiseKernels.CombineRows, Grid(destination.Length), View(a), View(x), View(b), View(y), columns, View(destination));
    }

    /// <inheritdoc/>
    public void MixRows(BufferView keep, BufferView x, BufferView fallback, int rows, BufferView destination)
    {
        RequireLength(keep, rows);
        RequireLength(x, destination.Length);
        RequireLength(x, rows * fallback.Length);
        if (destination.Length > 0) { Launch(ElementwiseKernels.MixRows, Grid(destination.Length), View(keep), View(x), View(fallback), View(destination)); }
    }

    /// <inheritdoc/>
    public void MixRowsBackward(BufferView keep, BufferView dy, int rows, BufferView dx, BufferView dfallback)
    {
        RequireLength(keep, rows);
        long columns = ColumnsOf(dy, rows);
        if (!dx.IsNone) { RequireLength(dx, dy.Length); }
        if (!dfallback.IsNone) { RequireLength(dfallback, columns); }
        if (dy.Length == 0) { return; }
        if (!dx.IsNone) { Launch(ElementwiseKernels.ScaleRows, Grid(dy.Length), View(keep), View(dy), columns, View(dx)); }
        if (!dfallback.IsNone)
        {
            ReduceColumns(ReduceKernels.DroppedColumns, View(dy), View(keep), new ReduceShape(1, rows, checked((int)columns)), 1f, true, dfallback, columns);
        }
    }

    private static void RequireModulated(BufferView view, ModulationShape shape,
        [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(view))] string name = "") =>
        RequireLength(view, (long)shape.Batch * shape.Tokens * shape.Channels, name);

    private static void RequireGate(BufferView gate, ModulationShape shape,
        [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(gate))] string name = "")
    {
        Require(shape.Batch <= 1 || shape.Stride >= shape.Channels, nameof(shape), $"stride {shape.Stride} is below {shape.Channels} channels");
        long needed = shape.Batch == 0 ? 0 : (shape.Batch - 1L) * shape.Stride + shape.Channels;
        Require(gate.Length >= needed, name, $"at least {needed} words expected, {gate.Length} given");
    }
}
