using System.Text;
using I2M.Kernels;

namespace I2M.Model.Data.Building;

/// <summary>One row of a table, by column name.</summary>
/// <param name="Line">Number of its line in the file, from 1.</param>
/// <param name="Fields">By column.</param>
internal sealed record CsvRow(int Line, IReadOnlyDictionary<string, string> Fields)
{
    /// <summary>The field, empty without such a column.</summary>
    public string Get(string column) => Fields.GetValueOrDefault(column, "").Trim();

    /// <summary>The field, null when empty.</summary>
    public string? Optional(string column) => Get(column) is { Length: > 0 } value ? value : null;
}

/// <summary>Comma-separated values after RFC 4180: a header line, quotes around fields with commas, line ends or doubled quotes; UTF-8.</summary>
internal static class CsvFile
{
    private const int MaxBytes = 256 << 20;

    /// <summary>Reads a table.</summary>
    /// <param name="path">The file.</param>
    /// <param name="required">Columns that must be there.</param>
    /// <exception cref="BadFileException">No UTF-8, a column is missing, a row has another number of fields, quotes do not close, or there is no row.</exception>
    public static IReadOnlyList<CsvRow> Read(string path, IReadOnlyList<string> required)
    {
        List<(int Line, List<string> Fields)> rows = Parse(path, Decode(path));
        string[] columns = rows.Count > 0 ? [.. rows[0].Fields.Select(f => f.Trim().ToLowerInvariant())] : [];
        if (required.FirstOrDefault(c => !columns.Contains(c)) is { } missing) { throw new BadFileException(path, $"line 1: no column {missing}, expected a header with {string.Join(", ", required)}"); }
        if (columns.Distinct().Count() < columns.Length) { throw new BadFileException(path, "line 1: two columns of one name"); }
        if (rows.Count < 2) { throw new BadFileException(path, "holds a header alone, expected at least one row"); }
        return [.. rows.Skip(1).Select(row => row.Fields.Count == columns.Length
            ? new CsvRow(row.Line, columns.Zip(row.Fields).ToDictionary(p => p.First, p => p.Second))
            : throw new BadFileException(path, $"line {row.Line}: {row.Fields.Count} fields, expected {columns.Length}"))];
    }

    private static string Decode(string path)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(InputStream.ReadAll(path, MaxBytes)).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException e)
        {
            throw new BadFileException(path, "is not UTF-8 text", e);
        }
    }

    private static List<(int, List<string>)> Parse(string path, string text)
    {
        var rows = new List<(int, List<string>)>();
        var fields = new List<string>();
        var field = new StringBuilder();
        int line = 1, start = 1;
        bool quoted = false;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == '\n') { line++; }
            if (quoted)
            {
                if (c != '"') { field.Append(c); }
                else if (i + 1 < text.Length && text[i + 1] == '"') { field.Append(text[i++]); }
                else { quoted = false; }
            }
            else if (c == '"' && field.Length == 0) { quoted = true; }
            else if (c == ',') { Finish(); }
            else if (c == '\n') { EndRow(); }
            else if (c != '\r') { field.Append(c); }
        }
        if (quoted) { throw new BadFileException(path, $"line {start}: a quote is not closed"); }
        EndRow();
        return rows;

        void Finish()
        {
            fields.Add(field.ToString());
            field.Clear();
        }

        void EndRow()
        {
            Finish();
            if (fields.Count > 1 || fields[0].Trim().Length > 0) { rows.Add((start, fields)); }
            fields = [];
            start = line;
        }
    }
}
