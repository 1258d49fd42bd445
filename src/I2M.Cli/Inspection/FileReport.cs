using System.Globalization;

namespace I2M.Cli.Inspection;

/// <summary>A tensor or value inside a file.</summary>
/// <param name="Name">Its name, with dots between levels.</param>
/// <param name="Type">Element type or kind of value.</param>
/// <param name="Shape">Dimensions of a tensor, null for other values.</param>
/// <param name="Value">A plain value, null for tensors.</param>
internal sealed record ReportEntry(string Name, string Type, IReadOnlyList<long>? Shape = null, string? Value = null)
{
    public override string ToString() => Shape is not null ? $"{Name}  {Type} [{string.Join(", ", Shape)}]" : Value is not null ? $"{Name}  {Type} {Value}" : $"{Name}  {Type}";
}

/// <summary>What a file or folder is.</summary>
/// <param name="Kind">In a few words.</param>
/// <param name="Facts">Names and values, in the order to be shown.</param>
/// <param name="Entries">What lies in it.</param>
internal sealed record FileReport(string Kind, IReadOnlyList<(string Name, object Value)> Facts, IReadOnlyList<ReportEntry> Entries)
{
    /// <summary>As lines of text, one a fact and entry, in invariant culture.</summary>
    public IEnumerable<string> Lines()
    {
        int width = Facts.Count == 0 ? 0 : Facts.Max(f => f.Name.Length);
        foreach (var (name, value) in Facts) { yield return $"  {name.PadRight(width)}  {Text(value)}"; }
        foreach (ReportEntry entry in Entries) { yield return $"  {OneLine(entry.ToString())}"; }
    }

    private static string Text(object value) => value switch
    {
        long or int => string.Create(CultureInfo.InvariantCulture, $"{value:N0}"),
        double number => number.ToString("0.######", CultureInfo.InvariantCulture),
        IEnumerable<string> list => OneLine(string.Join(", ", list)),
        _ => OneLine(Convert.ToString(value, CultureInfo.InvariantCulture)!),
    };

    /// <summary>Text from a file must not move the cursor or fill the screen.</summary>
    private static string OneLine(string text)
    {
        const int longest = 200;
        string cut = text.Length <= longest ? text : string.Concat(text.AsSpan(0, longest), "…");
        return string.Concat(cut.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? '?' : c));
    }
}
