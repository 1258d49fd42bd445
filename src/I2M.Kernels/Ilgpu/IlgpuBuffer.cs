using ILGPU;

namespace I2M.Kernels.Ilgpu;

/// <summary>Memory of an OpenCL or CUDA device.</summary>
/// <param name="view">All of it.</param>
/// <param name="owner">What gives it back to the device when disposed of.</param>
internal class IlgpuBuffer(ArrayView<float> view, IDisposable owner) : DeviceBuffer(view.Length)
{
    /// <summary>The memory as kernels take it.</summary>
    public ArrayView<float> View { get; } = view;

    /// <inheritdoc/>
    protected internal override void Free() => owner.Dispose();
}
