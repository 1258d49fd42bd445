using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// The calls of the CUDA driver that ILGPU lacks: a kernel gets more than 48 KB of shared memory only after cuFuncSetAttribute has asked for it, and events
/// measure time without the profiling mode of a whole context.
/// </summary>
internal static unsafe partial class CudaDriver
{
    private const int MaxSharedMemoryPerBlockOptin = 97, FunctionMaxDynamicSharedBytes = 8;
    private const int ClockKilohertz = 13, MemoryClockKilohertz = 36, MemoryBusBits = 37, CapabilityMajor = 75, CapabilityMinor = 76;

    private static readonly Lazy<IntPtr> s_library = new(Open);

    /// <summary>The most shared memory that a group of one kernel can have on this device, static and dynamic together, in bytes.</summary>
    public static int MaxSharedBytes(CudaAccelerator accelerator) => Attribute(accelerator, MaxSharedMemoryPerBlockOptin);

    /// <summary>
    /// Peaks at the highest clocks that the driver names. Operations per clock and multiprocessor of dense products with float32 sums (NVIDIA's whitepapers on
    /// A100 and H100): 2048 in bfloat16 and 128 in float32 for compute capability 8.0, 4096 and 256 for 9.0; tf32 half of bfloat16. Memory moves two bits a clock and line.
    /// </summary>
    public static NominalPeaks Nominal(CudaAccelerator accelerator)
    {
        double clocks = 1e3 * Attribute(accelerator, ClockKilohertz) * accelerator.NumMultiprocessors;
        double bytes = 1e3 * Attribute(accelerator, MemoryClockKilohertz) * 2 * Attribute(accelerator, MemoryBusBits) / 8;
        (double Tensor, double Scalar)? rates = (Attribute(accelerator, CapabilityMajor), Attribute(accelerator, CapabilityMinor)) switch
        {
            (8, 0) => (2048, 128),
            (9, 0) => (4096, 256),
            _ => null,
        };
        return new NominalPeaks(clocks * rates?.Scalar, clocks * rates?.Tensor / 2, clocks * rates?.Tensor, bytes > 0 ? bytes : null);
    }

    /// <summary>A new event, which measures time or, for fences, does not and lets a waiting thread sleep.</summary>
    public static IntPtr CreateEvent(CudaAccelerator accelerator, bool isFence = false)
    {
        const int blockingSync = 1, disableTiming = 2;
        accelerator.Bind();
        var create = (delegate* unmanaged<IntPtr*, int, int>)NativeLibrary.GetExport(s_library.Value, "cuEventCreate");
        IntPtr created;
        ThrowIfFailed(create(&created, isFence ? blockingSync | disableTiming : 0));
        return created;
    }

    /// <summary>True when all work before an event is done.</summary>
    public static bool IsDone(IntPtr happening)
    {
        const int notReady = 600;
        int state = ((delegate* unmanaged<IntPtr, int>)NativeLibrary.GetExport(s_library.Value, "cuEventQuery"))(happening);
        if (state != notReady) { ThrowIfFailed(state); }
        return state == 0;
    }

    /// <summary>Waits for an event.</summary>
    public static void Wait(IntPtr happening) => ThrowIfFailed(((delegate* unmanaged<IntPtr, int>)NativeLibrary.GetExport(s_library.Value, "cuEventSynchronize"))(happening));

    /// <summary>Puts an event behind all work in a queue.</summary>
    public static void Record(IntPtr happening, CudaStream stream) =>
        ThrowIfFailed(((delegate* unmanaged<IntPtr, IntPtr, int>)NativeLibrary.GetExport(s_library.Value, "cuEventRecord"))(happening, stream.StreamPtr));

    /// <summary>Waits for the second event.</summary>
    /// <returns>Seconds between the two by the device's clock, in steps of about half a microsecond.</returns>
    public static double SecondsBetween(IntPtr first, IntPtr second)
    {
        Wait(second);
        float milliseconds;
        ThrowIfFailed(((delegate* unmanaged<float*, IntPtr, IntPtr, int>)NativeLibrary.GetExport(s_library.Value, "cuEventElapsedTime"))(&milliseconds, first, second));
        return 1e-3 * milliseconds;
    }

    /// <summary>Gives an event back; a device that is lost has nothing to give.</summary>
    public static void DestroyEvent(IntPtr happening) =>
        _ = ((delegate* unmanaged<IntPtr, int>)NativeLibrary.GetExport(s_library.Value, "cuEventDestroy_v2"))(happening);

    private static int Attribute(CudaAccelerator accelerator, int attribute)
    {
        var getAttribute = (delegate* unmanaged<int*, int, int, int>)NativeLibrary.GetExport(s_library.Value, "cuDeviceGetAttribute");
        int value;
        ThrowIfFailed(getAttribute(&value, attribute, accelerator.DeviceId));
        return value;
    }

    /// <summary>Lets launches of a kernel ask for so much dynamic shared memory.</summary>
    public static void AllowSharedBytes(CudaAccelerator accelerator, CudaKernel kernel, int bytes)
    {
        accelerator.Bind();
        var setAttribute = (delegate* unmanaged<IntPtr, int, int, int>)NativeLibrary.GetExport(s_library.Value, "cuFuncSetAttribute");
        ThrowIfFailed(setAttribute(kernel.FunctionPtr, FunctionMaxDynamicSharedBytes, bytes));
    }

    internal static void ThrowIfFailed(int error)
    {
        if (error != 0) { throw new CudaException((CudaError)error); }
    }

    private static IntPtr Open()
    {
        string[] names = OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"];
        foreach (string name in names)
        {
            if (NativeLibrary.TryLoad(name, out IntPtr library)) { return library; }
        }
        throw new I2MException($"cuda: the driver's library {names[0]} cannot be loaded; check the NVIDIA driver with nvidia-smi");
    }
}
