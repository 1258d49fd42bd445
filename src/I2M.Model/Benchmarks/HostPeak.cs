using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace I2M.Model.Benchmarks;

/// <summary>
/// What the processor can do at best, measured: multiply-adds in registers and copies of memory, on a number of threads at once. Each figure is the
/// best of some short windows, as everything that disturbs makes it smaller.
/// </summary>
/// <param name="threads">Threads that work at once.</param>
public sealed class HostPeak(int threads)
{
    private const int Windows = 4;
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(20);
    private readonly Dictionary<long, double> _copies = [];
    private float _sink;

    /// <summary>float32 operations a second of independent multiply-adds, with the widest vectors that are quickest here.</summary>
    /// <param name="windows">Tries, 20 ms each for every width.</param>
    public double FlopsPerSecond(int windows = Windows)
    {
        double best = Measure<float, Scalar>(windows);
        if (Vector128.IsHardwareAccelerated) { best = Math.Max(best, Measure<Vector128<float>, Wide128>(windows)); }
        if (Vector256.IsHardwareAccelerated) { best = Math.Max(best, Measure<Vector256<float>, Wide256>(windows)); }
        if (Vector512.IsHardwareAccelerated || Avx512F.IsSupported) { best = Math.Max(best, Measure<Vector512<float>, Wide512>(windows)); }
        return best;
    }

    /// <summary>
    /// Bytes a second, read and written, of copying a block when <paramref name="bytes"/> are moved in all; small blocks stay in caches, as a case's
    /// operands of that size do.
    /// </summary>
    public double CopyBytesPerSecond(double bytes)
    {
        long block = Math.Clamp((long)bytes / 2 / threads / 64 * 64, 4096, 1 << 28);
        ref double best = ref CollectionsMarshal.GetValueRefOrAddDefault(_copies, block, out _);
        for (int i = 0; i < Windows; i++) { best = Math.Max(best, Together(() => CopyRate(block))); }
        return best;
    }

    private double Measure<TVector, TOps>(int windows) where TOps : struct, IFma<TVector>
    {
        double best = 0;
        for (int i = 0; i < windows; i++) { best = Math.Max(best, Together(FmaRate<TVector, TOps>)); }
        return best;
    }

    /// <summary>The sum of the rates of all threads, which begin together.</summary>
    private double Together(Func<double> rate)
    {
        using var start = new Barrier(threads);
        var rates = new double[threads];
        Thread[] others = [.. Enumerable.Range(1, threads - 1).Select(i => new Thread(() => Work(i)) { IsBackground = true })];
        foreach (Thread thread in others) { thread.Start(); }
        Work(0);
        foreach (Thread thread in others) { thread.Join(); }
        return rates.Sum();

        void Work(int i)
        {
            start.SignalAndWait();
            rates[i] = rate();
        }
    }

    private double FmaRate<TVector, TOps>() where TOps : struct, IFma<TVector>
    {
        const int steps = 4096, chains = 12;
        long rounds = 0;
        float sink = 0;
        var watch = Stopwatch.StartNew();
        for (; watch.Elapsed < Window; rounds++) { sink += Chains<TVector, TOps>(steps); }
        double seconds = watch.Elapsed.TotalSeconds;
        Volatile.Write(ref _sink, sink);
        return 2.0 * rounds * steps * chains * TOps.Lanes / seconds;
    }

    /// <summary>Twelve independent chains: two units of a latency of four to five cycles are busy.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Chains<TVector, TOps>(int steps) where TOps : struct, IFma<TVector>
    {
        TVector m = TOps.Set(0.999f), a = TOps.Set(0.001f);
        TVector c0 = a, c1 = a, c2 = a, c3 = a, c4 = a, c5 = a, c6 = a, c7 = a, c8 = a, c9 = a, c10 = a, c11 = a;
        for (int i = 0; i < steps; i++)
        {
            c0 = TOps.MultiplyAdd(c0, m, a); c1 = TOps.MultiplyAdd(c1, m, a); c2 = TOps.MultiplyAdd(c2, m, a);
            c3 = TOps.MultiplyAdd(c3, m, a); c4 = TOps.MultiplyAdd(c4, m, a); c5 = TOps.MultiplyAdd(c5, m, a);
            c6 = TOps.MultiplyAdd(c6, m, a); c7 = TOps.MultiplyAdd(c7, m, a); c8 = TOps.MultiplyAdd(c8, m, a);
            c9 = TOps.MultiplyAdd(c9, m, a); c10 = TOps.MultiplyAdd(c10, m, a); c11 = TOps.MultiplyAdd(c11, m, a);
        }
        return TOps.First(c0) + TOps.First(c1) + TOps.First(c2) + TOps.First(c3) + TOps.First(c4) + TOps.First(c5)
            + TOps.First(c6) + TOps.First(c7) + TOps.First(c8) + TOps.First(c9) + TOps.First(c10) + TOps.First(c11);
    }

    private static unsafe double CopyRate(long block)
    {
        void* source = NativeMemory.AlignedAlloc((nuint)block, 64), destination = NativeMemory.AlignedAlloc((nuint)block, 64);
        try
        {
            NativeMemory.Fill(source, (nuint)block, 1);
            Buffer.MemoryCopy(source, destination, block, block);
            long copies = 0;
            var watch = Stopwatch.StartNew();
            for (; watch.Elapsed < Window; copies++) { Buffer.MemoryCopy(source, destination, block, block); }
            return 2.0 * copies * block / watch.Elapsed.TotalSeconds;
        }
        finally
        {
            NativeMemory.AlignedFree(source);
            NativeMemory.AlignedFree(destination);
        }
    }

    private interface IFma<TVector>
    {
        static abstract int Lanes { get; }
        static abstract TVector Set(float value);
        static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);
        static abstract float First(TVector vector);
    }

    private readonly struct Scalar : IFma<float>
    {
        public static int Lanes => 1;
        public static float Set(float value) => value;
        public static float MultiplyAdd(float a, float b, float c) => float.MultiplyAddEstimate(a, b, c);
        public static float First(float vector) => vector;
    }

    private readonly struct Wide128 : IFma<Vector128<float>>
    {
        public static int Lanes => 4;
        public static Vector128<float> Set(float value) => Vector128.Create(value);
        public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) => Vector128.MultiplyAddEstimate(a, b, c);
        public static float First(Vector128<float> vector) => vector.ToScalar();
    }

    private readonly struct Wide256 : IFma<Vector256<float>>
    {
        public static int Lanes => 8;
        public static Vector256<float> Set(float value) => Vector256.Create(value);
        public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Vector256.MultiplyAddEstimate(a, b, c);
        public static float First(Vector256<float> vector) => vector.ToScalar();
    }

    private readonly struct Wide512 : IFma<Vector512<float>>
    {
        public static int Lanes => 16;
        public static Vector512<float> Set(float value) => Vector512.Create(value);
        public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Vector512.MultiplyAddEstimate(a, b, c);
        public static float First(Vector512<float> vector) => vector.ToScalar();
    }
}
