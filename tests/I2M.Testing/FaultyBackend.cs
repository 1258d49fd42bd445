using I2M.Kernels;
using I2M.Kernels.Ilgpu;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace I2M.Testing;

/// <summary>What goes wrong on a <see cref="FaultyBackend"/>; nothing by default.</summary>
public sealed class FaultPlan
{
    /// <summary>Which upload carries a NaN, counted from 1.</summary>
    public int PoisonedUpload { get; init; }

    /// <summary>From which upload on the device is lost, counted from 1.</summary>
    public int LostFromUpload { get; init; }

    /// <summary>Which allocation fails, counted from 1.</summary>
    public int RefusedAllocation { get; init; }

    /// <summary>How many allocations fail from there.</summary>
    public int Refusals { get; init; } = 1;
}

/// <summary>The OpenCL device with faults at chosen places.</summary>
public static class FaultyBackend
{
    /// <summary>Opens one; the caller disposes of it.</summary>
    public static IBackend Open(FaultPlan plan) => new IlgpuBackend("opencl", new FaultyDevice(new AcceleratorDevice(IlgpuContext.Open(IlgpuContext.OpenClDevices[0]), "with faults"), plan));

    private sealed class FaultyDevice(KernelDevice device, FaultPlan plan) : KernelDevice
    {
        private int _uploads, _allocations;

        public override DeviceInfo Info => device.Info;

        public override KernelTarget Target => device.Target;

        public override DeviceLimits Limits => device.Limits;

        public override AcceleratorStream Stream => device.Stream;

        public override IlgpuBuffer Allocate(long words)
        {
            int number = ++_allocations;
            if (plan.RefusedAllocation > 0 && number >= plan.RefusedAllocation && number < plan.RefusedAllocation + plan.Refusals) { throw new CudaException("CUDA_ERROR_OUT_OF_MEMORY"); }
            return device.Allocate(words);
        }

        public override TLauncher Load<TLauncher>(KernelEntry kernel) => device.Load<TLauncher>(kernel);

        public override void CopyIn<T>(ReadOnlySpan<T> source, ArrayView<T> destination) => device.CopyIn(source, destination);

        public override void CopyOut<T>(ArrayView<T> source, Span<T> destination) => device.CopyOut(source, destination);

        public override void Copy(ArrayView<float> source, ArrayView<float> destination) => device.Copy(source, destination);

        public override void Synchronize() => device.Synchronize();

        public override HostMemory AllocateHost(long words) => device.AllocateHost(words);

        public override void QueueIn(HostMemory source, ArrayView<float> destination)
        {
            int number = ++_uploads;
            if (plan.LostFromUpload > 0 && number >= plan.LostFromUpload) { throw new CudaException("CUDA_ERROR_ILLEGAL_ADDRESS"); }
            if (number == plan.PoisonedUpload) { source.Span[0] = float.NaN; }
            device.QueueIn(source, destination);
        }

        public override void QueueOut(ArrayView<float> source, HostMemory destination) => device.QueueOut(source, destination);

        public override DeviceFence CreateFence() => device.CreateFence();

        public override void Dispose() => device.Dispose();
    }
}
