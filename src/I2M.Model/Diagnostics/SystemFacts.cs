using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using I2M.Kernels;
using I2M.Model.Benchmarks;

namespace I2M.Model.Diagnostics;

/// <summary>What the program finds around it; no computer, user or path is named, so that it can be shown to anybody.</summary>
public sealed record SystemFacts
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>Version and commit of this program.</summary>
    public string Program { get; init; } = typeof(SystemFacts).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
    /// <summary>.NET's version.</summary>
    public string Runtime { get; init; } = RuntimeInformation.FrameworkDescription;
    /// <summary>The system and its architecture.</summary>
    public string System { get; init; } = $"{RuntimeInformation.OSDescription} {RuntimeInformation.OSArchitecture}";
    /// <summary>The processor's own name.</summary>
    public string Processor { get; init; } = MachineFacts.Processor;
    /// <summary>Logical processors.</summary>
    public int Cores { get; init; } = Environment.ProcessorCount;
    /// <summary>Memory that this process may use, in bytes.</summary>
    public long MemoryBytes { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
    /// <summary>Free disk space where the program was started, in bytes; null where unknown.</summary>
    public long? FreeDiskBytes { get; init; } = FreeDisk(Environment.CurrentDirectory);
    /// <summary>Free disk space for temporary files, in bytes; null where unknown.</summary>
    public long? FreeTemporaryBytes { get; init; } = FreeDisk(Path.GetTempPath());
    /// <summary>ILGPU's version.</summary>
    public string Ilgpu { get; init; } = DriverFacts.IlgpuVersion;
    /// <summary>Whether the loader of OpenCL drivers is there.</summary>
    public bool OpenClLoader { get; init; } = DriverFacts.HasOpenClLoader;
    /// <summary>OpenCL platforms with a device.</summary>
    public IReadOnlyList<string> OpenClPlatforms { get; init; } = DriverFacts.OpenClPlatforms;
    /// <summary>Whether an OpenCL device is a GPU.</summary>
    public bool OpenClGpu { get; init; } = DriverFacts.HasOpenClGpu;
    /// <summary>Whether NVIDIA's driver library is there.</summary>
    public bool CudaLibrary { get; init; }
    /// <summary>The CUDA version of the driver, or null.</summary>
    public string? CudaVersion { get; init; }
    /// <summary>Error of the driver's initialisation; 0 is none.</summary>
    public int CudaError { get; init; }
    /// <summary>NVIDIA display or compute devices on the bus.</summary>
    public int NvidiaCards { get; init; } = CountNvidiaCards();
    /// <summary>Files of NVIDIA's driver that this user cannot open.</summary>
    public IReadOnlyList<string> ClosedDeviceFiles { get; init; } = FindClosedFiles();
    /// <summary>libsndfile's version, or null without it.</summary>
    public string? SoundFile { get; init; } = SoundFileVersion();
    /// <summary>espeak-ng's version, or null without it.</summary>
    public string? Espeak { get; init; } = FirstLineOf("espeak-ng", "--version");
    /// <summary>Fonts of the plots.</summary>
    public string Fonts { get; init; } = string.Join(", ", typeof(SystemFacts).Assembly.GetManifestResourceNames().Where(n => n.EndsWith(".ttf", StringComparison.Ordinal)));

    /// <summary>Looks around.</summary>
    public static SystemFacts Gather()
    {
        (bool library, string? version, int error) = DriverFacts.Cuda();
        return new SystemFacts { CudaLibrary = library, CudaVersion = version, CudaError = error };
    }

    private static long? FreeDisk(string path)
    {
        try { return new DriveInfo(path).AvailableFreeSpace; }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException) { return null; }
    }

    /// <summary>NVIDIA's vendor number with the class of displays (03).</summary>
    private static int CountNvidiaCards()
    {
        const string bus = "/sys/bus/pci/devices";
        return !Directory.Exists(bus) ? 0 : Directory.EnumerateDirectories(bus).Count(device => Is(device, "vendor", "0x10de") && Is(device, "class", "0x03"));

        static bool Is(string device, string file, string start)
        {
            string path = Path.Combine(device, file);
            return File.Exists(path) && File.ReadAllText(path).StartsWith(start, StringComparison.Ordinal);
        }
    }

    private static string[] FindClosedFiles() => !Directory.Exists("/dev") ? []
        : [.. Directory.EnumerateFiles("/dev", "nvidia*").Where(path => path is "/dev/nvidiactl" or "/dev/nvidia-uvm" || path.Length > 11 && char.IsAsciiDigit(path[^1])).Where(IsClosed).Order(StringComparer.Ordinal)];

    private static bool IsClosed(string path)
    {
        try
        {
            using FileStream file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return false;
        }
        catch (UnauthorizedAccessException) { return true; }
        catch (IOException) { return false; } // Open but busy, or of a kind that .NET does not read: permission is what counts.
    }

    private static unsafe string? SoundFileVersion()
    {
        if (!NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "sndfile.dll" : OperatingSystem.IsMacOS() ? "libsndfile.dylib" : "libsndfile.so.1", out IntPtr library)) { return null; }
        var version = (delegate* unmanaged<byte*>)NativeLibrary.GetExport(library, "sf_version_string");
        return Marshal.PtrToStringUTF8((nint)version());
    }

    private static string? FirstLineOf(string program, string argument)
    {
        try
        {
            using Process? process = Process.Start(new ProcessStartInfo(program, argument) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false });
            string? line = process?.StandardOutput.ReadLine();
            process?.WaitForExit(s_patience);
            // espeak-ng goes on with the place of its data, which is nobody's business.
            return line?.Split("  Data at", 2)[0];
        }
        catch (Exception e) when (e is global::System.ComponentModel.Win32Exception or InvalidOperationException) { return null; }
    }
}
