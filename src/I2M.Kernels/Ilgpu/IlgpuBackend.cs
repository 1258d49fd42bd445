using System.Reflection;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// OpenCL and CUDA devices through ILGPU. The portable kernels keep to what every device and PoCL can do: float32, static shared memory, barriers; no
/// atomics, no shuffles, no dynamic shared memory, no generic address space. Where <see cref="IsCuda"/>, an operation may launch a kernel of Cuda/ instead; where
/// <see cref="IsProcessor"/>, one of the classes named Processor…, whose items compute in registers, without barriers.
/// </summary>
public sealed partial class IlgpuBackend : IBackend
{
    private readonly KernelDevice _device;
    private readonly Dictionary<MethodInfo, LoadedKernel> _kernels = [];

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public DeviceInfo Device => _device.Info;

    /// <inheritdoc/>
    public BufferPool Pool { get; }

    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="device">Disposed of with this.</param>
    internal IlgpuBackend(string name, KernelDevice device)
    {
        Name = name;
        _device = device;
        Pool = new BufferPool(Allocate);
    }

    /// <summary>True where the kernels of Cuda/ run: on a CUDA device, and on the tests' emulation of one.</summary>
    private bool IsCuda => _device.Target == KernelTarget.Cuda;

    /// <summary>A twin that launches nothing; see <see cref="Kernels.Dry.DryBackend"/>.</summary>
    internal IlgpuBackend Dry() => new(Name, new Kernels.Dry.DryDevice(_device)) { Tiles = Tiles };

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
    public static IlgpuBackend OpenCl(int index = 0) => OpenCl("opencl", index, null);

    /// <summary>As <see cref="OpenCl(int)"/>, with other kernels than suit the device best: for tests of those for GPUs on a processor.</summary>
    internal static IlgpuBackend OpenCl(string name, int index, KernelTarget? target)
    {
        var devices = IlgpuContext.OpenClDevices;
        if (index >= devices.Count)
        {
            throw new I2MException($"--device opencl: no OpenCL device {index} ({devices.Count} found); install a driver, e.g. Debian's pocl-opencl-icd for processors");
        }
        CLDevice device = devices[index];
        return new IlgpuBackend(name, new AcceleratorDevice(IlgpuContext.Open(device), $"{device.PlatformName}, OpenCL C {device.CVersion}", target));
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
        return new IlgpuBackend("cuda", new AcceleratorDevice(IlgpuContext.Open(device), $"compute capability {device.Architecture}, driver {device.DriverVersion}"));
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
    public void Synchronize()
    {
        RefuseInRecording("A wait");
        Drained();
        try { _device.Synchronize(); }
        catch (AcceleratorException e) { throw Lost("queued work", e); }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try { _device.Synchronize(); }
        catch (AcceleratorException) { /* A lost device has nothing to wait for; its memory is still given back. */ }
        while (_transfers.Count > 0) { _transfers[^1].Dispose(); }
        Pool.Dispose();
        _device.Dispose();
    }

    internal static ArrayView<float> View(BufferView view) => Unsafe.As<IlgpuBuffer>(view.Buffer).View.SubView(view.Offset, view.Length);

    private static ArrayView<int> IntView(BufferView view) => View(view).Cast<int>();

    /// <summary>A view for an operand that may be left out: kernels test a flag, never the view.</summary>
    private static ArrayView<float> ViewOr(BufferView view, BufferView placeholder) => View(view.IsNone ? placeholder : view);

    /// <summary>The device address of a view's first word, for kernels that take raw addresses as <see langword="long"/>.</summary>
    internal static long Address(BufferView view) => View(view).LoadEffectiveAddressAsPtr().ToInt64();

    private void CopyIn<T>(ReadOnlySpan<T> source, ArrayView<T> destination) where T : unmanaged
    {
        if (source.Length != destination.Length) { throw new ArgumentException($"Source has {source.Length} words, destination {destination.Length}."); }
        if (source.Length == 0) { return; }
        RefuseInRecording("A copy from the host");
        Drained();
        try { _device.CopyIn(source, destination); }
        catch (AcceleratorException e) { throw Lost($"a copy of {source.Length * 4L:N0} bytes to the device", e); }
    }

    private void CopyOut<T>(ArrayView<T> source, Span<T> destination) where T : unmanaged
    {
        if (source.Length != destination.Length) { throw new ArgumentException($"Source has {source.Length} words, destination {destination.Length}."); }
        if (source.Length == 0)
        {
            Synchronize();
            return;
        }
        RefuseInRecording("A copy to the host");
        Drained();
        try { _device.CopyOut(source, destination); }
        catch (AcceleratorException e) { throw Lost($"a copy of {source.Length * 4L:N0} bytes to the host", e); }
    }

    private IlgpuBuffer Allocate(long length)
    {
        try
        {
            return _device.Allocate(length);
        }
        catch (Exception e) when (IsLackOfMemory(e))
        {
            throw new OutOfDeviceMemoryException(Name, Device, length * sizeof(float), Pool, e);
        }
        catch (AcceleratorException e) { throw Lost($"a request for {length * sizeof(float):N0} bytes", e); }
    }

    /// <summary>Whether a request failed for want of memory. A device that has failed before reports that at its next call, whatever it is: such a request is not too large.</summary>
    internal static bool IsLackOfMemory(Exception e) => e switch
    {
        CudaException cuda => cuda.Error == nameof(CudaError.CUDA_ERROR_OUT_OF_MEMORY),
        CLException cl => cl.Error is CLError.CL_MEM_OBJECT_ALLOCATION_FAILURE or CLError.CL_OUT_OF_RESOURCES or CLError.CL_OUT_OF_HOST_MEMORY or CLError.CL_INVALID_BUFFER_SIZE,
        _ => e is OutOfMemoryException,
    };

    private DeviceLostException Lost(string during, AcceleratorException e) => new(Name, Device, during, Pool.DeviceBytes, e);
}
