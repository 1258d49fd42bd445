using I2M.Kernels.Ilgpu;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace I2M.Kernels.Tests;

/// <summary>Kernels that try the launcher's features, and kernels with one fault each, which the emulator or the static check must find.</summary>
internal static class PlantedKernels
{
    /// <summary>Items of a group.</summary>
    public const int Items = 128;

    /// <summary>More shared memory than CUDA grants without being asked.</summary>
    public const int LargeSharedBytes = 96 * 1024;

    /// <summary>Four words, which travel as one 16-byte access.</summary>
#pragma warning disable CS0649 // Kernels assign the fields, by copies of the whole.
    public struct Chunk
    {
        public float X, Y, Z, W;
    }
#pragma warning restore CS0649

    /// <summary>
    /// d = the 128 chunks at the device address source in reverse order, through the last 2 KB of dynamic shared memory: by asynchronous copies in
    /// inline PTX on the way in, by a 16-byte view on the way out.
    /// </summary>
    [KernelBounds(Items, MinGroups = 1, SharedBytes = LargeSharedBytes)]
    public static void ReverseThroughShared(long source, ArrayView<float> d)
    {
        var shared = SharedMemory.GetDynamic<Chunk>();
        int first = shared.IntLength - Items;
        int offset = (first + Group.IdxX) * 16;
        long address = source + Group.IdxX * 16L;
        CudaAsm.Emit(".reg .b32 base; mov.u32 base, __dyn_shared_alloca;");
        CudaAsm.Emit("{ .reg .b32 place; add.u32 place, base, %0; cp.async.cg.shared.global [place], [%1], 16; }", offset, address);
        CudaAsm.Emit("cp.async.commit_group;");
        CudaAsm.Emit("cp.async.wait_group 0;");
        Group.Barrier();
        Chunk chunk = shared[first + Items - 1 - Group.IdxX];
        d[4 * Group.IdxX] = chunk.X;
        d[4 * Group.IdxX + 1] = chunk.Y;
        d[4 * Group.IdxX + 2] = chunk.Z;
        d[4 * Group.IdxX + 3] = chunk.W;
    }

    /// <summary>d[i + skip] = x[i] without a guard.</summary>
    public static void CopyUnguarded(ArrayView<float> x, int skip, ArrayView<float> d) => d[Group.IdxX + skip] = x[Group.IdxX];

    /// <summary>Each item reads what another wrote to shared memory, without a barrier between.</summary>
    public static void ForgetsBarrier(ArrayView<float> x, ArrayView<float> d)
    {
        var shared = SharedMemory.Allocate<float>(Items);
        shared[Group.IdxX] = x[Group.IdxX];
        d[Group.IdxX] = shared[Items - 1 - Group.IdxX];
    }

    /// <summary>Indexes an array of its own with what it reads: local memory.</summary>
    public static void UsesStack(ArrayView<float> x, ArrayView<float> d)
    {
        var table = LocalMemory.Allocate<float>(32);
        for (int i = 0; i < 32; i++) { table[i] = x[i] + i; }
        d[Group.IdxX] = table[(int)x[Group.IdxX] & 31];
    }
}
