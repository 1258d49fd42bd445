using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>
/// The kernels that OpenCL GPUs get, where they are others than a processor's: products, attention and normalisation, with float32 and with bfloat16 memory. They run here on
/// whatever OpenCL device there is, with the checks of the backend matrix.
/// </summary>
public sealed class OpenClGpuTests
{
    private const string Gpu = Backends.OpenClGpu;

    [Fact]
    public void The_device_takes_the_kernels_of_a_GPU() => Assert.False(Assert.IsType<IDeviceProbe>(Backends.Get(Gpu), exactMatch: false).IsProcessor);

    /// <summary>Several tiles with tails in every direction, few rows, and a long sum that is split; every part of an epilogue in every combination of types.</summary>
    [Theory]
    [InlineData(GemmLayout.NN)]
    [InlineData(GemmLayout.NT)]
    [InlineData(GemmLayout.TN)]
    [InlineData(GemmLayout.TT)]
    public void Products_match_the_oracle(GemmLayout layout)
    {
        foreach (var (factors, output) in new[]
        {
            (ElementType.Float32, ElementType.Float32), (ElementType.BFloat16, ElementType.Float32),
            (ElementType.BFloat16, ElementType.BFloat16), (ElementType.Float32, ElementType.BFloat16),
        })
        {
            Check(new GemmShape(layout, 65, 131, 71), GemmActivation.None, EpilogueParts.Bias | EpilogueParts.Accumulate);
            Check(new GemmShape(layout, 5, 33, 40), GemmActivation.None, EpilogueParts.Bias);
            Check(new GemmShape(layout, 20, 17, 2051), GemmActivation.None, EpilogueParts.Bias | EpilogueParts.Residual);
            Check(new GemmShape(layout, 19, 37, 33) { LeadingC = 41 }, GemmActivation.GeluErf, EpilogueParts.Bias | EpilogueParts.PreActivation | EpilogueParts.Residual);
            Check(new GemmShape(layout, 19, 21, 34) { Batch = 3, StrideA = 19 * 34 + 3, StrideC = 19 * 21 + 7 }, GemmActivation.GeluTanh, EpilogueParts.Gradient | EpilogueParts.Accumulate);
            Check(new GemmShape(layout, 35, 37, 33) { LeadingC = 41 }, GemmActivation.GeluErf, EpilogueParts.Gradient | EpilogueParts.ColumnSums | EpilogueParts.AddedColumnSums);
            Check(new GemmShape(layout, 6, 33, 20), GemmActivation.GeluTanh, EpilogueParts.PreActivation | EpilogueParts.Accumulate | EpilogueParts.ColumnSums);

            void Check(GemmShape shape, GemmActivation activation, EpilogueParts parts) =>
                new GemmCase(shape, activation, parts) { Factors = factors, Output = output }.Check(Gpu);
        }
    }

    [Theory]
    [InlineData(5)]
    [InlineData(16)]
    [InlineData(64)]
    [InlineData(80)]
    [InlineData(128)]
    public void Attention_matches_the_oracle(int headDim)
    {
        var shape = new AttentionShape(2, 2, 35, 67, headDim, (float)(1 / Math.Sqrt(headDim)));
        AttentionTests.Check(Gpu, shape);
        FlashAttentionTests.Check(Gpu, shape);
        FlashAttentionTests.Check(Gpu, shape with { Batch = 1, Queries = 70, Keys = 1 });
    }

    [Fact]
    public void Attention_reads_and_writes_packed_projections()
    {
        new AttentionTests().Attention_reads_and_writes_packed_projections(Gpu);
        new FlashAttentionTests().Attention_reads_and_writes_packed_projections(Gpu);
    }

    [Theory]
    [InlineData(33)]
    [InlineData(256)]
    public void Normalisation_matches_the_oracle(int channels)
    {
        var tests = new NormTests();
        tests.LayerNorm_matches_the_oracle_forward_and_backward(Gpu, channels);
        tests.AdaLayerNorm_matches_the_oracle_forward_and_backward(Gpu, channels);
        tests.BFloat16_operands_equal_converted_ones_to_the_bit(Gpu, channels + channels % 2, aligned: false);
        tests.The_input_gradient_may_overwrite_the_output_gradient(Gpu, aligned: false);
    }
}
