using System.Diagnostics;
using System.Globalization;

namespace I2M.Cli;

/// <summary>What the operating system says about this process.</summary>
internal static class MemoryFacts
{
    /// <summary>The most physical memory that the process ever held, in bytes.</summary>
    public static long PeakResidentBytes()
    {
        // .NET reports 0 for the peak on Linux; the kernel keeps it as VmHWM.
        const string field = "VmHWM:";
        if (File.Exists("/proc/self/status") && File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith(field, StringComparison.Ordinal)) is { } line)
        {
            return long.Parse(line[field.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) * 1024;
        }
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
