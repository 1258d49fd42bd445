using I2M.Kernels.Ilgpu;

namespace I2M.PtxReport;

/// <summary>A kernel on a target, assembled.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Target">"sm_80" or "sm_90".</param>
/// <param name="Usage">What it uses.</param>
internal sealed record Measurement(KernelEntry Kernel, string Target, Usage Usage)
{
    /// <summary>Static and dynamic shared memory a group in bytes.</summary>
    public int SharedBytes => Usage.Shared + Kernel.SharedBytes;

    /// <summary>Groups that a multiprocessor holds at a time.</summary>
    public int Groups => Occupancy.Groups(Target, Kernel.MaxThreads, Usage.Registers, SharedBytes);
}
