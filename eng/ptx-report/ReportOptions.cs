using I2M.Kernels;

namespace I2M.PtxReport;

/// <summary>What the command line says.</summary>
/// <param name="Ptxas">The assembler, or null to look for it.</param>
/// <param name="Output">Folder for the PTX.</param>
/// <param name="Budgets">The table.</param>
/// <param name="Update">Rewrite the table instead of checking against it.</param>
/// <param name="Markdown">File whose marked part is rewritten as a table for readers, or null.</param>
internal sealed record ReportOptions(string? Ptxas, string Output, string Budgets, bool Update, string? Markdown = null)
{
    private const string Usage = """
        ptx-report [--ptxas FILE] [--out FOLDER] [--budgets FILE] [--update] [--markdown FILE]
        Compiles every kernel to PTX, assembles it for sm_80 and sm_90 and checks registers, stack, spills, shared memory, occupancy and
        instruction counts against the table. Exit status: 0 all within budget, 1 a budget is exceeded, 2 wrong use.
          --ptxas FILE     the assembler; otherwise artifacts/ptxas (eng/install-ptxas.sh), then PATH. nvdisasm beside it counts instructions
          --out FOLDER     where the PTX goes (artifacts/ptx)
          --budgets FILE   the table (eng/ptx-report/budgets.json)
          --markdown FILE  rewrite FILE between its marks "ptx-report begins" and "ptx-report ends": hot kernels with registers, occupancy and instructions
          --update         rewrite the table from what was measured; marks stay, new kernels are marked hot
        """;

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="I2MException">Unknown or incomplete.</exception>
    public static ReportOptions Parse(string[] args)
    {
        string root = RepositoryRoot();
        var options = new ReportOptions(null, Path.Combine(root, "artifacts", "ptx"), Path.Combine(root, "eng", "ptx-report", "budgets.json"), false);
        for (int i = 0; i < args.Length; i++)
        {
            options = args[i] switch
            {
                "--ptxas" => options with { Ptxas = Value() },
                "--out" => options with { Output = Value() },
                "--budgets" => options with { Budgets = Value() },
                "--markdown" => options with { Markdown = Value() },
                "--update" => options with { Update = true },
                _ => throw new I2MException($"{args[i]}: unknown argument\n{Usage}"),
            };

            string Value() => ++i < args.Length ? args[i] : throw new I2MException($"{args[i - 1]}: a value is missing\n{Usage}");
        }
        return options;
    }

    /// <summary>The folder of I2M.sln at or above the program, else the current one.</summary>
    public static string RepositoryRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "I2M.sln"))) { return folder.FullName; }
        }
        return Directory.GetCurrentDirectory();
    }
}
