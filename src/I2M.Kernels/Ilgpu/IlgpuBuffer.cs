using ILGPU;
using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

/// <summary>Memory of an OpenCL or CUDA device.</summary>
internal sealed class IlgpuBuffer : DeviceBuffer
{
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _memory;

    public IlgpuBuffer(Accelerator accelerator, long length) : base(length) => _memory = accelerator.Allocate1D<float>(length);

    public ArrayView<float> View => _memory.View.AsContiguous();

    protected internal override void Free() => _memory.Dispose();
}
