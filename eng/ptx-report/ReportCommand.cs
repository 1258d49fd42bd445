using System.Reflection;
using I2M.Kernels;
using I2M.Kernels.Ilgpu;
using ILGPU.Runtime.Cuda;

namespace I2M.PtxReport;

/// <summary>The program: compile, assemble, print, compare or rewrite.</summary>
internal static class ReportCommand
{
    private static readonly (string Target, CudaArchitecture Architecture)[] s_targets = [("sm_80", CudaArchitecture.SM_80), ("sm_90", CudaArchitecture.SM_90)];

    /// <summary>Runs the program over the kernels of I2M.Kernels.</summary>
    /// <returns>The exit status.</returns>
    public static int Run(ReportOptions options, TextWriter output) => Run(options, KernelCatalog.Of(typeof(IBackend).Assembly), output);

    /// <summary>Runs the program over the kernels of an assembly.</summary>
    public static int Run(ReportOptions options, Assembly assembly, TextWriter output) => Run(options, KernelCatalog.Of(assembly), output);

    private static int Run(ReportOptions options, IReadOnlyList<KernelEntry> kernels, TextWriter output)
    {
        BudgetTable table = options.Update && !File.Exists(options.Budgets) ? BudgetTable.Empty : BudgetTable.Load(options.Budgets);
        Assembler? assembler = Assembler.Find(options.Ptxas);
        if (assembler is null && (options.Update || Environment.GetEnvironmentVariable("CI") == "true"))
        {
            throw new I2MException("no ptxas on PATH or in artifacts/ptxas: run eng/install-ptxas.sh or give --ptxas FILE");
        }
        var files = WritePtx(kernels, options.Output);
        output.WriteLine($"{kernels.Count} kernels written as PTX for {string.Join(" and ", s_targets.Select(t => t.Target))} to {options.Output}");
        IReadOnlyList<Measurement> measured = assembler is null ? [] : Assemble(assembler, files);
        if (assembler is null) { output.WriteLine("no ptxas: registers, stack, spills and occupancy are not checked (eng/install-ptxas.sh fetches it)"); }
        else if (!assembler.CountsInstructions) { output.WriteLine("no nvdisasm beside ptxas: instructions are not counted"); }
        ReportText.Write(output, table, measured);
        if (options.Update)
        {
            table = Updated(table, kernels, measured, assembler!.Version());
            table.Save(options.Budgets);
            output.WriteLine($"{options.Budgets} rewritten");
        }
        if (options.Markdown is not null)
        {
            if (assembler is null) { throw new I2MException("--markdown needs ptxas: run eng/install-ptxas.sh or give --ptxas FILE"); }
            MarkdownTable.Rewrite(options.Markdown, table, measured, assembler.Version());
            output.WriteLine($"{options.Markdown} rewritten");
        }
        var lint = files.SelectMany(f => PtxLint.Of(File.ReadAllText(f.File)).Select(fault => $"{f.Kernel.Name} on {f.Target}: {fault}"));
        string[] problems = [.. BudgetCheck.Rows(table, kernels), .. lint, .. measured.SelectMany(m => BudgetCheck.Kernel(table, m))];
        foreach (string problem in problems) { output.WriteLine($"FAIL {problem}"); }
        if (problems.Length > 0 && assembler is not null && BudgetCheck.VersionHint(assembler.Version(), table.Assembler) is { } hint) { output.WriteLine($"NOTE {hint}"); }
        output.WriteLine(problems.Length == 0 ? "ptx-report: all kernels within budget" : $"ptx-report: {problems.Length} problems");
        return problems.Length == 0 ? 0 : 1;
    }

    /// <summary>Compiles one after the other in the catalogue's order: labels in the text count on, and so stay the same from run to run.</summary>
    private static List<(KernelEntry Kernel, string Target, string File)> WritePtx(IReadOnlyList<KernelEntry> kernels, string folder)
    {
        var files = new List<(KernelEntry, string, string)>();
        foreach (var (target, architecture) in s_targets)
        {
            string targetFolder = Path.Combine(folder, target);
            Directory.CreateDirectory(targetFolder);
            using var compiler = new PtxCompiler(architecture);
            foreach (KernelEntry kernel in kernels)
            {
                string file = Path.Combine(targetFolder, $"{kernel.Name}.ptx");
                File.WriteAllText(file, compiler.Compile(kernel).Text);
                files.Add((kernel, target, file));
            }
        }
        return files;
    }

    private static Measurement[] Assemble(Assembler assembler, List<(KernelEntry Kernel, string Target, string File)> files)
    {
        try { return [.. files.AsParallel().AsOrdered().Select(f => new Measurement(f.Kernel, f.Target, assembler.Assemble(f.File, f.Target)))]; }
        catch (AggregateException e) when (e.InnerExceptions[0] is I2MException first) { throw new I2MException(first.Message, e); }
    }

    private static BudgetTable Updated(BudgetTable table, IReadOnlyList<KernelEntry> kernels, IReadOnlyList<Measurement> measured, string version)
    {
        var rows = new SortedDictionary<string, BudgetRow>(StringComparer.Ordinal);
        foreach (KernelEntry kernel in kernels)
        {
            bool hot = !table.Kernels.TryGetValue(kernel.Name, out BudgetRow? before) || before.Hot;
            var targets = measured.Where(m => m.Kernel == kernel).ToDictionary(m => m.Target, m => Budget.Of(m.Usage, m.Groups));
            rows[kernel.Name] = new BudgetRow(hot, new SortedDictionary<string, Budget>(targets, StringComparer.Ordinal));
        }
        return new BudgetTable(version, rows);
    }
}
