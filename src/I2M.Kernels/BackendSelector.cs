using I2M.Kernels.Host;
using I2M.Kernels.Ilgpu;

namespace I2M.Kernels;

/// <summary>Opens the device that the user asked for, and says why it was chosen.</summary>
public static class BackendSelector
{
    /// <summary>What <c>--device</c> accepts.</summary>
    public static IReadOnlyList<string> Names { get; } = ["auto", "host", "opencl", "cuda"];

    /// <summary>The name that "auto" stands for on this machine.</summary>
    public static string AutoChoice => IlgpuBackend.HasCuda ? "cuda" : IlgpuBackend.HasOpenClGpu ? "opencl" : "host";

    /// <summary>
    /// Opens a backend. "auto" takes the first CUDA device, else an OpenCL GPU, else the host; an OpenCL driver for processors is slower than the host and
    /// is never taken by itself. Any other name opens that device or fails: nothing falls back silently.
    /// </summary>
    /// <param name="name">One of <see cref="Names"/>, case ignored.</param>
    /// <param name="threads">Host threads; 0 takes one per processor.</param>
    /// <param name="reason">One line on what was opened and why.</param>
    /// <exception cref="I2MException">Unknown name, or no such device.</exception>
    public static IBackend Open(string name, int threads, out string reason)
    {
        switch (name.ToLowerInvariant())
        {
            case "host":
                return Described(new HostBackend(threads), "asked for", out reason);
            case "opencl":
                return Described(IlgpuBackend.OpenCl(), "asked for", out reason);
            case "cuda":
                return Tuned(IlgpuBackend.Cuda(), "asked for", out reason);
            case "auto":
                return AutoChoice switch
                {
                    "cuda" => Tuned(IlgpuBackend.Cuda(), "the first CUDA device", out reason),
                    "opencl" => Described(IlgpuBackend.OpenCl(), "the first OpenCL GPU", out reason),
                    _ => Described(new HostBackend(threads), "no CUDA device and no OpenCL GPU found", out reason),
                };
            default:
                throw new I2MException($"--device {name}: expected one of {string.Join(", ", Names)}");
        }
    }

    /// <summary>All devices with the name that opens each.</summary>
    public static IReadOnlyList<(string Option, DeviceInfo Info)> List()
    {
        using var host = new HostBackend();
        return [("host", host.Device), .. IlgpuBackend.List()];
    }

    /// <summary>With the tiles that were measured on this device.</summary>
    private static IBackend Tuned(IlgpuBackend backend, string why, out string reason)
    {
        backend.Tiles = TileCache.Load(backend.Device, IlgpuBackend.IsTile, out string tiles);
        return Described(backend, $"{why}; {tiles}; tf32 where rows start at multiples of 16 bytes and not both factors are transposed, else float32 in full", out reason);
    }

    private static IBackend Described(IBackend backend, string why, out string reason)
    {
        reason = $"{backend.Name}: {backend.Device.Name} ({backend.Device.Detail}): {why}";
        return backend;
    }
}
