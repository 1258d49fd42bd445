using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace I2M.Kernels.Ilgpu;

/// <summary>
/// The calls of the CUDA driver that ILGPU lacks: a kernel gets more than 48 KB of shared memory only after cuFuncSetAttribute has asked for it.
/// </summary>
internal static unsafe class CudaDriver
{
    private const int MaxSharedMemoryPerBlockOptin = 97, FunctionMaxDynamicSharedBytes = 8;

    private static readonly Lazy<IntPtr> s_library = new(Open);

    /// <summary>The most shared memory that a group of one kernel can have on this device, static and dynamic together, in bytes.</summary>
    public static int MaxSharedBytes(CudaAccelerator accelerator)
    {
        var getAttribute = (delegate* unmanaged<int*, int, int, int>)NativeLibrary.GetExport(s_library.Value, "cuDeviceGetAttribute");
        int bytes;
        ThrowIfFailed(getAttribute(&bytes, MaxSharedMemoryPerBlockOptin, accelerator.DeviceId));
        return bytes;
    }

    /// <summary>Lets launches of a kernel ask for so much dynamic shared memory.</summary>
    public static void AllowSharedBytes(CudaAccelerator accelerator, CudaKernel kernel, int bytes)
    {
        accelerator.Bind();
        var setAttribute = (delegate* unmanaged<IntPtr, int, int, int>)NativeLibrary.GetExport(s_library.Value, "cuFuncSetAttribute");
        ThrowIfFailed(setAttribute(kernel.FunctionPtr, FunctionMaxDynamicSharedBytes, bytes));
    }

    private static void ThrowIfFailed(int error)
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
