using System.Globalization;
using System.Text;
using I2M.Kernels;

namespace I2M.PtxReport;

/// <summary>The hot kernels that run on tensor cores or have a register budget, as a table of a document. The rest of the file stays as it is.</summary>
internal static class MarkdownTable
{
    private const string Begin = "<!-- ptx-report begins -->", End = "<!-- ptx-report ends -->";

    /// <summary>Replaces what stands between the marks.</summary>
    /// <exception cref="BadFileException">No such file, or no marks in it.</exception>
    public static void Rewrite(string path, BudgetTable table, IReadOnlyList<Measurement> measured, string assembler)
    {
        if (!File.Exists(path)) { throw new BadFileException(path, $"no such file; expected a document with the lines {Begin} and {End}"); }
        string before = File.ReadAllText(path);
        int begin = before.IndexOf(Begin, StringComparison.Ordinal), end = before.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin) { throw new BadFileException(path, $"expected the lines {Begin} and {End}, in this order"); }
        string temporary = path + ".new";
        File.WriteAllText(temporary, $"{before[..begin]}{Begin}\n{Text(table, measured, assembler)}{before[end..]}");
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>A line a kernel; figures of sm_80 and sm_90 side by side where they differ.</summary>
    public static string Text(BudgetTable table, IReadOnlyList<Measurement> measured, string assembler)
    {
        var text = new StringBuilder($"ptxas {assembler}; where sm_80 and sm_90 differ, sm_80 / sm_90. Instructions are those of the text, not of a run.\n\n");
        text.Append("| kernel | threads | registers | shared KB | groups | warps per multiprocessor | HMMA | LDSM | LDGSTS | LDG.128 | MUFU |\n");
        text.Append("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        foreach (var kernel in measured.Where(m => IsShown(table, m)).GroupBy(m => m.Kernel.Name).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            Measurement[] targets = [.. kernel.OrderBy(m => m.Target, StringComparer.Ordinal)];
            string Both(Func<Measurement, string> figure) => string.Join(" / ", targets.Select(figure).Distinct());
            string Count(Func<InstructionCounts, int> count) => Both(m => m.Usage.Instructions is { } i ? Number(count(i)) : "-");
            string[] cells =
            [
                kernel.Key, Number(targets[0].Kernel.MaxThreads), Both(m => Number(m.Usage.Registers)), Both(m => (m.SharedBytes / 1024.0).ToString("0.#", CultureInfo.InvariantCulture)),
                Both(m => Number(m.Groups)), Both(m => Number(m.Groups * ((m.Kernel.MaxThreads + 31) / 32))),
                Count(i => i.Hmma), Count(i => i.Ldsm), Count(i => i.Ldgsts), Count(i => i.Ldg128), Count(i => i.Mufu),
            ];
            text.Append($"| {string.Join(" | ", cells)} |\n");
        }
        return text.ToString();
    }

    /// <summary>Kernels with tensor-core or asynchronous instructions, 16-byte loads, or more than 64 registers.</summary>
    private static bool IsShown(BudgetTable table, Measurement m) =>
        table.Kernels.TryGetValue(m.Kernel.Name, out BudgetRow? row) && row.Hot
        && (m.Usage.Registers > 64 || m.Usage.Instructions is { } i && i.Hmma + i.Ldgsts + i.Ldg128 > 0);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
