using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace I2M.Kernels.Ilgpu;

/// <summary>The one ILGPU context of the process: finds OpenCL and CUDA devices and opens accelerators.</summary>
internal static class IlgpuContext
{
    private static readonly Lazy<Context> s_context = new(Create);

    public static Context Shared => s_context.Value;

    /// <summary>OpenCL devices, GPUs before processors.</summary>
    public static IReadOnlyList<CLDevice> OpenClDevices =>
        [.. Shared.Devices.OfType<CLDevice>().OrderBy(d => IsGpu(d) ? 0 : 1)];

    public static bool IsGpu(CLDevice device) => device.DeviceType.HasFlag(CLDeviceType.CL_DEVICE_TYPE_GPU);

    public static IReadOnlyList<CudaDevice> CudaDevices => [.. Shared.Devices.OfType<CudaDevice>()];

    /// <summary>
    /// Opens an OpenCL device. ILGPU 1.5.3 insists on the generic address space, which PoCL 3.1 does not offer; at O2 it infers every
    /// address space and our kernels use none, so the capability is set by hand.
    /// </summary>
    public static Accelerator Open(CLDevice device)
    {
        SetGenericAddressSpace(device.Capabilities, true);
        return device.CreateAccelerator(Shared);
    }

    public static Accelerator Open(CudaDevice device) => device.CreateAccelerator(Shared);

    private static Context Create()
    {
        NativeLibrary.SetDllImportResolver(typeof(CLDevice).Assembly, ResolveOpenCl);
        return Context.Create(builder => builder
            .OpenCL(static _ => true)
            .Cuda()
            .Optimize(OptimizationLevel.O2)
            .EnableAlgorithms());
    }

    /// <summary>ILGPU asks for libOpenCL.so, which only development packages install; the loader itself is libOpenCL.so.1.</summary>
    private static IntPtr ResolveOpenCl(string name, Assembly assembly, DllImportSearchPath? path) =>
        name.Contains("OpenCL", StringComparison.Ordinal) && NativeLibrary.TryLoad("libOpenCL.so.1", out IntPtr handle) ? handle : IntPtr.Zero;

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_GenericAddressSpace")]
    private static extern void SetGenericAddressSpace(CLCapabilityContext capabilities, bool value);
}
