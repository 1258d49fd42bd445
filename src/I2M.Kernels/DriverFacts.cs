using System.Runtime.InteropServices;
using I2M.Kernels.Ilgpu;

namespace I2M.Kernels;

/// <summary>What is installed of drivers, asked without opening a device.</summary>
public static class DriverFacts
{
    /// <summary>ILGPU's version.</summary>
    public static string IlgpuVersion { get; } = typeof(ILGPU.Context).Assembly.GetName().Version?.ToString(3) ?? "unknown";

    /// <summary>True when the loader of OpenCL drivers is there.</summary>
    public static bool HasOpenClLoader => CanLoad(OperatingSystem.IsWindows() ? "OpenCL.dll" : "libOpenCL.so.1");

    /// <summary>OpenCL platforms that have a device, by name.</summary>
    public static IReadOnlyList<string> OpenClPlatforms => [.. IlgpuContext.OpenClDevices.Select(d => d.PlatformName).Distinct()];

    /// <summary>True when one of the OpenCL devices is no processor.</summary>
    public static bool HasOpenClGpu => IlgpuBackend.HasOpenClGpu;

    /// <summary>What NVIDIA's driver says.</summary>
    /// <returns>Whether its library is there, its version such as 12.8, and the error of its initialisation; 0 is none.</returns>
    public static unsafe (bool Library, string? Version, int Error) Cuda()
    {
        if (!NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", out IntPtr library)) { return (false, null, 0); }
        int version;
        var initialize = (delegate* unmanaged<uint, int>)NativeLibrary.GetExport(library, "cuInit");
        var getVersion = (delegate* unmanaged<int*, int>)NativeLibrary.GetExport(library, "cuDriverGetVersion");
        int error = initialize(0);
        return (true, getVersion(&version) == 0 ? $"{version / 1000}.{version % 1000 / 10}" : null, error);
    }

    private static bool CanLoad(string name) => NativeLibrary.TryLoad(name, out _);
}
