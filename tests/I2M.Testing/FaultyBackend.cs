using I2M.Kernels;
using I2M.Kernels.Ilgpu;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace I2M.Testing;

/// <summary>What goes wrong on a <see cref="FaultyBackend"/>; nothing by default.</summary>
public sealed class FaultPlan
{
    /// <summary>Which upload carries a NaN, counted from 1.</summary>
    public int PoisonedUpload { get; init; }

    /// <summary>From which upload on the device is lost, counted from 1.</summary>
    public int LostFromUpload { get; init; }

    /// <summary>Which allocation of host memory fails, counted from 1.</summary>
    public int RefusedHostAllocation { get; init; }

    /// <summary>Which allocation fails, counted from 1.</summary>
    public int RefusedAllocation { get; init; }

    /// <summary>What the device reports for it.</summary>
    public CLError AllocationError { get; init; } = CLError.CL_MEM_OBJECT_ALLOCATION_FAILURE;

    /// <summary>How many allocations fail from there.</summary>
    public int Refusals { get; init; } = 1;
}

/// <summary>The OpenCL device with faults at chosen places. It is opened once, since compiling its kernels takes long; a fault does it no harm.</summary>
public static class FaultyBackend
{
    private static readonly Lazy<FaultyDevice> s_device = new(() => new FaultyDevice(new AcceleratorDevice(IlgpuContext.Open(IlgpuContext.OpenClDevices[0]), "with faults")));
    private static readonly Lazy<IBackend> s_backend = new(() => new IlgpuBackend("opencl", s_device.Value));

    /// <summary>Blocks of host memory that were taken since <see cref="With"/> and not given back.</summary>
    public static int HostBlocks => s_device.Value.HostBlocks;

    /// <summary>The backend with an empty pool and the counts of the plan at their start.</summary>
    public static IBackend With(FaultPlan plan)
    {
        s_backend.Value.Pool.Trim();
        s_device.Value.Start(plan);
        return s_backend.Value;
    }

    private sealed class FaultyDevice(KernelDevice device) : KernelDevice
    {
        private int _uploads, _allocations, _hostAllocations;
        private readonly List<HostMemory> _hostMemory = [];
        private FaultPlan _plan = new();

        public unsafe int HostBlocks => _hostMemory.Count(memory => memory.Pointer is not null);

        public void Start(FaultPlan next)
        {
            (_plan, _uploads, _allocations, _hostAllocations) = (next, 0, 0, 0);
            _hostMemory.Clear();
        }

        public override DeviceInfo Info => device.Info;

        public override KernelTarget Target => device.Target;

        public override DeviceLimits Limits => device.Limits;

        public override AcceleratorStream Stream => device.Stream;

        public override IlgpuBuffer Allocate(long words)
        {
            int number = ++_allocations;
            if (_plan.RefusedAllocation > 0 && number >= _plan.RefusedAllocation && number < _plan.RefusedAllocation + _plan.Refusals) { throw new CLException(_plan.AllocationError); }
            return device.Allocate(words);
        }

        public override TLauncher Load<TLauncher>(KernelEntry kernel) => device.Load<TLauncher>(kernel);

        public override void CopyIn<T>(ReadOnlySpan<T> source, ArrayView<T> destination) => device.CopyIn(source, destination);

        public override void CopyOut<T>(ArrayView<T> source, Span<T> destination) => device.CopyOut(source, destination);

        public override void Copy(ArrayView<float> source, ArrayView<float> destination) => device.Copy(source, destination);

        public override void Synchronize() => device.Synchronize();

        public override HostMemory AllocateHost(long words)
        {
            if (++_hostAllocations == _plan.RefusedHostAllocation) { throw new CLException(CLError.CL_OUT_OF_HOST_MEMORY); }
            _hostMemory.Add(device.AllocateHost(words));
            return _hostMemory[^1];
        }

        public override void QueueIn(HostMemory source, ArrayView<float> destination)
        {
            int number = ++_uploads;
            if (_plan.LostFromUpload > 0 && number >= _plan.LostFromUpload) { throw new CudaException("CUDA_ERROR_ILLEGAL_ADDRESS"); }
            if (number == _plan.PoisonedUpload) { source.Span[0] = float.NaN; }
            device.QueueIn(source, destination);
        }

        public override void QueueOut(ArrayView<float> source, HostMemory destination) => device.QueueOut(source, destination);

        public override DeviceFence CreateFence() => device.CreateFence();

        public override void Dispose() => device.Dispose();
    }
}
