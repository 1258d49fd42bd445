using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>Which passes of attention a run consists of.</summary>
public enum AttentionPasses
{
    /// <summary>Forward alone.</summary>
    Forward,
    /// <summary>Backward alone, on the results of a forward pass before the timing.</summary>
    Backward,
    /// <summary>One after the other.</summary>
    Both,
}

/// <summary>
/// Attention, forward, backward or both. The first head of the first sample and the last of the last one are verified whole against double precision: output,
/// log-sum-exp and, with the backward pass, all three gradients from P = softmax(s·q·kᵀ), dP = do·vᵀ, dS = P∘(dP − Σ P∘dP).
/// </summary>
public sealed class AttentionCase : BenchmarkCase
{
    /// <summary>Forward passes that a run counts as. With a forward pass, its products computed anew count as work (five take the place of two); alone, only the four of the mathematics.</summary>
    private const double ForwardBackward = 3.5, BackwardAlone = 2;
    private const double Limit = 3e-5;
    private readonly AttentionShape _shape;
    private readonly AttentionPasses _passes;
    private readonly ElementType _type;
    private readonly Operands[] _sets;

    private sealed record Operands(BufferView Q, BufferView K, BufferView V, BufferView O, BufferView Lse, BufferView DOut, BufferView Dq, BufferView Dk, BufferView Dv);

    /// <param name="backend">Where.</param>
    /// <param name="shape">Sizes; rows of heads·headDim without gaps.</param>
    /// <param name="passes">What a run consists of.</param>
    /// <param name="type">Of everything but the log-sum-exp.</param>
    /// <param name="sets">Sets of operands that take turns, so that none stays in a cache.</param>
    public AttentionCase(IBackend backend, AttentionShape shape, AttentionPasses passes, ElementType type = ElementType.Float32, int sets = 1) : base(backend)
    {
        (_shape, _passes, _type) = (shape, passes, type);
        long queries = (long)shape.Batch * shape.Queries * shape.StrideQ, keys = (long)shape.Batch * shape.Keys * shape.StrideK, rows = (long)shape.Batch * shape.Heads * shape.Queries;
        _sets = [.. Enumerable.Range(0, sets).Select(i => RentSet(4 * (ulong)i, queries, keys, rows))];
        foreach (Operands set in _sets) { Forward(set); }
        long q = type.Words(queries), k = type.Words(keys);
        long forward = 2 * q + 2 * k + rows, backward = 4 * q + 4 * k + rows;
        Work = passes switch
        {
            AttentionPasses.Forward => new BenchmarkWork(BenchmarkBound.Compute, shape.Flops, 4.0 * forward),
            AttentionPasses.Backward => new BenchmarkWork(BenchmarkBound.Compute, shape.Flops * BackwardAlone, 4.0 * backward),
            _ => new BenchmarkWork(BenchmarkBound.Compute, shape.Flops * ForwardBackward, 4.0 * (forward + backward)),
        } with
        { Arithmetic = type == ElementType.BFloat16 ? Arithmetic.BFloat16 : Arithmetic.Float32 };
    }

    private bool HasBackward => _passes != AttentionPasses.Forward;

    /// <inheritdoc/>
    public override string? Choice
    {
        get
        {
            if (Backend is not ITunable tunable || _type != ElementType.BFloat16) { return null; }
            IEnumerable<AttentionPass> passes = Enum.GetValues<AttentionPass>().Where(p => p == AttentionPass.Forward ? _passes != AttentionPasses.Backward : HasBackward);
            string[][] parts = [.. passes.Select(p => tunable.ChoiceFor(p, _shape)).OfType<string>().Select(choice => choice.Split(": ", 2))];
            return parts.Length == 0 ? null : $"{string.Join(", ", parts.Select(p => p[0]))}: {string.Join("; ", parts.Select(p => p[1]))}";
        }
    }

    /// <inheritdoc/>
    public override void Queue()
    {
        Operands set = Next(_sets);
        if (_passes != AttentionPasses.Backward) { Forward(set); }
        if (HasBackward) { Backward(set); }
    }

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        Operands set = _sets[0];
        foreach (BufferView view in HasBackward ? new[] { set.O, set.Lse, set.Dq, set.Dk, set.Dv } : [set.O, set.Lse]) { Spoil(view); }
        Forward(set);
        if (HasBackward) { Backward(set); }
        double worst = VerifyHead(set, 0, 0);
        cancel.ThrowIfCancellationRequested();
        return Math.Max(worst, VerifyHead(set, _shape.Batch - 1, _shape.Heads - 1));
    }

    private Operands RentSet(ulong stream, long queries, long keys, long rows)
    {
        BufferView Output(long elements) => HasBackward ? Rent(_type.Words(elements)).As(_type) : BufferView.None;
        return new Operands(RentNormal(queries, stream + 1, _type), RentNormal(keys, stream + 2, _type), RentNormal(keys, stream + 3, _type), Rent(_type.Words(queries)).As(_type), Rent(rows),
            HasBackward ? RentNormal(queries, stream + 4, _type) : BufferView.None, Output(queries), Output(keys), Output(keys));
    }

    private void Forward(Operands s) => Backend.Attention(s.Q, s.K, s.V, _shape, s.O, s.Lse);

    private void Backward(Operands s) => Backend.AttentionBackward(s.Q, s.K, s.V, s.O, s.Lse, s.DOut, _shape, s.Dq, s.Dk, s.Dv);

    private double VerifyHead(Operands set, int sample, int head)
    {
        int d = _shape.HeadDim, queries = _shape.Queries, keys = _shape.Keys;
        double[] q = Wide(set.Q, queries), k = Wide(set.K, keys), v = Wide(set.V, keys), dOut = HasBackward ? Wide(set.DOut, queries) : [];
        var (o, lse, dq, dk, dv) = (new double[q.Length], new double[queries], new double[q.Length], new double[k.Length], new double[k.Length]);
        var p = new double[keys];
        var ds = new double[keys];
        for (int i = 0; i < queries; i++)
        {
            Span<double> query = q.AsSpan(i * d, d);
            for (int j = 0; j < keys; j++) { p[j] = _shape.Scale * DoubleMath.Dot(query, k.AsSpan(j * d, d)); }
            lse[i] = DoubleMath.Softmax(p);
            for (int j = 0; j < keys; j++) { DoubleMath.AddScaled(o.AsSpan(i * d, d), p[j], v.AsSpan(j * d, d)); }
            if (!HasBackward) { continue; }
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
        double worst = Math.Max(Compare("o", Head(set.O, queries, sample, head), o), CompareRows());
        if (!HasBackward) { return worst; }
        worst = Math.Max(worst, Compare("dq", Head(set.Dq, queries, sample, head), dq));
        worst = Math.Max(worst, Compare("dk", Head(set.Dk, keys, sample, head), dk));
        return Math.Max(worst, Compare("dv", Head(set.Dv, keys, sample, head), dv));

        double[] Wide(BufferView view, int rows) => DoubleMath.Widen(Head(view, rows, sample, head));

        double CompareRows() => Check("lse", Read(set.Lse.Slice(((long)sample * _shape.Heads + head) * queries, queries)), lse, i => $"[sample {sample}, head {head}, row {i}]");

        double Compare(string what, float[] actual, double[] expected) => Check(what, actual, expected, i => $"[sample {sample}, head {head}, row {i / d}, column {i % d}]");
    }

    private double Check(string what, float[] actual, double[] expected, Func<int, string> place) => _type == ElementType.Float32
        ? Verification.Check(what, actual, expected, Limit, place)
        : Verification.CheckNorm(what, actual, expected, Verification.NormLimit(Arithmetic.BFloat16), place);

    /// <summary>The columns of one head of one sample, [rows, headDim].</summary>
    private float[] Head(BufferView view, int rows, int sample, int head)
    {
        int d = _shape.HeadDim, stride = _shape.StrideQ;
        long length = (long)rows * stride, words = _type.Words(length);
        float[] all = Read(view.Slice(sample * words, words), length), part = new float[rows * d];
        for (int r = 0; r < rows; r++) { all.AsSpan(r * stride + head * d, d).CopyTo(part.AsSpan(r * d)); }
        return part;
    }
}
