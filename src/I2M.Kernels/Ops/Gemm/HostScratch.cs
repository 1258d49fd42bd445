using System.Runtime.CompilerServices;

namespace I2M.Kernels.Host;

/// <summary>Scratch memory of the matrix kernels as pointers.</summary>
internal static unsafe class HostScratch
{
    /// <summary>First word of rented memory: aligned to a cache line, because a rented view starts at its buffer's first word.</summary>
    public static float* Pointer(BufferView rented) => Unsafe.As<HostBuffer>(rented.Buffer).Pointer + rented.Offset;

    /// <summary>The first cache line boundary at or after <paramref name="memory"/>, for scratch on the stack.</summary>
    public static float* Align(float* memory) => (float*)(((nint)memory + 63) & ~63);
}
