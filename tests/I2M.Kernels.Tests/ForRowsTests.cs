using I2M.Kernels.Host;
using Xunit;

namespace I2M.Kernels.Tests;

public sealed class ForRowsTests
{
    public static TheoryData<int> Threads => [1, 2, 3, 5];

    [Theory, MemberData(nameof(Threads))]
    public void Run_visits_every_row_once_in_chunks_that_do_not_depend_on_threads(int threads)
    {
        using var loop = new ForRows(threads);
        foreach (var (rows, grain) in new[] { (0, 4), (1, 4), (4, 4), (5, 4), (1000, 7), (64, 0), (3, 1000) })
        {
            var visits = new int[rows];
            loop.Run(rows, grain, (start, end) =>
            {
                Assert.Equal(0, start % Math.Max(1, grain));
                Assert.InRange(end - start, 1, Math.Max(1, grain));
                for (long r = start; r < end; r++) { Interlocked.Increment(ref visits[r]); }
            });
            Assert.All(visits, count => Assert.Equal(1, count));
        }
    }

    [Theory, MemberData(nameof(Threads))]
    public void Run_survives_thousands_of_small_loops_and_pauses(int threads)
    {
        using var loop = new ForRows(threads);
        long sum = 0;
        for (int i = 0; i < 5000; i++)
        {
            loop.Run(8, 1, (start, _) => Interlocked.Add(ref sum, start));
            if (i % 1000 == 0) { Thread.Sleep(5); }
        }
        Assert.Equal(5000 * 28, sum);
    }

    [Theory, MemberData(nameof(Threads))]
    public void Run_works_from_inside_a_body_and_from_two_threads_at_once(int threads)
    {
        using var loop = new ForRows(threads);
        int visits = 0;
        void Nested() => loop.Run(6, 1, (_, _) => loop.Run(10, 3, (start, end) => Interlocked.Add(ref visits, (int)(end - start))));
        var other = new Thread(Nested);
        other.Start();
        Nested();
        other.Join();
        Assert.Equal(120, visits);
    }

    [Theory, MemberData(nameof(Threads))]
    public void A_failure_in_a_body_reaches_the_caller_and_the_loop_lives_on(int threads)
    {
        using var loop = new ForRows(threads);
        Assert.Throws<InvalidOperationException>(() => loop.Run(100, 1, (start, _) =>
        {
            if (start == 57) { throw new InvalidOperationException("row 57"); }
        }));
        int visits = 0;
        loop.Run(100, 1, (_, _) => Interlocked.Increment(ref visits));
        Assert.Equal(100, visits);
    }
}
