using System.Globalization;

namespace I2M.Cli;

/// <summary>Quantities as people read them.</summary>
internal static class Units
{
    /// <summary>Bytes in MiB or GiB.</summary>
    public static string Bytes(long bytes) => bytes >= 10L << 30 ? Number(bytes / (double)(1L << 30), "F1") + " GiB" : Number(bytes / (double)(1L << 20), bytes < 10 << 20 ? "F2" : "N0") + " MiB";

    /// <summary>Operations, with "/s" where it is a rate: GFLOP, TFLOP or PFLOP.</summary>
    public static string Flops(double flops, string per = "") => flops >= 1e15 ? $"{Number(flops / 1e15, "F2")} PFLOP{per}" : flops >= 1e12 ? $"{Number(flops / 1e12, "F2")} TFLOP{per}" : $"{Number(flops / 1e9, "F1")} GFLOP{per}";

    /// <summary>Seconds in ms or s, long ones as h and m.</summary>
    public static string Seconds(double seconds) => seconds >= 100 ? ProgressLine.Format(TimeSpan.FromSeconds(Math.Min(seconds, 1e9))) : seconds >= 1 ? Number(seconds, "F2") + " s" : Number(1e3 * seconds, "F1") + " ms";

    /// <summary>A share as a percentage.</summary>
    public static string Percent(double share) => Number(100 * share, "F1") + "%";

    public static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
