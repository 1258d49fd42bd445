using I2M.PtxEmulator;
using I2M.Testing.Emulation;
using Xunit;

namespace I2M.Kernels.Tests;

/// <summary>
/// Memory-bound CUDA kernels move the bytes that their operation must move and no more, 16 at a time: what the emulator counted in sectors of 32 bytes
/// against the sizes of the operands.
/// </summary>
public sealed class CudaTrafficTests : IDisposable
{
    private const int Batch = 2, Tokens = 40, Channels = 768, Rows = Batch * Tokens, Count = Rows * Channels, SectorBytes = 32, WarpBytes = 16 * 32;

    /// <summary>What statistics of a row and factors of a sample may add to the bytes of the large operands.</summary>
    private const double Slack = 1.02;

    private readonly TrafficMeter _meter = new();

    public void Dispose() => _meter.Dispose();

    [Fact]
    public void AdaLayerNorm_reads_and_writes_each_element_once()
    {
        var shape = new ModulationShape(Batch, Tokens, Channels, 2 * Channels);
        BufferView x = Random(Count), modulation = Random(2 * Batch * Channels), shift = modulation.From(Channels), y = Random(Count), dy = Random(Count), dx = Random(Count);
        BufferView mean = Random(Rows), rstd = Random(Rows), narrow = _meter.Backend.Pool.Rent(Count / 2).As(ElementType.BFloat16), sums = Random(2 * Batch * Channels);
        // A row of 768 is six accesses of a warp an operand; mean and rstd are two more. Scale and shift come from the caches for all rows but a sample's first; the emulator counts them for every row.
        long modulated = 2L * 4 * Count, weights = 4L * Count;
        Check("CudaNormKernels.Forward", b => b.AdaLayerNorm(x, modulation, shift, shape, 1e-6f, y, mean, rstd), 8L * Count + modulated, 26L * Rows);
        Check("CudaNormKernels.Forward", b => b.AdaLayerNorm(x, modulation, shift, shape, 1e-6f, narrow, mean, rstd), 6L * Count + modulated, 26L * Rows);
        Check("CudaNormKernels.Backward", b => b.AdaLayerNormBackward(x, modulation, mean, rstd, dy, shape, dx, BufferView.None, BufferView.None), 12L * Count + weights, 26L * Rows);
        Check("CudaNormKernels.Backward", b => b.AdaLayerNormBackward(x, modulation, mean, rstd, dy, shape, dx, BufferView.None, BufferView.None, true), 16L * Count + weights, 32L * Rows);
        // Partial sums of a chunk of four tokens: an eighth of the operands each.
        Check("CudaNormKernels.Backward", b => b.AdaLayerNormBackward(x, modulation, mean, rstd, dy, shape, dx, sums, sums.From(Channels)), 14L * Count + weights, 29L * Rows);
    }

    [Fact]
    public void A_residual_with_its_norm_reads_and_writes_each_element_once()
    {
        const float eps = 1e-6f;
        var shape = new ModulationShape(Batch, Tokens, Channels, 3 * Channels);
        BufferView x = Random(Count), h = Random(Count), modulation = Random(3 * Batch * Channels), scale = modulation.From(Channels), shift = modulation.From(2 * Channels);
        BufferView sum = Random(Count), y = Random(Count), mean = Random(Rows), rstd = Random(Rows), dy = Random(Count), dx = Random(Count), dh = Random(Count), gradients = Random(3 * Batch * Channels);
        BufferView narrowH = _meter.Backend.Pool.Rent(Count / 2).As(ElementType.BFloat16), narrowY = _meter.Backend.Pool.Rent(Count / 2).As(ElementType.BFloat16);
        _meter.Backend.Convert(h, Count, narrowH);
        // As above, six accesses an operand and row, and two of its statistics.
        Check("CudaResidualNormKernels.Forward", b => b.ResidualAdaLayerNorm(x, h, modulation, scale, shift, shape, eps, sum, y, mean, rstd), 28L * Count, 44L * Rows);
        Check("CudaResidualNormKernels.Forward", b => b.ResidualAdaLayerNorm(x, narrowH, modulation, scale, shift, shape, eps, sum, narrowY, mean, rstd), 24L * Count, 44L * Rows);
        BufferView dgate = gradients, dscale = gradients.From(Channels), dshift = gradients.From(2 * Channels);
        Check("CudaResidualNormKernels.Backward", b => b.ResidualAdaLayerNormBackward(sum, h, modulation, scale, mean, rstd, dy, shape, dx, dh, dgate, dscale, dshift, true), 35L * Count, 55L * Rows);
    }

    [Fact]
    public void The_update_and_the_norm_read_each_parameter_once()
    {
        BufferView g = Random(Count), p = Random(Count), m = Random(Count), v = Random(Count), a = Random(Count), sum = Random(1), shadow = _meter.Backend.Pool.Rent(Count / 2).As(ElementType.BFloat16);
        _meter.Backend.Multiply(v, v, v);
        var step = new AdamWStep(1e-3f, 0.9f, 0.999f, 1e-8f, 0.01f, 3);
        Check("CudaOptimizerKernels.AdamWEma", b => b.AdamWEma(BufferView.None, step, 0.99f, g, p, m, v, a), 40L * Count, 10L * Count * 4 / WarpBytes);
        Check("CudaOptimizerKernels.AdamWEma", b => b.AdamWEma(BufferView.None, step, 0.99f, g, p, m, v, a, shadow), 42L * Count, 11L * Count * 4 / WarpBytes);
        Check("CudaReduceKernels.SumSquares", b => b.SumSquares(g, sum), 4L * Count, 8L * Count / WarpBytes + 64);
    }

    [Fact]
    public void Elementwise_operations_move_sixteen_bytes_a_lane()
    {
        var shape = new ModulationShape(Batch, Tokens, Channels, Channels);
        BufferView x = Random(Count), y = Random(Count), z = Random(Count), mix = Random(4 * Batch), gate = Random(Batch * Channels), dgate = Random(Batch * Channels);
        Check("CudaActivationsKernels.GeluErf", b => b.GeluErf(x, z), 8L * Count, 2L * Count * 4 / WarpBytes);
        Check("CudaActivationsKernels.GeluTanhBackward", b => b.GeluTanhBackward(x, y, z), 12L * Count, 3L * Count * 4 / WarpBytes);
        Check("CudaActivationsKernels.Silu", b => b.Silu(x, z), 8L * Count, 2L * Count * 4 / WarpBytes);
        Check("CudaElementwiseKernels.Axpby", b => b.Axpby(2, x, 3, y, z), 12L * Count, 3L * Count * 4 / WarpBytes);
        Check("CudaElementwiseKernels.GatedResidual", b => b.GatedResidual(x, y, gate, shape, z), 16L * Count, 4L * Count * 4 / WarpBytes);
        BufferView narrow = _meter.Backend.Pool.Rent(Count / 2).As(ElementType.BFloat16);
        _meter.Backend.Convert(y, Count, narrow);
        Check("CudaElementwiseKernels.GatedNarrowResidual", b => b.GatedResidual(x, narrow, gate, shape, z), 14L * Count, 4L * Count * 4 / WarpBytes);
        Check("CudaElementwiseKernels.GatedNarrow", b => b.GatedResidualBackward(y, gate, x, shape, narrow, BufferView.None), 10L * Count, 3L * Count * 4 / WarpBytes);
        Check("CudaReduceKernels.DotNarrowColumns", b => b.GatedResidualBackward(narrow, gate, x, shape, BufferView.None, dgate), 6L * Count + 8L * Batch * Channels, 2L * Count * 4 / WarpBytes + 2L * Batch * Channels * 4 / WarpBytes);
        // Four factors, each a sector and an access of 4 bytes a lane to every four numbers.
        Check("CudaNoiseKernels.QSample", b => b.QSample(x, mix, Batch, 1, 2, 0, y, z), 12L * Count + 4L * SectorBytes * Count / 128, 7L * Count * 4 / WarpBytes);
    }

    [Fact]
    public void The_depthwise_convolution_reads_ten_inputs_for_four_results()
    {
        var shape = new Conv1dShape(1, Rows, Channels, Channels, 7);
        BufferView x = Random(Count), weight = Random(7 * Channels), bias = Random(Channels), y = Random(Count);
        long inputs = 4L * Count * 10 / 4, weights = 4L * Count * 8 / 4;
        Check("CudaConv1dKernels.Depthwise", b => b.DepthwiseConv1d(x, weight, bias, shape, y), 4L * Count + inputs + weights, (4L * Count + inputs + weights) / WarpBytes, sectorFactor: 2);
    }

    [Fact]
    public void Sums_of_columns_read_sixteen_bytes_a_lane()
    {
        var shape = new ReduceShape(1, Rows, Channels);
        BufferView x = Random(Count), sums = Random(Channels);
        // Two chunks of rows leave partial sums.
        long partial = 2L * 4 * Channels;
        Check("CudaReduceKernels.SumColumns", b => b.SumColumns(x, shape, 1, false, sums), 4L * Count + partial, (4L * Count + partial) / WarpBytes);
        BufferView narrow = x.Slice(0, Count / 2).As(ElementType.BFloat16);
        Check("CudaReduceKernels.SumNarrowColumns", b => b.SumColumns(narrow, shape, 1, false, sums), 2L * Count + partial, (2L * Count + partial) / WarpBytes);
    }

    [Fact]
    public void The_transform_of_1024_meets_no_bank_conflict_and_moves_each_number_once()
    {
        const int Samples = 1024, Transforms = 5, Bins = 513;
        // Factors between the passes, those of the first in pairs of columns, and one a pair of bins: from the caches.
        const long Factors = 2 * 7 * 64 * 8 + 256 * 8;
        BufferView x = Random(Transforms * Samples), spectrum = Random(Transforms * Bins * 2);
        Check("CudaFftKernels.Forward", b => b.RealFft(x, Samples, 1, 1, spectrum), 4 * Samples, 8 * Bins);
        Check("CudaFftKernels.Inverse", b => b.InverseRealFft(spectrum, Samples, 1, 1, x), 8 * Bins, 4 * Samples);

        void Check(string kernel, Action<IBackend> operation, long loaded, long stored)
        {
            var (name, report) = Assert.Single(_meter.Measure(operation));
            TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {report.TotalInstructions / Transforms} instructions a row");
            Assert.Equal((kernel, 0L), (name, report.SharedBankConflicts));
            Assert.Equal((Transforms * (loaded + Factors), Transforms * stored), (report.GlobalBytesLoaded, report.GlobalBytesStored));
        }
    }

    /// <summary>The first launch is of the kernel, touches no more sectors than so many bytes fill and has no more accesses to memory than so many.</summary>
    private void Check(string kernel, Action<IBackend> operation, long bytes, long accesses, double sectorFactor = 1)
    {
        var launches = _meter.Measure(operation);
        LaunchReport report = launches[0].Report;
        long moved = report.GlobalSectors * SectorBytes, instructions = report.Instructions(InstructionClass.LoadGlobal) + report.Instructions(InstructionClass.StoreGlobal);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{kernel}: {moved:N0} bytes in sectors, {bytes:N0} needed; {instructions:N0} accesses, {report.TotalInstructions:N0} instructions, {(double)report.TotalInstructions * 32 / Count:F1} a number; {launches.Count} launches");
        Assert.Equal(kernel, launches[0].Kernel);
        Assert.True(moved <= Slack * sectorFactor * bytes, $"{kernel}: {moved} bytes in sectors, {bytes} needed");
        Assert.True(instructions <= Slack * accesses, $"{kernel}: {instructions} accesses, {accesses} expected");
    }

    private BufferView Random(long length)
    {
        BufferView view = _meter.Backend.Pool.Rent(length);
        _meter.Backend.RandomNormal(1, (ulong)length, 0, view);
        return view;
    }
}
