using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace I2M.Model.Benchmarks;

/// <summary>What a result has to say about the machine it was measured on; the processor is named, the computer is not.</summary>
public static class MachineFacts
{
    /// <summary>The processor's own name, or its architecture where the system does not tell.</summary>
    public static string Processor { get; } = ReadProcessor();

    /// <summary>The commit that this program was built from, or null.</summary>
    public static string? Commit { get; } = typeof(MachineFacts).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        .Split('+', 2) is [_, var revision] ? revision : null;

    /// <summary>A file name for results of this processor and day: <c>intel-xeon-platinum-8481c-2t-20260102.json</c>.</summary>
    public static string FileName(int threads, DateTimeOffset date)
    {
        string name = Processor.Replace("(R)", "", StringComparison.Ordinal).Replace("(TM)", "", StringComparison.Ordinal);
        IEnumerable<string> words = new string([.. name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : ' ')]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return string.Create(CultureInfo.InvariantCulture, $"{string.Join('-', words)}-{threads}t-{date:yyyyMMdd}.json");
    }

    /// <summary>Processor time so far, of all processors together, that went to other virtual machines, and in all; null where the system does not tell.</summary>
    internal static (long Stolen, long Total)? ProcessorTime()
    {
        const string path = "/proc/stat";
        if (!OperatingSystem.IsLinux() || !File.Exists(path)) { return null; }
        // cpu  user nice system idle iowait irq softirq steal …
        string[] fields = File.ReadLines(path).First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        long[] ticks = [.. fields.Skip(1).Take(8).Select(f => long.Parse(f, CultureInfo.InvariantCulture))];
        return ticks.Length == 8 ? (ticks[7], ticks.Sum()) : null;
    }

    private static string ReadProcessor()
    {
        const string path = "/proc/cpuinfo";
        string? line = OperatingSystem.IsLinux() && File.Exists(path) ? File.ReadLines(path).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? $"{RuntimeInformation.ProcessArchitecture} processor";
    }
}
