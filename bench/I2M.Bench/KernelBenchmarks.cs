using BenchmarkDotNet.Attributes;
using I2M.Kernels;

namespace I2M.Bench;

/// <summary>The heaviest operations of a training step on random data. Every case is compared with a double-precision dot product before it is timed.</summary>
public class KernelBenchmarks
{
    private IBackend _backend = null!;
    private BufferView _a, _b, _c, _q, _k, _v, _o, _lse, _dOut, _dq, _dk, _dv, _x, _y, _mean, _rstd;

    /// <summary>Which device: host or opencl.</summary>
    [Params("host", "opencl")]
    public string Device { get; set; } = "host";

    /// <summary>Opens the device, fills the operands and verifies the product.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _backend = BackendSelector.Open(Device, 0, out _);
        GemmShape mlp = ModelShapes.MlpExpand;
        (_a, _b, _c) = (Random((long)mlp.M * mlp.K, 1), Random((long)mlp.N * mlp.K, 2), Random((long)mlp.M * mlp.N, 3));
        int queries = ModelShapes.MelTokens * ModelShapes.Hidden, keys = ModelShapes.ImageTokens * ModelShapes.Hidden;
        (_q, _k, _v, _o, _dOut) = (Random(queries, 4), Random(keys, 5), Random(keys, 6), Random(queries, 7), Random(queries, 8));
        (_dq, _dk, _dv) = (Random(queries, 9), Random(keys, 10), Random(keys, 11));
        _lse = Random(ModelShapes.Heads * ModelShapes.MelTokens, 12);
        (_x, _y, _mean, _rstd) = (Random(7000 * ModelShapes.Hidden, 13), Random(7000 * ModelShapes.Hidden, 14), Random(7000, 15), Random(7000, 16));
        Verify(mlp);
    }

    /// <summary>875×768 times 768×3072, the first layer of the MLP for one sample.</summary>
    [Benchmark]
    public void GemmMlpExpand() => Run(b => b.Gemm(_a, _b, BufferView.None, ModelShapes.MlpExpand, _c));

    /// <summary>Self-attention forward for one sample.</summary>
    [Benchmark]
    public void AttentionSelfForward() => Run(b => b.Attention(_q, _k.Slice(0, _q.Length), _v.Slice(0, _q.Length), ModelShapes.SelfAttention, _o, _lse));

    /// <summary>Cross-attention forward and backward for one sample.</summary>
    [Benchmark]
    public void AttentionCrossForwardBackward() => Run(b =>
    {
        b.Attention(_q, _k, _v, ModelShapes.CrossAttention, _o, _lse);
        b.AttentionBackward(_q, _k, _v, _o, _lse, _dOut, ModelShapes.CrossAttention, _dq, _dk, _dv);
    });

    /// <summary>LayerNorm over 7000 rows of 768.</summary>
    [Benchmark]
    public void LayerNorm() => Run(b => b.LayerNorm(_x, BufferView.None, BufferView.None, ModelShapes.Hidden, 1e-6f, _y, _mean, _rstd));

    /// <summary>Closes the device.</summary>
    [GlobalCleanup]
    public void Cleanup() => _backend.Dispose();

    private void Run(Action<IBackend> operation)
    {
        operation(_backend);
        _backend.Synchronize();
    }

    private BufferView Random(long length, ulong stream)
    {
        BufferView view = _backend.Pool.Rent(length);
        _backend.RandomNormal(1, stream, 0, view);
        return view;
    }

    private void Verify(GemmShape shape)
    {
        _backend.Gemm(_a, _b, BufferView.None, shape, _c);
        var row = new float[shape.K];
        var column = new float[shape.K];
        var result = new float[1];
        _backend.CopyToHost(_a.Slice(5L * shape.K, shape.K), row);
        _backend.CopyToHost(_b.Slice(7L * shape.K, shape.K), column);
        _backend.CopyToHost(_c.Slice(5L * shape.N + 7, 1), result);
        double expected = 0;
        for (int k = 0; k < shape.K; k++) { expected += (double)row[k] * column[k]; }
        if (!(Math.Abs(result[0] - expected) < 1e-3)) { throw new InvalidOperationException($"{Device}: c[5,7] is {result[0]}, expected {expected}"); }
    }
}
