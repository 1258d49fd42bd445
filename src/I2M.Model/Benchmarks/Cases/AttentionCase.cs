using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>
/// Attention of one sample, forward or forward and backward. The first and the last head are verified whole against double precision: output,
/// log-sum-exp and, with the backward pass, all three gradients from P = softmax(s·q·kᵀ), dP = do·vᵀ, dS = P∘(dP − Σ P∘dP).
/// </summary>
public sealed class AttentionCase : BenchmarkCase
{
    /// <summary>The backward pass counts as 2.5 forward passes, as five products take the place of two.</summary>
    private const double ForwardBackward = 3.5;
    private const double Limit = 3e-5;
    private readonly AttentionShape _shape;
    private readonly bool _backward;
    private readonly BufferView _q, _k, _v, _o, _lse, _dOut, _dq, _dk, _dv;

    /// <param name="backend">Where.</param>
    /// <param name="shape">Sizes; rows of heads·headDim without gaps, one sample.</param>
    /// <param name="backward">With the backward pass.</param>
    public AttentionCase(IBackend backend, AttentionShape shape, bool backward) : base(backend)
    {
        (_shape, _backward) = (shape, backward);
        long queries = (long)shape.Queries * shape.StrideQ, keys = (long)shape.Keys * shape.StrideK, rows = (long)shape.Heads * shape.Queries;
        (_q, _k, _v, _o, _lse) = (RentNormal(queries, 1), RentNormal(keys, 2), RentNormal(keys, 3), Rent(queries), Rent(rows));
        if (backward) { (_dOut, _dq, _dk, _dv) = (RentNormal(queries, 4), Rent(queries), Rent(keys), Rent(keys)); }
        double words = 2 * queries + 2 * keys + rows + (backward ? 3 * queries + 2 * keys + 2 * keys + rows : 0);
        Work = new BenchmarkWork(BenchmarkBound.Compute, shape.Flops * (backward ? ForwardBackward : 1), 4 * words);
    }

    /// <inheritdoc/>
    public override void Queue()
    {
        Backend.Attention(_q, _k, _v, _shape, _o, _lse);
        if (_backward) { Backend.AttentionBackward(_q, _k, _v, _o, _lse, _dOut, _shape, _dq, _dk, _dv); }
    }

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        BufferView[] outputs = _backward ? [_o, _lse, _dq, _dk, _dv] : [_o, _lse];
        foreach (BufferView view in outputs) { Backend.Fill(view, float.NaN); }
        Run();
        double worst = 0;
        foreach (int head in Sample(_shape.Heads, 2))
        {
            cancel.ThrowIfCancellationRequested();
            worst = Math.Max(worst, VerifyHead(head));
        }
        return worst;
    }

    private double VerifyHead(int head)
    {
        int d = _shape.HeadDim, queries = _shape.Queries, keys = _shape.Keys;
        double[] q = DoubleMath.Widen(Head(_q, head)), k = DoubleMath.Widen(Head(_k, head)), v = DoubleMath.Widen(Head(_v, head));
        double[] dOut = _backward ? DoubleMath.Widen(Head(_dOut, head)) : [];
        var (o, lse, dq, dk, dv) = (new double[q.Length], new double[queries], new double[q.Length], new double[k.Length], new double[k.Length]);
        var p = new double[keys];
        var ds = new double[keys];
        for (int i = 0; i < queries; i++)
        {
            Span<double> query = q.AsSpan(i * d, d);
            for (int j = 0; j < keys; j++) { p[j] = _shape.Scale * DoubleMath.Dot(query, k.AsSpan(j * d, d)); }
            lse[i] = DoubleMath.Softmax(p);
            for (int j = 0; j < keys; j++) { DoubleMath.AddScaled(o.AsSpan(i * d, d), p[j], v.AsSpan(j * d, d)); }
            if (!_backward) { continue; }
            Span<double> seed = dOut.AsSpan(i * d, d);
            for (int j = 0; j < keys; j++) { ds[j] = DoubleMath.Dot(seed, v.AsSpan(j * d, d)); }
            double mean = DoubleMath.Dot(p, ds);
            for (int j = 0; j < keys; j++)
            {
                double slope = _shape.Scale * p[j] * (ds[j] - mean);
                DoubleMath.AddScaled(dv.AsSpan(j * d, d), p[j], seed);
                DoubleMath.AddScaled(dq.AsSpan(i * d, d), slope, k.AsSpan(j * d, d));
                DoubleMath.AddScaled(dk.AsSpan(j * d, d), slope, query);
            }
        }
        string Place(int i) => $"[head {head}, row {i / d}, column {i % d}]";
        double worst = Math.Max(Verification.Check("o", Head(_o, head), o, Limit, Place), Verification.Check("lse", Read(_lse.Slice((long)head * queries, queries)), lse, Limit, i => $"[head {head}, row {i}]"));
        if (!_backward) { return worst; }
        worst = Math.Max(worst, Verification.Check("dq", Head(_dq, head), dq, Limit, Place));
        worst = Math.Max(worst, Verification.Check("dk", Head(_dk, head), dk, Limit, Place));
        return Math.Max(worst, Verification.Check("dv", Head(_dv, head), dv, Limit, Place));
    }

    /// <summary>The columns of one head, [rows, headDim].</summary>
    private float[] Head(BufferView view, int head)
    {
        int d = _shape.HeadDim, stride = _shape.StrideQ;
        float[] all = Read(view), part = new float[all.Length / stride * d];
        for (int r = 0; r < all.Length / stride; r++) { all.AsSpan(r * stride + head * d, d).CopyTo(part.AsSpan(r * d)); }
        return part;
    }
}
