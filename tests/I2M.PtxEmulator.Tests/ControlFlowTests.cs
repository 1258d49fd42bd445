using System.Reflection;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;
using Xunit;

namespace I2M.PtxEmulator.Tests;

/// <summary>Kernels that ILGPU compiles here, for what the library's kernels do not use: calls, switches, local arrays, dynamic shared memory.</summary>
internal static class SampleKernels
{
    public struct Triple
    {
        public float X, Y;
        public long Z;
    }

    public struct Four
    {
        public float X, Y, Z, W;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Power(Triple t, ArrayView<float> unused)
    {
        if (t.Z > 5) { return -1f; }
        float product = t.Y;
        for (int i = 0; i < t.Z; i++) { product *= t.X; }
        return product;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Triple Make(float x, int n) => new() { X = x, Y = x * 2f, Z = n };

    public static void Calls(ArrayView<float> d, float x) => d[Group.IdxX] = Power(Make(x, Group.IdxX % 8), d);

    public static void Choices(ArrayView<int> d)
    {
        int i = Group.IdxX;
        int result;
        switch (i % 7)
        {
            case 0: result = 10; break;
            case 1: result = i; break;
            case 2: result = i * 3; break;
            case 3: result = -1; break;
            case 4: result = 77; break;
            default: result = 5; break;
        }
        int steps = 0;
        for (int n = i + 1; n != 1 && steps < 1000; steps++) { n = (n & 1) == 0 ? n >> 1 : 3 * n + 1; }
        d[i] = result * 1000 + steps;
    }

    public static void LocalArray(ArrayView<float> d, int n)
    {
        float[] values = new float[8];
        for (int i = 0; i < 8; i++) { values[i] = i * d[Group.IdxX]; }
        d[Group.IdxX] = values[(n + Group.IdxX) & 7];
    }

    public static void Dynamic(ArrayView<float> d)
    {
        ArrayView<Four> shared = SharedMemory.GetDynamic<Four>();
        shared[Group.IdxX] = new Four { X = d[Group.IdxX], Y = 0f, Z = 0f, W = Group.IdxX };
        Group.Barrier();
        Four other = shared[Group.DimX - 1 - Group.IdxX];
        d[Group.IdxX] = other.X + other.W;
    }

    public static void Agree(ArrayView<int> d)
    {
        bool any = Group.BarrierOr(Group.IdxX == 70), all = Group.BarrierAnd(Group.IdxX < 70);
        int count = Group.BarrierPopCount(Group.IdxX % 3 == 0);
        d[Group.IdxX] = count * 4 + (any ? 2 : 0) + (all ? 1 : 0) + Warp.ShuffleXor(Group.IdxX, 1) * 1000;
    }
}

public sealed class ControlFlowTests
{
    private const int Threads = 96;

    private static T[] Run<T, TArgument>(string kernel, T[] data, TArgument argument, int dynamicBytes = 0) where T : unmanaged where TArgument : unmanaged
    {
        MethodInfo method = typeof(SampleKernels).GetMethod(kernel)!;
        using var bench = new Workbench();
        ulong address = bench.Buffer<T>(data);
        bench.View(address, data.Length);
        if (method.GetParameters().Length > 1) { bench.With(argument); }
        bench.RunClean(IlgpuPtx.Compile(method), Workbench.Line(1, Threads, dynamicBytes));
        return bench.Memory.Read<T>(address, data.Length);
    }

    [Fact]
    public void Calls_of_device_functions_with_structures_return_their_values()
    {
        float[] result = Run("Calls", new float[Threads], 3f);
        for (int i = 0; i < Threads; i++) { Assert.Equal(i % 8 > 5 ? -1f : 6f * MathF.Pow(3f, i % 8), result[i]); }
    }

    [Fact]
    public void Switches_and_loops_of_different_length_meet_again()
    {
        int[] result = Run("Choices", new int[Threads], 0);
        for (int i = 0; i < Threads; i++)
        {
            int steps = 0;
            for (int n = i + 1; n != 1; steps++) { n = n % 2 == 0 ? n / 2 : 3 * n + 1; }
            Assert.Equal((i % 7) switch { 0 => 10, 1 => i, 2 => i * 3, 3 => -1, 4 => 77, _ => 5 } * 1000 + steps, result[i]);
        }
    }

    [Fact]
    public void Local_arrays_belong_to_their_thread()
    {
        float[] data = [.. Enumerable.Range(0, Threads).Select(i => i + 0.5f)];
        float[] result = Run("LocalArray", data, 3);
        for (int i = 0; i < Threads; i++) { Assert.Equal(((3 + i) & 7) * (i + 0.5f), result[i]); }
    }

    [Fact]
    public void Dynamic_shared_memory_is_exchanged_over_a_barrier()
    {
        float[] data = [.. Enumerable.Range(0, Threads).Select(i => i * 10f)];
        float[] result = Run("Dynamic", data, 0, Threads * 16);
        for (int i = 0; i < Threads; i++) { Assert.Equal((Threads - 1 - i) * 11f, result[i]); }
    }

    [Fact]
    public void Barriers_with_reductions_count_the_whole_block()
    {
        int[] result = Run("Agree", new int[Threads], 0);
        for (int i = 0; i < Threads; i++) { Assert.Equal(32 * 4 + 2 + (i ^ 1) * 1000, result[i]); }
    }

    [Fact]
    public void Results_and_counts_do_not_depend_on_the_number_of_host_threads()
    {
        string ptx = IlgpuPtx.Compile(typeof(SampleKernels).GetMethod("Choices")!);
        long[] totals = [.. new[] { 1, 4 }.Select(threads =>
        {
            using var bench = new Workbench { Options = new EmulatorOptions { Threads = threads } };
            ulong address = bench.Memory.Allocate(Threads * 4);
            return bench.View(address, Threads).Run(ptx, Workbench.Line(8, Threads)).TotalInstructions;
        })];
        Assert.Equal(totals[0], totals[1]);
    }
}
