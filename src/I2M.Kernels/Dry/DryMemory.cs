using System.Runtime.InteropServices;

namespace I2M.Kernels.Dry;

/// <summary>
/// One piece of memory that stands for every buffer, as long as the longest. It is asked of the system and hardly ever touched, so it takes address
/// space, not memory. When a longer buffer is wanted a new piece is taken; those before stay, as buffers lie in them.
/// </summary>
internal sealed unsafe class DryMemory : IDisposable
{
    private const int Alignment = 256;
    private readonly Stack<nint> _pieces = new();
    private long _words;

    /// <summary>A place for so many words.</summary>
    /// <exception cref="OutOfMemoryException">The system has not so much address space to give.</exception>
    public float* At(long words)
    {
        if (words > _words || _pieces.Count == 0)
        {
            _pieces.Push((nint)NativeMemory.AlignedAlloc((nuint)(words * sizeof(float)), Alignment));
            _words = words;
        }
        return (float*)_pieces.Peek();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_pieces.TryPop(out nint piece)) { NativeMemory.AlignedFree((void*)piece); }
    }
}
