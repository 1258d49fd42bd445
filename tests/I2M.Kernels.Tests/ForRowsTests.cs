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

    /// <summary>More threads than processors, so that workers come late or lose their processor in the middle: every chunk still runs once, inside its own loop.</summary>
    [Theory, MemberData(nameof(Threads))]
    public void Loops_of_all_sizes_one_after_another_neither_lose_nor_mix_up_chunks(int threads)
    {
        using var loop = new ForRows(threads);
        var random = new Random(threads);
        var visits = new int[300];
        int current = 0, strangers = 0;
        for (int i = 0; i < 20_000; i++)
        {
            int rows = random.Next(1, visits.Length), grain = random.Next(1, 40), mine = i, work = random.Next(60);
            Volatile.Write(ref current, i);
            loop.Run(rows, grain, (start, end) =>
            {
                if (Volatile.Read(ref current) != mine) { Interlocked.Increment(ref strangers); }
                Thread.SpinWait(work);
                for (long r = start; r < end; r++) { visits[r]++; }
            });
            for (int r = 0; r < visits.Length; r++)
            {
                Assert.True(visits[r] == (r < rows ? 1 : 0), $"loop {i} of {rows} rows in chunks of {grain}: row {r} ran {visits[r]} times");
                visits[r] = 0;
            }
            if (i % 4000 == 0) { Thread.Sleep(3); }
        }
        Assert.Equal(0, strangers);
    }

    [Theory, MemberData(nameof(Threads))]
    public void Failures_among_thousands_of_loops_each_reach_their_own_caller(int threads)
    {
        using var loop = new ForRows(threads);
        for (int i = 0; i < 3000; i++)
        {
            int failing = i % 50, mine = i;
            void Body(long start, long _)
            {
                if (start == failing) { throw new InvalidOperationException($"loop {mine}"); }
            }
            if (i % 3 == 0) { Assert.Equal($"loop {i}", Assert.Throws<InvalidOperationException>(() => loop.Run(50, 1, Body)).Message); }
            else { loop.Run(failing, 1, Body); }
        }
    }

    /// <summary>The caller does all the work of a loop that is over before a sleeping worker has woken; it must not wait for the worker then.</summary>
    [Fact]
    public void Workers_that_never_took_a_chunk_do_not_hold_the_caller_up()
    {
        const int threads = 300, loops = 20;
        using var loop = new ForRows(threads);
        var waits = new List<double>();
        for (int i = 0; i < loops; i++)
        {
            Thread.Sleep(10);
            int chunks = 0;
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            loop.Run(2, 1, (_, _) => Interlocked.Increment(ref chunks));
            waits.Add(System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            Assert.Equal(2, chunks);
        }
        waits.Sort();
        Assert.True(waits[loops / 2] < 5, $"two empty chunks on {threads} sleeping threads took {waits[loops / 2]:F3} ms");
    }

    [Fact]
    public void Dispose_ends_sleeping_and_waking_workers()
    {
        for (int i = 0; i < 200; i++)
        {
            var loop = new ForRows(4);
            if (i % 2 == 0) { loop.Run(8, 1, static (_, _) => { }); }
            if (i % 50 == 0) { Thread.Sleep(2); }
            loop.Dispose();
        }
    }
}
