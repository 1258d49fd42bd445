using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace I2M.Kernels.Ilgpu;

/// <summary>An OpenCL or CUDA device through ILGPU.</summary>
internal sealed class AcceleratorDevice : KernelDevice
{
    /// <summary>The most dynamic shared memory that CUDA grants without being asked, in bytes.</summary>
    private const int GrantedSharedBytes = 48 * 1024;

    private readonly Accelerator _accelerator;
    private readonly CudaTimer? _timer;
    private readonly CudaMarks? _marks;

    /// <param name="accelerator">Disposed of with this.</param>
    /// <param name="detail">See <see cref="DeviceInfo.Detail"/>.</param>
    /// <param name="target">Other kernels than suit the device best, or null.</param>
    public AcceleratorDevice(Accelerator accelerator, string detail, KernelTarget? target = null)
    {
        _accelerator = accelerator;
        Stream = accelerator.CreateStream();
        Info = new DeviceInfo(accelerator.Name, detail, accelerator.MemorySize, accelerator.NumMultiprocessors);
        var cuda = accelerator as CudaAccelerator;
        Target = target ?? TargetOf(accelerator);
        if (cuda is not null) { (_timer, _marks, Nominal) = (new CudaTimer(cuda, (CudaStream)Stream), new CudaMarks(cuda, (CudaStream)Stream), CudaDriver.Nominal(cuda)); }
        Limits = new DeviceLimits(accelerator.MaxNumThreadsPerGroup, accelerator.MaxGridSize, cuda is null ? 0 : CudaDriver.MaxSharedBytes(cuda));
    }

    /// <summary>
    /// Which kernels suit a device: those for GPUs also on accelerator cards, which have local memory of their own. The type is a mask: drivers add the bit
    /// of the default device.
    /// </summary>
    private static KernelTarget TargetOf(Accelerator accelerator) => accelerator switch
    {
        CudaAccelerator => KernelTarget.Cuda,
        CLAccelerator cl when cl.DeviceType.HasFlag(CLDeviceType.CL_DEVICE_TYPE_CPU) => KernelTarget.OpenClProcessor,
        _ => KernelTarget.OpenCl,
    };

    /// <inheritdoc/>
    public override DeviceInfo Info { get; }

    /// <inheritdoc/>
    public override KernelTarget Target { get; }

    /// <inheritdoc/>
    public override DeviceLimits Limits { get; }

    /// <inheritdoc/>
    public override AcceleratorStream Stream { get; }

    /// <inheritdoc/>
    public override bool HasEvents => _timer is not null;

    /// <inheritdoc/>
    public override IDeviceMarks? Marks => _marks;

    /// <inheritdoc/>
    public override NominalPeaks Nominal { get; }

    /// <inheritdoc/>
    public override double Time(Action work) => _timer?.Time(work) ?? base.Time(work);

    /// <inheritdoc/>
    public override IlgpuBuffer Allocate(long words)
    {
        MemoryBuffer1D<float, Stride1D.Dense> memory = _accelerator.Allocate1D<float>(words);
        return new IlgpuBuffer(memory.View.AsContiguous(), memory);
    }

    /// <inheritdoc/>
    public override TLauncher Load<TLauncher>(KernelEntry kernel)
    {
        KernelSpecialization specialization = Target == KernelTarget.Cuda ? SpecializationOf(kernel) : KernelSpecialization.Empty;
        Kernel loaded = _accelerator.LoadKernel(kernel.Method, specialization);
        if (loaded is CudaKernel cuda && kernel.SharedBytes > GrantedSharedBytes)
        {
            CudaDriver.AllowSharedBytes((CudaAccelerator)_accelerator, cuda, kernel.SharedBytes);
        }
        return loaded.CreateLauncherDelegate<TLauncher>();
    }

    /// <summary>The kernel's bounds as CUDA compilers take them.</summary>
    public static KernelSpecialization SpecializationOf(KernelEntry kernel) => new(kernel.MaxThreads, kernel.MinGroups > 0 ? kernel.MinGroups : null);

    /// <inheritdoc/>
    public override void CopyIn<T>(ReadOnlySpan<T> source, ArrayView<T> destination) => destination.CopyFromCPU(Stream, source);

    /// <inheritdoc/>
    public override void CopyOut<T>(ArrayView<T> source, Span<T> destination)
    {
        source.CopyToCPU(Stream, destination);
        Stream.Synchronize();
    }

    /// <inheritdoc/>
    public override void Copy(ArrayView<float> source, ArrayView<float> destination) => source.CopyTo(Stream, destination);

    /// <inheritdoc/>
    public override void Synchronize() => Stream.Synchronize();

    /// <inheritdoc/>
    public override unsafe HostMemory AllocateHost(long words)
    {
        HostMemory memory = _accelerator is CudaAccelerator cuda ? new PageLockedMemory(cuda, words) : new HostMemory(words);
        memory.Buffer = CPUMemoryBuffer.Create(_accelerator, (IntPtr)memory.Pointer, words, sizeof(float));
        return memory;
    }

    /// <inheritdoc/>
    public override void QueueIn(HostMemory source, ArrayView<float> destination) => source.View.CopyTo(Stream, destination);

    /// <inheritdoc/>
    public override void QueueOut(ArrayView<float> source, HostMemory destination) => source.CopyTo(Stream, destination.View);

    /// <inheritdoc/>
    public override DeviceFence CreateFence() => _accelerator is CudaAccelerator cuda ? new CudaFence(cuda, (CudaStream)Stream) : new OpenClFence((CLStream)Stream);

    /// <inheritdoc/>
    public override bool CanRecord => _accelerator is CudaAccelerator && CudaDriver.HasGraphs;

    /// <inheritdoc/>
    public override void BeginRecording()
    {
        ((CudaAccelerator)_accelerator).Bind();
        CudaDriver.BeginCapture((CudaStream)Stream);
    }

    /// <inheritdoc/>
    public override IDeviceRecording EndRecording() => new CudaGraph((CudaAccelerator)_accelerator, (CudaStream)Stream);

    /// <inheritdoc/>
    public override void AbandonRecording() => CudaDriver.AbandonCapture((CudaStream)Stream);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _timer?.Dispose();
        _marks?.Dispose();
        Stream.Dispose();
        _accelerator.Dispose();
    }
}
