namespace I2M.Kernels.Ilgpu;

/// <summary>
/// AdaLN with the residual before it: one kernel on CUDA. Elsewhere the two operations one after the other, whose kernels read the sum from a cache
/// where there is one.
/// </summary>
public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void ResidualAdaLayerNorm(BufferView x, BufferView h, BufferView gate, BufferView scale, BufferView shift, ModulationShape shape, float eps,
        BufferView sum, BufferView y, BufferView mean, BufferView rstd)
    {
        long rows = (long)shape.Batch * shape.Tokens;
        RequireModulated(x, shape);
        RequireModulated(sum, shape);
        RequireLength(h, h.Type.Words(x.Length));
        RequireLength(y, y.Type.Words(x.Length));
        RequireLength(mean, rows);
        RequireLength(rstd, rows);
        RequireGate(scale, shape);
        RequireGate(shift, shape);
        if (!gate.IsNone) { RequireGate(gate, shape); }
        if (x.Length == 0) { return; }
        if (IsWarpRow(shape) && AreWarpVectors(x, h, gate, scale, shift, sum) && AreWarpVectors(y))
        {
            var plan = new ResidualNormPlan { Shape = shape, Affine = s_modulationAffine, Eps = eps, HasGate = gate.IsNone ? 0 : 1, IsNarrowBranch = IsNarrow(h), IsNarrowOutput = IsNarrow(y) };
            Launch(CudaResidualNormKernels.Forward, Groups((rows + CudaResidualNormKernels.Warps - 1) / CudaResidualNormKernels.Warps, CudaResidualNormKernels.Items),
                View(x), View(h), ViewOr(gate, x), View(scale), View(shift), View(sum), View(y), View(mean), View(rstd), plan);
            return;
        }
        using var wide = new WideOperands(this);
        BufferView branch = wide.Read(h, x.Length);
        if (gate.IsNone) { Axpby(1, x, 1, branch, sum); }
        else { GatedResidual(x, branch, gate, shape, sum); }
        AdaLayerNorm(sum, scale, shift, shape, eps, y, mean, rstd);
    }

    /// <inheritdoc/>
    public void ResidualAdaLayerNormBackward(BufferView sum, BufferView h, BufferView gate, BufferView scale, BufferView mean, BufferView rstd, BufferView dy, ModulationShape shape,
        BufferView dx, BufferView dh, BufferView dgate, BufferView dscale, BufferView dshift, bool accumulate = false)
    {
        RequireGate(scale, shape);
        if (!gate.IsNone) { RequireGate(gate, shape); }
        if (!dh.IsNone) { RequireLength(dh, dh.Type.Words(sum.Length)); }
        if (!dgate.IsNone)
        {
            RequireLength(h, h.Type.Words(sum.Length));
            RequireGate(dgate, shape);
        }
        if (sum.Length > 0 && IsWarpRow(shape) && AreWarpVectors(sum, gate, scale, dy, dx, dh) && AreWarpVectors(h))
        {
            ResidualBackwardByWarps(sum, h, gate, scale, mean, rstd, dy, shape, dx, dh, dgate, dscale, dshift, accumulate);
            return;
        }
        AdaLayerNormBackward(sum, scale, mean, rstd, dy, shape, dx, dscale, dshift, accumulate);
        using var wide = new WideOperands(this);
        if (!dgate.IsNone) { GatedResidualBackward(wide.Read(h, sum.Length), BufferView.None, dx, shape, BufferView.None, dgate); }
        if (dh.IsNone) { return; }
        if (gate.IsNone)
        {
            if (dh.Type == ElementType.BFloat16) { Convert(dx, sum.Length, dh); }
            else { Copy(dx, dh); }
            return;
        }
        BufferView gradient = wide.Write(dh, sum.Length);
        GatedResidualBackward(BufferView.None, gate, dx, shape, gradient, BufferView.None);
        wide.Narrow(gradient, sum.Length, dh);
    }

    private void ResidualBackwardByWarps(BufferView sum, BufferView h, BufferView gate, BufferView scale, BufferView mean, BufferView rstd, BufferView dy, ModulationShape shape,
        BufferView dx, BufferView dh, BufferView dgate, BufferView dscale, BufferView dshift, bool accumulate)
    {
        long rows = (long)shape.Batch * shape.Tokens;
        RequireModulated(sum, shape);
        RequireLength(dy, dy.Type.Words(sum.Length));
        RequireModulated(dx, shape);
        RequireLength(mean, rows);
        RequireLength(rstd, rows);
        if (!dscale.IsNone) { RequireGate(dscale, shape); }
        if (!dshift.IsNone) { RequireGate(dshift, shape); }
        int chunkTokens = WarpTokens(rows), chunks = (shape.Tokens + chunkTokens - 1) / chunkTokens;
        long words = (long)shape.Batch * chunks * shape.Channels;
        bool wantsSums = !dscale.IsNone || !dshift.IsNone;
        using var scope = new BufferScope(Pool);
        BufferView partials = scope.Rent(wantsSums || !dgate.IsNone ? 3 * words : 0);
        var plan = new ResidualNormBackwardPlan
        {
            Shape = shape, ChunkTokens = chunkTokens, Chunks = chunks, HasGate = gate.IsNone ? 0 : 1, Accumulate = accumulate ? 1 : 0,
            WantsBranch = dh.IsNone ? 0 : 1, WantsGate = dgate.IsNone ? 0 : 1, WantsSums = wantsSums ? 1 : 0,
            IsNarrowGradient = IsNarrow(dy), IsNarrowBranch = IsNarrow(h), IsNarrowBranchGradient = IsNarrow(dh),
        };
        Launch(CudaResidualNormKernels.Backward, Groups(((long)shape.Batch * chunks + CudaResidualNormKernels.Warps - 1) / CudaResidualNormKernels.Warps, CudaResidualNormKernels.Items),
            View(sum), ViewOr(h, sum), ViewOr(gate, sum), View(scale), View(mean), View(rstd), View(dy), View(dx), ViewOr(dh, dx), View(partials), plan);
        if (wantsSums) { SumPartials(partials.Slice(0, words), partials.Slice(words, words), shape, chunks, dscale, dshift); }
        if (!dgate.IsNone) { SumPartials(partials.Slice(2 * words, words), BufferView.None, shape, chunks, dgate, BufferView.None); }
    }
}
