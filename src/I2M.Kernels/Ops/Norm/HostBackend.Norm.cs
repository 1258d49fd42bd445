using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

/// <summary>
/// LayerNorm and AdaLN are one loop over rows: row r of sample b is y = (x − mean)·rstd·weight[b] + bias[b]. For LayerNorm there is one
/// sample, and a missing weight or bias is a vector of ones or zeros in scratch; for AdaLN the weight is 1 + scale[b]. A row stays in
/// the first cache between its passes. Kept for the backward pass: mean and rstd.
/// </summary>
public sealed unsafe partial class HostBackend
{
    /// <inheritdoc cref="IBackend.LayerNorm"/>
    public void LayerNorm(BufferView x, BufferView weight, BufferView bias, int channels, float eps, BufferView y, BufferView mean, BufferView rstd)
    {
        var shape = OneSample(x, channels);
        using var scope = new BufferScope(Pool);
        float* pw = VectorOrConstant(weight, channels, 1, scope.Rent(channels)), pb = VectorOrConstant(bias, channels, 0, scope.Rent(channels));
        using var wide = new WideOperands(this);
        BufferView output = wide.Write(y, x.Length);
        Normalize(x, pw, 0, pb, 0, shape, eps, output, mean, rstd);
        wide.Narrow(output, x.Length, y);
    }

    /// <inheritdoc cref="IBackend.LayerNormBackward"/>
    public void LayerNormBackward(BufferView x, BufferView weight, BufferView mean, BufferView rstd, BufferView dy, int channels,
        BufferView dx, BufferView dweight, BufferView dbias, bool accumulate = false)
    {
        var shape = OneSample(x, channels);
        using var scope = new BufferScope(Pool);
        float* pw = VectorOrConstant(weight, channels, 1, scope.Rent(channels));
        using var wide = new WideOperands(this);
        NormalizeBackward(x, pw, mean, rstd, wide.Read(dy, x.Length), shape, dx, dweight, dbias, accumulate);
    }

    /// <inheritdoc cref="IBackend.AdaLayerNorm"/>
    public void AdaLayerNorm(BufferView x, BufferView scale, BufferView shift, ModulationShape shape, float eps, BufferView y, BufferView mean, BufferView rstd)
    {
        RequireModulation(shape, scale);
        RequireModulation(shape, shift);
        using var scope = new BufferScope(Pool);
        float* weight = OnePlus(scale, shape, scope.Rent((long)shape.Batch * shape.Channels));
        using var wide = new WideOperands(this);
        BufferView output = wide.Write(y, x.Length);
        Normalize(x, weight, shape.Channels, Pointer(shift), shape.Stride, shape, eps, output, mean, rstd);
        wide.Narrow(output, x.Length, y);
    }

    /// <inheritdoc cref="IBackend.AdaLayerNormBackward"/>
    public void AdaLayerNormBackward(BufferView x, BufferView scale, BufferView mean, BufferView rstd, BufferView dy, ModulationShape shape,
        BufferView dx, BufferView dscale, BufferView dshift, bool accumulate = false)
    {
        RequireModulation(shape, scale);
        using var scope = new BufferScope(Pool);
        float* weight = OnePlus(scale, shape, scope.Rent((long)shape.Batch * shape.Channels));
        using var wide = new WideOperands(this);
        NormalizeBackward(x, weight, mean, rstd, wide.Read(dy, x.Length), shape, dx, dscale, dshift, accumulate);
    }

    private void Normalize(BufferView x, float* weight, long weightStride, float* bias, long biasStride, ModulationShape shape, float eps,
        BufferView y, BufferView mean, BufferView rstd, ResidualRows residual = default)
    {
        long columns = shape.Channels, rows = (long)shape.Batch * shape.Tokens, tokens = shape.Tokens;
        RequireLength(rows * columns, x);
        RequireLength(rows * columns, y);
        RequireLength(rows, mean);
        RequireLength(rows, rstd);
        float* px = Pointer(x), py = Pointer(y), pm = Pointer(mean), pr = Pointer(rstd);
        bool streamed = NormRows.AreStreamed(py, rows * columns, columns);
        _rows.Run(rows, RowGrain(MemoryGrain, columns), (start, end) =>
        {
            for (long r = start, i = r * columns; r < end; r++, i += columns)
            {
                long b = r / tokens;
                residual.Sum(b, i, columns, px + i);
                pm[r] = (float)(Reductions.Sum(new Identity(), px + i, columns) / columns);
                double variance = Reductions.Sum(new SquaredDistance(pm[r]), px + i, columns) / columns;
                pr[r] = (float)(1 / Math.Sqrt(variance + eps));
                NormRows.Output(px + i, weight + b * weightStride, bias + b * biasStride, pm[r], pr[r], columns, py + i, streamed);
            }
            if (streamed) { NormRows.EndStream(); }
        });
    }

    /// <summary>weight is [batch, channels]; dweight and dbias have the shape's stride.</summary>
    private void NormalizeBackward(BufferView x, float* weight, BufferView mean, BufferView rstd, BufferView dy, ModulationShape shape,
        BufferView dx, BufferView dweight, BufferView dbias, bool accumulate, GatedRows gated = default)
    {
        long columns = shape.Channels, rows = (long)shape.Batch * shape.Tokens, groups = RowGroups(shape.Tokens);
        RequireLength(rows * columns, x);
        RequireLength(rows * columns, dy);
        RequireLength(rows * columns, dx);
        RequireLength(rows, mean);
        RequireLength(rows, rstd);
        if (!dweight.IsNone) { RequireModulation(shape, dweight); }
        if (!dbias.IsNone) { RequireModulation(shape, dbias); }
        float* px = Pointer(x), pm = Pointer(mean), pr = Pointer(rstd), pdy = Pointer(dy), pdx = Pointer(dx);
        using var scope = new BufferScope(Pool);
        float* weightSums = Pointer(scope.Rent(shape.Batch * groups * columns)), biasSums = Pointer(scope.Rent(shape.Batch * groups * columns));
        float* gateSums = gated.GateGradient is null ? null : Pointer(scope.Rent(shape.Batch * groups * columns));
        RunRowGroups(shape.Batch, shape.Tokens, columns, (b, first, last, group) =>
        {
            float* w = weight + b * columns, dw = weightSums + group * columns, db = biasSums + group * columns, dg = gateSums + group * columns;
            Zero(dw, columns);
            Zero(db, columns);
            if (gateSums is not null) { Zero(dg, columns); }
            for (long r = b * shape.Tokens + first, i = r * columns; r < b * shape.Tokens + last; r++, i += columns)
            {
                // The first pass is over before dx is written, which may be dy.
                NormRows.Sums(px + i, w, pdy + i, pm[r], pr[r], columns, dw, db, out double gradient, out double projection);
                NormRows.InputGradient(px + i, w, pdy + i, pm[r], pr[r], (float)(gradient / columns), (float)(projection / columns), accumulate, columns, pdx + i);
                gated.Add(b, i, columns, pdx + i, dg);
            }
        });
        if (!dweight.IsNone) { CombineGroups(weightSums, shape.Batch, groups, columns, 1, true, Pointer(dweight), shape.Stride); }
        if (!dbias.IsNone) { CombineGroups(biasSums, shape.Batch, groups, columns, 1, true, Pointer(dbias), shape.Stride); }
        if (gateSums is not null) { CombineGroups(gateSums, shape.Batch, groups, columns, 1, true, gated.GateGradient, shape.Stride); }
    }

    private static ModulationShape OneSample(BufferView x, int channels) => new(1, checked((int)RowsOf(x, channels)), channels, 0);

    private static float* VectorOrConstant(BufferView vector, int channels, float value, BufferView scratch)
    {
        if (vector.IsNone) { Span(scratch).Fill(value); }
        else { RequireLength(channels, vector); }
        return Pointer(vector.IsNone ? scratch : vector);
    }

    private static float* OnePlus(BufferView scale, ModulationShape shape, BufferView scratch)
    {
        float* source = Pointer(scale), weight = Pointer(scratch);
        for (long b = 0; b < shape.Batch; b++)
        {
            for (long c = 0; c < shape.Channels; c++) { weight[b * shape.Channels + c] = 1 + source[b * shape.Stride + c]; }
        }
        return weight;
    }

    /// <summary>(x − center)².</summary>
    private readonly struct SquaredDistance(float center) : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V x) where V : struct, ILanes<V>
        {
            V difference = x - V.All(center);
            return difference * difference;
        }
    }
}
