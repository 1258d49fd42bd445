using System.Diagnostics;
using ILGPU;
using ILGPU.Runtime;

namespace I2M.Kernels.Ilgpu;

/// <summary>Whose kernels a device runs.</summary>
internal enum KernelTarget
{
    /// <summary>The portable kernels, shaped for GPUs.</summary>
    OpenCl,

    /// <summary>The portable kernels, and those for processors (classes named Processor…) where there is one.</summary>
    OpenClProcessor,

    /// <summary>The portable kernels, and those under Cuda/ where there is one.</summary>
    Cuda,
}

/// <summary>What a launch may ask for.</summary>
/// <param name="GroupThreads">Work items a group.</param>
/// <param name="Grid">Groups along each dimension.</param>
/// <param name="DynamicSharedBytes">Dynamic shared memory a group in bytes; 0 where there is none.</param>
internal readonly record struct DeviceLimits(int GroupThreads, Index3D Grid, int DynamicSharedBytes);

/// <summary>
/// What <see cref="IlgpuBackend"/> needs of a device: memory, copies and kernels, in one queue. <see cref="AcceleratorDevice"/> is a device of ILGPU;
/// the tests put an emulator of PTX in its place.
/// </summary>
internal abstract class KernelDevice : IDisposable
{
    /// <summary>What the device is.</summary>
    public abstract DeviceInfo Info { get; }

    /// <summary>Whose kernels it runs.</summary>
    public abstract KernelTarget Target { get; }

    /// <summary>What a launch may ask for.</summary>
    public abstract DeviceLimits Limits { get; }

    /// <summary>The queue that launchers get.</summary>
    public abstract AcceleratorStream Stream { get; }

    /// <summary>Takes so many words of memory, aligned to 256 bytes.</summary>
    /// <exception cref="AcceleratorException">No memory left; likewise <see cref="OutOfMemoryException"/>.</exception>
    public abstract IlgpuBuffer Allocate(long words);

    /// <summary>Compiles a kernel and returns its launcher, an Action of the queue, a <see cref="KernelConfig"/> and the kernel's arguments.</summary>
    public abstract TLauncher Load<TLauncher>(KernelEntry kernel) where TLauncher : Delegate;

    /// <summary>Copies host memory to the device (equal lengths above 0) and waits for it.</summary>
    public abstract void CopyIn<T>(ReadOnlySpan<T> source, ArrayView<T> destination) where T : unmanaged;

    /// <summary>Copies to host memory (equal lengths above 0) and waits for it.</summary>
    public abstract void CopyOut<T>(ArrayView<T> source, Span<T> destination) where T : unmanaged;

    /// <summary>Copies within the device (equal lengths above 0).</summary>
    public abstract void Copy(ArrayView<float> source, ArrayView<float> destination);

    /// <summary>Waits for all queued work.</summary>
    public abstract void Synchronize();

    /// <summary>Host memory of so many words for <see cref="QueueIn"/> and <see cref="QueueOut"/>: page-locked where the device wants that.</summary>
    /// <exception cref="AcceleratorException">No memory left; likewise <see cref="OutOfMemoryException"/>.</exception>
    public virtual HostMemory AllocateHost(long words) => new(words);

    /// <summary>Queues a copy to the device and returns; the host memory must stay as it is until a fence behind the copy is reached.</summary>
    public virtual void QueueIn(HostMemory source, ArrayView<float> destination) => CopyIn<float>(source.Span, destination);

    /// <summary>Queues a copy to the host and returns; the memory holds the data when a fence behind the copy is reached.</summary>
    public virtual void QueueOut(ArrayView<float> source, HostMemory destination) => CopyOut(source, destination.Span);

    /// <summary>A mark for the queue.</summary>
    public virtual DeviceFence CreateFence() => new ReachedFence();

    /// <summary>True where nothing is computed; see <see cref="Dry.DryBackend"/>.</summary>
    public virtual bool IsDry => false;

    /// <summary>True where queued work can be recorded and replayed.</summary>
    public virtual bool CanRecord => false;

    /// <summary>
    /// From here to <see cref="EndRecording"/> kernels and copies within the device are recorded and not run; anything that waits or reads host memory is an error.
    /// </summary>
    public virtual void BeginRecording() => throw new NotSupportedException($"{Info.Name} records no work.");

    /// <summary>What was recorded.</summary>
    public virtual IDeviceRecording EndRecording() => throw new NotSupportedException($"{Info.Name} records no work.");

    /// <summary>Leaves the recording after a failure.</summary>
    public virtual void AbandonRecording() => throw new NotSupportedException($"{Info.Name} records no work.");

    /// <summary>See <see cref="IDeviceProbe.HasEvents"/>.</summary>
    public virtual bool HasEvents => false;

    /// <summary>See <see cref="IDeviceProbe.Marks"/>.</summary>
    public virtual IDeviceMarks? Marks => null;

    /// <summary>See <see cref="IDeviceProbe.Nominal"/>.</summary>
    public virtual NominalPeaks Nominal => default;

    /// <summary>See <see cref="IDeviceProbe.Time"/>: by the host's clock, with a wait on both sides.</summary>
    public virtual double Time(Action work)
    {
        Synchronize();
        long start = Stopwatch.GetTimestamp();
        work();
        Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <inheritdoc/>
    public abstract void Dispose();
}
