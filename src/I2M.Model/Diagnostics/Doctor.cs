using System.Globalization;
using I2M.Kernels;

namespace I2M.Model.Diagnostics;

/// <summary>Says what is wrong with an installation, and how to mend it.</summary>
public static class Doctor
{
    /// <summary>Less is too little for a checkpoint of the full model with the one before; a program cannot even start well with the second.</summary>
    private const long LowDisk = 10L << 30, NoDisk = 200L << 20;
    private const long LowMemory = 4L << 30;

    /// <summary>What the facts and the devices say.</summary>
    public static IReadOnlyList<Finding> Diagnose(SystemFacts facts, IReadOnlyList<DeviceReport> devices) =>
        [.. Cuda(facts, devices), .. OpenCl(facts), .. Kernels(devices), .. Disk(facts), .. Programs(facts)];

    private static IEnumerable<Finding> Cuda(SystemFacts f, IReadOnlyList<DeviceReport> devices)
    {
        if (f.ClosedDeviceFiles.Count > 0)
        {
            yield return Broken($"this user may not open {string.Join(", ", f.ClosedDeviceFiles)}", "run as a user of their group (often video or render), or start the container with the GPU handed through");
        }
        if (f.NvidiaCards > 0 && !f.CudaLibrary) { yield return Broken("there is an NVIDIA card, but the driver's library libcuda.so.1 is missing", "install NVIDIA's driver (in a container: start it with the NVIDIA container toolkit, --gpus all); nvidia-smi must list the card"); }
        else if (!f.CudaLibrary) { yield return Remark("no NVIDIA driver: --device cuda is not available", "nothing to do without an NVIDIA card"); }
        else if (f.CudaError != 0 && f.NvidiaCards > 0) { yield return Broken($"the NVIDIA driver does not start (cuInit gives {f.CudaError}{CudaMeaning(f.CudaError)})", "check with nvidia-smi; after an update of the driver restart the computer"); }
        else if (f.CudaError != 0) { yield return Remark($"the NVIDIA driver is installed but finds no card (cuInit gives {f.CudaError}{CudaMeaning(f.CudaError)})", "nothing to do without an NVIDIA card; in a container start it with --gpus all"); }
        else if (!devices.Any(d => d.Option == "cuda")) { yield return Broken("the NVIDIA driver starts but lists no device", "check CUDA_VISIBLE_DEVICES and nvidia-smi"); }
    }

    /// <summary>The driver's own names of its commonest errors.</summary>
    private static string CudaMeaning(int error) => error switch
    {
        100 => ": no device",
        101 => ": invalid device",
        802 => ": system not yet initialised (fabric manager)",
        803 => ": driver and library have different versions",
        999 => ": unknown error, often a missing kernel module",
        _ => "",
    };

    private static IEnumerable<Finding> OpenCl(SystemFacts f)
    {
        if (!f.OpenClLoader) { yield return Remark("no OpenCL: the loader libOpenCL.so.1 is missing, --device opencl is not available", "for a GPU install its vendor's OpenCL driver and ocl-icd-libopencl1; for tests on a processor pocl-opencl-icd"); }
        else if (f.OpenClPlatforms.Count == 0) { yield return Remark("the OpenCL loader finds no driver (no ICD in /etc/OpenCL/vendors), --device opencl is not available", "install the OpenCL driver of the GPU's vendor, or pocl-opencl-icd for tests on a processor"); }
        else if (!f.OpenClGpu) { yield return Remark($"OpenCL has a processor only ({string.Join(", ", f.OpenClPlatforms)}): right for tests, slower than --device host", "nothing to do without a GPU; else install the OpenCL driver of its vendor"); }
    }

    private static IEnumerable<Finding> Kernels(IReadOnlyList<DeviceReport> devices)
    {
        foreach (DeviceReport device in devices)
        {
            foreach (FamilyReport family in device.Families.Where(x => x.Problem is not null))
            {
                yield return Broken($"{device.Option}: {device.Name} computes wrongly or fails: {family.Problem}", device.Option == "host" ? "report this with the whole output" : "update the device's driver; until then use --device host; report this with the whole output");
            }
        }
    }

    private static IEnumerable<Finding> Disk(SystemFacts f)
    {
        foreach (var (bytes, where) in new[] { (f.FreeDiskBytes, "here"), (f.FreeTemporaryBytes, "for temporary files") })
        {
            if (bytes < NoDisk) { yield return Broken($"{GiB(bytes.Value)} GiB of disk are free {where}: not enough to save anything", "free some space, or work in another folder"); }
            else if (bytes < LowDisk && where == "here") { yield return Remark($"{GiB(bytes.Value)} GiB of disk are free {where}: the full model's checkpoints need about 12 GiB", "i2m estimate tells what a run needs; --out may lie on another disk"); }
        }
        if (f.MemoryBytes < LowMemory) { yield return Remark($"{GiB(f.MemoryBytes)} GiB of memory: enough for the nano and micro presets", "i2m estimate tells the largest batch that fits; --recompute saves memory"); }
    }

    private static IEnumerable<Finding> Programs(SystemFacts f)
    {
        if (f.SoundFile is null) { yield return Remark("libsndfile is missing: WAV can be read, FLAC, OGG and MP3 cannot", "install libsndfile1"); }
        if (f.Espeak is null) { yield return Remark("espeak-ng is missing: quickstart speaks with the built-in voice", "install espeak-ng for better speech"); }
        if (f.Fonts.Length == 0) { yield return Broken("the plots' font is not in the program", "the installation is damaged: install it again"); }
    }

    private static Finding Broken(string what, string mend) => new(FindingLevel.Broken, what, mend);

    private static Finding Remark(string what, string mend) => new(FindingLevel.Remark, what, mend);

    private static string GiB(long bytes) => (bytes / (double)(1L << 30)).ToString("F1", CultureInfo.InvariantCulture);
}
