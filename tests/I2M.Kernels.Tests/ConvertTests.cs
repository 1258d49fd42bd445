using I2M.Testing;
using Xunit;

namespace I2M.Kernels.Tests;

public sealed class ConvertTests
{
    private const ulong Seed = 7;

    [Theory, MemberData(nameof(Backends.Sized), MemberType = typeof(Backends))]
    public void Narrowing_rounds_to_nearest_even_and_widening_is_exact(string backend, int size)
    {
        using var run = new OperationRun(nameof(IBackend.Convert), backend, size);
        float[] x = run.Normal(size, deviation: 100);
        BufferView source = run.In(x), narrow = run.Out(ElementType.BFloat16.Words(size)).As(ElementType.BFloat16), wide = run.Out(size);
        run.Execute(b =>
        {
            b.Convert(source, size, narrow);
            b.Convert(narrow, size, wide);
        });
        run.Exact("rounded", wide, [.. x.Select(v => (float)Nearest(v))]);
        if (size % 2 != 0) { Assert.Equal(0, run.ReadWords(narrow)[^1] >>> 16); }
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Ties_infinities_NaN_and_subnormals_convert_as_IEEE_says(string backend)
    {
        // 1 + 2^-8 lies between 1 and 1 + 2^-7 and goes to 1 (even); 1 + 3·2^-8 goes up to 1 + 2^-6.
        float[] x = [1 + 0.00390625f, 1 + 3 * 0.00390625f, -0f, float.PositiveInfinity, float.NegativeInfinity, float.NaN, float.MaxValue, 1e-40f, float.Epsilon];
        float[] expected = [1, 1 + 0.015625f, -0f, float.PositiveInfinity, float.NegativeInfinity, float.NaN, float.PositiveInfinity, (float)Nearest(1e-40f), 0];
        using var run = new OperationRun(nameof(IBackend.Convert), backend, "special values", Seed);
        BufferView source = run.In(x), narrow = run.Out(5).As(ElementType.BFloat16), wide = run.Out(9);
        run.Execute(b =>
        {
            b.Convert(source, 9, narrow);
            b.Convert(narrow, 9, wide);
        });
        float[] actual = run.Read(wide);
        for (int i = 0; i < x.Length; i++) { Assert.Equal(expected[i], actual[i]); }
        Assert.True(float.IsNegative(actual[2]));
    }

    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void Rows_of_a_block_convert_in_place_and_nothing_between_them(string backend)
    {
        foreach (RowBlock block in new[] { new RowBlock(1, 0, 5, 7, 7), new RowBlock(3, 41, 4, 9, 5), new RowBlock(2, 3, 1, 3, 3) })
        {
            using var run = new OperationRun(nameof(IBackend.ConvertRows), backend, block, Seed);
            float[] x = run.Normal(block.Extent);
            BufferView source = run.In(x), narrow = run.Out(ElementType.BFloat16.Words(block.Extent)).As(ElementType.BFloat16), wide = run.Out(block.Extent);
            run.Execute(b =>
            {
                b.ConvertRows(source, block, narrow);
                b.ConvertRows(narrow, block, wide);
            });
            int[] halves = [.. run.ReadWords(narrow).SelectMany(word => new[] { word & 0xFFFF, word >>> 16 })], words = run.ReadWords(wide);
            var inside = new bool[block.Extent];
            for (long row = 0; row < block.Batch * block.Rows; row++)
            {
                Array.Fill(inside, true, (int)(row / block.Rows * block.Stride + row % block.Rows * block.Leading), (int)block.Width);
            }
            for (int i = 0; i < inside.Length; i++)
            {
                int expected = BitConverter.SingleToInt32Bits((float)Nearest(x[i]));
                Assert.Equal(inside[i] ? expected : GuardedBuffers.Poison, words[i]);
                Assert.Equal(inside[i] ? expected >>> 16 : (i % 2 == 0 ? GuardedBuffers.Poison & 0xFFFF : GuardedBuffers.Poison >>> 16), halves[i]);
            }
            Assert.Throws<ArgumentException>(() => run.Backend.ConvertRows(source, block with { Leading = block.Leading + 40, Rows = 9 }, narrow));
            Assert.Throws<ArgumentException>(() => run.Backend.ConvertRows(source, block, wide));
        }
    }

    /// <summary>Memory as the pool gives it: the emulated device knows that nobody wrote that half.</summary>
    [Theory, MemberData(nameof(Backends.All), MemberType = typeof(Backends))]
    public void The_half_above_an_odd_number_of_elements_is_not_read(string name)
    {
        const int size = 9;
        IBackend backend = Backends.Get(name);
        using var scope = new BufferScope(backend.Pool);
        BufferView source = scope.Rent(size), narrow = scope.Rent(ElementType.BFloat16.Words(size)).As(ElementType.BFloat16), wide = scope.Rent(size);
        backend.Fill(source, 1.5f);
        backend.ConvertRows(source, new RowBlock(1, 0, 1, size, size), narrow);
        backend.Convert(narrow, size, wide);
        var values = new float[size];
        backend.CopyToHost(wide, values);
        Assert.All(values, v => Assert.Equal(1.5f, v));
    }

    [Fact]
    public void Views_keep_their_type_in_slices_and_two_of_one_type_are_refused()
    {
        IBackend host = Backends.Get("host");
        BufferView words = host.Pool.Rent(64);
        try
        {
            BufferView halves = words.As(ElementType.BFloat16);
            Assert.Equal(ElementType.BFloat16, halves.Slice(2, 4).Type);
            Assert.Equal(ElementType.Float32, words.Type);
            Assert.Throws<ArgumentException>(() => host.Convert(words, 64, words));
        }
        finally { host.Pool.Return(words); }
    }

    /// <summary>The nearest bfloat16 by arithmetic in double: 8 significant bits, ties to even, subnormals on the fixed grid 2^-133.</summary>
    private static double Nearest(float x)
    {
        if (x == 0) { return x; }
        int exponent = Math.Max(-126, (int)Math.Floor(Math.Log2(Math.Abs((double)x))));
        double unit = Math.Pow(2, exponent - 7);
        return Math.Round(x / unit, MidpointRounding.ToEven) * unit;
    }
}
