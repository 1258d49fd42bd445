namespace I2M.Kernels.Host;

/// <summary>Scratch memory of the matrix kernels. What is rented is aligned already: a rented view starts at its buffer's first word.</summary>
internal static unsafe class HostScratch
{
    /// <summary>The first cache line boundary at or after <paramref name="memory"/>, for scratch on the stack.</summary>
    public static float* Align(float* memory) => (float*)(((nint)memory + 63) & ~63);
}
