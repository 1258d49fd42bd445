using System.Runtime.InteropServices;

namespace I2M.Kernels.Host;

/// <summary>Native memory aligned to a cache line, so that vector loads never split one and the garbage collector never moves it.</summary>
internal sealed unsafe class HostBuffer : DeviceBuffer
{
    private const int Alignment = 64;
    private float* _pointer;

    public HostBuffer(long length) : base(length) => _pointer = (float*)NativeMemory.AlignedAlloc((nuint)(length * sizeof(float)), Alignment);

    public float* Pointer => _pointer is not null ? _pointer : throw new ObjectDisposedException(nameof(HostBuffer));

    protected internal override void Free()
    {
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
    }
}
