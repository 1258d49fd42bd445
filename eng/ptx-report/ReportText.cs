using System.Globalization;

namespace I2M.PtxReport;

/// <summary>The table on the terminal.</summary>
internal static class ReportText
{
    /// <summary>A line a kernel and target; "hot" as the table marks it.</summary>
    public static void Write(TextWriter output, BudgetTable table, IReadOnlyList<Measurement> measured)
    {
        if (measured.Count == 0) { return; }
        int width = measured.Max(m => m.Kernel.Name.Length);
        output.WriteLine($"{"kernel".PadRight(width)} target hot threads regs stack spill shared groups occup. HMMA LDSM LDGSTS LDG.128 MUFU");
        foreach (Measurement m in measured.OrderBy(m => m.Kernel.Name, StringComparer.Ordinal))
        {
            bool hot = table.Kernels.TryGetValue(m.Kernel.Name, out BudgetRow? row) && row.Hot;
            string counts = m.Usage.Instructions is { } i ? $"{i.Hmma,4} {i.Ldsm,4} {i.Ldgsts,6} {i.Ldg128,7} {i.Mufu,4}" : "   -    -      -       -    -";
            string share = (100 * Occupancy.Share(m.Groups, m.Kernel.MaxThreads)).ToString("F0", CultureInfo.InvariantCulture);
            output.WriteLine($"{m.Kernel.Name.PadRight(width)} {m.Target,6} {(hot ? "hot" : "   ")} {m.Kernel.MaxThreads,7} {m.Usage.Registers,4} {m.Usage.Stack,5} " +
                $"{m.Usage.Spill,5} {m.SharedBytes,6} {m.Groups,6} {share,5}% {counts}");
        }
    }
}
