namespace I2M.Kernels.Ilgpu;

/// <summary>
/// The launch bounds of a kernel. On CUDA they become .maxntid and .minnctapersm, which give the register budget to the assembler:
/// 65,536 / (threads · groups) a thread. A kernel without them is launched with at most <see cref="IlgpuBackend.GroupSize"/> work items a group.
/// </summary>
/// <param name="maxThreads">The most work items a group.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class KernelBoundsAttribute(int maxThreads) : Attribute
{
    /// <summary>The most work items a group.</summary>
    public int MaxThreads { get; } = maxThreads;

    /// <summary>Groups that must fit on a multiprocessor at a time; 0 leaves it to the assembler.</summary>
    public int MinGroups { get; init; }

    /// <summary>
    /// Bytes of dynamic shared memory, which every launch gets. CUDA only, where it may exceed the 48 KB of static shared memory; the kernel
    /// takes it with SharedMemory.GetDynamic of a 16-byte structure, whose size is the alignment.
    /// </summary>
    public int SharedBytes { get; init; }
}
