using I2M.Kernels;
using Xunit;

namespace I2M.Testing;

/// <summary>How far a float32 result may be from the double-precision one.</summary>
/// <param name="Norm">Bound of ‖a−e‖/‖e‖.</param>
/// <param name="Absolute">atol of |a−e| ≤ atol·scale + rtol·|e|, the scale being the root mean square of e unless the caller knows a better one.</param>
/// <param name="Relative">rtol of the same.</param>
public readonly record struct Tolerance(double Norm, double Absolute, double Relative)
{
    /// <summary>Moves of data and index arithmetic: no rounding at all.</summary>
    private static readonly Tolerance Exact = new(0, 0, 0);
    /// <summary>One to three roundings an element.</summary>
    private static readonly Tolerance Arithmetic = new(2e-7, 3e-7, 5e-7);
    /// <summary>Elementary functions, which devices round to a few units in the last place.</summary>
    private static readonly Tolerance Transcendental = new(1e-6, 2e-6, 4e-6);
    /// <summary>Sums of up to some thousand products of either sign.</summary>
    private static readonly Tolerance Sum = new(2e-6, 1e-5, 1e-5);
    /// <summary>Normalisations: a sum, a root and products.</summary>
    private static readonly Tolerance Normalisation = new(2e-6, 1e-5, 1e-5);
    /// <summary>Recomputed probabilities times sums.</summary>
    private static readonly Tolerance Composite = new(4e-6, 3e-5, 2e-5);
    /// <summary>log₂ n stages of butterflies.</summary>
    private static readonly Tolerance Fourier = new(1e-6, 5e-6, 5e-6);

    /// <summary>The one table: every operation of <see cref="IBackend"/> by its name.</summary>
    private static readonly Dictionary<string, Tolerance> s_operations = new()
    {
        [nameof(IBackend.Fill)] = Exact,
        [nameof(IBackend.Copy)] = Exact,
        [nameof(IBackend.Convert)] = Exact,
        [nameof(IBackend.ConvertRows)] = Exact,
        [nameof(IBackend.Axpby)] = Arithmetic,
        [nameof(IBackend.Scale)] = Arithmetic,
        [nameof(IBackend.ScaleByDevice)] = Arithmetic,
        [nameof(IBackend.Multiply)] = Arithmetic,
        [nameof(IBackend.Clamp)] = Exact,
        [nameof(IBackend.AddBroadcast)] = Arithmetic,
        [nameof(IBackend.CombineRows)] = Arithmetic,
        [nameof(IBackend.MixRows)] = Exact,
        [nameof(IBackend.MixRowsBackward)] = Sum,
        [nameof(IBackend.GatedResidual)] = Arithmetic,
        [nameof(IBackend.GatedResidualBackward)] = Sum,
        [nameof(IBackend.Silu)] = Transcendental,
        [nameof(IBackend.SiluBackward)] = Transcendental,
        [nameof(IBackend.GeluErf)] = Transcendental,
        [nameof(IBackend.GeluErfBackward)] = Transcendental,
        [nameof(IBackend.GeluTanh)] = Transcendental,
        [nameof(IBackend.GeluTanhBackward)] = Transcendental,
        [nameof(IBackend.LogClamp)] = Transcendental,
        [nameof(IBackend.LogClampBackward)] = Arithmetic,
        [nameof(IBackend.SumRows)] = Sum,
        [nameof(IBackend.SumColumns)] = Sum,
        [nameof(IBackend.BroadcastRows)] = Arithmetic,
        [nameof(IBackend.SumSquares)] = Sum,
        [nameof(IBackend.Dot)] = Sum,
        [nameof(IBackend.SquaredErrorRows)] = Sum,
        [nameof(IBackend.SquaredErrorRowsBackward)] = Arithmetic,
        [nameof(IBackend.GuideRows)] = Normalisation,
        [nameof(IBackend.Gemm)] = Sum,
        [nameof(IBackend.Pack)] = Exact,
        [nameof(IBackend.LayerNorm)] = Normalisation,
        [nameof(IBackend.LayerNormBackward)] = Normalisation,
        [nameof(IBackend.AdaLayerNorm)] = Normalisation,
        [nameof(IBackend.AdaLayerNormBackward)] = Normalisation,
        [nameof(IBackend.ResidualAdaLayerNorm)] = Normalisation,
        [nameof(IBackend.ResidualAdaLayerNormBackward)] = Normalisation,
        [nameof(IBackend.Softmax)] = Transcendental,
        [nameof(IBackend.SoftmaxBackward)] = Normalisation,
        [nameof(IBackend.CrossEntropyRows)] = Transcendental,
        [nameof(IBackend.CrossEntropyRowsBackward)] = Transcendental,
        [nameof(IBackend.Attention)] = Composite,
        [nameof(IBackend.AttentionBackward)] = Composite,
        [nameof(IBackend.Conv1d)] = Sum,
        [nameof(IBackend.Conv1dBackwardInput)] = Sum,
        [nameof(IBackend.Conv1dBackwardWeight)] = Sum,
        [nameof(IBackend.DepthwiseConv1d)] = Sum,
        [nameof(IBackend.DepthwiseConv1dBackwardInput)] = Sum,
        [nameof(IBackend.DepthwiseConv1dBackwardWeight)] = Sum,
        [nameof(IBackend.Patchify)] = Exact,
        [nameof(IBackend.Unpatchify)] = Exact,
        [nameof(IBackend.SplitHeads)] = Exact,
        [nameof(IBackend.MergeHeads)] = Exact,
        [nameof(IBackend.CopyStrided)] = Arithmetic,
        [nameof(IBackend.Transpose)] = Exact,
        [nameof(IBackend.GatherRows)] = Exact,
        [nameof(IBackend.ScatterAddRows)] = Sum,
        [nameof(IBackend.RealFft)] = Fourier,
        [nameof(IBackend.InverseRealFft)] = Fourier,
        [nameof(IBackend.Frame)] = Arithmetic,
        [nameof(IBackend.FrameBackward)] = Sum,
        [nameof(IBackend.OverlapAdd)] = Sum,
        [nameof(IBackend.OverlapAddBackward)] = Arithmetic with { Norm = 1e-6, Relative = 2e-6 },
        [nameof(IBackend.Magnitude)] = Arithmetic,
        [nameof(IBackend.MagnitudeBackward)] = Arithmetic,
        [nameof(IBackend.PolarSpectrum)] = Transcendental,
        [nameof(IBackend.PolarSpectrumBackward)] = Transcendental,
        [nameof(IBackend.RandomBits)] = Exact,
        [nameof(IBackend.RandomUniform)] = Exact,
        [nameof(IBackend.RandomNormal)] = new(5e-6, 2e-5, 2e-5),
        [nameof(IBackend.QSample)] = Arithmetic,
        [nameof(IBackend.AdamW)] = Transcendental,
        [nameof(IBackend.AdamWEma)] = Transcendental,
        [nameof(IBackend.Ema)] = Arithmetic,
        [nameof(IBackend.ClipFactor)] = Arithmetic,
    };

    /// <summary>Sums of products of float32 factors that were rounded to 10 bits of mantissa.</summary>
    public static Tolerance TensorFloat32 => new(1e-3, 4e-3, 4e-3);
    /// <summary>Sums of exact products of bfloat16 factors in float32, as devices add them, with their epilogue.</summary>
    public static Tolerance BFloat16Sums => new(5e-6, 3e-5, 3e-5);
    /// <summary>Results that are stored in bfloat16: half a unit of 8 bits.</summary>
    public static Tolerance BFloat16 => new(4e-3, 1e-4, 4e-3);
    /// <summary>Operations against PyTorch's float64 numbers (tests/reference/ops.safetensors).</summary>
    public static Tolerance ReferenceOperations => new(2e-6, 2e-5, 2e-5);
    /// <summary>Ten AdamW steps against PyTorch's (adamw.safetensors).</summary>
    public static Tolerance ReferenceAdamW => new(1e-6, 2e-6, 2e-6);
    /// <summary>STFT and its inverse against PyTorch's (audio.safetensors).</summary>
    public static Tolerance ReferenceStft => new(1e-5, 2e-5, 2e-5);
    /// <summary>The oracle, in double, against PyTorch's float64; a saturated softmax costs both four digits.</summary>
    public static Tolerance ReferenceOracle => new(2e-11, 1e-10, 1e-10);
    /// <summary>The oracle's gradients against central differences of its values.</summary>
    public static Tolerance CentralDifferences => new(1e-6, 1e-5, 1e-5);
    /// <summary>Values that are zero in exact arithmetic, in units of the terms that cancel.</summary>
    public static Tolerance Zero => new(double.PositiveInfinity, 2e-6, 0);
    /// <summary>Attention between bfloat16 views (8 significant bits): rounded probabilities, dS, D from the rounded output, rounded results.</summary>
    public static Tolerance AttentionBFloat16 => new(6e-3, 3e-2, 1.5e-2);
    /// <summary>As <see cref="Zero"/> after roundings to bfloat16.</summary>
    public static Tolerance AttentionBFloat16Zero => new(double.PositiveInfinity, 1e-3, 0);
    /// <summary>Normalising data whose mean is 10⁴ deviations: the inputs' own rounding of the mean limits the result.</summary>
    public static Tolerance FarFromZero => new(1e-3, 2e-3, 1e-3);
    /// <summary>
    /// Weights after some optimiser steps, as a whole only: the key third of every in_proj_bias has a gradient of exactly zero, and AdamW turns
    /// its rounding noise into steps of full size (see tests/reference/README.md).
    /// </summary>
    public static Tolerance TrainStep => new(1e-4, double.PositiveInfinity, 0);
    /// <summary>Loss and gradients, as a whole, of one training step in float32 on two devices.</summary>
    public static Tolerance StepFloat32 => new(1e-5, double.PositiveInfinity, 0);
    /// <summary>The same of a step whose products round their factors to 10 bits (2⁻¹¹ each), some dozen of them in a row, against one without.</summary>
    public static Tolerance StepTensorFloat32 => new(3e-3, double.PositiveInfinity, 0);
    /// <summary>The same of a step in bfloat16 (2⁻⁹) on two devices that round at the same places, but for probabilities inside of attention.</summary>
    public static Tolerance StepBFloat16 => new(1e-2, double.PositiveInfinity, 0);
    /// <summary>Gradients of a few layers in a row in bfloat16 against float32: about a dozen roundings of 2⁻⁹ that add up.</summary>
    public static Tolerance BFloat16Layers => new(3e-2, double.PositiveInfinity, 0);
    /// <summary>Deviation of a sample moment of independent numbers, in standard errors.</summary>
    public const double StandardErrors = 5;

    /// <summary>The bounds of one operation.</summary>
    public static Tolerance Of(string operation) =>
        s_operations.TryGetValue(operation, out Tolerance tolerance) ? tolerance : throw new ArgumentException($"{operation} has no row in the tolerance table.");

    /// <summary>The operations that the table names.</summary>
    public static IReadOnlyCollection<string> Operations => s_operations.Keys;

    /// <summary>
    /// Fails unless ‖a−e‖ ≤ Norm·‖e‖ and every |a−e| ≤ Absolute·scale + Relative·|e|. Both comparisons are written so that NaN fails.
    /// </summary>
    /// <param name="what">Operation, backend, shape and seed, for the message.</param>
    /// <param name="actual">The result.</param>
    /// <param name="expected">The double-precision result.</param>
    /// <param name="scale">Unit of the absolute bound; by default the root mean square of <paramref name="expected"/>.</param>
    public void Check(string what, ReadOnlySpan<float> actual, ReadOnlySpan<double> expected, double? scale = null)
    {
        Assert.True(actual.Length == expected.Length, $"{what}: {actual.Length} elements, expected {expected.Length}");
        var (difference, norm) = Norms(actual, expected);
        double unit = scale ?? norm / Math.Sqrt(Math.Max(1, expected.Length));
        double worst = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            double error = Math.Abs(actual[i] - expected[i]), bound = Absolute * unit + Relative * Math.Abs(expected[i]);
            double share = error == 0 ? 0 : error / bound;
            if (!(share <= 1)) { Assert.Fail($"{what}: [{i}] is {actual[i]:R}, expected {expected[i]:R}: {share:P0} of the tolerance {bound:E2}"); }
            worst = Math.Max(worst, share);
        }
        bool closeInNorm = difference == 0 || double.IsPositiveInfinity(Norm) || difference <= Norm * norm;
        Assert.True(closeInNorm, $"{what}: relative error {difference / norm:E2}, at most {Norm:E1} allowed");
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: relative error {(norm > 0 ? difference / norm : difference):E2} (bound {Norm:E1}), worst element {worst:P0} of its tolerance");
    }

    /// <summary>As <see cref="Check(string, ReadOnlySpan{float}, ReadOnlySpan{double}, double?)"/> for results in double.</summary>
    public void Check(string what, double[] actual, double[] expected)
    {
        Assert.True(actual.Length == expected.Length, $"{what}: {actual.Length} elements, expected {expected.Length}");
        double difference = Math.Sqrt(actual.Zip(expected, (a, e) => (a - e) * (a - e)).Sum()), norm = Math.Sqrt(expected.Sum(e => e * e));
        Assert.True(difference <= Norm * norm, $"{what}: relative error {difference / norm:E2}, at most {Norm:E1} allowed");
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: relative error {(norm > 0 ? difference / norm : difference):E2} (bound {Norm:E1})");
    }

    private static (double Difference, double Norm) Norms(ReadOnlySpan<float> actual, ReadOnlySpan<double> expected)
    {
        double difference = 0, norm = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            norm += expected[i] * expected[i];
        }
        return (Math.Sqrt(difference), Math.Sqrt(norm));
    }
}
