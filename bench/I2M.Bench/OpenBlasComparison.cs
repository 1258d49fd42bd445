using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using I2M.Kernels;
using I2M.Model.Benchmarks;
using I2M.Model.Benchmarks.Cases;
using I2M.Model.Io;

namespace I2M.Bench;

/// <summary>One shape on a number of threads: medians of both, in one process.</summary>
internal sealed record GemmComparison(string Case, int Threads, double Ms, double Gflops, double OpenblasMs, double OpenblasGflops, double Ratio, double RatioLow, double RatioHigh,
    int Rounds, string Openblas, string Cpu, int Cores, string? Commit, DateTimeOffset Date);

/// <summary>
/// Our GEMM beside OpenBLAS's: rounds of A, B, A, B … so that both see the same machine, with a pause after each, as OpenBLAS's workers spin for some
/// time after a product and would take a processor from whoever comes next. Both results are verified first.
/// </summary>
internal static unsafe class OpenBlasComparison
{
    private const int DefaultRounds = 7;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(120), Slice = TimeSpan.FromMilliseconds(60);

    /// <summary>openblas [--json FILE or folder] [--threads 1,2] [--rounds N] [--shapes a,b]; a folder takes a file named after processor, threads and day.</summary>
    public static int Run(string[] args)
    {
        Dictionary<string, string> options = Parse(args);
        int[] threads = [.. Numbers(options.GetValueOrDefault("--threads") ?? (Environment.ProcessorCount > 1 ? "1,2" : "1"))];
        string? json = options.GetValueOrDefault("--json");
        if (Directory.Exists(json)) { json = Path.Combine(json, $"openblas-{MachineFacts.FileName(threads.Max(), DateTimeOffset.UtcNow)}"); }
        if (json is not null) { AtomicFile.RequireWritable(json); }
        int rounds = Numbers(options.GetValueOrDefault("--rounds") ?? $"{DefaultRounds}").Max();
        (string Name, GemmShape Shape)[] shapes = Choose(options.GetValueOrDefault("--shapes"));
        OpenBlas.Load();
        Console.WriteLine($"OpenBLAS: {OpenBlas.Description}");
        Console.WriteLine($"{MachineFacts.Processor}, {Environment.ProcessorCount} processors; {rounds} rounds in turns, {Pause.TotalMilliseconds} ms of rest after each");
        Console.WriteLine($"{"case",-18} {"threads",7} {"ms",9} {"GFLOP/s",8} {"OpenBLAS",9} {"GFLOP/s",8} {"ratio",6}  range");
        List<GemmComparison> results = [];
        foreach (int count in threads)
        {
            foreach (var (name, shape) in shapes)
            {
                GemmComparison r = Compare(name, shape, count, rounds);
                results.Add(r);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{r.Case,-18} {r.Threads,7} {r.Ms,9:F3} {r.Gflops,8:F1} {r.OpenblasMs,9:F3} {r.OpenblasGflops,8:F1} {r.Ratio,6:F3}  {r.RatioLow:F2} to {r.RatioHigh:F2}"));
            }
            double mean = Math.Exp(results.Where(r => r.Threads == count).Average(r => Math.Log(r.Ratio)));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"geometric mean",-18} {count,7} {"",9} {"",8} {"",9} {"",8} {mean,6:F3}"));
        }
        if (json is not null)
        {
            BenchmarkResult.Write(json, results);
            Console.WriteLine(json);
        }
        return 0;
    }

    private static GemmComparison Compare(string name, GemmShape shape, int threads, int rounds)
    {
        using IBackend backend = BackendSelector.Open("host", threads, out _);
        using var work = new GemmCase(backend, shape);
        using var blas = new Product(backend, work);
        OpenBlas.SetThreads(threads);
        work.Verify(CancellationToken.None);
        blas.Run();
        blas.Verify(name);
        var (ours, theirs, ratios) = (new double[rounds], new double[rounds], new double[rounds]);
        for (int round = -1; round < rounds; round++)
        {
            double a = Time(work.Run), b = Time(blas.Run);
            // The first round warms up.
            if (round >= 0) { (ours[round], theirs[round], ratios[round]) = (a, b, b / a); }
        }
        double mine = Median(ours), other = Median(theirs);
        return new GemmComparison(name, threads, mine * 1e3, shape.Flops / mine / 1e9, other * 1e3, shape.Flops / other / 1e9, Median(ratios), ratios.Min(), ratios.Max(),
            rounds, OpenBlas.Description, MachineFacts.Processor, Environment.ProcessorCount, MachineFacts.Commit, DateTimeOffset.UtcNow);
    }

    /// <summary>Median seconds of a run within a slice of time, at least three, then the pause.</summary>
    private static double Time(Action run)
    {
        List<double> times = [];
        run();
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < Slice || times.Count < 3;)
        {
            long start = Stopwatch.GetTimestamp();
            run();
            times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        Thread.Sleep(Pause);
        return Median([.. times]);
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Squares as stored; the others are a linear layer's: x [rows, in] times weight [out, in] transposed, named rows×out×in.</summary>
    private static (string Name, GemmShape Shape)[] Choose(string? names)
    {
        int[] squares = [256, 768, 1536];
        (int M, int N, int K)[] linears = [(875, 768, 768), (875, 2304, 768), (875, 3072, 768), (875, 768, 3072), (1024, 1536, 768), (282, 1536, 512), (282, 512, 1536)];
        (string Name, GemmShape Shape)[] all =
        [
            .. squares.Select(n => ($"gemm_{n}", new GemmShape(GemmLayout.NN, n, n, n))),
            .. linears.Select(s => ($"{s.M}x{s.N}x{s.K}", new GemmShape(GemmLayout.NT, s.M, s.N, s.K))),
        ];
        if (names is null) { return all; }
        string[] chosen = names.Split(',');
        if (chosen.FirstOrDefault(c => all.All(a => a.Name != c)) is { } unknown) { throw new I2MException($"--shapes {unknown}: expected some of {string.Join(",", all.Select(a => a.Name))}"); }
        return [.. all.Where(a => chosen.Contains(a.Name))];
    }

    private static Dictionary<string, string> Parse(string[] args)
    {
        string[] known = ["--json", "--threads", "--rounds", "--shapes"];
        if (args.Length % 2 != 0 || args.Where((_, i) => i % 2 == 0).Any(a => !known.Contains(a))) { throw new I2MException("openblas: expected [--json FILE] [--threads 1,2] [--rounds N] [--shapes a,b]"); }
        return args.Chunk(2).ToDictionary(p => p[0], p => p[1]);
    }

    private static IEnumerable<int> Numbers(string list) => list.Split(',').Select(word =>
        int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n is > 0 and <= 4096 ? n : throw new I2MException($"openblas: {word}: expected a whole number from 1 to 4096"));

    /// <summary>OpenBLAS's product of the same factors, in memory aligned as ours is.</summary>
    private sealed class Product : IDisposable
    {
        private const nuint Alignment = 64;
        private readonly IBackend _backend;
        private readonly GemmCase _work;
        private readonly float* _a, _b, _c;

        public Product(IBackend backend, GemmCase work)
        {
            (_backend, _work) = (backend, work);
            _a = Copy(work.A);
            _b = Copy(work.B);
            _c = Copy(work.C);
        }

        public void Run() => OpenBlas.Multiply(_work.Shape, _a, _b, _c);

        /// <summary>Both products agree.</summary>
        public void Verify(string name)
        {
            var ours = new float[_work.C.Length];
            _backend.CopyToHost(_work.C, ours);
            Verification.Check($"{name}: difference to OpenBLAS, c", ours, Array.ConvertAll(new Span<float>(_c, ours.Length).ToArray(), x => (double)x), 2e-5);
        }

        public void Dispose()
        {
            foreach (nint pointer in new[] { (nint)_a, (nint)_b, (nint)_c }) { NativeMemory.AlignedFree((void*)pointer); }
        }

        private float* Copy(BufferView view)
        {
            var memory = (float*)NativeMemory.AlignedAlloc((nuint)view.Length * sizeof(float), Alignment);
            _backend.CopyToHost(view, new Span<float>(memory, (int)view.Length));
            return memory;
        }
    }
}
