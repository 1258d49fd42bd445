using System.Runtime.InteropServices;

namespace I2M.Kernels.Host;

/// <summary>Native memory aligned to a cache line, so that vector loads never split one and the garbage collector never moves it.</summary>
internal sealed unsafe class HostBuffer : DeviceBuffer
{
    private const int Alignment = 64;
    private readonly bool _lent;
    private float* _pointer;

    public HostBuffer(long length) : base(length) => _pointer = (float*)NativeMemory.AlignedAlloc((nuint)(length * sizeof(float)), Alignment);

    /// <summary>A buffer in somebody else's memory.</summary>
    public HostBuffer(long length, float* lent) : base(length)
    {
        _pointer = lent;
        _lent = true;
    }

    public float* Pointer => _pointer is not null ? _pointer : throw new ObjectDisposedException(nameof(HostBuffer));

    protected internal override void Free()
    {
        if (!_lent) { NativeMemory.AlignedFree(_pointer); }
        _pointer = null;
    }
}
