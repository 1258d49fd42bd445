using I2M.Kernels;
using I2M.Model.Benchmarks;

namespace I2M.Model.Diagnostics;

/// <summary>Operations of a family on small random data, for a comparison of two backends.</summary>
/// <param name="Family">The family in src/I2M.Kernels/Ops.</param>
/// <param name="Inputs">Lengths of the inputs, filled with normal numbers.</param>
/// <param name="Outputs">Lengths of the outputs. They hold normal numbers before, the same everywhere, as some operations add to them.</param>
/// <param name="Run">Calls the operations.</param>
public sealed record KernelCheck(string Family, long[] Inputs, long[] Outputs, Action<IBackend, BufferView[], BufferView[]> Run)
{
    /// <summary>Largest error against the host, of |e| + rms(e).</summary>
    private const double Limit = 1e-4, NarrowLimit = 2e-2;

    /// <summary>Positive inputs, for logarithms and second moments.</summary>
    public bool Positive { get; init; }

    /// <summary>True where numbers are stored in bfloat16 on the way.</summary>
    public bool Narrow { get; init; }

    /// <summary>Runs on both and compares every output.</summary>
    /// <returns>The largest error as a share of what is allowed.</returns>
    /// <exception cref="I2MException">A wrong element: names family, output and both values.</exception>
    public double Compare(IBackend device, IBackend host)
    {
        float[][] actual = Results(device), expected = Results(host);
        double worst = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            double[] reference = Array.ConvertAll(expected[i], e => (double)e);
            worst = Math.Max(worst, Verification.Check($"{Family}: output {i + 1}", actual[i], reference, Narrow ? NarrowLimit : Limit));
        }
        return worst;
    }

    private float[][] Results(IBackend backend)
    {
        BufferView[] inputs = [.. Inputs.Select((n, i) => Rent(backend, n, i))], outputs = [.. Outputs.Select((n, i) => Rent(backend, n, 100 + i))];
        try
        {
            Run(backend, inputs, outputs);
            return [.. outputs.Select(view => Read(backend, view))];
        }
        finally
        {
            foreach (BufferView view in inputs.Concat(outputs)) { backend.Pool.Return(view); }
        }
    }

    private BufferView Rent(IBackend backend, long length, int stream)
    {
        var random = new Random(1 + stream);
        var values = new float[length];
        for (int i = 0; i < values.Length; i++)
        {
            float normal = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
            values[i] = Positive ? Math.Abs(normal) + 0.01f : normal;
        }
        BufferView view = backend.Pool.Rent(length);
        backend.CopyFromHost(values, view);
        return view;
    }

    private static float[] Read(IBackend backend, BufferView view)
    {
        var values = new float[view.Length];
        backend.CopyToHost(view, values);
        return values;
    }
}
