using System.Reflection;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// OpenCL and CUDA devices through ILGPU, the same kernels for both. They keep to what every device and PoCL can do: float32, static
/// shared memory, barriers; no atomics, no shuffles, no dynamic shared memory, no generic address space.
/// </summary>
public sealed partial class IlgpuBackend : IBackend
{
    private readonly Accelerator _accelerator;
    private readonly AcceleratorStream _stream;
    private readonly Dictionary<MethodInfo, Delegate> _kernels = [];

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public DeviceInfo Device { get; }

    /// <inheritdoc/>
    public BufferPool Pool { get; }

    private IlgpuBackend(string name, Accelerator accelerator, string detail)
    {
        Name = name;
        _accelerator = accelerator;
        _stream = accelerator.CreateStream();
        Device = new DeviceInfo(accelerator.Name, detail, accelerator.MemorySize, accelerator.NumMultiprocessors);
        Pool = new BufferPool(Allocate);
    }

    /// <summary>True when a CUDA device answers.</summary>
    public static bool HasCuda => IlgpuContext.CudaDevices.Count > 0;

    /// <summary>True when an OpenCL device is a GPU.</summary>
    public static bool HasOpenClGpu => IlgpuContext.OpenClDevices.Any(IlgpuContext.IsGpu);

    /// <summary>All OpenCL and CUDA devices, without opening them.</summary>
    public static IReadOnlyList<(string Option, DeviceInfo Info)> List() =>
    [
        .. IlgpuContext.OpenClDevices.Select(d => ("opencl", new DeviceInfo(d.Name, $"{d.PlatformName}, OpenCL C {d.CVersion}", d.MemorySize, d.NumMultiprocessors))),
        .. IlgpuContext.CudaDevices.Select(d => ("cuda", new DeviceInfo(d.Name, $"compute capability {d.Architecture}", d.MemorySize, d.NumMultiprocessors))),
    ];

    /// <summary>Opens OpenCL device number <paramref name="index"/>, GPUs counted first.</summary>
    public static IlgpuBackend OpenCl(int index = 0)
    {
        var devices = IlgpuContext.OpenClDevices;
        if (index >= devices.Count)
        {
            throw new I2MException($"--device opencl: no OpenCL device {index} ({devices.Count} found); install a driver, e.g. Debian's pocl-opencl-icd for processors");
        }
        CLDevice device = devices[index];
        return new IlgpuBackend("opencl", IlgpuContext.Open(device), $"{device.PlatformName}, OpenCL C {device.CVersion}");
    }

    /// <summary>Opens CUDA device number <paramref name="index"/>.</summary>
    public static IlgpuBackend Cuda(int index = 0)
    {
        var devices = IlgpuContext.CudaDevices;
        if (index >= devices.Count)
        {
            throw new I2MException($"--device cuda: no CUDA device {index} ({devices.Count} found); check the NVIDIA driver with nvidia-smi");
        }
        CudaDevice device = devices[index];
        return new IlgpuBackend("cuda", IlgpuContext.Open(device), $"compute capability {device.Architecture}, driver {device.DriverVersion}");
    }

    /// <inheritdoc/>
    public void CopyFromHost(ReadOnlySpan<float> source, BufferView destination) => CopyIn(source, View(destination));

    /// <inheritdoc/>
    public void CopyFromHost(ReadOnlySpan<int> source, BufferView destination) => CopyIn(source, IntView(destination));

    /// <inheritdoc/>
    public void CopyToHost(BufferView source, Span<float> destination) => CopyOut(View(source), destination);

    /// <inheritdoc/>
    public void CopyToHost(BufferView source, Span<int> destination) => CopyOut(IntView(source), destination);

    /// <inheritdoc/>
    public void Synchronize() => _stream.Synchronize();

    /// <inheritdoc/>
    public void Dispose()
    {
        _stream.Synchronize();
        Pool.Dispose();
        _stream.Dispose();
        _accelerator.Dispose();
    }

    private static ArrayView<float> View(BufferView view) => Unsafe.As<IlgpuBuffer>(view.Buffer).View.SubView(view.Offset, view.Length);

    private static ArrayView<int> IntView(BufferView view) => View(view).Cast<int>();

    /// <summary>A view for an operand that may be left out: kernels test a flag, never the view.</summary>
    private static ArrayView<float> ViewOr(BufferView view, BufferView placeholder) => View(view.IsNone ? placeholder : view);

    private void CopyIn<T>(ReadOnlySpan<T> source, ArrayView<T> destination) where T : unmanaged
    {
        if (source.Length != destination.Length) { throw new ArgumentException($"Source has {source.Length} words, destination {destination.Length}."); }
        if (source.Length > 0) { destination.CopyFromCPU(_stream, source); }
    }

    private void CopyOut<T>(ArrayView<T> source, Span<T> destination) where T : unmanaged
    {
        if (source.Length != destination.Length) { throw new ArgumentException($"Source has {source.Length} words, destination {destination.Length}."); }
        if (source.Length > 0) { source.CopyToCPU(_stream, destination); }
        _stream.Synchronize();
    }

    private IlgpuBuffer Allocate(long length)
    {
        try
        {
            return new IlgpuBuffer(_accelerator, length);
        }
        catch (Exception e) when (e is AcceleratorException or OutOfMemoryException)
        {
            throw new I2MException($"{Name}: out of device memory: {length * 4:N0} bytes wanted, {Pool.DeviceBytes:N0} in use of {Device.MemoryBytes:N0}; use a smaller batch", e);
        }
    }
}
