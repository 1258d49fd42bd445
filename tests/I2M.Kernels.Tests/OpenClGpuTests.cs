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
            Check(new GemmShape(layout, 68, 132, 72), GemmActivation.None, EpilogueParts.Bias);
            Check(new GemmShape(layout, 66, 131, 71) { LeadingA = 72, LeadingB = 144 }, GemmActivation.None, EpilogueParts.Residual);
            Check(new GemmShape(layout, 20, 20, 2052), GemmActivation.None, EpilogueParts.Bias);
            Check(new GemmShape(layout, 20, 24, 36) { Batch = 2, StrideA = 20 * 36, StrideB = 24 * 36, StrideC = 20 * 24 }, GemmActivation.None, EpilogueParts.Accumulate);
            Check(new GemmShape(layout, 5, 33, 40), GemmActivation.None, EpilogueParts.Bias);
            Check(new GemmShape(layout, 20, 17, 2051), GemmActivation.None, EpilogueParts.Bias | EpilogueParts.Residual);
            Check(new GemmShape(layout, 19, 37, 33) { LeadingC = 41 }, GemmActivation.GeluErf, EpilogueParts.Bias | EpilogueParts.PreActivation | EpilogueParts.Residual);
            Check(new GemmShape(layout, 19, 21, 34) { Batch = 3, StrideA = 19 * 34 + 3, StrideC = 19 * 21 + 7 }, GemmActivation.GeluTanh, EpilogueParts.Gradient | EpilogueParts.Accumulate);
            Check(new GemmShape(layout, 35, 37, 33) { LeadingC = 41 }, GemmActivation.GeluErf, EpilogueParts.Gradient | EpilogueParts.ColumnSums | EpilogueParts.AddedColumnSums);
            Check(new GemmShape(layout, 6, 33, 20), GemmActivation.GeluTanh, EpilogueParts.PreActivation | EpilogueParts.Accumulate | EpilogueParts.ColumnSums);

            void Check(GemmShape shape, GemmActivation activation, EpilogueParts parts)
            {
                new GemmCase(shape, activation, parts) { Factors = factors, Output = output }.Check(Gpu);
                new GemmCase(shape, activation, parts) { Factors = factors, Output = output, Aligned = true }.Check(Gpu);
            }
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

    /// <summary>The kernels with 16-byte accesses: whole vectors, the last one a partial one, and operands that do not start at one.</summary>
    [Theory]
    [InlineData(2, true)]
    [InlineData(64, true)]
    [InlineData(64, false)]
    [InlineData(257, true)]
    public void Elementwise_operations_match_the_oracle(int size, bool aligned)
    {
        var tests = new ElementwiseTests();
        tests.Axpby_adds_scaled_vectors_in_place_or_not(Gpu, size, aligned);
        tests.Scale_and_ScaleByDevice_multiply_by_a_number(Gpu, size, aligned);
        tests.Multiply_multiplies_in_place_or_not(Gpu, size, aligned);
        tests.AddBroadcast_repeats_a_vector(Gpu, size, aligned);
        tests.CombineRows_mixes_with_one_factor_per_row(Gpu, size, aligned);
        tests.GatedResidual_matches_the_oracle_forward_and_backward(Gpu, size, aligned);
        tests.GatedResidual_takes_and_gives_bfloat16(Gpu, 9, size);
        new OptimizerTests().AdamWEma_matches_the_formula_and_zeroes_the_gradient(Gpu, size);
        new OptimizerTests().AdamWEma_equals_the_separate_operations_to_the_bit(Gpu, size);
    }

    /// <summary>The same of those that mix, sum and convolve rows.</summary>
    [Fact]
    public void Operations_on_rows_match_the_oracle()
    {
        new ReduceTests().SumColumns_takes_bfloat16(Gpu);
        new ReduceTests().SumSquares_and_Dot_reduce_to_one_number(Gpu);
        new RandomTests().QSample_mixes_sample_and_noise_as_the_separate_operations_do(Gpu);
        new RandomTests().QSample_starts_at_the_batch_whose_number_is_on_the_device(Gpu);
        new Conv1dTests().Aligned_depthwise_convolutions_match_the_oracle(Gpu, 9);
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
