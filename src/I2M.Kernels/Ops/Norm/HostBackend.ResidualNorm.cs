namespace I2M.Kernels.Host;

/// <summary>
/// AdaLN fused with the residual before it: the loops of the norm, with a row of the sum made right before the row is normalised, and in the backward
/// pass a row of the branch's gradient right after the row of the stream's. Both rows are in the first cache then.
/// </summary>
public sealed unsafe partial class HostBackend
{
    /// <inheritdoc cref="IBackend.ResidualAdaLayerNorm"/>
    public void ResidualAdaLayerNorm(BufferView x, BufferView h, BufferView gate, BufferView scale, BufferView shift, ModulationShape shape, float eps,
        BufferView sum, BufferView y, BufferView mean, BufferView rstd)
    {
        RequireLength(sum.Length, x);
        RequireLength(h.Type.Words(sum.Length), h);
        RequireModulation(shape, scale);
        RequireModulation(shape, shift);
        if (!gate.IsNone) { RequireModulation(shape, gate); }
        using var scope = new BufferScope(Pool);
        float* weight = OnePlus(scale, shape, scope.Rent((long)shape.Batch * shape.Channels));
        using var wide = new WideOperands(this);
        var residual = new ResidualRows(Pointer(x), Pointer(wide.Read(h, sum.Length)), Pointer(gate), shape.Stride);
        BufferView output = wide.Write(y, sum.Length);
        Normalize(sum, weight, shape.Channels, Pointer(shift), shape.Stride, shape, eps, output, mean, rstd, residual);
        wide.Narrow(output, sum.Length, y);
    }

    /// <inheritdoc cref="IBackend.ResidualAdaLayerNormBackward"/>
    public void ResidualAdaLayerNormBackward(BufferView sum, BufferView h, BufferView gate, BufferView scale, BufferView mean, BufferView rstd, BufferView dy, ModulationShape shape,
        BufferView dx, BufferView dh, BufferView dgate, BufferView dscale, BufferView dshift, bool accumulate = false)
    {
        RequireModulation(shape, scale);
        if (!gate.IsNone) { RequireModulation(shape, gate); }
        if (!dh.IsNone) { RequireLength(dh.Type.Words(sum.Length), dh); }
        if (!dgate.IsNone)
        {
            RequireLength(h.Type.Words(sum.Length), h);
            RequireModulation(shape, dgate);
        }
        using var scope = new BufferScope(Pool);
        float* weight = OnePlus(scale, shape, scope.Rent((long)shape.Batch * shape.Channels));
        using var wide = new WideOperands(this);
        BufferView gradient = wide.Read(dy, sum.Length), branchGradient = wide.Write(dh, sum.Length);
        float* branch = dgate.IsNone ? null : Pointer(wide.Read(h, sum.Length));
        var gated = new GatedRows(branch, Pointer(gate), shape.Stride, Pointer(branchGradient), Pointer(dgate));
        NormalizeBackward(sum, weight, mean, rstd, gradient, shape, dx, dscale, dshift, accumulate, gated);
        wide.Narrow(branchGradient, sum.Length, dh);
    }

    /// <summary>Makes rows x + gate · h; without a gate x + h. A default one stands for rows that are there already.</summary>
    private readonly struct ResidualRows(float* x, float* h, float* gate, long stride)
    {
        public void Sum(long sample, long at, long columns, float* sum)
        {
            if (h is null) { return; }
            if (gate is null) { ElementwiseDrivers.Apply(new Add(), x + at, h + at, sum, columns); }
            else { ElementwiseDrivers.Apply(new MultiplyAdd(), gate + sample * stride, h + at, x + at, sum, columns); }
        }
    }

    /// <summary>From rows of the stream's gradient dx those of the branch, dh = gate · dx, and the sums Σ h · dx; h and what is not wanted are null.</summary>
    private readonly struct GatedRows(float* h, float* gate, long stride, float* dh, float* dgate)
    {
        /// <summary>Where the sums go.</summary>
        public float* GateGradient => dgate;

        /// <param name="sample">Sample of the row.</param>
        /// <param name="at">The row's first element.</param>
        /// <param name="columns">Its length.</param>
        /// <param name="dx">The row.</param>
        /// <param name="sums">Of the rows before it in its group.</param>
        public void Add(long sample, long at, long columns, float* dx, float* sums)
        {
            if (dgate is not null) { ElementwiseDrivers.Apply(new MultiplyAdd(), h + at, dx, sums, sums, columns); }
            if (dh is null) { return; }
            if (gate is null) { Move(dx, dh + at, columns); }
            else { ElementwiseDrivers.Apply(new Product(), gate + sample * stride, dx, dh + at, columns); }
        }
    }
}
