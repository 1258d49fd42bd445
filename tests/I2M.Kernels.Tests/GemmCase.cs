using I2M.Kernels.Ilgpu;
using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>Parts of a product's epilogue.</summary>
[Flags]
internal enum EpilogueParts
{
    None = 0, Bias = 1, PreActivation = 2, Residual = 4, ResidualIsC = 8, Gradient = 16, Accumulate = 32, ColumnSums = 64, AddedColumnSums = 128,
}

/// <summary>One product with an epilogue: random data, execution and comparison with the oracle, for views of every type.</summary>
internal sealed record GemmCase(GemmShape Shape, GemmActivation Activation, EpilogueParts Parts)
{
    /// <summary>Type of both factors.</summary>
    public ElementType Factors { get; init; } = ElementType.Float32;

    /// <summary>Type of c and of the activation's view.</summary>
    public ElementType Output { get; init; } = ElementType.Float32;

    /// <summary>All views start at multiples of 16 bytes, as tensor cores want; otherwise every second one does.</summary>
    public bool Aligned { get; init; }

    /// <summary>A plan instead of the backend's own choice.</summary>
    public CudaGemmPlan? Plan { get; init; }

    private bool Has(EpilogueParts part) => (Parts & part) != 0;

    private bool Reads => Has(EpilogueParts.Accumulate) || Has(EpilogueParts.ResidualIsC);

    /// <summary>How far results may be from the oracle's. The oracle sees the rounded factors.</summary>
    private Tolerance Tolerance => Output == ElementType.BFloat16 ? Tolerance.BFloat16
        : Factors == ElementType.BFloat16 ? Tolerance.BFloat16Sums
        : Shape.Precision == MatmulPrecision.TensorFloat32 ? Tolerance.TensorFloat32 : Tolerance.Of(nameof(IBackend.Gemm));

    /// <summary>Runs it.</summary>
    public void Check(string backend)
    {
        GemmShape s = Shape with { Accumulate = Has(EpilogueParts.Accumulate) };
        using var run = new OperationRun(nameof(IBackend.Gemm), backend, this);
        int rowsA = s.TransposeA ? s.K : s.M, columnsA = s.TransposeA ? s.M : s.K, rowsB = s.TransposeB ? s.N : s.K, columnsB = s.TransposeB ? s.K : s.N;
        long lengthA = (s.Batch - 1) * s.StrideA + (rowsA - 1) * s.LeadingA + columnsA, lengthB = (s.Batch - 1) * s.StrideB + (rowsB - 1) * s.LeadingB + columnsB;
        long lengthC = (s.Batch - 1) * s.StrideC + (s.M - 1) * s.LeadingC + s.N;
        float[] a = Rounded(run.Normal(lengthA), Factors), b = Rounded(run.Normal(lengthB), Factors), offsets = run.Normal(s.N);
        float[] before = Rounded(run.Normal(lengthC), Output), residual = run.Normal(lengthC), inner = Rounded(run.Normal(lengthC), Output);
        float[] sumsBefore = run.Normal(s.N);
        BufferView ba = In(run, a, Factors), bb = In(run, b, Factors);
        BufferView c = Reads ? Next(run, run.InOut(Packed(before, Output)), Output) : Out(run, lengthC), pre = Has(EpilogueParts.PreActivation) ? Out(run, lengthC) : BufferView.None;
        BufferView sums = !Has(EpilogueParts.ColumnSums) ? BufferView.None
            : Next(run, Has(EpilogueParts.AddedColumnSums) ? run.InOut(sumsBefore) : run.Out(s.N), ElementType.Float32);
        var epilogue = new GemmEpilogue
        {
            ColumnSums = sums,
            AddsColumnSums = Has(EpilogueParts.AddedColumnSums),
            Bias = Has(EpilogueParts.Bias) ? In(run, offsets, ElementType.Float32) : BufferView.None,
            Activation = Activation,
            PreActivation = pre,
            Residual = Has(EpilogueParts.ResidualIsC) ? c : Has(EpilogueParts.Residual) ? In(run, residual, ElementType.Float32) : BufferView.None,
            GeluGradientOf = Has(EpilogueParts.Gradient) ? In(run, inner, Output) : BufferView.None,
        };
        run.Execute(device =>
        {
            if (Plan is { } plan) { ((IlgpuBackend)device).GemmGenerated(plan, ba, bb, epilogue, s, c); }
            else { device.Gemm(ba, bb, epilogue, s, c); }
        });
        double[] product = Compositions.Gemm(Node.Leaf(a, a.Length), Node.Leaf(b, b.Length), Has(EpilogueParts.Bias) ? Node.Leaf(offsets, s.N) : null, s).Value;
        long[] places = [.. Enumerable.Range(0, product.Length).Select(i => i / (s.M * s.N) * s.StrideC + i / s.N % s.M * s.LeadingC + i % s.N)];
        double[] expected = Activated(product, [.. places.Select(at => (double)inner[at])]);
        for (int i = 0; i < expected.Length; i++) { expected[i] += (Has(EpilogueParts.Residual) ? residual[places[i]] : 0) + (Reads ? before[places[i]] : 0); }
        Compare(run, "c", c, expected, places, !Reads);
        if (!pre.IsNone) { Compare(run, "value before the activation", pre, product, places, poisoned: true); }
        if (!sums.IsNone) { CheckSums(run, sums, expected, Has(EpilogueParts.AddedColumnSums) ? sumsBefore : new float[s.N]); }
    }

    /// <summary>Sums of numbers of either sign: measured by the size of their terms. They are taken before c is rounded.</summary>
    private void CheckSums(OperationRun run, BufferView sums, double[] c, float[] before)
    {
        double[] expected = [.. before.Select((value, j) => value + Enumerable.Range(0, c.Length / Shape.N).Sum(i => c[i * Shape.N + j]))];
        Tolerance tolerance = Factors == ElementType.BFloat16 ? Tolerance.BFloat16Sums
            : Shape.Precision == MatmulPrecision.TensorFloat32 ? Tolerance.TensorFloat32 : Tolerance.Of(nameof(IBackend.Gemm));
        (tolerance with { Norm = double.PositiveInfinity }).Check($"{this} on {run.Backend.Name}: sums of columns", run.Read(sums), expected, Math.Sqrt((double)Shape.K * Shape.M * Shape.Batch));
    }

    private double[] Activated(double[] product, double[] inner) => Has(EpilogueParts.Gradient) ? Compositions.GeluGradient(product, inner, Activation == GemmActivation.GeluTanh) : Activation switch
    {
        GemmActivation.GeluErf => Compositions.GeluErf(Node.Leaf(product, product.Length)).Value,
        GemmActivation.GeluTanh => Compositions.GeluTanh(Node.Leaf(product, product.Length)).Value,
        _ => [.. product],
    };

    private void Compare(OperationRun run, string what, BufferView view, double[] values, long[] places, bool poisoned)
    {
        int[] words = run.ReadWords(view);
        float[] result = Unpacked(words, Output);
        Tolerance.Check($"{this} on {run.Backend.Name}: {what}", (float[])[.. places.Select(at => result[at])], values, Math.Sqrt(Shape.K));
        if (!poisoned) { return; }
        var covered = new bool[result.Length];
        foreach (long at in places) { covered[at] = true; }
        float[] poison = Unpacked([GuardedBuffers.Poison, GuardedBuffers.Poison], Output);
        for (int i = 0; i < result.Length; i++)
        {
            bool kept = BitConverter.SingleToInt32Bits(result[i]) == BitConverter.SingleToInt32Bits(poison[i & 1]);
            Assert.True(covered[i] || kept, $"{this}: element {i} of {what} lies between the rows and was overwritten");
        }
    }

    private BufferView In(OperationRun run, float[] values, ElementType type) => Next(run, run.In(Packed(values, type)), type);

    private BufferView Out(OperationRun run, long elements) => Next(run, run.Out(Output.Words(elements)), Output);

    /// <summary>Guarded buffers are aligned and unaligned in turn: here the unaligned ones are left out.</summary>
    private BufferView Next(OperationRun run, BufferView words, ElementType type)
    {
        if (Aligned) { run.In(new float[1]); }
        return words.As(type);
    }

    private static float[] Packed(float[] values, ElementType type) => type == ElementType.Float32 ? values : BFloat16Data.Pack(values);

    private static float[] Unpacked(int[] words, ElementType type) => type == ElementType.Float32 ? [.. words.Select(BitConverter.Int32BitsToSingle)] : BFloat16Data.Unpack(words);

    private static float[] Rounded(float[] values, ElementType type) => type == ElementType.Float32 ? values : BFloat16Data.Round(values);
}
