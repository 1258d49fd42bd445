using I2M.Kernels;
using I2M.Model.Benchmarks.Reference;

namespace I2M.Model.Benchmarks.Cases;

/// <summary>LayerNorm with weight and bias over many rows. Verified on rows spread over the input, with their means and deviations, against double precision.</summary>
public sealed class LayerNormCase : BenchmarkCase
{
    private const int SampledRows = 200;
    private const float Eps = 1e-6f;
    private const double Limit = 1e-5;
    /// <summary>Mean, centred square, normalisation and affine part of an element.</summary>
    private const int FlopsPerElement = 8;
    private readonly BufferView _x, _weight, _bias, _y, _mean, _rstd;
    private readonly int _rows, _channels;

    /// <param name="backend">Where.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="channels">Normalised dimension.</param>
    public LayerNormCase(IBackend backend, int rows, int channels) : base(backend)
    {
        (_rows, _channels) = (rows, channels);
        long length = (long)rows * channels;
        (_x, _weight, _bias, _y, _mean, _rstd) = (RentNormal(length, 1), RentNormal(channels, 2), RentNormal(channels, 3), Rent(length), Rent(rows), Rent(rows));
        Work = new BenchmarkWork(BenchmarkBound.Memory, (double)FlopsPerElement * length, 4.0 * (2 * length + 2 * rows + 2 * channels));
    }

    /// <inheritdoc/>
    public override void Queue() => Backend.LayerNorm(_x, _weight, _bias, _channels, Eps, _y, _mean, _rstd);

    /// <inheritdoc/>
    public override double Verify(CancellationToken cancel)
    {
        Backend.Fill(_y, float.NaN);
        Run();
        int[] rows = Sample(_rows, SampledRows);
        float[] x = [.. rows.SelectMany(r => Row(_x, r))], y = [.. rows.SelectMany(r => Row(_y, r))], weight = Read(_weight), bias = Read(_bias);
        double[] expected = DoubleMath.LayerNorm(DoubleMath.Widen(x), _channels, Eps, (_, c) => weight[c], (_, c) => bias[c]);
        double[] rstd = [.. rows.Select((_, i) => Rstd(x.AsSpan(i * _channels, _channels)))];
        float[] kept = Read(_rstd);
        double worst = Verification.Check("y", y, expected, Limit, i => $"[{rows[i / _channels]}, {i % _channels}]");
        return Math.Max(worst, Verification.Check("rstd", [.. rows.Select(r => kept[r])], rstd, Limit, i => $"[{rows[i]}]"));
    }

    private float[] Row(BufferView view, int row) => Read(view.Slice((long)row * _channels, _channels));

    private static double Rstd(ReadOnlySpan<float> row)
    {
        double mean = 0, variance = 0;
        foreach (float v in row) { mean += v / (double)row.Length; }
        foreach (float v in row) { variance += (v - mean) * (v - mean) / row.Length; }
        return 1 / Math.Sqrt(variance + Eps);
    }
}
