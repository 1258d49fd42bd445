using System.Text.Json;
using System.Text.Json.Serialization;
using I2M.Kernels;

namespace I2M.PtxReport;

/// <summary>What a kernel may use on one target. Registers are rounded up to 8, the unit in which a multiprocessor grants them.</summary>
/// <param name="Registers">Most registers a thread.</param>
/// <param name="Stack">Most bytes of stack a thread; without effect in a hot kernel, where none is allowed.</param>
/// <param name="Spill">Most bytes of spill stores and loads; likewise.</param>
/// <param name="Shared">Most bytes of static shared memory a group.</param>
/// <param name="Groups">Fewest groups a multiprocessor must hold at a time.</param>
/// <param name="Instructions">Fewest instructions of each kind, most MUFU; null when the table was written without a disassembler.</param>
internal sealed record Budget(int Registers, int Stack, int Spill, int Shared, int Groups, InstructionCounts? Instructions)
{
    private const int RegisterUnit = 8;

    /// <summary>The budget that a measured kernel just keeps.</summary>
    public static Budget Of(Usage usage, int groups) =>
        new((usage.Registers + RegisterUnit - 1) / RegisterUnit * RegisterUnit, usage.Stack, usage.Spill, usage.Shared, groups, usage.Instructions);
}

/// <summary>A kernel's row: whether it is hot, where stack and spills are never allowed, and its budget by target.</summary>
internal sealed record BudgetRow(bool Hot, SortedDictionary<string, Budget> Targets);

/// <summary>The committed table.</summary>
/// <param name="Assembler">Version of ptxas that the numbers come from.</param>
/// <param name="Kernels">Rows by kernel.</param>
internal sealed record BudgetTable(string Assembler, SortedDictionary<string, BudgetRow> Kernels)
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    /// <summary>A table without rows.</summary>
    public static BudgetTable Empty => new("none", new SortedDictionary<string, BudgetRow>(StringComparer.Ordinal));

    /// <summary>Reads a table.</summary>
    /// <exception cref="BadFileException">Missing or not a table.</exception>
    public static BudgetTable Load(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<BudgetTable>(File.ReadAllText(path), s_options) ?? throw new BadFileException(path, "a table expected, null found");
        }
        catch (FileNotFoundException e)
        {
            throw new BadFileException(path, "no such table; --update writes it", e);
        }
        catch (JsonException e)
        {
            throw new BadFileException(path, e.Message, e);
        }
    }

    /// <summary>Writes the table with a line a kernel and target, so that a change of a kernel is a change of its lines.</summary>
    public void Save(string path)
    {
        var text = new System.Text.StringBuilder();
        text.Append($"{{\n  \"assembler\": \"{Assembler}\",\n  \"kernels\": {{");
        string separator = "\n";
        foreach (var (name, row) in Kernels)
        {
            string targets = string.Join(",\n", row.Targets.Select(t => $"      \"{t.Key}\": {JsonSerializer.Serialize(t.Value, s_options)}"));
            text.Append($"{separator}    \"{name}\": {{ \"hot\": {(row.Hot ? "true" : "false")}, \"targets\": {{\n{targets} }} }}");
            separator = ",\n";
        }
        text.Append("\n  }\n}\n");
        string temporary = path + ".new";
        File.WriteAllText(temporary, text.ToString());
        File.Move(temporary, path, overwrite: true);
    }
}
