using ILGPU;

namespace I2M.Kernels.Ilgpu;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Silu(BufferView x, BufferView destination) => Map(ActivationsKernels.Silu, CudaActivationsKernels.Silu, x, destination);

    /// <inheritdoc/>
    public void SiluBackward(BufferView x, BufferView dy, BufferView dx) => MapBackward(ActivationsKernels.SiluBackward, CudaActivationsKernels.SiluBackward, x, dy, dx);

    /// <inheritdoc/>
    public void GeluErf(BufferView x, BufferView destination) => Map(ActivationsKernels.GeluErf, CudaActivationsKernels.GeluErf, x, destination);

    /// <inheritdoc/>
    public void GeluErfBackward(BufferView x, BufferView dy, BufferView dx) => MapBackward(ActivationsKernels.GeluErfBackward, CudaActivationsKernels.GeluErfBackward, x, dy, dx);

    /// <inheritdoc/>
    public void GeluTanh(BufferView x, BufferView destination) => Map(ActivationsKernels.GeluTanh, CudaActivationsKernels.GeluTanh, x, destination);

    /// <inheritdoc/>
    public void GeluTanhBackward(BufferView x, BufferView dy, BufferView dx) => MapBackward(ActivationsKernels.GeluTanhBackward, CudaActivationsKernels.GeluTanhBackward, x, dy, dx);

    /// <inheritdoc/>
    public void LogClamp(BufferView x, float floor, BufferView destination) => Map(ActivationsKernels.LogClamp, x, floor, destination);

    /// <inheritdoc/>
    public void LogClampBackward(BufferView x, float floor, BufferView dy, BufferView dx) => MapBackward(ActivationsKernels.LogClampBackward, x, floor, dy, dx);

    /// <inheritdoc/>
    public void SqrtClamp(BufferView x, float floor, BufferView destination) => Map(ActivationsKernels.SqrtClamp, x, floor, destination);

    /// <inheritdoc/>
    public void SqrtClampBackward(BufferView x, float floor, BufferView dy, BufferView dx) => MapBackward(ActivationsKernels.SqrtClampBackward, x, floor, dy, dx);

    /// <inheritdoc/>
    public void LeakyRelu(BufferView x, float slope, BufferView destination) => Map(ActivationsKernels.LeakyRelu, x, slope, destination);

    /// <inheritdoc/>
    public void LeakyReluBackward(BufferView x, float slope, BufferView dy, BufferView dx) => MapBackward(ActivationsKernels.LeakyReluBackward, x, slope, dy, dx);

    private void Map(Action<ArrayView<float>, float, ArrayView<float>> kernel, BufferView x, float constant, BufferView destination)
    {
        RequireLength(x, destination.Length);
        if (x.Length > 0) { Launch(kernel, Grid(x.Length), View(x), constant, View(destination)); }
    }

    private void MapBackward(Action<ArrayView<float>, float, ArrayView<float>, ArrayView<float>> kernel, BufferView x, float constant, BufferView dy, BufferView dx)
    {
        RequireLength(dy, x.Length);
        RequireLength(dx, x.Length);
        if (x.Length > 0) { Launch(kernel, Grid(x.Length), View(x), constant, View(dy), View(dx)); }
    }

    private void Map(Action<ArrayView<float>, ArrayView<float>> kernel, Action<ArrayView<float>, ArrayView<float>, int> cuda, BufferView x, BufferView destination)
    {
        RequireLength(x, destination.Length);
        if (x.Length == 0) { return; }
        if (IsCuda) { Launch(cuda, VectorGrid(x.Length), View(x), View(destination), AreVectors(x, destination) ? 1 : 0); }
        else { Launch(kernel, Grid(x.Length), View(x), View(destination)); }
    }

    private void MapBackward(Action<ArrayView<float>, ArrayView<float>, ArrayView<float>> kernel, Action<ArrayView<float>, ArrayView<float>, ArrayView<float>, int> cuda,
        BufferView x, BufferView dy, BufferView dx)
    {
        RequireLength(dy, x.Length);
        RequireLength(dx, x.Length);
        if (x.Length == 0) { return; }
        if (IsCuda) { Launch(cuda, VectorGrid(x.Length), View(x), View(dy), View(dx), AreVectors(x, dy, dx) ? 1 : 0); }
        else { Launch(kernel, Grid(x.Length), View(x), View(dy), View(dx)); }
    }
}
