using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

public sealed class RandomTests
{
    private const ulong Seed = 0x0123_4567_89AB_CDEF, Stream = 0xFEDC_BA98_7654_3210;

    /// <summary>The known answers of Random123 (kat_vectors, philox4x32 10).</summary>
    [Fact]
    public void Philox_gives_the_known_answers()
    {
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), Philox.Block(0, 0, 0));
        Assert.Equal((0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu), Philox.Block(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue));
        Assert.Equal((0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u), Philox.Block(0x299f31d0_a4093822, 0x03707344_13198a2e, 0x85a308d3_243f6a88));
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void RandomBits_gives_Philoxs_integers_from_any_offset(string backend, int size)
    {
        foreach (long offset in new[] { 0L, 1, 2, 3, 4, 1001, uint.MaxValue - 5L, 4L * uint.MaxValue + 1 })
        {
            using var run = new OperationRun(nameof(IBackend.RandomBits), backend, $"{size} from {offset}");
            BufferView bits = run.Out(size);
            run.Execute(b => b.RandomBits(Seed, Stream, offset, bits));
            int[] expected = [.. Enumerable.Range(0, size).Select(i => (int)Philox.Bits(Seed, Stream, offset + i))];
            Assert.True(expected.AsSpan().SequenceEqual(run.ReadWords(bits)), $"RandomBits on {backend}: {size} from {offset} differ from Philox");
        }
    }

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void Uniform_and_normal_numbers_follow_from_the_integers(string backend, int size)
    {
        foreach (long offset in new[] { 0L, 1, 6, 1003 })
        {
            using var run = new OperationRun(nameof(IBackend.RandomNormal), backend, $"{size} from {offset}");
            BufferView uniform = run.Out(size), normal = run.Out(size);
            run.Execute(b =>
            {
                b.RandomUniform(Seed, Stream, offset, uniform);
                b.RandomNormal(Seed, Stream, offset, normal);
            });
            run.Close("uniform", uniform, [.. Enumerable.Range(0, size).Select(i => (double)(float)Uniform(offset + i))], Tolerance.Of(nameof(IBackend.RandomUniform)));
            run.Close("normal", normal, [.. Enumerable.Range(0, size).Select(i => Normal(offset + i))], scale: 1);
        }
    }

    /// <summary>Offsets and rows that cut blocks of four, aligned ones that do not, and rows that end within the host's tiles.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void QSample_mixes_sample_and_noise_as_the_separate_operations_do(string backend)
    {
        foreach (bool aligned in new[] { false, true })
        {
            foreach (var (rows, columns, offset) in new[] { (1, 1, 0L), (3, 5, 7L), (3, 5, 8L), (2, 128, 4L), (5, 260, 2L), (4, 300, 1200L), (7, 36, 4L * uint.MaxValue + 4) })
            {
                QSample(backend, rows, columns, offset, aligned);
            }
        }
    }

    private static void QSample(string backend, int rows, int columns, long offset, bool aligned)
    {
        using var run = new OperationRun(nameof(IBackend.QSample), backend, $"{rows}×{columns} from {offset}", aligned: aligned);
        int count = rows * columns;
        float[] x = run.Normal(count), mix = run.Normal(4 * rows);
        BufferView x0 = run.In(x), scales = run.In(mix), noise = run.Out(count), noisy = run.Out(count), target = run.Out(count), inPlace = run.InOut(x), other = run.Out(count);
        run.Execute(b =>
        {
            b.RandomNormal(Seed, Stream, offset, noise);
            b.QSample(x0, scales, rows, Seed, Stream, offset, noisy, target);
            b.QSample(inPlace, scales, rows, Seed, Stream, offset, other, inPlace);
        });
        float[] e = run.Read(noise);
        run.Close("noisy", noisy, Mixed(0), scale: 3);
        run.Close("target", target, Mixed(2), scale: 3);
        run.Exact("target in place of x0", inPlace, run.Read(target));

        double[] Mixed(int first) => [.. Enumerable.Range(0, count).Select(i => (double)mix[first * rows + i / columns] * x[i] + (double)mix[(first + 1) * rows + i / columns] * e[i])];
    }

    /// <summary>The place of a batch in the noise is read on the device; lengths that are no multiple of four let batches begin within a block.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void QSample_starts_at_the_batch_whose_number_is_on_the_device(string backend)
    {
        foreach (var (rows, columns, first, batch) in new[] { (1, 1, 0L, 5L), (3, 5, 0L, 3L), (3, 5, 7L, 2L), (2, 128, 0L, 9L), (3, 36, 4L, (1L << 33) + 1), (5, 260, 0L, 0L) })
        {
            foreach (bool aligned in new[] { false, true })
            {
                using var run = new OperationRun(nameof(IBackend.QSample), backend, $"{rows}×{columns}, batch {batch}", aligned: aligned);
                int count = rows * columns;
                BufferView x0 = run.In(run.Normal(count)), mix = run.In(run.Normal(4 * rows)), number = run.In([(int)batch, (int)(batch >> 32)]);
                BufferView noisy = run.Out(count), target = run.Out(count), expectedNoisy = run.Out(count), expectedTarget = run.Out(count);
                run.Execute(b =>
                {
                    b.QSample(x0, mix, rows, Seed, Stream, first, noisy, target, number);
                    b.QSample(x0, mix, rows, Seed, Stream, first + batch * count, expectedNoisy, expectedTarget);
                });
                run.Exact("noisy", noisy, run.Read(expectedNoisy));
                run.Exact("target", target, run.Read(expectedTarget));
            }
        }
    }

    /// <summary>Moments of a million numbers within five standard errors, all finite, and no correlation between neighbours or streams.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Normal_numbers_have_normal_moments(string backend)
    {
        const int size = 1 << 20;
        using var run = new OperationRun(nameof(IBackend.RandomNormal), backend, size);
        BufferView first = run.Out(size), second = run.Out(size);
        run.Execute(b =>
        {
            b.RandomNormal(7, 0, 0, first);
            b.RandomNormal(7, 1, 0, second);
        });
        float[] x = run.Read(first), y = run.Read(second);
        Assert.All(x, v => Assert.True(float.IsFinite(v)));
        // Variances of the estimators: x has variance 1, x² − 1 has 2, x³ has 15, x⁴ − 3 has 96, a product of two independent ones 1.
        Moment("mean", x.Average(v => (double)v), 1);
        Moment("variance", x.Average(v => (double)v * v) - 1, 2);
        Moment("skewness", x.Average(v => Math.Pow(v, 3)), 15);
        Moment("kurtosis", x.Average(v => Math.Pow(v, 4)) - 3, 96);
        Moment("neighbours' correlation", x.Zip(x.Skip(1), (a, b) => (double)a * b).Average(), 1);
        Moment("streams' correlation", x.Zip(y, (a, b) => (double)a * b).Average(), 1);

        void Moment(string name, double value, double variance)
        {
            double errors = value / Math.Sqrt(variance / size);
            TestContext.Current.TestOutputHelper?.WriteLine($"{backend}: {name} {value:E2}, {errors:F2} standard errors");
            Assert.True(Math.Abs(errors) <= Tolerance.StandardErrors, $"{backend}: {name} is {value:E3}, {errors:F1} standard errors");
        }
    }

    private static double Uniform(long index) => ((Philox.Bits(Seed, Stream, index) >> 8) + 0.5) / (1 << 24);

    /// <summary>The contract's u rounds to float32 before the logarithm, which matters where u is close to 1.</summary>
    private static double Normal(long index)
    {
        long even = index & ~1L;
        double radius = Math.Sqrt(-2 * Math.Log((float)Uniform(even))), angle = 2 * Math.PI * (float)Uniform(even + 1);
        return index == even ? radius * Math.Cos(angle) : radius * Math.Sin(angle);
    }
}
